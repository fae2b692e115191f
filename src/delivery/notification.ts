/**
 * Notifications: a message to somebody, mostly a user, made from a template (platform-api 3.18) and promised in the unit of the change
 * that it tells of. It is sent by the outbox, so that a provider that is down breaks nothing.
 *
 * Never: a text of its own (templates hold those); a code in clear in storage: the payload is sealed.
 */
import type { Environment } from '../environment/snapshot.ts'
import { open, seal, type SealContext } from '../keys/sealing.ts'
import type { Statement } from '../storage/port.ts'
import type { World } from '../world.ts'
import { enqueue } from './outbox.ts'
import type { Wanted } from './rules/render.ts'

/** A message to one person: what it says, and whom it is for. */
export interface Notification extends Wanted {
  /** The e-mail address; for SMS and voice the phone number, E.164; for push what the app is sent messages by. */
  readonly to: string
  /** For voice: what is dialled once the call is taken, digits, `*`, `#`, and commas for pauses; default: nothing. */
  readonly extension?: string
  /** For push: the device whose app is woken. */
  readonly deviceId?: string
  /** Null: whoever has the address, who is no user. */
  readonly userId: string | null
  /** The notifications policy whose limits hold; default: that of the environment. */
  readonly notificationsPolicyId?: string
  /** When it is of no use to anybody any more, since its code expires, epoch milliseconds; default: half an hour. */
  readonly usefulUntil?: number
}

function place(environmentId: string, id: string): SealContext {
  return { environmentId, table: 'outbox', row: id, column: 'payload' }
}

/** The statement that promises a notification, to be yielded inside the unit of the change. */
export function notify(
  world: World,
  { id: environmentId, dataKey }: Pick<Environment, 'id' | 'dataKey'>,
  notification: Notification,
  now: number,
): Statement<object> {
  const id = world.uuid()
  const payload = seal(dataKey, JSON.stringify(notification), place(environmentId, id), world)
  return enqueue(world, { kind: 'notification.send', environmentId, id, payload }, now)
}

/** Reads what `notify` sealed. @throws UnsealFailed */
export function readNotification(
  { id: environmentId, dataKey }: Pick<Environment, 'id' | 'dataKey'>,
  message: { readonly id: string; readonly payload: string },
): Notification {
  return JSON.parse(open(dataKey, message.payload, place(environmentId, message.id)).toString()) as Notification
}
