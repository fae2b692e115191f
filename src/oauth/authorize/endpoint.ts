/**
 * The authorization endpoint: RFC 6749 section 3.1, OpenID Connect Core section 3.1.2, authentication-api 2.3-2.5. It
 * checks the request, begins a flow, and answers at once when the browser's session satisfies the policy; otherwise the
 * flow goes on at the sign-on page or, with `pi.flow`, in the client.
 */
import { z } from 'zod'
import { type FormParameters, parseForm } from '../../contract/form.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../../contract/operation.ts'
import { eventOrigin } from '../../contract/event-origin.ts'
import { uuid } from '../../contract/validation.ts'
import { readSessionToken, sessionCookie } from '../../directory/session-cookie.ts'
import { noteUse, type Session, sessionOfToken } from '../../directory/sessions.ts'
import type { Application } from '../../environment/application.ts'
import { invalidData, Problem, problem } from '../../errors/problem.ts'
import { eventRow } from '../../events/record.ts'
import type { FlowState } from '../../flow/state.ts'
import { flowResource } from '../../flow-runtime/display.ts'
import { flowResourceSchema } from '../../flow-runtime/schema.ts'
import { signOnPage } from '../../flow-runtime/address.ts'
import { LoginRequired } from '../../flow-runtime/drive.ts'
import { type Begun, beginFlow, storeFlow } from '../../flow-runtime/runtime.ts'
import { allowApplicationOrigin } from '../../flow-runtime/application-origin.ts'
import { redirectUriAllowed } from '../rules/redirect-uri.ts'
import { withValues } from '../parameters.ts'
import { claimSource } from '../tokens/claims.ts'
import { refuseHere, refuseTo } from './answer.ts'
import { auditIssued, issueResponse } from './issue.ts'
import { type AuthorizationRequest, checkRequest, readReturnPath } from './request.ts'
import { isCodeAlone, redirectReply } from './response.ts'

async function authorize(parameters: FormParameters, context: Context): Promise<Reply> {
  const { values, repeated } = withValues(parameters)
  const path = readReturnPath(values, repeated)

  // 1. Who asks, and whether the answer may go where the request says. Nothing leaves this server before that.
  const client = await readClient(context, values, repeated)
  if (!client) return refuseHere(path.mode, problem('unknown_client'), context)
  if (!returnPathAllowed(client, values, repeated, path)) {
    auditRejectedRedirect(context, client)
    return refuseHere(
      path.mode,
      path.mode === 'pi.flow'
        ? invalidData('INVALID_VALUE', 'redirect_uri', 'is not registered')
        : problem('redirect_uri_rejected'),
      context,
    )
  }
  if (path.mode === 'pi.flow') allowApplicationOrigin(context, client)

  // 2. The rest of the request; failures go to the application.
  try {
    const request = checkRequest(context, client, values, repeated)
    return await proceed(context, client, request)
  } catch (error) {
    if (error instanceof Problem && error.entry.status < 500) return refuseTo(path, error, context)
    throw error
  }
}

async function readClient(
  context: Context,
  values: Readonly<Record<string, string>>,
  repeated: readonly string[],
): Promise<Application | undefined> {
  const id = values['client_id']
  if (repeated.includes('client_id') || !uuid.safeParse(id).success) return undefined
  const found = context.kernel.environments.application(context.environment.id, id as string)
  const application = found instanceof Promise ? await found : found
  return application?.enabled ? application : undefined
}

function returnPathAllowed(
  client: Application,
  values: Readonly<Record<string, string>>,
  repeated: readonly string[],
  path: ReturnType<typeof readReturnPath>,
): boolean {
  if (repeated.includes('redirect_uri')) return false
  if (path.redirectUri === null) return path.mode === 'pi.flow'
  const { redirectUris, allowWildcardInRedirectUris } = client.document
  const codeWithPkce = isCodeAlone(path.type) && values['code_challenge'] !== undefined
  const registration = { redirectUris, native: client.type === 'NATIVE_APP', wildcards: allowWildcardInRedirectUris }
  return redirectUriAllowed(registration, path.redirectUri, codeWithPkce)
}

function auditRejectedRedirect(context: Context, client: Application): void {
  const event = { action: 'REDIRECT.REJECTED', result: 'FAILED', clientId: client.id } as const
  context.kernel.volumeEvents.add(eventRow(eventOrigin(context, context.environment.id), event))
}

/** 3. The flow: complete at once, or stored and handed to whoever signs the user on. */
async function proceed(context: Context, client: Application, request: AuthorizationRequest): Promise<Reply> {
  const { kernel, environment, site, now } = context
  const token = readSessionToken(context.headers.cookie)
  const found = token ? await sessionOfToken(kernel, environment.id, token, now) : undefined
  const session = found?.session ?? null
  const begun = await beginFlow(context, {
    application: client,
    door: request.mode === 'pi.flow' ? 'pi.flow' : 'redirect',
    forcesLogin: request.prompt === 'login',
    isSilent: request.prompt === 'none',
    maxAge: request.maxAge,
    loginHint: request.loginHint,
    hintedUserId: request.hintedUserId,
    acrValues: request.acrValues,
    consent: request.consent ?? undefined,
    parameters: { ...request } as unknown as FlowState['request']['parameters'],
    session,
    sessionUser: found?.user,
  }).catch((error: unknown) => {
    throw error instanceof LoginRequired ? problem('login_required') : error
  })
  const { state } = begun
  if (state.status === 'COMPLETED' && session) return await answerAtOnce(context, request, begun, session)
  if (request.prompt === 'none') {
    throw problem(state.status === 'CONSENT_REQUIRED' ? 'consent_required' : 'login_required')
  }
  if (state.status === 'FAILED') throw problem('access_denied', { description: state.failure?.message ?? '' })

  const binding = token ?? kernel.world.uuid()
  await storeFlow(context, begun, binding)
  if (binding !== token) context.answer['set-cookie'] = sessionCookie(site, binding, now)
  if (request.mode === 'pi.flow') return { status: 200, body: await flowResource(context, state, client) }
  return { status: 302, headers: { location: signOnPage(site, client, state.id) } }
}

/** The session satisfies the policy: one commit, no flow. */
async function answerAtOnce(
  context: Context,
  request: AuthorizationRequest,
  { state: { outcome }, user: found, writes }: Begun,
  session: Session,
): Promise<Reply> {
  const { kernel, environment, now } = context
  if (!outcome || found?.user.id !== outcome.userId) throw problem('login_required')
  const issued = await issueResponse(context, request, outcome, claimSource(found.user))
  const used = noteUse(environment.id, environment.settings, session, now)
  await kernel.storage.commit({
    name: 'authorize-with-session',
    single: issued.single && used === undefined && writes.length === 0,
    *run() {
      yield* issued.store()
      if (used) yield used
      for (const write of writes) if (write.with === 'save') yield* write.run()
    },
  })
  auditIssued(context, issued)
  if (request.mode === 'pi.flow' || request.redirectUri === null) {
    const { iss: _, ...authorizeResponse } = issued.parameters
    const body = {
      environment: { id: environment.id },
      session: { id: session.id },
      status: 'COMPLETED',
      authorizeResponse,
    }
    return { status: 200, body }
  }
  return redirectReply(request.mode, request.redirectUri, issued.parameters)
}

const authorizeParameters = z.object({
  client_id: z.string(),
  response_type: z.string(),
  redirect_uri: z.string().optional(),
  response_mode: z.enum(['query', 'fragment', 'form_post', 'pi.flow']).optional(),
  scope: z.string().optional(),
  state: z.string().optional(),
  nonce: z.string().optional(),
  prompt: z.string().optional(),
  max_age: z.string().optional(),
  login_hint: z.string().optional(),
  id_token_hint: z.string().optional(),
  acr_values: z.string().optional(),
  ui_locales: z.string().optional(),
  code_challenge: z.string().optional(),
  code_challenge_method: z.enum(['S256', 'plain']).optional(),
})

/** `pi.flow` answers: the flow, or the short form when nothing had to be done (authentication-api 2.5). */
const piFlowAnswer = z.union([
  flowResourceSchema,
  z.object({
    environment: z.object({ id: z.string() }),
    session: z.object({ id: z.string() }),
    status: z.literal('COMPLETED'),
    authorizeResponse: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
])

/** PingOne's error body. */
const failed = z.object({
  id: z.string(),
  code: z.string(),
  message: z.string(),
  details: z.array(z.looseObject({})).optional(),
})

const declaration = {
  surface: 'page',
  tag: 'OAuth 2 and OpenID Connect',
  permission: { kind: 'public' },
  cors: 'application',
  replies: { 200: piFlowAnswer, 302: null, 307: null, 400: failed, 403: failed },
  errors: [
    'unknown_client',
    'redirect_uri_rejected',
    'invalid_request',
    'unauthorized_client',
    'unsupported_response_type',
    'invalid_scope',
    'login_required',
    'consent_required',
    'access_denied',
    'request_not_supported',
    'request_uri_not_supported',
    'CROSS_SITE',
  ],
  source: 'authentication-api 2.3-2.5; RFC 6749 section 3.1; OpenID Connect Core section 3.1.2',
} as const

const inEnvironment = {
  ...declaration,
  path: '/{environmentId}/as/authorize',
  aliases: ['/{environmentId}/as/authorization.oauth2'],
  params: z.object({ environmentId: uuid }),
} as const

const form = formBody(authorizeParameters)

function queryOf(context: Context): string {
  const question = context.target.indexOf('?')
  return question === -1 ? '' : context.target.slice(question + 1)
}

function readQuery(context: Context): FormParameters {
  return parseForm(queryOf(context))
}

/** A body and a query are read together; a name in both is repeated (authentication-api 2.3). */
function merged(query: FormParameters, body: FormParameters): FormParameters {
  const both = Object.keys(body.values).filter((name) => name in query.values)
  return { values: { ...query.values, ...body.values }, repeated: [...query.repeated, ...body.repeated, ...both] }
}

/** Sends a first-edition request to the environment of its client, so that the path-scoped cookie is sent (decision D16). */
async function redirectToEnvironment(parameters: FormParameters, context: Context, status: 302 | 307): Promise<Reply> {
  const clientId = parameters.repeated.includes('client_id') ? undefined : parameters.values['client_id']
  const { kernel } = context
  const environmentId = uuid.safeParse(clientId).success
    ? await kernel.environments.environmentOfClient(clientId as string)
    : undefined
  if (!environmentId)
    return refuseHere(readReturnPath(parameters.values, parameters.repeated).mode, problem('unknown_client'), context)
  const query = queryOf(context)
  return {
    status,
    headers: { location: `${kernel.origins.authUrl}/${environmentId}/as/authorize${query === '' ? '' : `?${query}`}` },
  }
}

export const authorizeOperations: readonly Operation[] = [
  defineOperation({
    ...inEnvironment,
    id: 'authorize',
    method: 'GET',
    summary: 'Authorize an application and sign its user on',
    handle: (_input, context) => authorize(readQuery(context), context),
  }),
  defineOperation({
    ...inEnvironment,
    id: 'authorizeByPost',
    method: 'POST',
    summary: 'Authorize an application and sign its user on, with the parameters in the body, the query, or both',
    body: form,
    handle: ({ body }, context) => authorize(merged(readQuery(context), body), context),
  }),
  defineOperation({
    ...declaration,
    id: 'authorizeWithoutEnvironment',
    method: 'GET',
    path: '/as/authorize',
    aliases: ['/as/authorization.oauth2'],
    summary: 'Go to the authorization endpoint of the environment of a client',
    handle: (_input, context) => redirectToEnvironment(readQuery(context), context, 302),
  }),
  defineOperation({
    ...declaration,
    id: 'authorizeWithoutEnvironmentByPost',
    method: 'POST',
    path: '/as/authorize',
    aliases: ['/as/authorization.oauth2'],
    summary: 'Go to the authorization endpoint of the environment of a client, keeping method and body',
    body: form,
    handle: ({ body }, context) => redirectToEnvironment(merged(readQuery(context), body), context, 307),
  }),
]
