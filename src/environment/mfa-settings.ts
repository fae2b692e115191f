/**
 * MFA settings of an environment: platform-api 3.14.2. What this version does not have is refused where it is switched on
 * (platform/mfa-settings.ts).
 */
import { z } from 'zod'

export const mfaSettings = z.object({
  authentication: z.object({ deviceSelection: z.enum(['DEFAULT_TO_FIRST', 'PROMPT_TO_SELECT']) }).optional(),
  lockout: z
    .object({ failureCount: z.int().min(1).max(100), durationSeconds: z.int().min(1).max(31_536_000).optional() })
    .optional()
    .describe(
      'How many wrong second factors in a row lock a user; without a duration, until an administrator unlocks them.',
    ),
  pairing: z
    .object({
      maxAllowedDevices: z.int().min(1).max(15).default(5),
      pairingKeyFormat: z.enum(['NUMERIC', 'ALPHANUMERIC']).default('NUMERIC'),
    })
    .prefault({}),
  phoneExtensions: z.object({ enabled: z.boolean() }).default({ enabled: false }),
  users: z
    .object({ mfaEnabled: z.boolean() })
    .default({ mfaEnabled: false })
    .describe('Whether a new user has MFA switched on where nobody says otherwise.'),
})

/** The MFA settings of one environment. */
export type MfaSettings = z.output<typeof mfaSettings>

/** What an environment has until somebody changes it. */
export const defaultMfaSettings: MfaSettings = mfaSettings.parse({})

/** The settings of a row. @param stored null: nobody has changed them */
export function mfaSettingsFrom(stored: string | null): MfaSettings {
  return stored === null ? defaultMfaSettings : mfaSettings.parse(JSON.parse(stored))
}
