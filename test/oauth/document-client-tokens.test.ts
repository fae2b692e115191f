/**
 * A client that is known by its metadata document, at every endpoint that names clients or reads what names them
 * (draft-ietf-oauth-client-id-metadata-document section 3): its id there is the address of the document, and what stands for
 * it here never shows.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { browserState } from '../../src/directory/op-browser-state.ts'
import { sessionState } from '../../src/oauth/session-state.ts'
import { rows } from '../flow-runtime/arrange.ts'
import { type DocumentServer, startDocumentServer } from '../harness/document-server.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { confirm, isQuestion, signOff } from './endpoints/signed-on.ts'
import {
  codeOf,
  codeRequest,
  expectErrorPage,
  expectRefusal,
  isLive,
  redeemCode,
  refreshTokens,
  sendForm,
  told,
} from './journeys.ts'
import { allowed, openidGrant, policy } from './registering.ts'
import { change, expectStatus, person, register, type Registered } from './registrations.ts'

suite('a client that is known by its document', () => {
  let stile: Stile
  let server: DocumentServer
  let client: Registered
  /** What stands for it here. */
  let inside: string
  before(async () => {
    server = await startDocumentServer()
    stile = await startStile()
    await policy(stile, {
      perNetworkAddress: { count: 100_000, seconds: 60 },
      grants: [await openidGrant(stile)],
      redirectHosts: ['127.0.0.1'],
      clientIdMetadataDocuments: { enabled: true },
    })
    const clientId = `${server.base}/client.json`
    client = { clientId, clientSecret: '', redirectUri: `${server.base}/cb` }
    server.documents.set('/client.json', {
      body: {
        client_id: clientId,
        client_name: 'Lantern Reader',
        redirect_uris: [client.redirectUri],
        post_logout_redirect_uris: [`${server.base}/signed-off`],
        initiate_login_uri: `${server.base}/login`,
        grant_types: ['authorization_code', 'refresh_token'],
      },
    })
    await new Browser(stile).authorize(codeRequest(client))
    const [row] = await rows<{ application_id: string }>(stile, 'dynamic_clients', 'client_uri = $2', clientId)
    inside = row?.application_id ?? assert.fail('it is no client')
  })
  after(async () => {
    await stile.close()
    server.close()
  })

  async function signedOn(more: Readonly<Record<string, string>> = {}) {
    const browser = new Browser(stile)
    const { verifier, challenge } = pkce()
    const request = { scope: 'openid email', code_challenge: challenge, code_challenge_method: 'S256', ...more }
    const answer = await allowed(browser, codeRequest(client, request), await person(stile))
    const redeemed = await redeemCode(stile, client, codeOf(answer), { code_verifier: verifier })
    return { browser, ...expectStatus(redeemed, 200) }
  }
  const stranger = () => ({ ...client, clientId: inside })
  const introspect = async (token: string, who = client): Promise<Answer['json']> =>
    expectStatus(await sendForm(stile, 'introspect', who, { token }), 200)

  test('tokens name the address, and nothing of what stands for it', async () => {
    const { access_token, id_token, refresh_token } = await signedOn()
    for (const token of [access_token, id_token]) {
      assert.doesNotMatch(JSON.stringify(decodeJwt(token)), new RegExp(inside))
    }
    assert.ok(refresh_token)
    const next = expectStatus(await refreshTokens(stile, client, refresh_token), 200)
    assert.equal(decodeJwt(next.access_token)['client_id'], client.clientId)
    assert.equal(decodeJwt(next.id_token).aud, client.clientId)
    expectRefusal(await refreshTokens(stile, stranger(), next.refresh_token), 'invalid_client')
    expectStatus(await refreshTokens(stile, client, next.refresh_token), 200)
  })

  test('introspection: it sees its own tokens, under its address; another client sees none of them', async () => {
    const other = await register(stile)
    const tokens = await signedOn()
    for (const token of [tokens.access_token, tokens.id_token, tokens.refresh_token]) {
      const told = await introspect(token)
      assert.deepEqual([told.active, told.client_id], [true, client.clientId])
      assert.doesNotMatch(JSON.stringify(told), new RegExp(inside))
      assert.deepEqual(await introspect(token, other), { active: false })
    }
    expectRefusal(await sendForm(stile, 'introspect', stranger(), { token: tokens.access_token }), 'invalid_client')
  })

  test('revocation: of its own tokens', async () => {
    const { access_token, refresh_token } = await signedOn()
    expectRefusal(await sendForm(stile, 'revoke', stranger(), { token: refresh_token }), 'invalid_client')
    const other = await register(stile)
    await sendForm(stile, 'revoke', other, { token: refresh_token })
    assert.ok(await isLive(stile, access_token))
    expectStatus(await sendForm(stile, 'revoke', client, { token: refresh_token }), 200)
    assert.equal(await isLive(stile, access_token), false)
    expectRefusal(await refreshTokens(stile, client, refresh_token), 'invalid_grant')
  })

  test('JARM: the response is for its address', async () => {
    const answer = await new Browser(stile).authorize(codeRequest(client, { prompt: 'none', response_mode: 'jwt' }))
    const { aud, error } = decodeJwt(told(answer).get('response') ?? '')
    assert.deepEqual([aud, error], [client.clientId, 'invalid_request'])
    const { challenge } = pkce()
    const request = { scope: 'openid', response_mode: 'jwt', code_challenge: challenge, code_challenge_method: 'S256' }
    const granted = await allowed(new Browser(stile), codeRequest(client, request), await person(stile))
    const success = decodeJwt(told(granted).get('response') ?? '')
    assert.equal(success.aud, client.clientId)
    assert.ok(success['code'])
  })

  test('pushed authorization requests: under its address, and used under no other', async () => {
    const request = codeRequest(client, {
      scope: 'openid',
      code_challenge: pkce().challenge,
      code_challenge_method: 'S256',
    })
    const answer = await stile.send(`/${stile.environmentId}/as/par`, { body: new URLSearchParams(request) })
    const { request_uri } = expectStatus(answer, 201)
    expectErrorPage(await new Browser(stile).authorize({ client_id: inside, request_uri }))
    assert.equal((await new Browser(stile).authorize({ client_id: client.clientId, request_uri })).status, 302)
  })

  test('sign-off: by an ID token, and by its address', async () => {
    const back = { post_logout_redirect_uri: `${server.base}/signed-off`, state: 's' }
    const at = await signedOn()
    const wrong = await signOff(at.browser, { ...back, id_token_hint: at.id_token, client_id: inside })
    assert.equal(wrong.status, 400)
    const hinted = await signOff(at.browser, { ...back, id_token_hint: at.id_token, client_id: client.clientId })
    assert.equal(hinted.headers.get('location'), `${server.base}/signed-off?state=s`)
    assert.equal(await isLive(stile, at.access_token), false)
    const other = await signedOn()
    const question = await signOff(other.browser, { ...back, client_id: client.clientId })
    assert.ok(isQuestion(question))
    assert.doesNotMatch(question.text, new RegExp(inside))
    const done = await confirm(other.browser, question)
    assert.match(done.text, /\/signed-off\?state=s"/)
    assert.equal((await signOff(new Browser(stile), { ...back, client_id: inside })).status, 400)
  })

  test('sign-off by an ID token alone, where an administrator says so', async () => {
    await change(stile, inside, { idpSignoff: true })
    const at = await signedOn()
    const query = (more: object) =>
      `/${stile.environmentId}/as/idpSignoff?${new URLSearchParams({ id_token_hint: at.id_token, ...more })}`
    assert.equal((await stile.send(query({ client_id: inside }))).status, 400)
    assert.equal((await stile.send(query({ client_id: client.clientId }))).status, 204)
    assert.equal(await isLive(stile, at.access_token), false)
  })

  test('session management: `session_state` is of its address', async () => {
    await change(stile, inside, { opSessionCheckEnabled: true })
    const { browser, id_token } = await signedOn()
    const { challenge } = pkce()
    const request = { scope: 'openid email', code_challenge: challenge, code_challenge_method: 'S256' }
    const parameter = told(await browser.authorize(codeRequest(client, request))).get('session_state') ?? ''
    const environment = (await stile.node.kernel.environments.get(stile.environmentId)) ?? assert.fail()
    const state = browserState(environment, String(decodeJwt(id_token)['sid']))
    assert.equal(parameter, sessionState(client.clientId, server.base, state, parameter.split('.')[1] ?? ''))
    await change(stile, inside, { opSessionCheckEnabled: false })
  })

  test('a login that begins here', async () => {
    const begin = (client_id: string) =>
      stile.send(`/${stile.environmentId}/as/initiateLogin?${new URLSearchParams({ client_id })}`, {
        headers: { accept: 'text/html' },
      })
    const answer = await begin(client.clientId)
    assert.ok(answer.headers.get('location')?.startsWith(`${server.base}/login?iss=`))
    assert.equal((await begin(inside)).status, 400)
  })

  test('the audit log names what stands for it, so that administrators find it', async () => {
    await signedOn()
    await stile.node.kernel.volumeEvents.flush()
    const events = await rows(stile, 'events', 'actor_client_id = $2', inside)
    assert.ok(events.length > 0)
  })
})
