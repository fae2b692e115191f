/**
 * authorization_code: what the browser brought back becomes tokens. RFC 6749 section 4.1.3, RFC 7636 section 4.6,
 * OpenID Connect Core section 3.1.3, RFC 8707 section 2.2, RFC 9449 section 10. Rows B01-B21, C23.
 * Never: a code of another client, a second use, a verifier where no challenge was sent, more than five wrong ones.
 */
import { hash } from 'node:crypto'
import { z } from 'zod'
import { grantedResources, mayServeMany } from '../../granted-resources.ts'
import { narrowAuthorizationDetails } from '../../rules/authorization-details.ts'
import { codeEnd } from '../../rules/fapi.ts'
import { isVerifier, verifierProves } from '../../rules/pkce.ts'
import { narrow } from '../../rules/resource-indicators.ts'
import { familyRefresh } from '../../token-family.ts'
import { readCode } from '../code-facts.ts'
import { defineGrant, refuse } from '../grant.ts'
import { countWrongVerifier, invalidCode, redeem, revokeReplayed } from '../redeem.ts'

const sha256 = (text: string) => hash('sha256', text, 'base64url')

export const authorizationCode = defineGrant({
  type: 'authorization_code',
  grantType: 'AUTHORIZATION_CODE',
  params: z.object({
    code: z.string().max(512).describe('The code from the authorization response.'),
    redirect_uri: z.string().optional().describe('As in the authorization request; left out when that had none.'),
    code_verifier: z.string().optional().describe('The PKCE verifier of the challenge that was sent.'),
    authorization_details: z
      .string()
      .optional()
      .describe('Of those that were granted, the ones for this token (RFC 9396).'),
  }),
  clientAuth: 'as registered',
  gather: ({ kernel, now }, { environment, params }) => readCode(kernel.storage, environment.id, params.code, now),
  decide({ client, environment, params, target, confirmation, facts: code, now }) {
    if (!code || code.clientId !== client.id) return invalidCode
    const { document } = code
    if ((params.redirect_uri ?? null) !== document.redirectUri) {
      return refuse('invalid_grant', 'redirect_uri differs from the authorization request')
    }
    if (document.dpopJkt !== undefined && document.dpopJkt !== confirmation?.jkt) {
      return refuse('invalid_grant', 'the code is bound to another DPoP key')
    }
    if (!verifierProves(document.challenge, params.code_verifier, sha256)) {
      const { code_verifier: guess } = params
      const guessed = document.challenge !== null && guess !== undefined && isVerifier(guess)
      const counted = guessed && !code.used && code.expiresAt > now ? countWrongVerifier(code) : undefined
      return refuse('invalid_grant', 'code_verifier does not fit the code_challenge', counted)
    }
    if (code.used) return { ...invalidCode, unit: revokeReplayed(code) }
    if (codeEnd(client.document, code) <= now || !code.standing) return invalidCode
    const terms = { user: true, manyResources: mayServeMany(client) }
    const grant = narrow(document, grantedResources(environment, client), target, terms)
    if ('refused' in grant) return refuse(grant.error, grant.refused)
    const detailed = narrowAuthorizationDetails(document.authorizationDetails ?? [], params.authorization_details)
    if ('refused' in detailed) return refuse('invalid_authorization_details', detailed.refused)
    return {
      kind: 'issue',
      scopes: grant.scopes,
      audiences: grant.audiences,
      lifetime: grant.accessTokenSeconds ?? environment.settings.accessTokenSeconds,
      user: code.user,
      source: code.source,
      familyId: code.familyId,
      authorizationDetails: detailed.details.length > 0 ? detailed.details : undefined,
      idToken: document.scopes.includes('openid')
        ? { source: code.source, nonce: document.nonce ?? undefined, claims: document.claims?.idToken }
        : undefined,
      effect: { unit: redeem(code, familyRefresh(environment, client, document.scopes, confirmation)) },
    }
  },
})
