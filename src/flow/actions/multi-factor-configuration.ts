/** How MULTI_FACTOR_AUTHENTICATION is configured: authentication-api 5.4. */
import { z } from 'zod'
import type { Detail } from '../refusal.ts'
import { unavailable } from './unavailable.ts'

const off = z.object({ enabled: z.boolean() }).optional()

export const config = z.object({
  deviceAuthenticationPolicy: z.object({ id: z.string() }).optional(),
  noDevicesMode: z.enum(['BLOCK', 'BYPASS']).optional(),
  // The old form, one switch per kind of device: accepted only where it asks for nothing.
  authenticator: off,
  boundBiometrics: off,
  email: off,
  securityKey: off,
  sms: off,
  voice: off,
  applications: z.array(z.looseObject({})).optional(),
})

export type MultiFactorConfig = z.infer<typeof config>

/** What of it this version does not have. */
export function problems(configured: MultiFactorConfig): readonly Detail[] {
  return [
    // It lets users without a device pass by a signed login_hint_token, which does not exist yet.
    ...unavailable(configured.noDevicesMode === 'BYPASS', 'noDevicesMode'),
    ...(['authenticator', 'boundBiometrics', 'email', 'securityKey', 'sms', 'voice'] as const).flatMap((kind) =>
      unavailable(configured[kind]?.enabled, `${kind}.enabled`),
    ),
    ...unavailable(configured.applications?.length, 'applications'),
  ]
}
