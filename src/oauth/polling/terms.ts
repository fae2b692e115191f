/**
 * What a client that polls is promised when it asks: the scopes and resources of the tokens it will get, fixed before anybody
 * is asked. RFC 8628 section 3.1, OpenID CIBA Core section 7.1, RFC 8707 section 2.
 *
 * Never: a scope that the application was not granted (row A28).
 */
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import { problem } from '../../errors/problem.ts'
import { grantedResources, mayServeMany, scopeIdsOf } from '../granted-resources.ts'
import type { CodeChallenge } from '../rules/pkce.ts'
import { grantForTarget, grantForTargets, type Narrowable } from '../rules/resource-indicators.ts'
import { parseScope } from '../rules/scopes.ts'

/** What tokens are issued by; stored with the grant. */
export interface PolledTerms extends Narrowable {
  /** PKCE, where the client sent one beside its request. */
  readonly challenge: CodeChallenge | null
}

/** What a client asks for. */
export interface AskedTerms {
  readonly scope: string | undefined
  /** Every `resource` that it names. */
  readonly resources: readonly string[]
}

/**
 * The terms of a request, and the ids of its scopes, by which the user is shown them.
 * @throws Problem invalid_scope, invalid_target
 */
export function termsOf(
  { environment, site }: Pick<Context, 'environment' | 'site'>,
  client: Application,
  { scope, resources }: AskedTerms,
): { readonly terms: Narrowable; readonly scopeIds: readonly string[] } {
  const requested = parseScope(scope)
  if ('refused' in requested) throw problem('invalid_scope', { description: requested.refused })
  const target = { resources: [...new Set(resources)], platformAudience: site.platformAudience }
  const granted = grantedResources(environment, client)
  // As of a code, each token may be for one of several resources.
  const grant =
    target.resources.length > 1
      ? grantForTargets(requested, granted, target)
      : grantForTarget(requested, granted, target, { user: true, manyResources: mayServeMany(client) })
  if ('refused' in grant) throw problem(grant.error, { description: grant.refused })
  const terms = { ...grant, ...(target.resources.length > 0 ? { resources: target.resources } : {}) }
  return { terms, scopeIds: [...new Set(scopeIdsOf(environment, client, grant.scopes, target))] }
}
