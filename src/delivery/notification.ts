/**
 * Notifications: a message to a user, made from a template (platform-api 3.18) and promised in the unit of the change
 * that it tells of. It is sent by the outbox, so that a provider that is down breaks nothing.
 *
 * Never: a text of its own (templates hold those); a code in clear in storage: the payload is sealed.
 */
import type { Environment } from '../environment/snapshot.ts'
import { open, seal, type SealContext } from '../keys/sealing.ts'
import type { Statement } from '../storage/port.ts'
import type { World } from '../world.ts'
import { enqueue } from './outbox.ts'

/**
 * The templates Stile sends: a closed list of PingOne's names. `email_verification_user` proves that the user owns the
 * e-mail address, `strong_authentication` brings the passcode of a second factor, `device_pairing` the one that activates
 * a device.
 */
export type TemplateName =
  | 'device_pairing'
  | 'email_verification_user'
  | 'recovery_code_template'
  | 'strong_authentication'

/** A message to one user, by e-mail. */
export interface Notification {
  readonly template: TemplateName
  /** The e-mail address. */
  readonly to: string
  readonly userId: string
  /** BCP 47 tags in order of preference. */
  readonly locales: readonly string[]
  /** What stands for `${name}` in the template. */
  readonly variables: Readonly<Record<string, string>>
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
