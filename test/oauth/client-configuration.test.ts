/**
 * A client reads, changes and deletes itself: RFC 7592; rows H06, H07, H10, and what is left of a client that is gone
 * (N31).
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { removeUnusedClients } from '../../src/jobs/remove-unused-clients.ts'
import { testWorld } from '../../src/world.ts'
import { rows } from '../flow-runtime/arrange.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, basic, type Stile, startStile } from '../harness/stile.ts'
import { codeOf, codeRequest, expectRefusal, isLive, redeemCode } from './journeys.ts'
import { allowed, expectMetadataError, openidGrant, policy, registered, webClient } from './registering.ts'
import { expectStatus, type Person, person, type Registered } from './registrations.ts'

const day = 86_400_000

suite('client configuration', () => {
  let stile: Stile
  const world = testWorld()
  before(async () => {
    stile = await startStile({ world })
    await open()
  })
  after(() => stile.close())

  const open = async (more: object = {}) =>
    policy(stile, { mode: 'OPEN', perNetworkAddress: { count: 100_000, seconds: 60 }, ...more })

  type Client = Awaited<ReturnType<typeof registered>>
  const ask = (
    client: Client,
    method: string,
    body?: unknown,
    token: string | null = client.registration_access_token,
  ) =>
    stile.send(new URL(client.registration_client_uri).pathname, {
      method,
      token,
      ...(body === undefined ? {} : { body }),
    })
  const withoutAnswers = ({
    registration_access_token: _,
    registration_client_uri: __,
    client_id_issued_at: ___,
    client_secret_expires_at: ____,
    ...metadata
  }: Client) => metadata
  const asRegistered = (client: Client): Registered => ({
    clientId: client.client_id,
    clientSecret: client.client_secret ?? '',
    redirectUri: client.redirect_uris[0],
  })

  test('RFC 7592 2.1: it reads what is registered', async () => {
    const client = await registered(stile)
    const read = await ask(client, 'GET')
    assert.deepEqual(expectStatus(read, 200), client)
    assert.match(read.headers.get('content-type') ?? '', /^application\/json/)
  })

  test('RFC 7592 2.2: a change replaces everything, and the token with it', async () => {
    await open({ grants: [await openidGrant(stile)] })
    const client = await registered(stile, { ...webClient, contacts: ['a@books.test'], scope: 'openid email' })
    const body = {
      ...withoutAnswers(client),
      redirect_uris: ['https://books.test/new'],
      contacts: null,
      scope: 'profile',
    }
    const changed = expectStatus(await ask(client, 'PUT', body), 200)
    assert.deepEqual(
      [changed.redirect_uris, changed.contacts, changed.scope, changed.client_id, changed.client_secret],
      [['https://books.test/new'], undefined, 'openid profile', client.client_id, client.client_secret],
    )
    assert.notEqual(changed.registration_access_token, client.registration_access_token)
    expectRefusal(await ask(client, 'GET'), 'invalid_token', 401)
    assert.deepEqual(expectStatus(await ask(changed, 'GET'), 200), changed)
    const stored = await rows(stile, 'dynamic_clients', 'application_id = $2', client.client_id)
    assert.doesNotMatch(JSON.stringify(stored), new RegExp(changed.registration_access_token))
  })

  test('RFC 7592 2.2: a change names the client, its secret or none, and nothing that only answers hold', async () => {
    const client = await registered(stile)
    const other = await registered(stile)
    const body = withoutAnswers(client)
    const refused: readonly (readonly [object, string])[] = [
      [{ ...body, client_id: undefined }, 'client_id'],
      [{ ...body, client_id: other.client_id }, 'client_id'],
      [{ ...body, client_secret: other.client_secret }, 'client_secret'],
      [{ ...body, client_secret: 1 }, 'client_secret'],
      [{ ...body, registration_access_token: client.registration_access_token }, 'registration_access_token'],
      [{ ...body, registration_client_uri: client.registration_client_uri }, 'registration_client_uri'],
      [{ ...body, client_id_issued_at: 1 }, 'client_id_issued_at'],
      [{ ...body, client_secret_expires_at: 0 }, 'client_secret_expires_at'],
    ]
    for (const [sent, about] of refused)
      expectMetadataError(await ask(client, 'PUT', sent), 'invalid_client_metadata', about)
    // What was refused has changed nothing, the token least of all.
    assert.deepEqual(expectStatus(await ask(client, 'GET'), 200), client)
    const { client_secret: _, ...secretless } = body
    assert.equal(expectStatus(await ask(client, 'PUT', secretless), 200).client_secret, client.client_secret)
  })

  test('H06: a registration access token is good for its own client, while it lives, and for nothing else', async () => {
    const [one, other] = [await registered(stile), await registered(stile)]
    const attempts: readonly (readonly [Client, string | null])[] = [
      [other, one.registration_access_token],
      [one, null],
      [one, 'x'],
      [one, one.client_secret],
      [one, await stile.workerToken()],
      [
        { ...one, registration_client_uri: one.registration_client_uri.replace(one.client_id, stile.webApp.clientId) },
        one.registration_access_token,
      ],
    ]
    for (const [client, token] of attempts) {
      const answers = [
        await ask(client, 'GET', undefined, token),
        await ask(client, 'PUT', withoutAnswers(client), token),
        await ask(client, 'DELETE', undefined, token),
      ]
      for (const answer of answers) expectRefusal(answer, 'invalid_token', 401)
      assert.equal(new Set(answers.map(({ text }) => text.replace(/Correlation ID: [^)]*/, ''))).size, 1)
    }
    const { registration_access_token: token } = one
    assert.equal((await stile.api('GET', '/applications', undefined, { token })).status, 401)
    assert.equal((await stile.send(`/${stile.environmentId}/as/userinfo`, { token })).status, 401)
    assert.equal((await ask(one, 'DELETE')).status, 204)
    for (const method of ['GET', 'DELETE']) expectRefusal(await ask(one, method), 'invalid_token', 401)
    expectRefusal(await ask(one, 'PUT', withoutAnswers(one)), 'invalid_token', 401)
    // A client that an administrator has switched off cannot change itself either.
    const read = expectStatus(await stile.api('GET', `/applications/${other.client_id}`), 200)
    expectStatus(await stile.api('PUT', `/applications/${other.client_id}`, { ...read, enabled: false }), 200)
    expectRefusal(await ask(other, 'GET'), 'invalid_token', 401)
  })

  test('H07: a change is judged by the policy of the day, on what the client becomes', async () => {
    await open({ tokenEndpointAuthMethods: ['NONE'] })
    const client = await registered(stile, { ...webClient, token_endpoint_auth_method: 'none' })
    const basicAuthentication = { ...withoutAnswers(client), token_endpoint_auth_method: 'client_secret_basic' }
    expectMetadataError(
      await ask(client, 'PUT', basicAuthentication),
      'invalid_client_metadata',
      'token_endpoint_auth_method',
    )
    await open()
    const confidential = expectStatus(await ask(client, 'PUT', basicAuthentication), 200)
    assert.ok(confidential.client_secret)
    const { type } = expectStatus(await stile.api('GET', `/applications/${client.client_id}`), 200)
    assert.equal(type, 'WEB_APP')
    await open({ redirectHosts: ['elsewhere.test'] })
    const same = withoutAnswers(confidential)
    expectMetadataError(await ask(confidential, 'PUT', same), 'invalid_redirect_uri', 'redirect_uris.0')
    await open()
    const open_ = expectStatus(
      await ask(confidential, 'PUT', { ...same, client_secret: undefined, token_endpoint_auth_method: 'none' }),
      200,
    )
    assert.equal(open_.client_secret, undefined)
    assert.equal((await stile.api('GET', `/applications/${client.client_id}/secret`)).status, 404)
  })

  test('what only administrators say stays, and what would let it do more does not', async () => {
    const client = await registered(stile)
    const path = `/applications/${client.client_id}`
    const read = expectStatus(await stile.api('GET', path), 200)
    const vouched = {
      description: 'Ours',
      hiddenFromAppPortal: true,
      requireConsent: false,
      allowWildcardInRedirectUris: true,
    }
    expectStatus(await stile.api('PUT', path, { ...read, ...vouched }), 200)
    expectStatus(await ask(client, 'PUT', withoutAnswers(client)), 200)
    const { description, hiddenFromAppPortal, requireConsent, allowWildcardInRedirectUris } = expectStatus(
      await stile.api('GET', path),
      200,
    )
    assert.deepEqual(
      [description, hiddenFromAppPortal, requireConsent, allowWildcardInRedirectUris],
      ['Ours', true, true, false],
    )
  })

  async function tokens(client: Client, who: Person): Promise<Answer['json']> {
    const browser = new Browser(stile)
    const request = codeRequest(asRegistered(client), { scope: 'openid' })
    const code = codeOf(await allowed(browser, request, who))
    return expectStatus(await redeemCode(stile, asRegistered(client), code), 200)
  }

  test('N31: nothing of a client works that has deleted itself', async () => {
    const client = await registered(stile)
    const { access_token } = await tokens(client, await person(stile))
    assert.equal(await isLive(stile, access_token), true)
    assert.equal((await ask(client, 'DELETE')).status, 204)
    assert.equal(await isLive(stile, access_token), false)
    for (const table of ['dynamic_clients', 'application_secrets', 'oauth_consents']) {
      assert.deepEqual(await rows(stile, table, 'application_id = $2', client.client_id), [], table)
    }
    const answer = await stile.send(`/${stile.environmentId}/as/token`, {
      body: new URLSearchParams({ grant_type: 'authorization_code', code: 'x' }),
      headers: { authorization: basic(client.client_id, client.client_secret) },
    })
    expectRefusal(answer, 'invalid_client')
  })

  test('H10: a client that nobody uses goes, one that is used stays, and its use is noted once a day', async () => {
    await open({ unusedClientDays: 2 })
    const [unused, used, ours] = [await registered(stile), await registered(stile), stile.webApp.clientId]
    const notedAt = async (client: Client) =>
      (await rows<{ used_at: number }>(stile, 'dynamic_clients', 'application_id = $2', client.client_id))[0]?.used_at
    const work = () => removeUnusedClients(stile.node.kernel, new AbortController().signal)
    const move = async (milliseconds: number) => {
      world.advance(milliseconds)
      await stile.node.kernel.environments.poll()
    }
    const registeredAt = world.now()
    const who = [await person(stile), await person(stile), await person(stile), await person(stile)] as const
    await move(day - 1)
    await tokens(used, who[0])
    assert.equal(await notedAt(used), registeredAt, 'not yet a day')
    await move(day)
    await tokens(used, who[1])
    await tokens(used, who[2])
    const noted = await notedAt(used)
    assert.equal(noted, world.now())
    await move(1000)
    await tokens(used, who[3])
    assert.equal(await notedAt(used), noted)
    await work()
    assert.equal((await stile.api('GET', `/applications/${unused.client_id}`)).status, 200)
    await move(day)
    await work()
    const status = async (id: string) => (await stile.api('GET', `/applications/${id}`)).status
    assert.deepEqual(
      [await status(unused.client_id), await status(used.client_id), await status(ours)],
      [404, 200, 200],
    )
    const [event] = await rows<{ document: string }>(
      stile,
      'events',
      "action = 'APPLICATION.DELETED' AND subject_id = $2",
      unused.client_id,
    )
    assert.deepEqual(JSON.parse(event?.document ?? ''), { reason: 'unused' })
    await move(3 * day)
    await work()
    assert.deepEqual([await status(used.client_id), await status(ours)], [404, 200])
  })
})
