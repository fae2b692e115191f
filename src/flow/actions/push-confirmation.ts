/**
 * PUSH_CONFIRMATION_REQUIRED: the part of MULTI_FACTOR_AUTHENTICATION that waits for an app. authentication-api 3.3, 4.2
 * `cancel.push.authentication`, 6.3; row L35.
 *
 * The app's answer comes from the app and not from the browser: it is carried into the flow as an event of its own.
 *
 * Never: an answer to another request than the one the flow waits for, of another device, too late, or of a device that may
 * not be used any more; a second try at the number.
 */
import { z } from 'zod'
import type { Decision } from '../action.ts'
import type { UserFacts } from '../facts.ts'
import type { DeviceFacts } from '../factors/device.ts'
import { type PendingPush, pendingPush, type PushAnswer } from '../factors/push.ts'
import type { AnswerTo } from '../question.ts'
import { noSuchRequest } from '../refusal.ts'

/** What the action remembers of it. `isPasscodeToo`: the app shows passcodes as well. */
export const pushSlot = z.strictObject({ ...pendingPush.shape, isPasscodeToo: z.boolean() })

export type PushSlot = Readonly<z.infer<typeof pushSlot>>

/** The statuses of a push request, and what their flow accepts beside `otp.check`. */
export const pushStatuses = ['PUSH_CONFIRMATION_REQUIRED', 'PUSH_CONFIRMATION_TIMED_OUT'] as const

/** The body of `cancel.push.authentication`. */
export const cancelBody = z.object({ reason: z.literal('CHANGE_DEVICE') })

/** Any slot with a device and perhaps a request. */
interface Waiting {
  readonly deviceId: string | null
  readonly push?: PushSlot
}

type Decided = Decision<Waiting, (typeof pushStatuses)[number]>

/** Where the app shows no passcodes none is asked for. */
function withheld(isPasscodeToo: boolean) {
  return isPasscodeToo ? {} : { withholds: ['otp.check'] as const }
}

/**
 * Waits for a request that was made; one that was one too many waits for another way.
 * @param deviceId the device it is for
 */
export function judgeSentPush(answer: AnswerTo<'sendPush'>, deviceId: string | null, isPasscodeToo: boolean): Decided {
  if (answer.result === 'lockedOut') {
    const status = 'PUSH_CONFIRMATION_TIMED_OUT'
    return { outcome: 'wait', status, slot: { deviceId }, ...withheld(isPasscodeToo), reason: 'push-limited' }
  }
  const { requestId, number, expiresAt } = answer.request
  const slot = { deviceId, push: { requestId, number, expiresAt, isPasscodeToo } }
  const status = 'PUSH_CONFIRMATION_REQUIRED'
  return { outcome: 'wait', status, slot, ...withheld(isPasscodeToo), reason: 'push-needed' }
}

/** What an answer is judged by. */
interface Standing {
  readonly slot: Waiting
  /** The device that was asked, as long as it may be used. */
  readonly device: DeviceFacts | undefined
  readonly user: UserFacts | null
  /** Epoch milliseconds. */
  readonly now: number
}

/** What becomes of a flow by the answer of an app. */
export function judgePushAnswer({ slot, device, user, now }: Standing, answer: PushAnswer): Decided {
  const { push } = slot
  const isMeant = push?.requestId === answer.requestId && device?.id === answer.deviceId
  if (!push || !isMeant || !user || now >= push.expiresAt) return { outcome: 'refuse', refusal: noSuchRequest }
  if (answer.decision === 'DENY') {
    return { outcome: 'fail', failure: 'PUSH_DENIED', isFinal: true, reason: 'push-denied' }
  }
  if (push.number !== null && push.number !== answer.number) {
    // Somebody who approves without having seen the page: this request is over, and the next one counts as another.
    const status = 'PUSH_CONFIRMATION_TIMED_OUT'
    const over = { deviceId: slot.deviceId }
    return { outcome: 'wait', status, slot: over, ...withheld(push.isPasscodeToo), reason: 'push-mismatched' }
  }
  return { outcome: 'prove', methods: ['mfa'], factor: 'MOBILE', shows: 'pop', user, reason: 'push-approved' }
}

/** When a request that was not answered is over. */
export function pushLapse(push: PendingPush | undefined) {
  return push && ({ at: push.expiresAt, status: 'PUSH_CONFIRMATION_TIMED_OUT', reason: 'push-timed-out' } as const)
}
