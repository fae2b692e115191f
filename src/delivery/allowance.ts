/**
 * Whether one more message may be sent: the quotas and the cooldown of the policy, counted in one unit for all nodes
 * together. platform-api 3.18; row L14 (20 resends; cost cap).
 *
 * A message is counted when it is first tried and never again, so that a provider that is down uses nobody's quota up.
 * Never: an address or a number in a counter; they are hashed.
 */
import { createHash } from 'node:crypto'
import { increment } from '../storage/operations.ts'
import type { Storage, UnitBody } from '../storage/port.ts'
import type { Notification } from './notification.ts'
import { boundOf, cooldownOf, type NotificationsPolicy, periodSeconds } from './rules/notifications-policy.ts'
import type { NotificationsSettings } from './notifications-settings.ts'
import type { DeliveryMethod } from './rules/templates.ts'

const dayMilliseconds = 86_400_000
/** How long resends are counted. */
const resendMilliseconds = 1_800_000
const unlimited = 1_000_000

/** Why a message may not be sent. */
export type Unallowed = 'quota-reached' | 'cooldown'

/** Rolls back what the unit had counted. */
class Refused extends Error {
  readonly reason: Unallowed
  constructor(reason: Unallowed) {
    super(reason)
    this.reason = reason
  }
}

/** Who sends what to whom. */
export interface Sending {
  readonly environmentId: string
  readonly notification: Pick<Notification, 'userId' | 'to'>
  readonly deliveryMethod: DeliveryMethod
  readonly policy: NotificationsPolicy
  readonly settings: NotificationsSettings
}

/**
 * Counts a message in.
 * @param now epoch milliseconds
 * @returns why it may not be sent; undefined when it may
 */
export async function takeAllowance(storage: Storage, sending: Sending, now: number): Promise<Unallowed | undefined> {
  try {
    await storage.commit({ name: 'take-allowance', run: () => count(sending, now) })
    return undefined
  } catch (error) {
    if (error instanceof Refused) return error.reason
    throw error
  }
}

function* count(sending: Sending, now: number): UnitBody<void> {
  yield* countCooldown(sending, now)
  const { environmentId, notification, deliveryMethod, policy, settings } = sending
  if (settings.whitelist?.some(({ user }) => user.id === notification.userId)) return
  const isCostly = deliveryMethod === 'SMS' || deliveryMethod === 'Voice'
  const daily = settings.restrictions?.smsVoiceQuota.daily
  if (isCostly && daily !== undefined) yield* within(environmentId, 'environment/SMS+Voice', daily, now)
  for (const quota of policy.quotas) {
    if (!quota.deliveryMethods.some((each) => each === deliveryMethod)) continue
    const methods = [...new Set(quota.deliveryMethods)].toSorted().join('+')
    const whose = quota.type === 'USER' ? `user/${personIn(sending)}` : 'policy'
    yield* within(environmentId, `${whose}/${methods}`, boundOf(quota), now)
  }
}

function* within(environmentId: string, subject: string, bound: number, now: number): UnitBody<void> {
  const key = { environment_id: environmentId, kind: 'notification-quota', subject }
  const { allowed } = yield* increment('limits', key, { bound, window: dayMilliseconds, now })
  if (!allowed) throw new Refused('quota-reached')
}

function* countCooldown(sending: Sending, now: number): UnitBody<void> {
  const { environmentId, notification, deliveryMethod, policy } = sending
  const cooldown = cooldownOf(policy, deliveryMethod)
  if (!cooldown?.periods) return
  const whom = cooldown.groupBy === 'USER_ID' ? personIn(sending) : hashed(environmentId, notification.to)
  const subject = `${deliveryMethod}/${whom}`
  const key = (kind: string) => ({ environment_id: environmentId, kind, subject })
  const bound = cooldown.resendLimit === undefined ? unlimited : cooldown.resendLimit + 1
  const sent = yield* increment('limits', key('notification-resend'), { bound, window: resendMilliseconds, now })
  if (!sent.allowed) throw new Refused('cooldown')
  const period = cooldown.periods[Math.min(sent.count, cooldown.periods.length) - 1]
  const window = period === undefined ? 0 : periodSeconds(period) * 1000
  const rest = yield* increment('limits', key('notification-cooldown'), { bound: 1, window, now })
  if (!rest.allowed) throw new Refused('cooldown')
}

/** Who is written to: the user, or the address of somebody who is none. */
function personIn({ environmentId, notification: { userId, to } }: Sending): string {
  return userId ?? hashed(environmentId, to)
}

function hashed(environmentId: string, to: string): string {
  return createHash('sha256').update(`${environmentId}\n${to}`).digest('base64url')
}
