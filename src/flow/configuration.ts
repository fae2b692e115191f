/** What a flow may know of its environment's configuration: plain values, at hand without a read. */
import type { Agreement } from './agreement.ts'
import type { ScopeView } from './consent.ts'
import type { FlowIdentityProvider } from './identity-provider.ts'
import type { DeviceAuthenticationPolicy } from './factors/device-authentication-policy.ts'

/** The configuration that actions refer to. */
export interface FlowConfiguration {
  /** By id. */
  readonly identityProviders: ReadonlyMap<string, FlowIdentityProvider>
  readonly agreements: ReadonlyMap<string, Agreement>
  readonly deviceAuthenticationPolicies: ReadonlyMap<string, DeviceAuthenticationPolicy>
  readonly defaultDeviceAuthenticationPolicy: DeviceAuthenticationPolicy
  /** Scopes of resources, by id. */
  readonly scopes: ReadonlyMap<string, ScopeView>
}
