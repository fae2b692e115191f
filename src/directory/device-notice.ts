/**
 * Telling users of a change of their MFA devices where they can be reached already: `newDeviceNotification` of a device
 * authentication policy, platform-api 3.14.3; row L36. One message, promised in the unit of the change, to the first of
 * their addresses in the order that the policy names. That a recovery code was used is told whatever the policy says
 * (row L21).
 *
 * Never: a message about a new device to that device alone; more messages a day than anybody reads.
 */
import { notify } from '../delivery/notification.ts'
import type { Environment } from '../environment/snapshot.ts'
import { type DeviceAuthenticationPolicy, limitedBy } from '../flow/factors/device-authentication-policy.ts'
import type { Kernel } from '../kernel.ts'
import { type GuessBound, takeGuess } from '../limits/guesses.ts'
import type { UnitBody } from '../storage/port.ts'
import { type Device, deviceFacts } from './devices.ts'
import { e164 } from './passcodes.ts'
import { textKey, type User } from './users.ts'

/** How many notices one user is sent. */
const noticesSent: GuessBound = { guesses: 10, seconds: 86_400 }

/** What was done, and to which device. */
export interface DeviceChange {
  readonly user: User
  readonly device: Device
  /** `removed`: its own address is told as well where there is no other. */
  readonly change: 'added' | 'removed' | 'code used'
  /** The devices of the user before the change. */
  readonly devices: readonly Device[]
}

/** Where the user can be reached, by kind of message, the most telling first. */
function addressesOf({ user, device, change, devices }: DeviceChange) {
  const others = devices.filter(({ id, status }) => status === 'ACTIVE' && id !== device.id)
  const known = change === 'removed' ? [...others, device] : others
  const { email, emailVerified, mobilePhone } = user.document
  const emails = [emailVerified === false ? null : email, ...known.map((each) => each.email)]
  const phones = [...known.map(({ type, phone }) => (type === 'SMS' ? phone : null)), mobilePhone]
  const isNew = (address: string) =>
    change === 'added' && [device.email && textKey(device.email), device.phone && e164(device.phone)].includes(address)
  return {
    Email: emails.find((each) => each && !isNew(textKey(each))) ?? undefined,
    SMS: phones.flatMap((each) => (each && !isNew(e164(each)) ? [e164(each)] : []))[0],
  }
}

const templates = {
  added: 'new_device_paired',
  removed: 'device_removed',
  'code used': 'recovery_code_used',
} as const

/** Promises the notice that the policy wants; for the unit of the change. */
export function* tellOfDevice(
  { world }: Pick<Kernel, 'world'>,
  environment: Environment,
  policy: DeviceAuthenticationPolicy,
  changed: DeviceChange,
  now: number,
): UnitBody<void> {
  const { user, device, change } = changed
  const { newDeviceNotification = 'NONE' } = policy
  if (newDeviceNotification === 'NONE' && change !== 'code used') return
  const order = newDeviceNotification === 'SMS_THEN_EMAIL' ? (['SMS', 'Email'] as const) : (['Email', 'SMS'] as const)
  const addresses = addressesOf(changed)
  const deliveryMethod = order.find((method) => addresses[method] !== undefined)
  const to = deliveryMethod && addresses[deliveryMethod]
  if (!to) return
  const counter = { environmentId: environment.id, kind: 'device-notice', subject: user.id } as const
  const { allowed } = yield* takeGuess(counter, noticesSent, now).run()
  if (!allowed) return
  const { nickname, target } = deviceFacts(device)
  yield notify(
    world,
    environment,
    {
      template: templates[change],
      deliveryMethod,
      to,
      userId: user.id,
      ...limitedBy(policy),
      locales: user.document.preferredLanguage ? [user.document.preferredLanguage] : [],
      variables: {
        'user.username': user.username,
        'user.name': user.document.name?.given ?? user.username,
        'device.name': nickname ?? target ?? device.type,
      },
      // Unlike a code it does not expire; late is better than never.
      usefulUntil: now + 86_400_000,
    },
    now,
  )
}
