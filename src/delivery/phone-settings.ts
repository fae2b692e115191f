/**
 * How an environment sends SMS and calls: an account at Twilio or Syniverse, or an HTTP provider. platform-api 3.18.
 *
 * Never: the secret in the document; it is sealed apart.
 */
import { z } from 'zod'
import type { SealContext } from '../keys/sealing.ts'
import { customAuthentication, partedAuthentication, wholeAuthentication } from './custom-authentication.ts'
import { customRequest } from './custom-provider.ts'

const text = z.string().regex(/^[^\p{Cc}]*$/u)

const phoneNumber = z.object({
  number: z.string().regex(/^\+?[0-9A-Za-z ]{3,20}$/),
  type: z.enum(['PHONE_NUMBER', 'TOLL_FREE', 'SHORT_CODE']),
  selected: z.boolean().optional(),
  available: z.boolean().optional(),
  capabilities: z
    .array(z.enum(['SMS', 'VOICE']))
    .max(2)
    .optional(),
  supportedCountries: z
    .array(z.string().regex(/^[A-Z]{2}$/))
    .max(250)
    .optional(),
})
export type PhoneNumber = z.output<typeof phoneNumber>

const numbers = z.array(phoneNumber).max(100)

const authToken = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\x21-\x7e]+$/)
  .optional()

export const twilioSettings = z.object({
  provider: z.literal('CUSTOM_TWILIO'),
  sid: z.string().regex(/^[A-Za-z0-9]{1,64}$/),
  authToken,
  numbers: numbers.default([]),
})

export const syniverseSettings = z.object({
  provider: z.literal('CUSTOM_SYNIVERSE'),
  authToken,
  numbers: numbers.default([]),
})

export const customPhoneSettings = z.object({
  provider: z.literal('CUSTOM_PROVIDER'),
  name: text.min(1).max(256),
  authentication: customAuthentication,
  requests: z
    .array(
      z.object({
        ...customRequest,
        deliveryMethod: z.enum(['SMS', 'VOICE']),
        phoneNumberFormat: z
          .enum(['FULL', 'NUMBER_ONLY'])
          .default('FULL')
          .describe('`FULL` begins with a plus sign, `NUMBER_ONLY` holds digits alone.'),
        beforeTag: text.max(256).optional().describe('Stands before each piece that is spoken.'),
        afterTag: text.max(256).optional().describe('Stands behind each piece that is spoken.'),
      }),
    )
    .min(1)
    .max(2),
  numbers: numbers.optional(),
})

export const phoneSettings = z.discriminatedUnion('provider', [twilioSettings, syniverseSettings, customPhoneSettings])

export type TwilioSettings = z.output<typeof twilioSettings>
export type SyniverseSettings = z.output<typeof syniverseSettings>
export type CustomPhoneSettings = z.output<typeof customPhoneSettings>
export type PhoneSettings = z.output<typeof phoneSettings>

/** What binds the sealed secret to its row. */
export function phoneSecretContext(environmentId: string, id: string): SealContext {
  return { environmentId, table: 'phone_delivery_settings', row: id, column: 'sealed_secret' }
}

/** The settings without their secret, and the secret. */
export function partedPhoneSettings(settings: PhoneSettings): {
  readonly document: PhoneSettings
  readonly secret: string | undefined
} {
  if (settings.provider === 'CUSTOM_PROVIDER') {
    const { authentication, secret } = partedAuthentication(settings.authentication)
    return { document: { ...settings, authentication }, secret }
  }
  const { authToken: secret, ...document } = settings
  return { document, secret }
}

/** The settings with their secret, as a sender needs them. */
export function wholePhoneSettings(document: PhoneSettings, secret: string): PhoneSettings {
  if (document.provider !== 'CUSTOM_PROVIDER') return { ...document, authToken: secret }
  return { ...document, authentication: wholeAuthentication(document.authentication, secret) }
}
