/**
 * Notifications policies: how many messages may be sent, to which countries, how soon after one another, by which
 * providers. platform-api 3.18; row L14. The schema is what clients write; the rules are pure.
 *
 * Never: an unknown country taken for an allowed one.
 */
import { z } from 'zod'
import type { DeliveryMethod } from './templates.ts'

const countries = z.array(z.string().regex(/^[A-Z]{2}$/)).max(250)
const count = z.int().min(1).max(1_000_000)

const quota = z
  .object({
    type: z.enum(['USER', 'ENVIRONMENT']),
    deliveryMethods: z
      .array(z.enum(['SMS', 'Voice', 'Email']))
      .min(1)
      .max(3),
    total: count.optional().describe('How many messages in a day that begins with the first one.'),
    claimed: count.optional(),
    unclaimed: count.optional().describe('With `claimed`, in the place of `total`: their sum is the bound.'),
  })
  .refine(
    ({ total, claimed, unclaimed }) =>
      (total === undefined) !== (claimed === undefined) && (claimed === undefined) === (unclaimed === undefined),
    'must have either `total` or both `claimed` and `unclaimed`',
  )
export type Quota = z.output<typeof quota>

/** How long the next message has to wait. */
interface Period {
  readonly duration: number
  readonly timeUnit: 'SECONDS' | 'MINUTES'
}

const period = z
  .object({ duration: z.int().min(1).max(600), timeUnit: z.enum(['SECONDS', 'MINUTES']) })
  .refine((each) => periodSeconds(each) >= 10 && periodSeconds(each) <= 600, 'must be 10 seconds to 10 minutes')

const cooldown = z
  .object({
    enabled: z.boolean(),
    periods: z.array(period).min(1).max(3).optional(),
    groupBy: z.literal('USER_ID').optional().describe('Counts by user; default: by address or number.'),
    resendLimit: z.int().min(1).max(10).optional().describe('How often a message may follow another in half an hour.'),
  })
  .refine(({ enabled, periods }) => !enabled || periods !== undefined, 'needs `periods` to be enabled')
export type Cooldown = z.output<typeof cooldown>

const noCooldown = { enabled: false } as const

/** A policy as clients write it; its name is a column. */
export const notificationsPolicySchema = z.object({
  quotas: z.array(quota).max(6),
  countryLimit: z
    .object({
      type: z.enum(['NONE', 'ALLOWED', 'DENIED']),
      deliveryMethods: z
        .array(z.enum(['SMS', 'Voice']))
        .min(1)
        .max(2)
        .optional(),
      countries: countries.default([]),
    })
    .default({ type: 'NONE', countries: [] }),
  cooldownConfiguration: z
    .object({ email: cooldown, sms: cooldown, voice: cooldown, whatsApp: cooldown })
    .default({ email: noCooldown, sms: noCooldown, voice: noCooldown, whatsApp: noCooldown }),
  providerConfiguration: z
    .object({
      conditions: z
        .array(
          z.object({
            deliveryMethods: z
              .array(z.enum(['SMS', 'VOICE']))
              .min(1)
              .max(2)
              .optional(),
            countries: countries.optional(),
            fallbackChain: z
              .array(z.object({ id: z.string().min(1).max(64) }))
              .min(1)
              .max(10),
          }),
        )
        .max(20),
    })
    .optional(),
})
export type NotificationsPolicy = z.output<typeof notificationsPolicySchema>

/** What every environment begins with: at most 30 SMS and calls for one user in a day (row L14). */
export const bootstrapNotificationsPolicy: NotificationsPolicy = notificationsPolicySchema.parse({
  quotas: [{ type: 'USER', deliveryMethods: ['SMS', 'Voice'], total: 30 }],
})

/** Length of a period. */
export function periodSeconds({ duration, timeUnit }: Period): number {
  return timeUnit === 'MINUTES' ? duration * 60 : duration
}

/** How many messages a quota allows in a day. */
export function boundOf({ total, claimed = 0, unclaimed = 0 }: Quota): number {
  return total ?? claimed + unclaimed
}

/** Whether the policy allows the country of a number. @param country undefined when the number does not say */
export function allowsCountry(
  { countryLimit: { type, deliveryMethods, countries: named } }: NotificationsPolicy,
  method: DeliveryMethod,
  country: string | undefined,
): boolean {
  if (type === 'NONE' || (method !== 'SMS' && method !== 'Voice')) return true
  if (deliveryMethods && !deliveryMethods.includes(method)) return true
  return country !== undefined && named.includes(country) === (type === 'ALLOWED')
}

/** The cooldown of a delivery method; undefined where there is none. */
export function cooldownOf(
  { cooldownConfiguration }: NotificationsPolicy,
  method: DeliveryMethod,
): Cooldown | undefined {
  const { email, sms, voice } = cooldownConfiguration
  const each = { Email: email, SMS: sms, Voice: voice, Push: noCooldown }[method]
  return each.enabled ? each : undefined
}

/** The providers a policy names for a number, in their order; undefined where it names none. */
export function chainOf(
  { providerConfiguration }: NotificationsPolicy,
  method: 'SMS' | 'Voice',
  country: string | undefined,
): readonly string[] | undefined {
  const wanted = method === 'SMS' ? 'SMS' : 'VOICE'
  return providerConfiguration?.conditions
    .find(
      ({ deliveryMethods, countries: named }) =>
        (deliveryMethods?.includes(wanted) ?? true) &&
        (named === undefined || (country !== undefined && named.includes(country))),
    )
    ?.fallbackChain.map(({ id }) => id)
}
