/**
 * The token endpoint: RFC 6749 section 3.2, authentication-api 2.7. A numbered pipeline that every grant passes; a
 * failed `decide` consumes nothing, and an answer leaves only after its commit.
 */
import { z } from 'zod'
import type { FormParameters } from '../../contract/form.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../../contract/operation.ts'
import type { Confirmation } from '../../access/confirmation.ts'
import { type OneTimeJwt, useProofs } from '../../access/used-jwt.ts'
import { eventOrigin } from '../../contract/event-origin.ts'
import { uuid } from '../../contract/validation.ts'
import { notFound, type Problem, problem } from '../../errors/problem.ts'
import { eventRow } from '../../events/record.ts'
import { detailsForAudiences } from '../rules/authorization-details.ts'
import { resolveSite } from '../../site.ts'
import { auditingRefusals, clientRefused, proveClient } from '../client-auth/authenticate.ts'
import { type ClientCredentials, clientErrors, clientParameters, readCredentials } from '../client-auth/credentials.ts'
import { clientUse, noting } from '../client-use.ts'
import { defineMetadata } from '../metadata.ts'
import { withValues } from '../parameters.ts'
import type { Word } from '../../storage/operations.ts'
import type { Unit, UnitBody } from '../../storage/port.ts'
import { mayFail } from '../tokens/id-token.ts'
import { type RefreshToken, writeRefreshToken } from '../tokens/refresh-token.ts'
import type { GrantQuestion, Issue, Refuse } from './grant.ts'
import { grants } from './grants/index.ts'
import { senderConstraint } from './sender-constraint.ts'
import { issueTokens, type Tokens } from './sign.ts'

const byType = new Map(grants.map((grant) => [grant.type, grant]))

/** RFC 6749 section 5.1 with the ID token of OpenID Connect Core 3.1.3.3. */
const tokenResponse = z.object({
  access_token: z.string(),
  token_type: z.enum(['Bearer', 'DPoP']),
  expires_in: z.number().int(),
  scope: z.string().optional(),
  issued_token_type: z.string().optional(),
  refresh_token: z.string().optional(),
  id_token: z.string().optional(),
  authorization_details: z.array(z.looseObject({ type: z.string() })).optional(),
})

const tokenRequest = z.object({
  grant_type: z.enum(grants.map(({ type }) => type)),
  ...clientParameters,
  resource: z.string().optional().describe('A resource server the token is meant for; may be repeated (RFC 8707).'),
  ...Object.fromEntries(grants.flatMap(({ params }) => Object.entries(params.partial().shape))),
})

async function handleTokenRequest(
  body: FormParameters,
  context: Context,
  environmentId: string | undefined,
): Promise<Reply> {
  const { kernel, now } = context

  // 1. Parse once. A repeated parameter is refused, whichever it is (decision D11).
  const form = withValues(body)
  if (form.repeated.length > 0) throw problem('invalid_request', { description: `${form.repeated[0]} is repeated` })
  const grantType = form.values['grant_type']
  if (!grantType) throw problem('invalid_request', { description: 'grant_type is missing' })

  // 2. The client, by its registered method.
  const credentials = readCredentials(context.headers, form.values)
  const home = environmentId ?? (await environmentOf(context, credentials))
  const found = kernel.environments.get(home)
  const environment = found instanceof Promise ? await found : found
  if (!environment) throw notFound()
  const { client, proofs, instance } = await proveClient(context, environment, credentials)

  // 3. The grant: known, registered for this client, allowed for its kind.
  const grant = byType.get(grantType)
  if (!grant) throw problem('unsupported_grant_type')
  if (
    !client.document.grantTypes.includes(grant.grantType) ||
    (grant.clientAuth === 'required' && client.document.tokenEndpointAuthMethod === 'NONE')
  ) {
    throw problem('unauthorized_client', { description: 'the application does not have this grant type' })
  }
  const params = grant.params.safeParse(form.values)
  if (!params.success) {
    throw problem('invalid_request', {
      description: `${String(params.error.issues[0]?.path[0])} is missing or malformed`,
    })
  }

  // 4. The keys that the client proves, and has to.
  const constraining = senderConstraint(context, environment, client)
  const constraint = constraining instanceof Promise ? await constraining : constraining

  // 5. Gather what the grant has to know, then decide.
  const confirmation = instance === undefined ? constraint.confirmation : { ...constraint.confirmation, instance }
  const target = { resources: form.resources, platformAudience: kernel.origins.apiUrl }
  const question = { client, environment, params: params.data as never, target, confirmation }
  const gathering = grant.gather(context, question)
  const facts = gathering instanceof Promise ? await gathering : gathering
  const verdict = grant.decide({ facts: facts as never, now, ...question })

  if (verdict.kind === 'issue') {
    const used = [...proofs, ...constraint.proofs]
    const issued = withDetailsOfAudience(verdict)
    const attempt = () => issue(context, question, issued, used)
    // What a client has proved itself by may turn out to be used up; a secret does not.
    return used.length === 0 ? await attempt() : await auditingRefusals(context, environment, credentials, attempt)
  }
  const instead =
    verdict.unit && (await kernel.storage.commit<Refuse | undefined | void>(verdict.unit(context, environment)))
  throw refused(instead ?? verdict)
}

async function environmentOf({ kernel }: Context, credentials: ClientCredentials): Promise<string> {
  const { clientId } = credentials
  const id = uuid.safeParse(clientId).success ? await kernel.environments.environmentOfClient(clientId) : undefined
  if (!id) throw clientRefused(credentials)
  return id
}

/** The details that the access token is for; the grant keeps all of them. */
function withDetailsOfAudience(verdict: Issue): Issue {
  const { authorizationDetails, audiences } = verdict
  if (!authorizationDetails) return verdict
  const details = detailsForAudiences(authorizationDetails, audiences)
  return { ...verdict, authorizationDetails: details.length > 0 ? details : undefined }
}

/**
 * 6. One unit: proofs, consume, family, change event. 7. Sign, overlapping the commit, unless that may come to nothing.
 * 8. Answer, only after both.
 */
async function issue(
  context: Context,
  { environment, client, confirmation }: GrantQuestion<unknown>,
  verdict: Issue,
  proofs: readonly OneTimeJwt[],
): Promise<Reply> {
  const { kernel } = context
  const { effect } = verdict
  const issuing = issueTokens(context, environment, client, verdict, confirmation)
  const { tokens, store } = issuing instanceof Promise ? await issuing : issuing
  // A refresh token that is used up for nothing could not be sent again for long.
  if (verdict.idToken && mayFail(client)) await tokens
  const whole = unitOf(environment.id, proofs, 'unit' in effect ? effect.unit(context, environment) : undefined, store)
  const unit = noting(whole, clientUse(environment, client, context.now))
  const { signed, outcome } = unit
    ? await bothOf(tokens, kernel.storage.commit(unit))
    : { signed: tokens instanceof Promise ? await tokens : tokens, outcome: undefined }
  if ('event' in effect) {
    kernel.volumeEvents.add(eventRow(eventOrigin(context, environment.id), effect.event))
  }
  if (!outcome) return tokenReply(verdict, signed, confirmation)
  const site = resolveSite(kernel.origins, environment)
  const refreshToken = await writeRefreshToken(environment, site, client, outcome)
  return tokenReply(verdict, signed, confirmation, refreshToken)
}

/** Waits for both, whatever becomes of the other; what the commit says goes first. */
async function bothOf(tokens: Tokens | Promise<Tokens>, committing: Promise<Refuse | RefreshToken | undefined>) {
  const [signed, committed] = await Promise.allSettled([tokens, committing])
  if (committed.status === 'rejected') throw committed.reason
  const outcome = committed.value
  if (outcome?.kind === 'refuse') throw refused(outcome)
  if (signed.status === 'rejected') throw signed.reason
  return { signed: signed.value, outcome }
}

/**
 * What the client has proved itself by is used up together with what it brings about, and an opaque token is stored with
 * it; undefined when nothing lasts.
 */
function unitOf(
  environmentId: string,
  proofs: readonly OneTimeJwt[],
  effect: Unit<Refuse | RefreshToken | undefined> | undefined,
  store: (() => Word<void>) | undefined,
): Unit<Refuse | RefreshToken | undefined> | undefined {
  if (proofs.length === 0 && !store) return effect
  return { name: effect?.name ?? 'issue-tokens', run: () => together(environmentId, proofs, effect, store) }
}

function* together(
  environmentId: string,
  proofs: readonly OneTimeJwt[],
  effect: Unit<Refuse | RefreshToken | undefined> | undefined,
  store: (() => Word<void>) | undefined,
): UnitBody<Refuse | RefreshToken | undefined> {
  yield* useProofs(environmentId, proofs)
  const outcome = effect ? yield* effect.run() : undefined
  if (store && outcome?.kind !== 'refuse') yield* store()
  return outcome
}

function refused({ error, description }: Refuse): Problem {
  return problem(error, { description })
}

function tokenReply(
  verdict: Issue,
  tokens: Tokens,
  confirmation: Confirmation | undefined,
  refreshToken?: string,
): Reply {
  return {
    status: 200,
    body: {
      access_token: tokens.accessToken,
      token_type: confirmation?.jkt === undefined ? 'Bearer' : 'DPoP',
      expires_in: verdict.lifetime,
      scope: verdict.scopes.length > 0 ? verdict.scopes.join(' ') : undefined,
      issued_token_type: verdict.issuedTokenType,
      refresh_token: refreshToken,
      id_token: tokens.idToken,
      authorization_details: verdict.authorizationDetails,
    },
  }
}

const declaration = {
  method: 'POST',
  surface: 'oauth',
  tag: 'OAuth 2 and OpenID Connect',
  permission: { kind: 'public' },
  cors: 'any',
  body: formBody(tokenRequest),
  replies: { 200: tokenResponse },
  errors: [
    'invalid_request',
    ...clientErrors,
    'invalid_dpop_proof',
    'use_dpop_nonce',
    'invalid_grant',
    'invalid_scope',
    'invalid_target',
    'invalid_authorization_details',
    'unauthorized_client',
    'unsupported_grant_type',
    'authorization_pending',
    'slow_down',
    'polling_denied',
    'expired_token',
  ],
} as const

export const tokenMetadata = defineMetadata({ token_endpoint: z.string() }, (_environment, site) => ({
  token_endpoint: `${site.issuer}/token`,
}))

export const tokenOperations: readonly Operation[] = [
  defineOperation({
    ...declaration,
    id: 'token',
    path: '/{environmentId}/as/token',
    aliases: ['/{environmentId}/as/token.oauth2'],
    summary: 'Exchange a grant for tokens',
    source: 'authentication-api 2.7; RFC 6749 section 3.2',
    params: z.object({ environmentId: uuid }),
    handle: ({ params, body }, context) => handleTokenRequest(body, context, params.environmentId),
  }),
  defineOperation({
    ...declaration,
    id: 'tokenWithoutEnvironment',
    path: '/as/token',
    aliases: ['/as/token.oauth2'],
    summary: 'Exchange a grant for tokens; the environment is found from the client',
    source: 'authentication-api 1.4 (first edition); decision D16',
    handle: ({ body }, context) => handleTokenRequest(body, context, undefined),
  }),
]
