/** The settings of notifications that an environment has once: `~/notificationsSettings`. platform-api 3.18. */
import { z } from 'zod'
import { uuid } from '../contract/validation.ts'
import { mailbox } from './rules/template-content.ts'

export const notificationsSettingsSchema = z.object({
  deliveryMode: z.literal('ALL').default('ALL'),
  restrictions: z
    .object({ smsVoiceQuota: z.object({ daily: z.int().min(0).max(1_000_000) }) })
    .optional()
    .describe('How many SMS and calls the environment may send in a day that begins with the first one.'),
  smsProvidersFallbackChain: z
    .array(z.union([uuid, z.literal('PINGONE_TWILIO')]))
    .max(10)
    .optional()
    .describe('Providers of SMS and voice in the order they are tried; `PINGONE_TWILIO` is that of the server.'),
  from: mailbox.partial().optional().describe('The sender of e-mail where no content names one.'),
  replyTo: mailbox.partial().optional(),
  whitelist: z
    .array(z.object({ user: z.object({ id: uuid }) }))
    .max(1000)
    .optional()
    .describe('Users for whom quotas do not hold.'),
})
export type NotificationsSettings = z.output<typeof notificationsSettingsSchema>

/** What holds until somebody sets something. */
export const defaultNotificationsSettings: NotificationsSettings = notificationsSettingsSchema.parse({})
