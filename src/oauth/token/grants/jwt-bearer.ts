/**
 * jwt-bearer: a JWT of somebody whom the environment trusts is the grant. RFC 7523 section 2.1, an extension (decision
 * D24). The client itself: a token as by client_credentials. An identity provider: a token of the user whose account it
 * names, for a custom resource; nobody has signed on here, so it belongs to no session.
 *
 * Never: a refresh or an ID token, a second use, or a token of a user for the platform.
 */
import { z } from 'zod'
import { useJwt } from '../../../access/used-jwt.ts'
import { eventOrigin } from '../../../contract/event-origin.ts'
import type { Application } from '../../../environment/application.ts'
import { record } from '../../../events/record.ts'
import { UniquenessViolation } from '../../../storage/refusals.ts'
import { grantedResources, mayServeMany } from '../../granted-resources.ts'
import { grantForTarget } from '../../rules/resource-indicators.ts'
import { parseScope } from '../../rules/scopes.ts'
import { openFamily } from '../../token-family.ts'
import type { TokenUser } from '../../tokens/access-token.ts'
import { type AssertionFacts, readAssertion } from '../assertion-facts.ts'
import { defineGrant, type GrantUnit, type Refuse, refuse } from '../grant.ts'

const invalidAssertion = refuse('invalid_grant', 'the assertion is not valid')

export const jwtBearer = defineGrant({
  type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  grantType: 'JWT_BEARER',
  params: z.object({
    assertion: z.string().max(16_384).describe('A JWT of the client, or of an identity provider that is trusted.'),
    scope: z.string().optional().describe('Scopes granted to the application, separated by spaces.'),
  }),
  clientAuth: 'required',
  gather: (context, { environment, client, params }) => readAssertion(context, environment, client, params.assertion),
  decide({ client, environment, params, target, facts }) {
    if (!facts) return invalidAssertion
    const requested = parseScope(params.scope)
    if ('refused' in requested) return refuse('invalid_scope', requested.refused)
    const { user: named } = facts
    const granted = grantedResources(environment, client).filter(({ type }) => !named || type === 'CUSTOM')
    const grant = grantForTarget(requested, granted, target, { user: false, manyResources: mayServeMany(client) })
    if ('refused' in grant) return refuse(grant.error, grant.refused)
    if (named && grant.audiences.length === 0) {
      return refuse('invalid_target', 'scope or resource has to say what the token is for')
    }
    const user: TokenUser | undefined = named && {
      id: named.id,
      sessionId: '',
      acr: undefined,
      amr: [],
      authTime: undefined,
    }
    return {
      kind: 'issue',
      scopes: grant.scopes,
      audiences: grant.audiences,
      lifetime: grant.accessTokenSeconds ?? environment.settings.accessTokenSeconds,
      user,
      familyId: named?.familyId,
      idToken: undefined,
      effect: { unit: take(facts, client, user, grant.scopes) },
    }
  },
})

/** Uses the assertion up, and opens the family that the token of a user lives by. */
function take(
  { proof, user: named }: AssertionFacts,
  client: Application,
  user: TokenUser | undefined,
  scopes: readonly string[],
): GrantUnit<Refuse | undefined> {
  return (context, environment) => ({
    name: 'take-assertion',
    *run() {
      try {
        yield* useJwt(environment.id, proof)
      } catch (error) {
        if (error instanceof UniquenessViolation) return invalidAssertion
        throw error
      }
      const origin = eventOrigin(context, environment.id)
      if (named && user) {
        yield* openFamily(environment, { id: named.familyId, clientId: client.id, user, scopes }, context.now)
        const subject = { type: 'AUTHORIZATION', id: named.familyId }
        const detail = { identityProvider: named.providerId }
        yield record(origin, { action: 'TOKEN.ISSUED', clientId: client.id, userId: user.id, subject, detail })
      } else yield record(origin, { action: 'TOKEN.ISSUED', clientId: client.id })
      return undefined
    },
  })
}
