/**
 * Device authentication policies: which second factors an environment takes, and how often they may be tried.
 * authentication-api 6.2, platform-api 3.14.3.
 *
 * Never: a factor or a protection that is switched on and does not exist; such a policy is refused, not ignored.
 */
import { z } from 'zod'
import { unavailable } from '../actions/unavailable.ts'
import type { Detail } from '../refusal.ts'
import { type DeviceFacts, type DeviceType, isLastResort } from './device.ts'
import { mobileApplication, mobileApplicationProblems, mobileApplications } from './mobile.ts'
import { secondsOf, span } from './span.ts'

export { secondsOf }

const failure = z.object({ count: z.int().min(1).max(7), coolDown: span })
const common = { pairingDisabled: z.boolean().optional(), promptForNicknameOnPairing: z.boolean().optional() }
const twoMinutes = { count: 3, coolDown: { duration: 2, timeUnit: 'MINUTES' as const } }

/** SMS, voice, e-mail: a code is sent. */
const sentCode = z.object({
  enabled: z.boolean(),
  ...common,
  otp: z.object({ lifeTime: span, failure, otpLength: z.int().min(6).max(10).default(6) }),
})

export const deviceAuthenticationPolicySchema = z.object({
  authentication: z
    .object({ deviceSelection: z.enum(['DEFAULT_TO_FIRST', 'PROMPT_TO_SELECT', 'ALWAYS_DISPLAY_DEVICES']) })
    .optional(),
  sms: sentCode,
  voice: sentCode,
  email: sentCode,
  whatsApp: sentCode.optional(),
  mobile: z.object({
    enabled: z.boolean(),
    otp: z.object({ failure, window: z.object({ stepSize: span }).optional() }),
    applications: mobileApplications,
    promptForNicknameOnPairing: z.boolean().optional(),
  }),
  totp: z.object({
    enabled: z.boolean(),
    ...common,
    otp: z.object({ failure }),
    passcodeGracePeriod: z.int().min(1).max(10).optional(),
    uriParameters: z
      .record(z.string().regex(/^[A-Za-z0-9_.-]{1,50}$/), z.string().max(256))
      .refine((parameters) => Object.keys(parameters).length <= 10, 'must not be more than 10')
      .optional()
      .describe('What is said in `keyUri` besides, such as `issuer`.'),
  }),
  fido2: z
    .object({ enabled: z.boolean(), ...common, failure: failure.optional(), fido2PolicyId: z.string().optional() })
    .optional(),
  /** Extension: recovery codes. */
  recoveryCodes: z.object({ enabled: z.boolean(), ...common, failure: failure.optional() }).optional(),
  oathToken: z.looseObject({ enabled: z.boolean() }).optional(),
  rememberMe: z
    .object({
      web: z.object({
        enabled: z.boolean(),
        lifeTime: z.object({ duration: z.int().min(1), timeUnit: z.enum(['MINUTES', 'HOURS', 'DAYS']) }),
      }),
    })
    .optional(),
  newDeviceNotification: z.enum(['NONE', 'EMAIL_THEN_SMS', 'SMS_THEN_EMAIL']).optional(),
  ignoreUserLock: z.boolean().optional(),
  notificationsPolicy: z
    .object({ id: z.string() })
    .optional()
    .describe('Whose limits hold for messages about second factors; default: the default notifications policy.'),
})

/** How long a passcode of an app is shown, seconds (RFC 6238). */
const passcodeStep = 30

export type DeviceAuthenticationPolicy = Readonly<z.output<typeof deviceAuthenticationPolicySchema>>

const secondsIn = { MINUTES: 60, HOURS: 3600, DAYS: 86_400 } as const

/** Longer than this no browser is remembered. */
const mostDays = 365

function tooLong(lifeTime: RememberedFor | undefined): readonly Detail[] {
  if (!lifeTime || rememberedSeconds(lifeTime) <= mostDays * secondsIn.DAYS) return []
  return [
    { code: 'INVALID_VALUE', target: 'rememberMe.web.lifeTime', message: `must not be more than ${mostDays} days` },
  ]
}

/** How long a browser is remembered. */
export type RememberedFor = NonNullable<DeviceAuthenticationPolicy['rememberMe']>['web']['lifeTime']

/** The same in seconds. */
export function rememberedSeconds({ duration, timeUnit }: RememberedFor): number {
  return duration * secondsIn[timeUnit]
}

/** How long a policy lets browsers be remembered; undefined: it does not. */
export function remembers({ rememberMe }: DeviceAuthenticationPolicy): RememberedFor | undefined {
  return rememberMe?.web.enabled ? rememberMe.web.lifeTime : undefined
}

/** What an authenticator app is told by the server alone: how passcodes are made. */
const fixedUriParameters = ['secret', 'algorithm', 'digits', 'period']

/** What of a policy this version cannot keep. */
export function policyProblems(policy: DeviceAuthenticationPolicy): readonly Detail[] {
  const { whatsApp, mobile, oathToken, rememberMe, ignoreUserLock } = policy
  return [
    ...unavailable(whatsApp?.enabled, 'whatsApp.enabled'),
    ...mobileApplicationProblems(mobile.applications ?? []),
    ...unavailable(
      mobile.otp.window && secondsOf(mobile.otp.window.stepSize) !== passcodeStep,
      'mobile.otp.window.stepSize',
    ),
    ...unavailable(oathToken?.enabled, 'oathToken.enabled'),
    ...tooLong(rememberMe?.web.lifeTime),
    ...unavailable(ignoreUserLock, 'ignoreUserLock'),
    ...fixedUriParameters
      .filter((name) => policy.totp.uriParameters?.[name] !== undefined)
      .map(
        (name): Detail => ({
          code: 'INVALID_VALUE',
          target: `totp.uriParameters.${name}`,
          message: 'is not for the policy to say',
        }),
      ),
    ...unavailable(
      policy.totp.passcodeGracePeriod !== undefined && policy.totp.passcodeGracePeriod !== 5,
      'totp.passcodeGracePeriod',
    ),
  ]
}

const sentToThem = {
  enabled: true,
  otp: {
    lifeTime: { duration: 30, timeUnit: 'MINUTES' as const },
    failure: { count: 3, coolDown: { duration: 0, timeUnit: 'MINUTES' as const } },
    otpLength: 6,
  },
}

/** `Default MFA Policy`: what every environment begins with. */
export const defaultDeviceAuthenticationPolicy: DeviceAuthenticationPolicy = {
  authentication: { deviceSelection: 'DEFAULT_TO_FIRST' },
  sms: sentToThem,
  voice: sentToThem,
  email: sentToThem,
  mobile: { enabled: true, otp: { failure: twoMinutes } },
  totp: { enabled: true, otp: { failure: twoMinutes }, passcodeGracePeriod: 5 },
  fido2: { enabled: true, failure: twoMinutes },
  recoveryCodes: { enabled: true, failure: twoMinutes },
  newDeviceNotification: 'NONE',
}

const members = {
  EMAIL: 'email',
  SMS: 'sms',
  VOICE: 'voice',
  TOTP: 'totp',
  FIDO2: 'fido2',
  MOBILE: 'mobile',
  RECOVERY_CODE: 'recoveryCodes',
} as const

/** What a policy says of a kind of device. */
export function settingsOf<Type extends DeviceType>(
  policy: DeviceAuthenticationPolicy,
  type: Type,
): DeviceAuthenticationPolicy[(typeof members)[Type]] {
  return policy[members[type]]
}

/** By which notifications policy messages are limited, where a policy names one. */
export function limitedBy({ notificationsPolicy }: DeviceAuthenticationPolicy): {
  readonly notificationsPolicyId?: string
} {
  return notificationsPolicy ? { notificationsPolicyId: notificationsPolicy.id } : {}
}

/** A cool-down of none would let a device be tried without end. */
const shortestCoolDown = 120

/** How often a device of this kind may be tried, and for how many seconds it is counted. */
export function triesOf(
  policy: DeviceAuthenticationPolicy,
  type: DeviceType,
): { readonly guesses: number; readonly seconds: number } {
  const settings = settingsOf(policy, type)
  const said = settings && ('otp' in settings ? settings.otp.failure : settings.failure)
  const { count, coolDown } = said ?? twoMinutes
  return { guesses: count, seconds: Math.max(secondsOf(coolDown), shortestCoolDown) }
}

/** The devices that may be used now, in their order; the last resort comes last. */
export function usableDevices(
  devices: readonly DeviceFacts[],
  policy: DeviceAuthenticationPolicy,
): readonly DeviceFacts[] {
  return devices
    .filter(
      (device) =>
        device.status === 'ACTIVE' &&
        !device.isBlocked &&
        (device.type === 'MOBILE'
          ? takesPush(policy, device) || takesAppPasscode(policy, device)
          : allows(policy, device.type)),
    )
    .toSorted((one, other) => Number(isLastResort(one.type)) - Number(isLastResort(other.type)))
}

/** Whether FIDO2 devices have to satisfy one FIDO2 policy under both. */
export function sharesFido2Policy(
  one: DeviceAuthenticationPolicy,
  other: DeviceAuthenticationPolicy | undefined,
): boolean {
  return other !== undefined && one.fido2?.fido2PolicyId === other.fido2?.fido2PolicyId
}

/** Whether the app on a device is sent push requests. */
export function takesPush({ mobile }: DeviceAuthenticationPolicy, device: DeviceFacts): boolean {
  return mobileApplication(mobile, device.mobile?.applicationId)?.push?.enabled ?? false
}

/** Whether passcodes that the app on a device shows are taken. */
export function takesAppPasscode({ mobile }: DeviceAuthenticationPolicy, device: DeviceFacts): boolean {
  const isTaken = mobileApplication(mobile, device.mobile?.applicationId)?.otp?.enabled ?? false
  return isTaken && (device.mobile?.showsPasscodes ?? false)
}

/** Whether a policy lets devices of this kind be used. */
export function allows(policy: DeviceAuthenticationPolicy, type: DeviceType): boolean {
  return settingsOf(policy, type)?.enabled ?? false
}
