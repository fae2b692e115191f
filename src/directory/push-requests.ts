/**
 * Push requests: what the app on a device is asked to approve. authentication-api 6.2 `pushTimeout`, `pushLimit`; row L35.
 *
 * One flow has one request at a time: a new one takes the place of the one before. How many somebody gets is counted per
 * user, whatever the flow or device, so that nobody is worn down by them; what they approve is not held against them.
 *
 * Never: anything of the request in the message that wakes the app, which asks for it by its own key.
 */
import { notify } from '../delivery/notification.ts'
import { pushTarget } from '../delivery/push-target.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { PushTerms } from '../flow/factors/mobile.ts'
import type { PendingPush } from '../flow/factors/push.ts'
import type { TransactionText } from '../flow/transaction-text.ts'
import type { Kernel } from '../kernel.ts'
import { type Guessed, secondsUntil, takeGuessOrLock } from '../limits/guesses.ts'
import { insert } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { withdrawPushRequest } from '../storage/sql/mobile-devices.ts'
import { newCode } from './one-time-codes.ts'
import { languagesFor } from './passcodes.ts'
import type { User } from './users.ts'

/** What came of asking for a request. */
export type PushSending =
  | {
      readonly result: 'sent'
      readonly request: PendingPush
      /** Whether a message wakes the app. */
      readonly wakes: boolean
      readonly send: () => UnitBody<void>
    }
  | { readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }

/** The counter of requests to a user. */
export function pushesTo(environmentId: string, userId: string): Guessed {
  return { environmentId, kind: 'push', subject: userId }
}

/** Prepares a request: one counted sending. */
export async function sendPush(
  kernel: Pick<Kernel, 'storage' | 'world'>,
  environment: Environment,
  asked: {
    readonly user: User
    readonly deviceId: string
    readonly flowId: string
    /** What the user signs on to. */
    readonly application: { readonly id: string; readonly name: string }
    readonly terms: PushTerms
    /** What is said of the transaction that is approved; by default, that somebody signs on. */
    readonly text?: TransactionText | undefined
    /** Whose limits hold for the message; default: the default notifications policy. */
    readonly notificationsPolicyId?: string
    /** The address of the browser. */
    readonly remoteAddress: string
    readonly locales: readonly string[]
    readonly now: number
  },
): Promise<PushSending> {
  const { user, deviceId, flowId, application, terms, text, remoteAddress, locales, now } = asked
  const { notificationsPolicyId } = asked
  const { count, seconds, lockSeconds } = terms.limit
  const bound = { guesses: count, seconds }
  const guess = await kernel.storage.commit(takeGuessOrLock(pushesTo(environment.id, user.id), bound, lockSeconds, now))
  if (!guess.allowed) return { result: 'lockedOut', secondsUntilUnlock: secondsUntil(guess.until, now) }
  const target = await pushTarget(kernel.storage, environment, deviceId)
  const request: PendingPush = {
    requestId: kernel.world.uuid(),
    number: terms.numberMatching ? newCode(kernel.world, { kind: 'digits', length: 2 }) : null,
    expiresAt: now + terms.seconds * 1000,
  }
  return {
    result: 'sent',
    request,
    wakes: target !== undefined,
    *send() {
      yield withdrawPushRequest(environment.id, flowId)
      yield* insert('push_requests', {
        environment_id: environment.id,
        flow_id: flowId,
        id: request.requestId,
        user_id: user.id,
        device_id: deviceId,
        application_id: application.id,
        matches_number: request.number === null ? 0 : 1,
        remote_address: remoteAddress,
        created_at: now,
        expires_at: request.expiresAt,
      })
      if (!target) return
      yield notify(
        kernel.world,
        environment,
        {
          template: text?.name ?? 'strong_authentication',
          ...(text?.variant === undefined ? {} : { variant: text.variant }),
          deliveryMethod: 'Push',
          to: target.token,
          deviceId,
          userId: user.id,
          ...(notificationsPolicyId === undefined ? {} : { notificationsPolicyId }),
          locales: languagesFor(user, text, locales),
          variables: {
            ...text?.variables,
            'user.username': user.username,
            'user.name': user.document.name?.given ?? user.username,
            'application.name': application.name,
          },
          usefulUntil: request.expiresAt,
        },
        now,
      )
    },
  }
}
