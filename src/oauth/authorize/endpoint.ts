/**
 * The authorization endpoint: RFC 6749 section 3.1, OpenID Connect Core section 3.1.2, RFC 9126 section 4,
 * authentication-api 2.3-2.5. It finds out who asks and what, and where an answer may go; then `request.ts` checks the
 * rest and `proceed.ts` goes on.
 */
import { z } from 'zod'
import { type FormParameters, parseForm } from '../../contract/form.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import type { Application } from '../../environment/application.ts'
import { invalidData, Problem, problem } from '../../errors/problem.ts'
import { allowApplicationOrigin } from '../../flow-runtime/application-origin.ts'
import { flowResourceSchema } from '../../flow-runtime/schema.ts'
import { type RequestParameters, withValues } from '../parameters.ts'
import { demandsPushedRequests } from '../rules/fapi.ts'
import { refuseHere } from './answer.ts'
import { auditRejectedRedirect, readClient, returnPathAllowed } from './client.ts'
import { givenRequest } from './given-request.ts'
import { authorizationParameters } from './parameters.ts'
import { proceed } from './proceed.ts'
import { isUsedUp, type PushedRequest, usePushed } from './pushed.ts'
import { checkRequest, readReturnPath } from './request.ts'
import { refuseFrom } from './untrusted-return.ts'

async function authorize(parameters: FormParameters, context: Context): Promise<Reply> {
  const asked = withValues(parameters)

  // 1. Who asks.
  const client = await readClient(context, asked)
  if (!client) return refuseHere(readReturnPath(asked.values, asked.repeated).mode, problem('unknown_client'), context)

  // 2. What is asked, wherever it is.
  const given = await givenRequest(context, client, asked).catch(asProblem)
  if (given instanceof Problem) return refuseUnread(client, asked, given, context)
  const { parameters: effective, pushed, proofs } = given
  const path = readReturnPath(effective.values, effective.repeated)

  // 3. Whether the answer may go where the request says. Nothing leaves this server before that.
  if (!returnPathAllowed(client, effective)) {
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

  // 4. The rest of the request; failures go to the application, and use a pushed request up as success does.
  try {
    if (!pushed) requireUnpushed(context, client)
    return await proceed(context, client, checkRequest(context, client, effective), { pushed, proofs })
  } catch (error) {
    if (isUsedUp(error)) return refuseUnread(client, asked, problem('invalid_request_uri'), context)
    const failure = asProblem(error)
    if (pushed && !(await spent(context, pushed))) {
      return refuseUnread(client, asked, problem('invalid_request_uri'), context)
    }
    return await refuseFrom(client, path, failure, context)
  }
}

/** A failure that may be told; whatever else went wrong is thrown on. */
function asProblem(error: unknown): Problem {
  if (error instanceof Problem && error.entry.status < 500) return error
  throw error
}

/** Answers a request of which only the parameters of the browser are known, and those may not be what was meant. */
function refuseUnread(
  client: Application,
  asked: RequestParameters,
  failure: Problem,
  context: Context,
): Promise<Reply> | Reply {
  const path = readReturnPath(asked.values, asked.repeated)
  if (path.mode === 'pi.flow') allowApplicationOrigin(context, client)
  return returnPathAllowed(client, asked)
    ? refuseFrom(client, path, failure, context)
    : refuseHere(path.mode, failure, context)
}

/** @throws Problem where requests have to be pushed (RFC 9126 section 5, row C13) */
function requireUnpushed({ environment }: Context, client: Application): void {
  const { document } = client
  const isDemanded = document.parRequirement === 'REQUIRED' || demandsPushedRequests(document)
  if (isDemanded || environment.settings.requirePushedAuthorizationRequests) {
    throw problem('invalid_request', { description: 'the request has to be pushed' })
  }
}

/** Uses up a pushed request that came to nothing. @returns false when somebody else has used it meanwhile */
function spent(context: Context, pushed: PushedRequest): Promise<boolean> {
  return context.kernel.storage
    .commit({ name: 'use-pushed-request', single: true, run: () => usePushed(context, pushed) })
    .then(
      () => true,
      (error: unknown) => {
        if (isUsedUp(error)) return false
        throw error
      },
    )
}

const elsewhere = {
  request: z.string().optional().describe('A request object: the parameters in a JWT of the client (RFC 9101).'),
  request_uri: z
    .string()
    .optional()
    .describe(
      'Of a pushed request: then nothing else but client_id counts. Or a registered address of a request object.',
    ),
}

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
  replies: { 200: piFlowAnswer, 302: null, 307: null, 400: failed, 403: failed, 429: failed },
  errors: [
    'unknown_client',
    'redirect_uri_rejected',
    'invalid_request',
    'unauthorized_client',
    'unsupported_response_type',
    'invalid_scope',
    'invalid_target',
    'invalid_authorization_details',
    'login_required',
    'consent_required',
    'unmet_authentication_requirements',
    'access_denied',
    'request_uri_not_supported',
    'invalid_request_uri',
    'invalid_request_object',
    'CROSS_SITE',
    'LIMITED',
  ],
  source: 'authentication-api 2.3-2.5; RFC 6749 section 3.1; OpenID Connect Core section 3.1.2',
} as const

const inEnvironment = {
  ...declaration,
  path: '/{environmentId}/as/authorize',
  aliases: ['/{environmentId}/as/authorization.oauth2'],
  params: z.object({ environmentId: uuid }),
} as const

const form = formBody(authorizationParameters.extend(elsewhere))

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
  const further: Record<string, readonly string[]> = { ...query.further }
  for (const name of Object.keys(body.values)) {
    const more = both.includes(name) ? [body.values[name] ?? ''] : []
    further[name] = [...(query.further?.[name] ?? []), ...more, ...(body.further?.[name] ?? [])]
  }
  return {
    values: { ...body.values, ...query.values },
    repeated: [...query.repeated, ...body.repeated, ...both],
    further,
  }
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
