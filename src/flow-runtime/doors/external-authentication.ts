/**
 * To an identity provider and back: `rp/authenticate`, `rp/callback/{type}`. authentication-api 1.2, 3.5; rows M01, M02,
 * M05, M06, M13, M14, M22.
 *
 * A way back is taken by the browser that began it (its `ST` is the flow's), in the same environment, once. What is wrong
 * with it before that is known is a page; afterwards the flow's sign-on page is shown, which hears that it failed and
 * never why.
 *
 * Never: a code redeemed before the state is used up; text of the provider in a page or an address.
 */
import { z } from 'zod'
import { eventOrigin } from '../../contract/event-origin.ts'
import { type FormParameters, parseForm } from '../../contract/form.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { accountOf } from '../../directory/linked-accounts.ts'
import { type IdentityProvider, identityProviderSecretContext } from '../../environment/identity-provider.ts'
import { notFound, Problem, problem } from '../../errors/problem.ts'
import { eventRow } from '../../events/record.ts'
import { authenticateExternally } from '../../external/authentication.ts'
import { authorizationUrl, beginRoundTrip, belongsTo, type RequestHints } from '../../external/round-trip.ts'
import { upstreamOf } from '../../external/upstream.ts'
import { UpstreamRefused } from '../../external/upstream-refused.ts'
import type { ExternalAuthentication } from '../../flow/external-authentication.ts'
import { identityProviderTypes, mapAttributes } from '../../flow/identity-provider.ts'
import type { CompiledAction } from '../../flow/policy.ts'
import { shows } from '../../flow/proven-user.ts'
import { providersOf } from '../../flow/providers.ts'
import { open } from '../../keys/sealing.ts'
import { signOnPage } from '../address.ts'
import { type FoundRoundTrip, findRoundTrip, rememberRoundTrip, useRoundTrip } from '../round-trips.ts'
import { returnToFlow } from '../runtime.ts'
import { loadFlow, type StoredFlow } from '../stored-flow.ts'
import { waitingAction } from '../waiting-action.ts'

const callbackTypes = identityProviderTypes.map((type) => type.toLowerCase())

async function authenticate(context: Context, flowId: string, providerId: string): Promise<Reply> {
  const { kernel, environment, site } = context
  const flow = await loadFlow(context, flowId, 'page')
  const action = await waitingAction(context, flow.state)
  const offered = action ? providersOf(flow.state, action, environment.flowConfiguration) : []
  const provider = environment.identityProviders.get(providerId)
  if (!action || !provider || !offered.some(({ id }) => id === providerId)) throw notFound()
  const upstream = upstreamOf(provider)
  const redirectUri = `${site.authBase}/rp/callback/${provider.type.toLowerCase()}`
  const { state, trip } = beginRoundTrip(kernel.world, upstream, provider.id, redirectUri)
  await rememberRoundTrip(context, flow.state, state, trip)
  const hints = await hintsOf(context, flow, action, provider)
  return { status: 302, headers: { location: authorizationUrl(upstream, trip, state, hints) } }
}

/** What the provider is told of whoever is coming. */
async function hintsOf(
  { kernel, environment }: Context,
  { state }: StoredFlow,
  { definition, config }: CompiledAction,
  { id }: IdentityProvider,
): Promise<RequestHints> {
  const { acrValues = null, passesUser = false } = definition.external?.request(config) ?? {}
  const forcesLogin = state.request.forcesLogin || state.request.maxAge !== null
  if (!passesUser) return { acrValues, forcesLogin, loginHint: null }
  const linked = state.user ? await accountOf(kernel, environment.id, state.user.id, id) : undefined
  // What was typed says nothing of whether anybody has that name (row J29); a link of a user who only named themselves would.
  const isProved = state.user !== null && shows[state.user.knownBy]
  return { acrValues, forcesLogin, loginHint: (isProved ? linked : state.identifier) ?? null }
}

async function callback(context: Context, type: string, { values, repeated }: FormParameters): Promise<Reply> {
  const { state, code, error, iss: issuer } = values
  if (state === undefined || repeated.length > 0) throw problem('INVALID_REQUEST')
  const found = await findRoundTrip(context, state)
  if (!found) throw problem('INVALID_REQUEST')
  const flow = await loadFlow(context, found.flowId, 'page')
  const page = signOnPage(context.site, flow.application, found.flowId)
  if (!(await useRoundTrip(context, found))) throw problem('INVALID_REQUEST')
  try {
    const authentication = await authenticationOf(context, type, found, { code, error, issuer })
    await returnToFlow(context, () => loadFlow(context, found.flowId, 'page'), authentication)
  } catch (failure) {
    const reason = reasonOf(failure)
    if (reason === undefined) throw failure
    auditRefusal(context, flow, found, reason)
    return { status: 302, headers: { location: `${page}&error=EXTERNAL_AUTHENTICATION_FAILED` } }
  }
  return { status: 302, headers: { location: page } }
}

/** Who came back, by the provider's own word, as far as it is mapped. @throws UpstreamRefused; Problem */
async function authenticationOf(
  { kernel, environment }: Context,
  type: string,
  { trip }: FoundRoundTrip,
  returned: Parameters<typeof authenticateExternally>[4],
): Promise<ExternalAuthentication> {
  const provider = environment.identityProviders.get(trip.identityProviderId)
  if (!provider?.enabled || provider.type.toLowerCase() !== type) throw problem('INVALID_REQUEST')
  const upstream = upstreamOf(provider)
  if (!belongsTo(trip, upstream) || provider.sealedSecret === null) throw problem('INVALID_REQUEST')
  const place = identityProviderSecretContext(environment.id, provider.id)
  const secret = open(environment.dataKey, provider.sealedSecret, place).toString('utf8')
  const { subject, email, attributes } = await authenticateExternally(kernel, upstream, secret, trip, returned)
  return {
    providerId: provider.id,
    subject,
    email,
    attributes: mapAttributes(provider.mappings, attributes).map((attribute) => ({ ...attribute })),
  }
}

/** Why a way back is refused; undefined for what is not the fault of the way back. */
function reasonOf(failure: unknown): string | undefined {
  if (failure instanceof UpstreamRefused) return failure.reason
  return failure instanceof Problem && failure.entry.status < 500 ? failure.key : undefined
}

function auditRefusal(context: Context, { application }: StoredFlow, found: FoundRoundTrip, reason: string): void {
  const event = {
    action: 'EXTERNAL_AUTHENTICATION.REFUSED',
    result: 'FAILED',
    clientId: application.id,
    subject: { type: 'FLOW', id: found.flowId },
    detail: { reason, identityProviderId: found.trip.identityProviderId },
  } as const
  context.kernel.volumeEvents.add(eventRow(eventOrigin(context, context.environment.id), event))
}

/**
 * A form that a provider had posted from its own page (Apple): the browser brings the same by GET, so that it comes as
 * a navigation of its own, with its cookie.
 */
function comeAgain({ site }: Context, type: string, { values, repeated }: FormParameters): Reply {
  if (repeated.length > 0) throw problem('INVALID_REQUEST')
  const query = new URLSearchParams()
  for (const name of ['state', 'code', 'error', 'iss']) {
    const value = values[name]
    if (value !== undefined) query.set(name, value)
  }
  return { status: 303, headers: { location: `${site.authBase}/rp/callback/${type}?${query.toString()}` } }
}

const declaration = {
  surface: 'page',
  tag: 'External authentication',
  source: 'authentication-api 3.5',
  permission: { kind: 'public' },
  cors: 'none',
} as const

const callbackDeclaration = {
  ...declaration,
  path: '/{environmentId}/rp/callback/{type}',
  params: z.object({ environmentId: uuid, type: z.enum(callbackTypes as [string, ...string[]]) }),
  errors: ['INVALID_REQUEST', 'NOT_FOUND', 'CROSS_SITE'],
} as const

const answerOfProvider = z.looseObject({
  state: z.string().optional(),
  code: z.string().optional(),
  error: z.string().optional(),
  iss: z.string().optional(),
})

export const externalAuthenticationOperations: readonly Operation[] = [
  defineOperation({
    ...declaration,
    id: 'externalAuthenticate',
    method: 'GET',
    path: '/{environmentId}/rp/authenticate',
    summary: 'Go to an identity provider from a flow',
    params: z.object({ environmentId: uuid }),
    query: z.object({ providerId: uuid, flowId: uuid }),
    replies: { 302: null },
    errors: ['NOT_FOUND', 'CROSS_SITE'],
    handle: ({ query }, context) => authenticate(context, query.flowId, query.providerId),
  }),
  defineOperation({
    ...callbackDeclaration,
    id: 'externalCallback',
    method: 'GET',
    summary: 'Come back from an identity provider',
    query: answerOfProvider,
    replies: { 302: null },
    handle: ({ params }, context) => callback(context, params.type, parseForm(queryOf(context))),
  }),
  defineOperation({
    ...callbackDeclaration,
    id: 'externalCallbackForm',
    method: 'POST',
    summary: 'Come back from an identity provider by a form',
    body: formBody(answerOfProvider),
    replies: { 303: null },
    handle: ({ params, body }, context) => comeAgain(context, params.type, body),
  }),
]

/** The query as received, so that repeated names are seen. */
function queryOf({ target }: Context): string {
  const at = target.indexOf('?')
  return at === -1 ? '' : target.slice(at + 1)
}
