/** Modules that sign off: by the end session endpoint alone, and with what other channels are told meanwhile. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { SignJWT } from 'jose'
import * as responses from '../conditions/authorization-response.ts'
import { checkDiscCheckSessionIframe } from '../conditions/discovery.ts'
import * as conditions from '../conditions/logout.ts'
import { type Arrival, formsOf, hasArrived, type Page } from '../suite/browser.ts'
import { askCheckSessionFrame } from '../suite/check-session.ts'
import { authorize, errorPage, errorResponse, type Flow, redirect, type Request } from '../suite/flow.ts'
import { clientOf, postLogoutRedirectUri, serverConfiguration } from '../suite/relying-party.ts'
import type { Module, Run } from '../suite/run.ts'
import { suiteUrl } from '../suite/suite.ts'

/** CreateEndSessionEndpointRequest. */
function endSessionRequest({ idToken }: Flow): Request {
  return {
    id_token_hint: idToken.jwt,
    post_logout_redirect_uri: postLogoutRedirectUri,
    state: randomBytes(96).toString('base64url'),
  }
}

/** Without some parameters. */
function without(request: Request, ...names: readonly string[]): Request {
  return Object.fromEntries(Object.entries(request).filter(([name]) => !names.includes(name)))
}

/** Signs the user on, as every module does first. */
async function signedOn(run: Run, more: object = {}): Promise<Flow> {
  const client = await clientOf(run, { post_logout_redirect_uris: [postLogoutRedirectUri], ...more })
  return authorize(run, { client, parameters: { state: randomBytes(96).toString('base64url') } })
}

/** Goes to the end session endpoint. Where the user is asked whether they mean it, they do; a page in the end is looked at. */
async function endSession(
  run: Run,
  request: Request,
): Promise<{ readonly place: Page | Arrival; readonly wasAsked: boolean }> {
  const { json } = await serverConfiguration(run)
  const url = new URL(json.end_session_endpoint)
  url.search = String(new URLSearchParams(request))
  const place = await run.browser.open(url)
  if (hasArrived(place) || place.status !== 200) return { place, wasAsked: false }
  const [form] = formsOf(place)
  if (form) return { place: await run.browser.submit(form, place.url), wasAsked: true }
  // A page with frames: without scripts the user goes on by its link.
  const next = /<a class="button" id="next" href="([^"]*)">/.exec(place.html)?.[1]
  return { place: next === undefined ? place : await run.browser.open(next, place.url), wasAsked: false }
}

/** The user comes back to the relying party. */
async function comesBack(run: Run, request: Request): Promise<Arrival> {
  const { place } = await endSession(run, request)
  if (!hasArrived(place)) assert.fail(`the browser stays at ${place.url}: ${place.html}`)
  assert.equal(place.url.origin + place.url.pathname, postLogoutRedirectUri)
  if ('state' in request) conditions.checkPostLogoutState(place, request['state'])
  else conditions.checkNoPostLogoutState(place)
  run.warns(conditions.checkForUnexpectedParametersInPostLogoutRedirect, place)
  return place
}

/** A request without a user, which tells whether anybody is signed on. */
async function isSignedOn(run: Run, { client }: Flow): Promise<boolean> {
  const visited = await redirect(run, client, { parameters: { prompt: 'none' } })
  if (hasArrived(visited.place) && visited.place.url.searchParams.has('code')) return true
  responses.checkErrorFromAuthorizationEndpointIsOneThatRequiredAUserInterface(errorResponse(run, visited))
  return false
}

/** OIDCCRpInitiatedLogout, and OIDCCRpInitiatedLogoutNoState. */
const logout =
  (...left: readonly string[]): Module =>
  async (run) => {
    const flow = await signedOn(run)
    await comesBack(run, without(endSessionRequest(flow), ...left))
    assert.equal(await isSignedOn(run, flow), false)
  }

export const rpInitiatedLogout = logout()
export const logoutWithoutState = logout('state')

/** Modules whose request is refused: an error page, of which a person uploads a picture, and nobody is signed off. */
const refused =
  (change: (request: Request, flow: Flow) => Promise<Request> | Request): Module =>
  async (run) => {
    const flow = await signedOn(run)
    errorPage(run, { ...(await endSession(run, await change(endSessionRequest(flow), flow))), shown: [] })
    assert.equal(await isSignedOn(run, flow), true)
  }

export const badPostLogoutRedirectUri = refused((request) => ({
  ...request,
  post_logout_redirect_uri: `${postLogoutRedirectUri}/UNREGISTERED`,
}))

export const queryAddedToPostLogoutRedirectUri = refused((request) => ({
  ...request,
  post_logout_redirect_uri: `${postLogoutRedirectUri}?foo=bar`,
}))

export const withoutIdTokenHint = refused((request) => without(request, 'id_token_hint'))

/** ChangeIdTokenToAlgNone. */
export const modifiedIdTokenHint = refused((request, { idToken }) => {
  const header = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
  return { ...request, id_token_hint: `${header}.${idToken.jwt.split('.')[1]}.` }
})

/** GenerateFakeIdTokenClaims, SignFakeIdToken: by the secret of the client. */
export const badIdTokenHint = refused(async (request, { client, idToken }) => {
  const claims = { ...idToken.claims, sub: randomUUID() }
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' })
  return { ...request, id_token_hint: await jwt.sign(Buffer.from(client.clientSecret)) }
})

/** Modules that end with the page that says it is done; where nothing vouches for the request, the user is asked before. */
const signedOff =
  (isAsked: boolean, ...left: readonly string[]): Module =>
  async (run) => {
    const flow = await signedOn(run)
    const { place, wasAsked } = await endSession(run, without(endSessionRequest(flow), ...left))
    assert.equal(wasAsked, isAsked)
    if (hasArrived(place)) assert.fail('nobody asked for a way back')
    assert.match(place.html, /<h1>You are signed off<\/h1>/)
    run.pictures.push(place)
    assert.equal(await isSignedOn(run, flow), false)
  }

export const logoutWithoutParameters = signedOff(true, 'id_token_hint', 'post_logout_redirect_uri', 'state')
export const logoutWithOnlyState = signedOff(true, 'id_token_hint', 'post_logout_redirect_uri')
export const logoutWithoutPostLogoutRedirectUri = signedOff(false, 'post_logout_redirect_uri')

/** OIDCCFrontChannelRpInitiatedLogout. */
export const frontchannelLogout: Module = async (run) => {
  const frontchannel_logout_uri = `${suiteUrl}/frontchannel_logout`
  const flow = await signedOn(run, { frontchannel_logout_uri, frontchannel_logout_session_required: true })
  await comesBack(run, endSessionRequest(flow))
  assert.equal(run.browser.framed.length, 1)
  const [told = assert.fail()] = run.browser.framed
  assert.equal(told.url.origin + told.url.pathname, frontchannel_logout_uri)
  run.warns(conditions.checkForUnexpectedParametersInFrontchannelLogoutRequest, told)
  conditions.validateFrontchannelLogoutIss(told, flow.facts.issuer)
  conditions.checkIdTokenSidMatchesFrontChannelLogoutRequest(told, flow.idToken)
  assert.equal(await isSignedOn(run, flow), false)
}

/** OIDCCBackChannelRpInitiatedLogout. */
export const backchannelLogout: Module = async (run) => {
  const { published, stile, now } = run.suite
  const path = `/backchannel_logout/${randomUUID()}`
  published.documents.set(path, { headers: { 'cache-control': 'no-store' } })
  const uri = { backchannel_logout_uri: `${published.base}${path}`, backchannel_logout_session_required: true }
  const flow = await signedOn(run, uri)
  await comesBack(run, endSessionRequest(flow))
  for (let tries = 0; published.hits(path) === 0 && tries < 500; tries++) {
    stile.node.kernel.wakeOutbox()
    await pause(10)
  }
  const [told = assert.fail('the relying party is told'), ...others] = published.received.filter(
    (each) => each.path === path,
  )
  assert.deepEqual([told.method, told.contentType, others], ['POST', 'application/x-www-form-urlencoded', []])
  run.warns(conditions.ensureIncomingTls13, told.tlsVersion)
  const form = new URLSearchParams(told.body)
  run.warns(conditions.checkForUnexpectedParametersInBackchannelLogoutRequest, form)
  const { issuer, clientId, keys } = flow.facts
  const claims = await conditions.validateLogoutTokenSignature(conditions.extractLogoutToken(form), keys)
  conditions.validateLogoutTokenClaims(claims, issuer, clientId, now())
  conditions.checkLogoutTokenNoNonce(claims)
  conditions.checkLogoutTokenHasSubOrSid(claims, flow.idToken)
  assert.equal(await isSignedOn(run, flow), false)
}

/** OIDCCSessionManagementRpInitiatedLogout. */
export const sessionManagementLogout: Module = async (run) => {
  const { json } = await serverConfiguration(run)
  checkDiscCheckSessionIframe(json)
  const flow = await signedOn(run)
  const sessionState =
    flow.parameters.get('session_state') ?? assert.fail('ExtractSessionStateFromAuthorizationResponse')
  const question = `${flow.client.clientId} ${sessionState}`
  const ask = () => askCheckSessionFrame(run, json.check_session_iframe, question, new URL(suiteUrl).origin)
  assert.equal(await ask(), 'unchanged', 'CheckSessionResultIsUnchanged')
  await comesBack(run, endSessionRequest(flow))
  assert.equal(await ask(), 'changed', 'CheckSecondSessionResultIsChanged')
}
