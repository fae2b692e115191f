/**
 * What a poll gets: RFC 8628 section 3.5 and OpenID CIBA Core section 11 say the same of it. Rows Q05, Q08.
 *
 * Whether a poll came too early is decided where it is counted, in storage, so that of any number at once one is in time. What
 * is decided already is told at once, however soon the client asks. A grant that is presented once more gives nothing, and
 * takes nothing back: that a client polls twice at the same time shows no leak.
 *
 * Never: tokens of another client's grant, of one that nobody approved, or twice.
 */
import { z } from 'zod'
import { eventOrigin } from '../../contract/event-origin.ts'
import { consentStands } from '../../directory/oauth-consents.ts'
import type { PolledGrantKind } from '../../directory/polled-grants.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { record } from '../../events/record.ts'
import { run } from '../../storage/port.ts'
import { notePoll, takePolledGrant } from '../../storage/sql/polled-grants.ts'
import { grantedRequest } from '../granted-request.ts'
import { grantedResources, mayServeMany } from '../granted-resources.ts'
import { narrowAuthorizationDetails } from '../rules/authorization-details.ts'
import { narrow } from '../rules/resource-indicators.ts'
import { type FamilyRefresh, familyRefresh, openFamily } from '../token-family.ts'
import type { RefreshToken } from '../tokens/refresh-token.ts'
import { type GrantRequest, type GrantUnit, type Refuse, refuse, type Verdict } from './grant.ts'
import type { Approval, PolledFacts } from './polled-facts.ts'

/** The one answer for what gives nothing, whatever the reason. */
const invalidPolled: Refuse = refuse('invalid_grant', 'the code is not valid')

/** What whoever polls may say beside the code. */
export const pollParams = {
  authorization_details: z
    .string()
    .optional()
    .describe('Of those that were granted, the ones for this token (RFC 9396).'),
}

type PollParams = z.output<z.ZodObject<typeof pollParams>>

/** Decides what a client gets that polls. @param proves whether it proves what it promised when it asked (PKCE) */
export function judgePoll(
  kind: PolledGrantKind,
  {
    client,
    environment,
    params,
    target,
    confirmation,
    facts: polled,
    now,
  }: GrantRequest<PollParams, PolledFacts | undefined>,
  proves: (polled: PolledFacts) => boolean = () => true,
): Verdict {
  if (!polled || polled.clientId !== client.id || polled.kind !== kind || polled.status === 'USED') return invalidPolled
  if (!proves(polled)) return refuse('invalid_grant', 'code_verifier does not fit the code_challenge')
  if (polled.expiresAt <= now) return refuse('expired_token', 'the user did not answer in time')
  switch (polled.status) {
    case 'DENIED':
      return refuse('polling_denied', 'the user did not approve the request')
    case 'PENDING':
      return refuse('authorization_pending', 'the user has yet to answer', countPoll(polled))
    case 'APPROVED': {
      const { approval, terms } = polled
      if (!approval?.standing) return invalidPolled
      const rules = { user: true, manyResources: mayServeMany(client) }
      const grant = narrow(terms, grantedResources(environment, client), target, rules)
      if ('refused' in grant) return refuse(grant.error, grant.refused)
      const detailed = narrowAuthorizationDetails(terms.authorizationDetails ?? [], params.authorization_details)
      if ('refused' in detailed) return refuse('invalid_authorization_details', detailed.refused)
      return {
        kind: 'issue',
        scopes: grant.scopes,
        audiences: grant.audiences,
        lifetime: grant.accessTokenSeconds ?? environment.settings.accessTokenSeconds,
        user: approval.user,
        familyId: polled.id,
        ...(detailed.details.length > 0 ? { authorizationDetails: detailed.details } : {}),
        idToken: terms.scopes.includes('openid') ? { source: approval.source, nonce: undefined } : undefined,
        effect: { unit: take(polled, approval, familyRefresh(environment, client, terms.scopes, confirmation)) },
      }
    }
  }
}

/** Counts a poll; one that comes too early is told to slow down. */
function countPoll({ id }: PolledFacts): GrantUnit<Refuse | undefined> {
  return ({ now }, environment) => ({
    name: 'count-poll',
    single: true,
    *run() {
      const [polled] = yield* run(notePoll(environment.id, id, now))
      return polled?.is_early === 1 ? refuse('slow_down', 'wait five seconds longer between polls') : undefined
    },
  })
}

/** Takes the grant and opens its family in one unit. */
function take(
  { id, clientId, terms }: PolledFacts,
  { user, consentId }: Approval,
  refresh: FamilyRefresh | undefined,
): GrantUnit<Refuse | RefreshToken | undefined> {
  return (context, environment: Environment) => ({
    name: 'take-polled-grant',
    *run() {
      const { now } = context
      const consent = {
        environmentId: environment.id,
        userId: user.id,
        applicationId: clientId,
        consentId: consentId ?? '',
      }
      if (consentId !== undefined && !(yield* consentStands(consent, now))) return invalidPolled
      if ((yield* run(takePolledGrant(environment.id, id, now))).length === 0) return invalidPolled
      const { scopes, leftOut } = terms
      const family = {
        id,
        clientId,
        user,
        scopes,
        leftOut,
        consentId,
        granted: grantedRequest(terms),
        isPolled: true,
        refresh,
      }
      const refreshToken = yield* openFamily(environment, family, now)
      yield record(eventOrigin(context, environment.id), {
        action: 'TOKEN.ISSUED',
        subject: { type: 'AUTHORIZATION', id },
        userId: user.id,
        clientId,
        sessionId: user.sessionId,
      })
      return refreshToken
    },
  })
}
