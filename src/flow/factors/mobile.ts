/**
 * MOBILE devices: apps that answer push requests by a key of their own, or show passcodes. What a device authentication
 * policy says of them, application by application: authentication-api 6.2, platform-api 3.14.3; row L35.
 *
 * Never: a protection that is switched on and does not exist; such a policy is refused, not ignored.
 */
import { z } from 'zod'
import { unavailable } from '../actions/unavailable.ts'
import type { Detail } from '../refusal.ts'
import { secondsOf, span } from './span.ts'

const switchedOff = z.looseObject({ enabled: z.boolean() }).optional()

const application = z.object({
  id: z.string(),
  type: z.string().optional(),
  push: z.object({ enabled: z.boolean(), numberMatching: z.object({ enabled: z.boolean() }).optional() }).optional(),
  pushTimeout: z.object({ duration: z.int().min(40).max(150), timeUnit: z.literal('SECONDS') }).optional(),
  pushLimit: z
    .object({ count: z.int().min(1).max(50).optional(), lockDuration: span.optional(), timePeriod: span.optional() })
    .optional(),
  pairingKeyLifetime: z
    .object({ duration: z.int().min(1).max(2880), timeUnit: z.enum(['MINUTES', 'HOURS']) })
    .refine((lifetime) => secondsOf(lifetime) <= 172_800, 'must not be longer than 48 hours')
    .optional(),
  otp: z.object({ enabled: z.boolean() }).optional(),
  pairingDisabled: z.boolean().optional(),
  deviceAuthorization: switchedOff,
  autoEnrollment: switchedOff,
  biometricsEnabled: z.boolean().optional(),
  integrityDetection: z.enum(['permissive', 'restrictive']).optional(),
  ipPairingConfiguration: z
    .object({ anyIPAdress: z.boolean().optional(), onlyTheseIpAddresses: z.array(z.string()).optional() })
    .optional(),
  newRequestDurationConfiguration: z.looseObject({}).optional(),
})

/** What a policy says of one application. */
export type MobileApplication = Readonly<z.output<typeof application>>

/** The applications whose devices a policy takes. */
export const mobileApplications = z.array(application).max(50).optional()

/** What of an application's part this version cannot keep. */
export function mobileApplicationProblems(all: readonly MobileApplication[]): readonly Detail[] {
  return all.flatMap((each, at) => {
    const target = `mobile.applications.${at}`
    const addresses = each.ipPairingConfiguration
    return [
      ...unavailable(each.type !== undefined, `${target}.type`),
      ...unavailable(each.deviceAuthorization?.enabled, `${target}.deviceAuthorization.enabled`),
      ...unavailable(each.autoEnrollment?.enabled, `${target}.autoEnrollment.enabled`),
      ...unavailable(each.biometricsEnabled, `${target}.biometricsEnabled`),
      ...unavailable(each.integrityDetection === 'restrictive', `${target}.integrityDetection`),
      ...unavailable(
        addresses && (addresses.anyIPAdress === false || addresses.onlyTheseIpAddresses?.length),
        `${target}.ipPairingConfiguration`,
      ),
      ...unavailable(each.newRequestDurationConfiguration, `${target}.newRequestDurationConfiguration`),
    ]
  })
}

/** The part of a policy that is about MOBILE devices. */
interface MobilePolicy {
  readonly enabled: boolean
  readonly applications?: readonly MobileApplication[] | undefined
}

/** What a policy says of an application; undefined where it does not take its devices. */
export function mobileApplication({ enabled, applications = [] }: MobilePolicy, id: string | undefined) {
  return enabled ? applications.find((each) => each.id === id) : undefined
}

/** How push requests are made. */
export interface PushTerms {
  /** How long one waits for its answer. */
  readonly seconds: number
  readonly numberMatching: boolean
  /** So many within `seconds`, then none for `lockSeconds` after the last of them. */
  readonly limit: { readonly count: number; readonly seconds: number; readonly lockSeconds: number }
}

const tenMinutes = { duration: 10, timeUnit: 'MINUTES' } as const
const halfAnHour = { duration: 30, timeUnit: 'MINUTES' } as const

/**
 * How push requests to the devices of an application are made. Where the policy does not say, numbers are matched, and
 * three requests are the most that anybody gets in ten minutes (row L35).
 */
export function pushTerms({ push, pushTimeout, pushLimit }: MobileApplication): PushTerms {
  return {
    seconds: pushTimeout?.duration ?? 40,
    numberMatching: push?.numberMatching?.enabled ?? true,
    limit: {
      count: pushLimit?.count ?? 3,
      seconds: secondsOf(pushLimit?.timePeriod ?? tenMinutes),
      lockSeconds: secondsOf(pushLimit?.lockDuration ?? halfAnHour),
    },
  }
}

/** How long a pairing key for an application is good, seconds. */
export function pairingKeySeconds({ pairingKeyLifetime }: MobileApplication): number {
  return secondsOf(pairingKeyLifetime ?? tenMinutes)
}
