/** Where an event comes from, out of the context of a request. */
import type { EventOrigin } from '../events/record.ts'
import type { Context } from './operation.ts'

/**
 * The origin of an event.
 * @param environmentId the environment that the event is told in; of a request without one in its path, the one it found
 */
export function eventOrigin(context: Context, environmentId: string): EventOrigin {
  const { kernel, now, correlationId, remoteAddress, actor } = context
  return { world: kernel.world, now, environmentId, correlationId, remoteAddress, actor }
}
