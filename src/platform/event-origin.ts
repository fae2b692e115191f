/**
 * Events of operations on a whole environment are told in the environment of the actor: what its applications and users
 * did, and what stays when the other environment goes.
 */
import type { Context } from '../contract/operation.ts'
import type { EventOrigin } from '../events/record.ts'

/** The origin of an event in the environment of the actor. */
export function originOfActor({ kernel, now, correlationId, remoteAddress, actor }: Context): EventOrigin {
  const environmentId = actor.kind === 'anonymous' ? '' : actor.environmentId
  return { world: kernel.world, now, environmentId, correlationId, remoteAddress, actor }
}
