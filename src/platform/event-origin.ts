/**
 * Events of operations on a whole environment are told in the environment of the actor: what its applications and users
 * did, and what stays when the other environment goes.
 */
import { eventOrigin } from '../contract/event-origin.ts'
import type { Context } from '../contract/operation.ts'
import type { EventOrigin } from '../events/record.ts'

/** The origin of an event in the environment of the actor. */
export function originOfActor(context: Context): EventOrigin {
  return eventOrigin(context, context.actor.kind === 'anonymous' ? '' : context.actor.environmentId)
}
