/** How MULTI_FACTOR_AUTHENTICATION is configured: authentication-api 5.4. */
import { z } from 'zod'
import type { DeviceAuthenticationPolicy } from '../factors/device-authentication-policy.ts'
import type { Facts } from '../facts.ts'
import type { Detail } from '../refusal.ts'
import { unavailable } from './unavailable.ts'

const off = z.object({ enabled: z.boolean() }).optional()

export const config = z.object({
  deviceAuthenticationPolicy: z.object({ id: z.string() }).optional(),
  noDevicesMode: z
    .enum(['BLOCK', 'BYPASS'])
    .optional()
    .describe('BYPASS: a user without a usable device passes where the application has signed whom it means.'),
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
    ...(['authenticator', 'boundBiometrics', 'email', 'securityKey', 'sms', 'voice'] as const).flatMap((kind) =>
      unavailable(configured[kind]?.enabled, `${kind}.enabled`),
    ),
    ...unavailable(configured.applications?.length, 'applications'),
  ]
}

/** The policy that the action names, or the environment's default; undefined when it is gone. */
export function policyOf(
  { deviceAuthenticationPolicy }: MultiFactorConfig,
  { configuration }: Facts,
): DeviceAuthenticationPolicy | undefined {
  if (!deviceAuthenticationPolicy) return configuration?.defaultDeviceAuthenticationPolicy
  return configuration?.deviceAuthenticationPolicies.get(deviceAuthenticationPolicy.id)
}

/** The id of that policy; null for the default. */
export function policyIdOf({ deviceAuthenticationPolicy }: MultiFactorConfig): string | null {
  return deviceAuthenticationPolicy?.id ?? null
}
