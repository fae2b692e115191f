/** The device authentication policy that an action of a sign-on policy refers to. */
import type { Environment } from '../environment/snapshot.ts'
import type { DeviceAuthenticationPolicy } from '../flow/factors/device-authentication-policy.ts'

/** The policy of this id; the environment's default for null, and for one that is gone: the machine lets nothing be proved by it. */
export function devicePolicy(
  { flowConfiguration }: Pick<Environment, 'flowConfiguration'>,
  policyId: string | null,
): DeviceAuthenticationPolicy {
  const named = policyId === null ? undefined : flowConfiguration.deviceAuthenticationPolicies.get(policyId)
  return named ?? flowConfiguration.defaultDeviceAuthenticationPolicy
}
