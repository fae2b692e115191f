/** What a flow may know of its environment's configuration: plain values, at hand without a read. */
import type { FlowIdentityProvider } from './identity-provider.ts'

/** The configuration that actions refer to. */
export interface FlowConfiguration {
  /** By id. */
  readonly identityProviders: ReadonlyMap<string, FlowIdentityProvider>
}
