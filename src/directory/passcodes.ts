/**
 * One-time passcodes of devices: sending them, and trying them. authentication-api 4.2 `otp.check`, 6.3; decision D4;
 * rows L10-L17.
 *
 * The guesses are counted per user and kind of use, so that neither another flow nor a new code gives new ones, and one is
 * taken and committed before a passcode is looked at. A passcode that was sent is bound to its device and to what it was
 * sent for; a time-based one is good once.
 */
import { notify } from '../delivery/notification.ts'
import type { Environment } from '../environment/snapshot.ts'
import { isSentTo, type SentCodeType } from '../flow/factors/device.ts'
import type { TransactionText } from '../flow/transaction-text.ts'
import type { Kernel } from '../kernel.ts'
import { clearGuesses, type GuessBound, type Guessed, secondsUntil, takeGuess } from '../limits/guesses.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { AlreadyConsumed } from '../storage/refusals.ts'
import { useStep } from '../storage/sql/devices.ts'
import { countSending } from './code-limits.ts'
import { type Device, openSeed } from './devices.ts'
import { findRecoveryCode } from './recovery-codes.ts'
import { type CodeFor, newCode, storeCode, tryCode } from './one-time-codes.ts'
import { matchTotp } from './totp.ts'
import type { User } from './users.ts'

type Ports = Pick<Kernel, 'storage' | 'masterKeys' | 'world'>

/** What a passcode is for: activating the device, signing on by one flow, or one stand-alone authentication. */
export type PasscodeUse =
  | { readonly kind: 'activation' }
  | { readonly kind: 'flow'; readonly flowId: string }
  | { readonly kind: 'deviceAuthentication'; readonly deviceAuthenticationId: string }

function codeFor(device: Device, use: PasscodeUse): CodeFor {
  switch (use.kind) {
    case 'activation':
      return { purpose: 'DEVICE_ACTIVATION', subject: device.id }
    case 'flow':
      return { purpose: 'DEVICE_AUTHENTICATION', subject: `${device.id}/${use.flowId}` }
    case 'deviceAuthentication':
      return { purpose: 'DEVICE_AUTHENTICATION', subject: `${device.id}/${use.kind}/${use.deviceAuthenticationId}` }
  }
}

/** How passcodes of an environment's policy are made. */
export interface PasscodeForm {
  readonly length: number
  /** Seconds. */
  readonly lifetime: number
  /** Whose limits hold for the message; default: the default one. */
  readonly notificationsPolicyId?: string
}

/** What came of asking for a passcode. */
export type PasscodeSending =
  | { readonly result: 'sent'; readonly send: () => UnitBody<void> }
  | { readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }

/** A phone number without the dots, spaces and brackets that people write into it. */
export function e164(number: string): string {
  return number.replaceAll(/[^+0-9]/g, '')
}

const deliveryMethods = { EMAIL: 'Email', SMS: 'SMS', VOICE: 'Voice' } as const

/** Prepares a passcode for a device that they are sent to: one counted sending. */
export async function sendPasscode(
  kernel: Ports,
  environment: Environment,
  message: {
    readonly user: User
    readonly device: Device & { readonly type: SentCodeType }
    readonly use: PasscodeUse
    /** What the user signs on to; empty where nothing. */
    readonly applicationName: string
    readonly form: PasscodeForm
    /** What is said of the transaction that it approves; by default, that somebody signs on. */
    readonly text?: TransactionText | undefined
    readonly locales: readonly string[]
    readonly now: number
  },
): Promise<PasscodeSending> {
  const { user, device, use, applicationName, form, text, locales, now } = message
  const wait = await countSending(kernel, { environmentId: environment.id, userId: user.id, identifier: '' }, now)
  if (wait !== undefined) return { result: 'lockedOut', secondsUntilUnlock: wait }
  return {
    result: 'sent',
    *send() {
      const code = newCode(kernel.world, { kind: 'digits', length: form.length })
      yield storeCode(environment, codeFor(device, use), code, form.lifetime * 1000, now)
      yield notify(
        kernel.world,
        environment,
        {
          template: use.kind === 'activation' ? 'device_pairing' : (text?.name ?? 'strong_authentication'),
          ...(text?.variant === undefined ? {} : { variant: text.variant }),
          deliveryMethod: deliveryMethods[device.type],
          to: device.email ?? e164(device.phone ?? ''),
          ...(device.extension === null ? {} : { extension: device.extension }),
          userId: user.id,
          ...(form.notificationsPolicyId === undefined ? {} : { notificationsPolicyId: form.notificationsPolicyId }),
          locales: languagesFor(user, text, locales),
          variables: {
            ...text?.variables,
            code,
            'user.username': user.username,
            'user.name': user.document.name?.given ?? user.username,
            'application.name': applicationName,
          },
          usefulUntil: now + form.lifetime * 1000,
        },
        now,
      )
    },
  }
}

/** The languages in which something is said to a user: the one that is asked for, the one they prefer, those of the browser. */
export function languagesFor(
  { document: { preferredLanguage } }: User,
  text: TransactionText | undefined,
  locales: readonly string[],
): readonly string[] {
  return [...[text?.locale, preferredLanguage].filter((locale) => locale !== undefined), ...locales]
}

/** What came of trying a passcode. */
export type PasscodeCheck =
  /** `settle` belongs into the unit of what the passcode allows. @throws AlreadyConsumed */
  | { readonly result: 'accepted'; readonly settle: () => UnitBody<void> }
  | { readonly result: 'rejected' }
  | { readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }

/** Tries a passcode of a device. */
export async function tryPasscode(
  kernel: Ports,
  environment: Environment,
  attempt: {
    readonly device: Device
    readonly use: PasscodeUse
    readonly typed: string
    readonly bound: GuessBound
    readonly now: number
  },
): Promise<PasscodeCheck> {
  const { device, use, typed, bound, now } = attempt
  const guessed = guessesAtDevices(environment.id, device.userId)
  if (isSentTo(device.type)) {
    return tryCode(kernel, environment, { ...codeFor(device, use), typed, guessed, bound, now })
  }
  const guess = await kernel.storage.commit(takeGuess(guessed, bound, now))
  if (!guess.allowed) return { result: 'lockedOut', secondsUntilUnlock: secondsUntil(guess.until, now) }
  if (device.type === 'RECOVERY_CODE') {
    const useUp = await findRecoveryCode(kernel, environment, device.userId, typed)
    if (!useUp) return { result: 'rejected' }
    return {
      result: 'accepted',
      *settle() {
        yield* useUp()
        yield clearGuesses(guessed)
      },
    }
  }
  const step = matchTotp(openSeed(environment, device), typed, device.lastStep, now)
  if (step === undefined) return { result: 'rejected' }
  return {
    result: 'accepted',
    *settle() {
      const used = yield* run(useStep(environment.id, device.userId, device.id, step))
      if (used.length === 0) throw new AlreadyConsumed('devices')
      yield clearGuesses(guessed)
    },
  }
}

/** Counts a try at the passcode of somebody who has none, as any other (decision D7). */
export async function tryNothing(
  { storage }: Ports,
  guessed: Guessed,
  bound: GuessBound,
  now: number,
): Promise<PasscodeCheck> {
  const guess = await storage.commit(takeGuess(guessed, bound, now))
  return guess.allowed
    ? { result: 'rejected' }
    : { result: 'lockedOut', secondsUntilUnlock: secondsUntil(guess.until, now) }
}

/** The counter of tries at a user's devices. */
export function guessesAtDevices(environmentId: string, userId: string): Guessed {
  return { environmentId, kind: 'passcode', subject: userId }
}
