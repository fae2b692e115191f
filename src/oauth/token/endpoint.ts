/**
 * The token endpoint: RFC 6749 section 3.2, authentication-api 2.7. A numbered pipeline that every grant passes; a
 * failed `decide` consumes nothing, and an answer leaves only after its commit.
 */
import { z } from 'zod'
import type { FormParameters } from '../../contract/form.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../../contract/operation.ts'
import { eventOrigin } from '../../contract/event-origin.ts'
import { uuid } from '../../contract/validation.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { notFound, problem } from '../../errors/problem.ts'
import { eventRow } from '../../events/record.ts'
import { authenticateClient, clientRefused } from '../client-auth/authenticate.ts'
import { type ClientCredentials, readCredentials } from '../client-auth/credentials.ts'
import { withValues } from '../parameters.ts'
import { readCode } from './code-facts.ts'
import { type Grant, type GrantFacts, type Issue, verifierDiffers } from './grant.ts'
import { grants } from './grants/index.ts'
import { countWrongVerifier, redeem, revokeReplayed } from './redeem.ts'
import { signTokens, type Tokens } from './sign.ts'

const byType = new Map(grants.map((grant) => [grant.type, grant]))

/** RFC 6749 section 5.1 with the ID token of OpenID Connect Core 3.1.3.3. */
const tokenResponse = z.object({
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.number().int(),
  scope: z.string().optional(),
  id_token: z.string().optional(),
})

const tokenRequest = z.object({
  grant_type: z.enum(['client_credentials', 'authorization_code']),
  client_id: z.string().optional(),
  client_secret: z.string().optional(),
  scope: z.string().optional(),
  code: z.string().optional(),
  redirect_uri: z.string().optional(),
  code_verifier: z.string().optional(),
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
  const credentials = readCredentials(context.headers.authorization, form.values)
  const home = environmentId ?? (await environmentOf(context, credentials))
  const found = kernel.environments.get(home)
  const environment = found instanceof Promise ? await found : found
  if (!environment) throw notFound()
  const client = await authenticateClient(context, environment, credentials)

  // 3. The grant: known, registered for this client, allowed for its kind.
  const grant = byType.get(grantType)
  if (!grant) throw problem('unsupported_grant_type')
  if (
    !client.document.grantTypes.includes(grant.grantType) ||
    (grant.clientAuth === 'required' && credentials.method === 'NONE')
  ) {
    throw problem('unauthorized_client', { description: 'the application does not have this grant type' })
  }
  const params = grant.params.safeParse(form.values)
  if (!params.success) {
    throw problem('invalid_request', {
      description: `${String(params.error.issues[0]?.path[0])} is missing or malformed`,
    })
  }

  // 4. Gather the facts the grant names, then decide.
  const facts = await gather(grant, context, environment, form.values)
  const verdict = grant.decide({ client, environment, params: params.data as never, facts, now })

  switch (verdict.kind) {
    case 'refuse':
      throw problem(verdict.error, { description: verdict.description })
    case 'replay':
      await revokeReplayed(context, environment, verdict.code)
      throw problem('invalid_grant', { description: 'the authorization code is not valid' })
    case 'wrong verifier':
      await countWrongVerifier(context, environment, verdict.code)
      throw problem('invalid_grant', { description: verifierDiffers })
    case 'issue':
      return await issue(context, environment, client, verdict)
  }
}

async function environmentOf({ kernel }: Context, credentials: ClientCredentials): Promise<string> {
  const { clientId } = credentials
  const id = uuid.safeParse(clientId).success ? await kernel.environments.environmentOfClient(clientId) : undefined
  if (!id) throw clientRefused(credentials)
  return id
}

async function gather(
  grant: Grant,
  context: Context,
  environment: Environment,
  values: Readonly<Record<string, string>>,
): Promise<GrantFacts> {
  const code = values['code']
  return {
    code:
      grant.needs.includes('code') && code !== undefined
        ? await readCode(context.kernel.storage, environment.id, code, context.now)
        : undefined,
  }
}

/** 5. One unit: consume, family, change event. 6. Sign, overlapping the commit. 7. Answer, only after both. */
async function issue(context: Context, environment: Environment, client: Application, verdict: Issue): Promise<Reply> {
  const signing = signTokens(context, environment, client, verdict)
  if (verdict.consumes) {
    const [outcome, redemption] = await Promise.allSettled([
      signing,
      redeem(context, environment, verdict.consumes, verdict),
    ])
    if (redemption.status === 'rejected') throw redemption.reason
    if (outcome.status === 'rejected') throw outcome.reason
    if (redemption.value !== 'redeemed')
      throw problem('invalid_grant', { description: 'the authorization code is not valid' })
    return tokenReply(verdict, outcome.value)
  }
  const tokens = await signing
  const event = { action: 'CLIENT_CREDENTIALS.ISSUED', clientId: client.id } as const
  context.kernel.volumeEvents.add(eventRow(eventOrigin(context, environment.id), event))
  return tokenReply(verdict, tokens)
}

function tokenReply(verdict: Issue, tokens: Tokens): Reply {
  return {
    status: 200,
    body: {
      access_token: tokens.accessToken,
      token_type: 'Bearer',
      expires_in: verdict.lifetime,
      ...(verdict.scopes.length > 0 ? { scope: verdict.scopes.join(' ') } : {}),
      ...(tokens.idToken === undefined ? {} : { id_token: tokens.idToken }),
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
    'invalid_client',
    'invalid_grant',
    'invalid_scope',
    'unauthorized_client',
    'unsupported_grant_type',
  ],
} as const

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
