/**
 * What a client that polls is promised when it asks: the scopes, resources and details of the tokens it will get, fixed
 * before anybody is asked. RFC 8628 section 3.1, OpenID CIBA Core section 7.1, RFC 8707 section 2, RFC 9396 section 3.
 *
 * Never: a scope that the application was not granted (row A28); a detail that the user is not shown.
 */
import type { Context } from '../../contract/operation.ts'
import type { PolledRequest } from '../../directory/polled-grants.ts'
import type { Application } from '../../environment/application.ts'
import { problem } from '../../errors/problem.ts'
import { type GrantedRequest, grantedRequest } from '../granted-request.ts'
import { grantedResources, mayServeMany, scopeIdsOf } from '../granted-resources.ts'
import { requestedDetails } from '../requested-details.ts'
import { inWords } from '../rules/authorization-details.ts'
import type { CodeChallenge } from '../rules/pkce.ts'
import { grantForTarget, grantForTargets } from '../rules/resource-indicators.ts'
import { parseScope, type ScopeGrant, usableScopes } from '../rules/scopes.ts'

/** What tokens are issued by; stored with the grant. */
export interface PolledTerms extends ScopeGrant, GrantedRequest {
  /** What was asked for and is not granted, if anything. */
  readonly leftOut?: readonly string[]
  /** PKCE, where the client sent one beside its request. */
  readonly challenge: CodeChallenge | null
}

/** The parameters that say what a client asks for. */
export interface AskedTerms {
  readonly values: Readonly<Record<string, string>>
  /** Every `resource` that it names. */
  readonly resources: readonly string[]
}

/** The terms of a request, and what its user is shown of them. */
export interface ReadTerms {
  readonly terms: Omit<PolledTerms, 'challenge'>
  readonly shown: Pick<PolledRequest, 'scopeIds' | 'details'>
}

/**
 * Reads and judges what is asked for.
 * @throws Problem invalid_scope, invalid_target, invalid_authorization_details
 */
export function termsOf(
  { environment, site }: Pick<Context, 'environment' | 'site'>,
  client: Application,
  { values, resources }: AskedTerms,
): ReadTerms {
  const requested = parseScope(values['scope'])
  if ('refused' in requested) throw problem('invalid_scope', { description: requested.refused })
  const usable = usableScopes(requested, client.document.grantTypes.includes('REFRESH_TOKEN'))
  const target = { resources: [...new Set(resources)], platformAudience: site.platformAudience }
  const granted = grantedResources(environment, client)
  // As of a code, each token may be for one of several resources.
  const grant =
    target.resources.length > 1
      ? grantForTargets(usable, granted, target)
      : grantForTarget(usable, granted, target, { user: true, manyResources: mayServeMany(client) })
  if ('refused' in grant) throw problem(grant.error, { description: grant.refused })
  const leftOut = requested.filter((name) => !grant.scopes.includes(name))
  const authorizationDetails = requestedDetails(environment, client, values['authorization_details'])
  const details = inWords(authorizationDetails, environment.settings.authorizationDetailsTypes)
  return {
    terms: {
      ...grant,
      ...grantedRequest({ resources: target.resources, authorizationDetails }),
      ...(leftOut.length > 0 ? { leftOut } : {}),
    },
    shown: {
      scopeIds: [...new Set(scopeIdsOf(environment, client, grant.scopes, target))],
      ...(details.length > 0 ? { details } : {}),
    },
  }
}
