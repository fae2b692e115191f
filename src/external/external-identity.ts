/** Who came back from an identity provider, once everything about the answer was verified. */
import type { ProviderAttributes } from '../flow/identity-provider.ts'
import type { ProviderEmail } from './provider-attributes.ts'

/** Somebody, as a provider knows them. */
export interface ExternalIdentity {
  /** Names them at that provider for good; compared exactly. */
  readonly subject: string
  readonly email: ProviderEmail | null
  readonly attributes: ProviderAttributes
}
