/**
 * How an environment sends its e-mail: an SMTP server of its own, or an HTTP provider. platform-api 3.18; rows W08, G01.
 *
 * Never: the secret in the document; it is sealed apart.
 */
import { z } from 'zod'
import type { SealContext } from '../keys/sealing.ts'
import { customAuthentication, partedAuthentication, wholeAuthentication } from './custom-authentication.ts'
import { customRequest } from './custom-provider.ts'
import { mailbox } from './rules/template-content.ts'

const text = z.string().regex(/^[^\p{Cc}]*$/u)

const senders = { from: mailbox.optional(), replyTo: mailbox.optional() }

/** An SMTP server. On port 465 TLS is there from the start; elsewhere it has to be begun before anything else. */
export const smtpSettings = z.object({
  protocol: z.literal('SMTP'),
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535).default(465),
  username: text.min(1).max(256).optional(),
  password: text.min(1).max(4096).optional(),
  ...senders,
})

/** A provider that is asked over HTTP. */
export const httpEmailSettings = z.object({
  protocol: z.literal('HTTP'),
  provider: z.literal('CUSTOM_PROVIDER').default('CUSTOM_PROVIDER'),
  name: text.min(1).max(256),
  authentication: customAuthentication,
  requests: z
    .array(z.object({ ...customRequest, deliveryMethod: z.literal('EMAIL').default('EMAIL') }))
    .min(1)
    .max(1),
  ...senders,
})

export type SmtpSettings = z.output<typeof smtpSettings>
export type HttpEmailSettings = z.output<typeof httpEmailSettings>
export type EmailSettings = SmtpSettings | HttpEmailSettings

/** What binds the sealed secret to its row. */
export function emailSecretContext(environmentId: string): SealContext {
  return { environmentId, table: 'notifications_settings', row: 'email', column: 'sealed_secret' }
}

/** The settings without their secret, and the secret. */
export function partedEmailSettings(settings: EmailSettings): {
  readonly document: EmailSettings
  readonly secret: string | undefined
} {
  if (settings.protocol === 'SMTP') {
    const { password, ...document } = settings
    return { document, secret: password }
  }
  const { authentication, secret } = partedAuthentication(settings.authentication)
  return { document: { ...settings, authentication }, secret }
}

/** The settings with their secret, as a sender needs them. */
export function wholeEmailSettings(document: EmailSettings, secret: string | undefined): EmailSettings {
  if (document.protocol === 'SMTP') return { ...document, password: secret }
  return { ...document, authentication: wholeAuthentication(document.authentication, secret) }
}
