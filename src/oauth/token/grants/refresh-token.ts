/**
 * refresh_token: what was granted gives new tokens, and the refresh token gives way to its successor. RFC 6749 section 6,
 * OpenID Connect Core section 12, authentication-api 2.7, decision D21; rows E01-E10 and E29. A public client may: what
 * rotation catches is a token that two parties hold (RFC 9700 section 4.14.2).
 *
 * Never: a scope beyond those that were granted, or a nonce in the new ID token.
 */
import { z } from 'zod'
import { isProved } from '../../../access/confirmation.ts'
import { grantedResources, mayServeMany } from '../../granted-resources.ts'
import { defineMetadata } from '../../metadata.ts'
import { narrowedScopes, refreshWorth } from '../../rules/refresh-token.ts'
import { narrowAuthorizationDetails } from '../../rules/authorization-details.ts'
import { narrow } from '../../rules/resource-indicators.ts'
import { grantScopes, parseScope } from '../../rules/scopes.ts'
import { defineGrant, refuse } from '../grant.ts'
import { readRefreshFacts } from '../refresh-facts.ts'
import { invalidRefreshToken, replayed, rotate } from '../rotate.ts'

export const refreshTokenMetadata = defineMetadata({ scopes_supported: z.array(z.string()) }, () => ({
  scopes_supported: ['offline_access'],
}))

/** Whoever has a refresh token of another application, or without its key, is nobody whom its application could forgive. */
const strict = { additionalRefreshTokenReplayProtectionEnabled: true }

export const refreshToken = defineGrant({
  type: 'refresh_token',
  grantType: 'REFRESH_TOKEN',
  params: z.object({
    refresh_token: z.string().max(16_384).describe('The refresh token that came last.'),
    scope: z.string().optional().describe('Fewer scopes than were granted, separated by spaces. Default: all.'),
    authorization_details: z
      .string()
      .optional()
      .describe('Of those that were granted, the ones for this token (RFC 9396). Default: all.'),
  }),
  clientAuth: 'as registered',
  gather: (context, { environment, client, params }) =>
    readRefreshFacts(context, environment, client, params.refresh_token),
  decide({ client, environment, params, target, confirmation, facts, now }) {
    if (!facts) return invalidRefreshToken
    const { chain, generation, document } = facts
    if (facts.clientId !== client.id || !isProved(document.confirmation, confirmation)) {
      const isLive = chain.revokedAt === null && chain.generation > generation
      return isLive ? { ...invalidRefreshToken, unit: replayed(facts, strict) } : invalidRefreshToken
    }
    const worth = refreshWorth(chain, generation, client.document, now)
    if (worth === 'replayed') return { ...invalidRefreshToken, unit: replayed(facts, client.document) }
    if (worth === 'dead' || !facts.standing) return invalidRefreshToken

    const requested = parseScope(params.scope)
    if ('refused' in requested) return refuse('invalid_scope', requested.refused)
    const narrowed = narrowedScopes(requested, facts.scopes, document.leftOut ?? [])
    if ('refused' in narrowed) return refuse('invalid_scope', narrowed.refused)
    const granted = grantedResources(environment, client)
    const terms = { user: true, manyResources: mayServeMany(client) }
    const { resources } = document
    const whole = resources
      ? { scopes: narrowed, audiences: [], accessTokenSeconds: null, resources }
      : grantScopes(narrowed, granted, terms)
    if ('refused' in whole) return refuse('invalid_scope', whole.refused)
    const grant = narrow(whole, granted, target, terms)
    if ('refused' in grant) return refuse(grant.error, grant.refused)
    const detailed = narrowAuthorizationDetails(document.authorizationDetails ?? [], params.authorization_details)
    if ('refused' in detailed) return refuse('invalid_authorization_details', detailed.refused)
    return {
      kind: 'issue',
      scopes: grant.scopes,
      audiences: grant.audiences,
      lifetime: grant.accessTokenSeconds ?? environment.settings.accessTokenSeconds,
      user: facts.user,
      familyId: facts.familyId,
      ...(detailed.details.length > 0 ? { authorizationDetails: detailed.details } : {}),
      idToken: grant.scopes.includes('openid')
        ? { source: facts.standing, nonce: undefined, claims: document.claims?.idToken }
        : undefined,
      effect: { unit: rotate(facts, client) },
    }
  },
})
