/**
 * The flow that every module runs, with what the suite checks each time (AbstractOIDCCServerTest): from the authorization
 * request by the sign-on page to the tokens and userinfo. A module says what is different, and looks at what came of it.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import type { Answer } from '../../harness/stile.ts'
import * as responses from '../conditions/authorization-response.ts'
import * as idTokens from '../conditions/id-token.ts'
import * as tokens from '../conditions/token-response.ts'
import * as userinfo from '../conditions/userinfo.ts'
import { type Arrival, type Form, formsOf, hasArrived, type Page, type Place } from './browser.ts'
import {
  callTokenEndpoint,
  callUserInfoEndpoint,
  checkServerConfiguration,
  type Client,
  clientOf,
  fetchServerKeys,
} from './relying-party.ts'
import type { Run } from './run.ts'
import { serverOrigin, suiteHost } from './suite.ts'
import { includes, type Variant } from './variants.ts'

/** The parameters of a request. */
export type Request = Readonly<Record<string, string>>

/** What a module changes. */
export interface Changes {
  readonly client?: Client
  readonly scope?: string
  /** Parameters; undefined leaves one out. */
  readonly parameters?: Readonly<Record<string, string | undefined>>
  /** How the browser is sent to the authorization endpoint; by a plain link where nothing is said. */
  readonly send?: (request: Request, client: Client) => Promise<Place> | Place
  /** Parameters of the token request. */
  readonly tokenParameters?: Request
  /** The audience of client assertions. */
  readonly audience?: string
}

/** Where a request led. */
interface Visit {
  readonly place: Place
  /** Every page that was shown on the way, in order. */
  readonly shown: readonly Page[]
}

/** What came of a flow. */
export interface Flow {
  readonly client: Client
  readonly request: Request
  readonly scope: string
  readonly facts: idTokens.IdTokenFacts
  readonly shown: readonly Page[]
  readonly parameters: URLSearchParams
  readonly code: string | undefined
  /** ID tokens by the endpoint that gave them. */
  readonly authorizationIdToken: idTokens.IdToken | undefined
  readonly tokenIdToken: idTokens.IdToken | undefined
  /** The last one. */
  readonly idToken: idTokens.IdToken
  /** The access token of the authorization endpoint. */
  readonly frontToken: string | undefined
  /** The last one. */
  readonly accessToken: string | undefined
  readonly tokenResponse: Answer | undefined
}

const random = (bytes: number) => randomBytes(bytes).toString('base64url')

/** CreateAuthorizationEndpointRequestFromClientInformation and what follows it. */
function createAuthorizationRequest({ variant }: Run, client: Client, { scope, parameters }: Changes): Request {
  const request = {
    client_id: client.clientId,
    redirect_uri: client.redirectUri,
    scope: scope ?? 'openid',
    state: random(10),
    nonce: random(10),
    response_type: variant.responseType,
    ...(variant.responseMode === 'form_post' ? { response_mode: 'form_post' } : {}),
    ...parameters,
  }
  const given = Object.entries(request).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(given)
}

/** The authorization endpoint with the parameters of a request. */
export function authorizationUrl({ suite: { stile } }: Run, request: Request): URL {
  return new URL(`/${stile.environmentId}/as/authorize?${new URLSearchParams(request)}`, serverOrigin)
}

/** Goes through all pages that a request leads to, as the user of the suite does, until there is nothing to fill in. */
async function visit(run: Run, first: Place): Promise<Visit> {
  const shown: Page[] = []
  let place = first
  while (!hasArrived(place)) {
    shown.push(place)
    assert.ok(shown.length < 8, `the browser is led in a circle: ${place.url}`)
    const form = filledForm(run, place)
    if (form === undefined) break
    place = await run.browser.submit(form, place.url)
  }
  return { place, shown }
}

/** The form that the user sends: their name and password, their consent, or an answer that is to be posted. */
function filledForm({ suite: { who } }: Run, page: Page): Pick<Form, 'action' | 'fields'> | undefined {
  if (page.status !== 200) return undefined
  for (const { action, fields, names } of formsOf(page)) {
    if (names.includes('password'))
      return { action, fields: { ...fields, username: who.username, password: who.password } }
    if (fields['accept'] === 'true' || action.host === suiteHost) return { action, fields }
  }
  return undefined
}

/** Whether a page asks for a password. */
export function isSignOnPage(page: Page): boolean {
  return page.status === 200 && formsOf(page).some(({ names }) => names.includes('password'))
}

/** Sends the browser to the authorization endpoint, and follows it. */
export async function redirect(
  run: Run,
  client: Client,
  changes: Changes,
): Promise<Visit & { readonly request: Request }> {
  const request = createAuthorizationRequest(run, client, changes)
  const place = await (changes.send?.(request, client) ?? run.browser.open(authorizationUrl(run, request)))
  return { request, ...(await visit(run, place)) }
}

/** The parameters of a response, from where its mode puts them. */
function responseOf(variant: Variant, arrival: Arrival): URLSearchParams {
  const isCodeFlow = variant.responseType === 'code'
  if (variant.responseMode === 'form_post') {
    responses.checkCallbackHttpMethodIsPost(arrival)
    responses.checkCallbackContentTypeIsFormUrlEncoded(arrival)
  }
  if (variant.responseMode === 'form_post' || !isCodeFlow) {
    responses.rejectAuthCodeInUrlQuery(arrival)
    responses.rejectErrorInUrlQuery(arrival)
  }
  if (variant.responseMode === 'form_post') return new URLSearchParams(arrival.body)
  return isCodeFlow ? arrival.url.searchParams : new URLSearchParams(arrival.url.hash.slice(1))
}

/** The arrival at the relying party that a visit had to end with. */
function arrivalOf({ place }: Visit): Arrival {
  if (hasArrived(place)) return place
  assert.fail(`the browser stays at ${place.url}: ${place.status} ${place.html}`)
}

/** Runs the flow to its end. */
export async function authorize(run: Run, changes: Changes = {}): Promise<Flow> {
  const { stile } = run.suite
  await checkServerConfiguration(run)
  const keys = await fetchServerKeys(run)
  const client = changes.client ?? (await clientOf(run))
  const { request, ...visited } = await redirect(run, client, changes)
  const arrival = arrivalOf(visited)
  const parameters = responseOf(run.variant, arrival)
  responses.checkMatchingCallbackParameters(arrival, client.redirectUri)
  responses.validateIssIfPresentInAuthorizationResponse(parameters, stile.issuer)
  responses.checkIfAuthorizationEndpointError(parameters)
  responses.checkStateInAuthorizationResponse(parameters, request)
  const facts = factsOf(run, client, request, keys)
  const front = await frontResponse(run, parameters, facts)
  const back = includes(run.variant, 'code') ? await redeemed(run, client, parameters, changes, facts) : undefined
  if (front.idToken && back) idTokens.verifyIdTokenSubConsistentHybridFlow(front.idToken, back.idToken)
  if (back) userinfo.ensureHttpStatusCodeIs200(await callUserInfoEndpoint(run, back.accessToken))
  return {
    client,
    request,
    scope: request['scope'] ?? changes.scope ?? 'openid',
    facts,
    shown: visited.shown,
    parameters,
    code: parameters.get('code') ?? undefined,
    authorizationIdToken: front.idToken,
    tokenIdToken: back?.idToken,
    idToken: back?.idToken ?? front.idToken ?? assert.fail('there is an ID token'),
    frontToken: front.accessToken,
    accessToken: back?.accessToken ?? front.accessToken,
    tokenResponse: back?.answer,
  }
}

function factsOf({ suite }: Run, client: Client, request: Request, keys: JSONWebKeySet): idTokens.IdTokenFacts {
  return {
    issuer: suite.stile.issuer,
    clientId: client.clientId,
    nonce: request['nonce'],
    keys,
    now: suite.now(),
  }
}

/** What comes from the authorization endpoint beside the code. */
async function frontResponse(run: Run, parameters: URLSearchParams, facts: idTokens.IdTokenFacts) {
  assert.equal(parameters.has('code'), includes(run.variant, 'code'))
  assert.equal(parameters.has('access_token'), includes(run.variant, 'token'))
  const accessToken = parameters.get('access_token') ?? undefined
  const idToken = includes(run.variant, 'id_token') ? idTokens.extractIdToken(parameters.get('id_token')) : undefined
  if (idToken) await idTokens.performStandardIdTokenChecks(idToken, facts)
  if (accessToken) userinfo.ensureHttpStatusCodeIs200(await callUserInfoEndpoint(run, accessToken))
  return { idToken, accessToken }
}

/** The form by which a code is redeemed. */
export function authorizationCodeGrant(client: Client, code: string, more: Request = {}): Request {
  return { grant_type: 'authorization_code', code, redirect_uri: client.redirectUri, ...more }
}

async function redeemed(
  run: Run,
  client: Client,
  parameters: URLSearchParams,
  { tokenParameters, audience }: Changes,
  facts: idTokens.IdTokenFacts,
) {
  const form = authorizationCodeGrant(client, parameters.get('code') ?? '', tokenParameters)
  const answer = await callTokenEndpoint(run, client, form, audience)
  tokens.checkTokenEndpointHttpStatus200(answer)
  tokens.checkIfTokenEndpointResponseError(answer)
  tokens.checkForAccessTokenValue(answer)
  tokens.validateExpiresIn(answer)
  const idToken = idTokens.extractIdToken(answer.json.id_token)
  await idTokens.performStandardIdTokenChecks(idToken, facts)
  return { answer, idToken, accessToken: answer.json.access_token as string }
}

/** A response that had to be an error, with what is checked of each (performGenericAuthorizationEndpointErrorResponseValidation). */
export function errorResponse(
  run: Run,
  visited: Visit & { readonly request: Request },
  variant = run.variant,
): URLSearchParams {
  const parameters = responseOf(variant, arrivalOf(visited))
  responses.checkStateInAuthorizationResponse(parameters, visited.request)
  responses.validateIssIfPresentInAuthorizationResponse(parameters, run.suite.stile.issuer)
  responses.ensureErrorFromAuthorizationEndpointResponse(parameters)
  responses.rejectAuthCodeInAuthorizationEndpointResponse(parameters)
  run.warns(responses.checkForUnexpectedParametersInErrorResponseFromAuthorizationEndpoint, parameters)
  run.warns(responses.checkErrorDescriptionFromAuthorizationEndpointResponseErrorContainsCRLFTAB, parameters)
  responses.validateErrorDescriptionFromAuthorizationEndpointResponseError(parameters)
  responses.validateErrorUriFromAuthorizationEndpointResponseError(parameters)
  return parameters
}

/** An error page in the place of a response, whose picture a person looks at. */
export function errorPage(run: Run, { place }: Visit): void {
  if (hasArrived(place)) assert.fail(`the browser was sent to ${place.url}`)
  assert.equal(place.status, 400)
  assert.match(place.headers.get('content-type') ?? '', /^text\/html/)
  run.pictures.push(place)
}
