/**
 * The authorization challenge endpoint of OAuth 2.0 for First-Party Applications (draft-ietf-oauth-first-party-apps-04,
 * extension): an application of one's own signs its users on without a browser. It is another door to the same flow: what
 * is posted are the fields of the sign-on forms, what comes back is a code, or what is still to be shown.
 *
 * | `error`                      | what the client does                                                     |
 * |------------------------------|--------------------------------------------------------------------------|
 * | `insufficient_authorization` | asks the user for what `actions` say, and posts it with `auth_session`   |
 * | `redirect_to_web`            | begins anew with the authorization endpoint, in a browser                |
 * | `invalid_session`            | begins anew here                                                         |
 *
 * A key that the client proves here (DPoP) is that of the code and of the session: section 9.1.
 *
 * Never: an application that is not marked as first-party; a flow reached without its `auth_session`, or by another client;
 * a message sent because of fields alone that do not name an action.
 */
import { z } from 'zod'
import { useProofs } from '../../access/used-jwt.ts'
import type { FormParameters } from '../../contract/form.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import type { Application } from '../../environment/application.ts'
import { Problem, problem } from '../../errors/problem.ts'
import type { MediaType } from '../../flow/actions/index.ts'
import { mediaTypes } from '../../flow/media-types.ts'
import type { FlowState } from '../../flow/state.ts'
import { flowResource } from '../../flow-runtime/display.ts'
import { formAction } from '../../flow-runtime/form-action.ts'
import { actOnFlow, beginFlow, resumeFlow, storeFlow } from '../../flow-runtime/runtime.ts'
import { loadFlow, type StoredFlow } from '../../flow-runtime/stored-flow.ts'
import { authenticateClient } from '../client-auth/authenticate.ts'
import { clientErrors, clientParameters, readCredentials } from '../client-auth/credentials.ts'
import { defineMetadata } from '../metadata.ts'
import { type RequestParameters, withValues } from '../parameters.ts'
import { type AuthSession, proveSession, readAuthSession, writeAuthSession } from './auth-session.ts'
import { boundByProof } from './dpop-key.ts'
import { checkRequest } from './request.ts'
import { finishFlow } from './resume.ts'
import { readVouchedUser } from './vouched-user.ts'

type Values = Readonly<Record<string, string>>

async function challenge(context: Context, body: FormParameters): Promise<Reply> {
  const { environment } = context
  const parameters = withValues(body)
  const { values, repeated } = parameters
  if (repeated.length > 0) throw problem('invalid_request', { description: `${repeated[0]} is repeated` })
  const continued =
    values['auth_session'] === undefined ? undefined : await continuedFlow(context, values['auth_session'])
  // The session says whose it is; a client that names itself, or has to, is checked all the same.
  const named = { ...(continued ? { client_id: continued.flow.application.id } : {}), ...values }
  const client = await authenticateClient(context, environment, readCredentials(context.headers, named))
  if (client.document.isFirstParty !== true)
    throw problem('unauthorized_client', { description: 'the application is not marked as first-party' })
  if (continued && continued.flow.application.id !== client.id) throw problem('invalid_session')
  if (continued) await proveSession(context, continued.flow.state)
  const session = continued?.session ?? (await begin(context, client, parameters))
  const flow = continued?.flow ?? (await load(context, session))
  return carryOn(context, session, flow, values)
}

function load(context: Context, { flowId, token }: AuthSession): Promise<StoredFlow> {
  return loadFlow(context, flowId, 'page', token)
}

/** @throws Problem invalid_session, the same for one that never was, has ended, or was used up */
async function continuedFlow(context: Context, text: string): Promise<{ session: AuthSession; flow: StoredFlow }> {
  const session = readAuthSession(text)
  if (!session) throw problem('invalid_session')
  const flow = await load(context, session).catch(asInvalidSession)
  return { session, flow }
}

function asInvalidSession(error: unknown): never {
  throw error instanceof Problem && error.key === 'NOT_FOUND' ? problem('invalid_session') : error
}

async function begin(context: Context, client: Application, parameters: RequestParameters): Promise<AuthSession> {
  if (parameters.values['request'] !== undefined)
    throw problem('invalid_request', { description: 'request has no place here' })
  const vouched = await readVouchedUser(context, client, parameters)
  const bound = await boundByProof(context, client, vouched.parameters)
  const asked = { ...bound.parameters.values, response_type: 'code', response_mode: 'pi.flow' }
  const { redirect_uri: _, ...values } = asked as Values
  const request = checkRequest(context, client, { ...bound.parameters, values })
  if (request.prompt === 'none') throw problem('invalid_request', { description: 'prompt=none has no meaning here' })
  const begun = await beginFlow(context, {
    application: client,
    door: 'redirect',
    forcesLogin: request.prompt === 'login',
    isSilent: false,
    maxAge: request.maxAge,
    loginHint: request.loginHint,
    hintedUserId: request.hintedUserId,
    isVouched: request.isVouched,
    acrValues: request.acrValues,
    grants: request.consent ? { consent: request.consent } : {},
    parameters: { ...request } as unknown as FlowState['request']['parameters'],
    session: null,
    sessionUser: undefined,
  })
  const { state } = begun
  if (state.status === 'FAILED') throw problem('access_denied', { description: state.failure?.message ?? '' })
  const token = context.kernel.world.uuid()
  await storeFlow(context, begun, token, () => useProofs(context.environment.id, [...vouched.proofs, ...bound.proofs]))
  return { flowId: state.id, token }
}

/** Does what the fields say, and answers with what is left to do. */
async function carryOn(context: Context, session: AuthSession, flow: StoredFlow, values: Values): Promise<Reply> {
  const action = actionOf(flow.state, values)
  if (!action) return left(context, session, flow)
  const asked = formAction({ values: { ...values, action }, repeated: [] })
  if (!asked) throw problem('invalid_request', { description: 'action is not known' })
  let token: string | undefined
  try {
    const carried = await actOnFlow(context, () => load(context, session), asked.action, asked.body)
    token = carried.token
  } catch (error) {
    if (!(error instanceof Problem) || error.entry.status >= 500) throw error
    const now = await load(context, session).catch(asInvalidSession)
    return left(context, session, now, error)
  }
  // There is no browser whose session this could be.
  delete context.answer['set-cookie']
  const next = { ...session, token: token ?? session.token }
  return left(context, next, await load(context, next))
}

/**
 * The action that fields mean: the one they name; otherwise the one of those offered of which every required field is
 * there, and of several the one with most. What is only asked for by naming a user is never meant by that.
 */
function actionOf({ offers }: FlowState, values: Values): string | undefined {
  if (values['action'] !== undefined) return values['action']
  const fitting = mediaTypes()
    .filter(({ name }) => offers.includes(name) && name !== 'password.forgot')
    .map(({ name, body }) => ({ name, ...fieldsOf(body, values) }))
    .filter(({ sent, isWhole }) => sent > 0 && isWhole)
  return fitting.toSorted((one, other) => other.sent - one.sent)[0]?.name
}

function fieldsOf({ shape }: z.ZodObject, values: Values): { readonly sent: number; readonly isWhole: boolean } {
  const members = Object.entries(shape)
  const isSent = (member: string) =>
    values[member] !== undefined || Object.keys(values).some((name) => name.startsWith(`${member}.`))
  return {
    sent: members.filter(([member]) => isSent(member)).length,
    isWhole: members.every(([member, schema]) => isSent(member) || schema.safeParse(undefined).success),
  }
}

/** Actions that need a browser, or that cannot be meant by fields. */
const elsewhere: readonly MediaType[] = ['session.reset']

async function left(context: Context, session: AuthSession, flow: StoredFlow, refused?: Problem): Promise<Reply> {
  const { state, application } = flow
  if (state.status === 'COMPLETED' || state.status === 'FAILED') return finish(context, flow)
  if (state.offers.every((offer) => elsewhere.includes(offer))) {
    return unsettled({ error: 'redirect_to_web', error_description: 'What is left needs a browser.' })
  }
  const {
    _embedded: shown,
    selectedDevice,
    publicKeyCredentialRequestOptions,
    numberMatching,
  } = await flowResource(context, state, application)
  return unsettled(
    {
      error: 'insufficient_authorization',
      error_description: refused?.details[0]?.message ?? refused?.message ?? 'There is something left to show.',
      auth_session: writeAuthSession(session),
      status: state.status,
      actions: state.offers,
      ...(refused ? { details: refused.details } : {}),
      ...(shown.devices ? { devices: shown.devices } : {}),
      ...(selectedDevice ? { selectedDevice } : {}),
      ...(publicKeyCredentialRequestOptions ? { publicKeyCredentialRequestOptions } : {}),
      ...(numberMatching ? { numberMatching } : {}),
      ...(shown.attributes ? { attributes: shown.attributes } : {}),
      ...(shown.passwordPolicy ? { passwordPolicy: shown.passwordPolicy } : {}),
    },
    refused?.headers,
  )
}

function unsettled(body: object, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 400, body, headers }
}

async function finish(context: Context, flow: StoredFlow): Promise<Reply> {
  const resumed = await resumeFlow(context, flow)
  if ('unfinished' in resumed) throw problem('invalid_session')
  const finished = await finishFlow(context, flow, resumed).catch(asInvalidSession)
  // There is no browser whose session this could be.
  delete context.answer['set-cookie']
  if ('failure' in finished) throw problem('access_denied', { description: finished.failure.message })
  const { code } = finished.issued.parameters
  if (typeof code !== 'string') throw new Error('a challenge asks for a code alone')
  return { status: 200, body: { authorization_code: code } }
}

const unsettledBody = z.object({
  error: z.enum(['insufficient_authorization', 'redirect_to_web']),
  error_description: z.string(),
  auth_session: z.string().optional().describe('To be sent with the next request; it changes.'),
  status: z.string().optional().describe('Extension: the status of the flow.'),
  actions: z.array(z.string()).optional().describe('Extension: what may be posted, as `action` or by its fields.'),
  details: z.array(z.looseObject({})).optional(),
  devices: z.array(z.looseObject({})).optional(),
  selectedDevice: z.object({ id: z.string() }).optional(),
  publicKeyCredentialRequestOptions: z.string().optional(),
  numberMatching: z.object({ number: z.string() }).optional(),
  attributes: z.array(z.looseObject({})).optional(),
  passwordPolicy: z.looseObject({}).optional(),
})

const challengeRequest = z
  .object({
    ...clientParameters,
    auth_session: z.string().optional(),
    scope: z.string().optional(),
    code_challenge: z.string().optional(),
    code_challenge_method: z.enum(['S256', 'plain']).optional(),
    dpop_jkt: z.string().optional(),
    nonce: z.string().optional(),
    login_hint: z.string().optional(),
    login_hint_token: z.string().optional().describe('Whom the client means, by its signature.'),
    acr_values: z.string().optional(),
    max_age: z.string().optional(),
    action: z.string().optional(),
  })
  .catchall(z.string())

export const challengeMetadata = defineMetadata(
  { authorization_challenge_endpoint: z.string() },
  (_environment, site) => ({ authorization_challenge_endpoint: `${site.issuer}/authorization_challenge` }),
)

export const challengeOperations: readonly Operation[] = [
  defineOperation({
    id: 'authorizationChallenge',
    method: 'POST',
    path: '/{environmentId}/as/authorization_challenge',
    surface: 'oauth',
    tag: 'OAuth 2 and OpenID Connect',
    summary: 'Sign a user on from an application of one’s own, without a browser',
    source: 'draft-ietf-oauth-first-party-apps-04 section 5',
    extension: true,
    permission: { kind: 'public' },
    cors: 'none',
    params: z.object({ environmentId: uuid }),
    body: formBody(challengeRequest),
    replies: { 200: z.object({ authorization_code: z.string() }), 400: unsettledBody },
    errors: [
      'invalid_request',
      ...clientErrors,
      'invalid_scope',
      'invalid_session',
      'invalid_dpop_proof',
      'use_dpop_nonce',
      'unauthorized_client',
      'access_denied',
    ],
    handle: ({ body }, context) => challenge(context, body),
  }),
]
