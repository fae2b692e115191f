/**
 * client_credentials: a confidential client gets a token for itself; no user takes part.
 * RFC 6749 section 4.4, RFC 8707 section 2.2, authentication-api 2.7. Never: a refresh token (4.4.3), an ID token, a public client.
 */
import { z } from 'zod'
import { grantedResources, mayServeMany } from '../../granted-resources.ts'
import { grantForTarget } from '../../rules/resource-indicators.ts'
import { parseScope } from '../../rules/scopes.ts'
import { defineGrant, refuse } from '../grant.ts'

export const clientCredentials = defineGrant({
  type: 'client_credentials',
  grantType: 'CLIENT_CREDENTIALS',
  params: z.object({
    scope: z.string().optional().describe('Scopes granted to the application, separated by spaces.'),
    authorization_details: z.string().optional().describe('Refused: nobody is there to grant them.'),
  }),
  clientAuth: 'required',
  gather: () => undefined,
  decide({ client, environment, params, target }) {
    if (params.authorization_details !== undefined) {
      return refuse('invalid_authorization_details', 'details are granted by users')
    }
    const requested = parseScope(params.scope)
    if ('refused' in requested) return refuse('invalid_scope', requested.refused)
    const terms = { user: false, manyResources: mayServeMany(client) }
    const grant = grantForTarget(requested, grantedResources(environment, client), target, terms)
    if ('refused' in grant) return refuse(grant.error, grant.refused)
    return {
      kind: 'issue',
      scopes: grant.scopes,
      audiences: grant.audiences,
      lifetime: grant.accessTokenSeconds ?? environment.settings.accessTokenSeconds,
      user: undefined,
      familyId: undefined,
      idToken: undefined,
      effect: { event: { action: 'CLIENT_CREDENTIALS.ISSUED', clientId: client.id } },
    }
  },
})
