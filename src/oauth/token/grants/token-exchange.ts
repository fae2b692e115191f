/**
 * token-exchange: a token of a user becomes another one, for a custom resource, by which an application acts for the user.
 * RFC 8693, authentication-api 2.17; row E26. What is issued lives by the grant of the subject token, and ends with it.
 *
 * Never: a refresh or an ID token, a public client, or a token that lives longer than one of those it was got by.
 */
import { z } from 'zod'
import { grantedResources } from '../../granted-resources.ts'
import { parseScope } from '../../rules/scopes.ts'
import { actOf, exchangeableTypes, exchangedGrant, mayAct } from '../../rules/token-exchange.ts'
import { readExchangeFacts } from '../exchange-facts.ts'
import { defineGrant, refuse } from '../grant.ts'

const types = z.enum([exchangeableTypes.accessToken, exchangeableTypes.idToken])

export const tokenExchange = defineGrant({
  type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  grantType: 'TOKEN_EXCHANGE',
  params: z.object({
    subject_token: z.string().max(16_384).describe('A token of the user for whom something is to be done.'),
    subject_token_type: types.describe('What the subject token is.'),
    actor_token: z.string().max(16_384).optional().describe('A token of whoever does it, issued to the application.'),
    actor_token_type: types.optional().describe('What the actor token is.'),
    requested_token_type: z.literal(exchangeableTypes.accessToken).optional(),
    audience: z.string().max(2048).optional().describe('The audience of the custom resource that the token is for.'),
    scope: z.string().optional().describe('Scopes of one custom resource. Default: all that may be had of it.'),
  }),
  clientAuth: 'required',
  gather: (context, { environment, client, params, confirmation }) =>
    readExchangeFacts(context, environment, client, params, confirmation),
  decide({ client, environment, params, target, facts: { subject, actor, issuer }, now }) {
    if ((params.actor_token === undefined) !== (params.actor_token_type === undefined)) {
      return refuse('invalid_request', 'actor_token and actor_token_type belong together')
    }
    if (!subject) return refuse('invalid_request', 'the subject token is not valid here')
    if (params.actor_token !== undefined && !actor) {
      return refuse('invalid_request', 'the actor token is not a valid one of this client')
    }
    const acting = actor ?? { sub: client.id, clientId: client.id }
    if (!mayAct(subject.mayAct, acting, issuer)) {
      return refuse('invalid_request', 'the subject token does not let this actor act')
    }
    const act = actOf(actor, subject.act)
    if (act && 'refused' in act) return refuse(act.error, act.refused)

    const requested = parseScope(params.scope)
    if ('refused' in requested) return refuse('invalid_scope', requested.refused)
    const { audience } = params
    const targets = new Set([...target.resources, ...(audience === undefined ? [] : [audience])])
    const grant = exchangedGrant(requested, [...targets], {
      granted: grantedResources(environment, client),
      holders: subject.holders.map((holder) => grantedResources(environment, holder)),
      consented: subject.holders.some(({ document }) => document.requireConsent === true) ? subject.scopes : undefined,
    })
    if ('refused' in grant) return refuse(grant.error, grant.refused)
    const left = Math.min(subject.expiresAt, actor?.expiresAt ?? subject.expiresAt) - Math.floor(now / 1000)
    return {
      kind: 'issue',
      scopes: grant.scopes,
      audiences: grant.audiences,
      lifetime: Math.min(grant.accessTokenSeconds ?? environment.settings.accessTokenSeconds, left),
      user: subject.user,
      familyId: subject.grantId,
      act,
      idToken: undefined,
      issuedTokenType: exchangeableTypes.accessToken,
      effect: {
        event: {
          action: 'TOKEN.EXCHANGED',
          subject: { type: 'AUTHORIZATION', id: subject.grantId },
          userId: subject.user.id,
          clientId: client.id,
          sessionId: subject.user.sessionId,
          detail: { actor: acting.sub },
        },
      },
    }
  },
})
