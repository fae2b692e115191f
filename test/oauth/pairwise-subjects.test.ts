/**
 * Pairwise subjects wherever a user is named: OpenID Connect Core section 8.1, Back-Channel Logout 1.0 section 2.4,
 * Front-Channel Logout 1.0 section 3, CIBA Core section 4; rows E11, E13, F09, H15; `oidcc-registration-sector-uri`.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { enable, inboxOf } from '../flow-runtime/arrange.ts'
import { type DocumentServer, startDocumentServer } from '../harness/document-server.ts'
import { type ProviderServer, startProviderServer } from '../harness/provider-server.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { clientKey } from './assertions.ts'
import { ask, askFor, bank } from './backchannel-journeys.ts'
import { approve, newDevice, poll, tv } from './device-journeys.ts'
import { signOff } from './endpoints/signed-on.ts'
import {
  authorizeBySignOnPage,
  codeRequest,
  expectRefusal,
  isLive,
  obtainCode,
  redeemCode,
  refreshTokens,
  sendForm,
  told,
} from './journeys.ts'
import { allowed, expectMetadataError, policy, registered, registering, webClient } from './registering.ts'
import {
  change,
  customResource,
  expectStatus,
  grant,
  type Person,
  person,
  type Registered,
  register,
  type Resource,
  web,
} from './registrations.ts'
import { bySecret, requestObject } from './request-objects.ts'

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
const idToken = 'urn:ietf:params:oauth:token-type:id_token'
const form = /^[\w-]{22}$/

suite('pairwise subjects', () => {
  let stile: Stile
  let server: DocumentServer
  let receiver: ProviderServer
  let orders: Resource
  let one: Registered
  let sister: Registered
  let two: Registered
  let plain: Registered
  before(async () => {
    stile = await startStile()
    server = await startDocumentServer()
    receiver = await startProviderServer()
    receiver.status = 200
    orders = await customResource(stile, { audience: 'https://orders.test' }, ['orders:read'])
    one = await inSector('one.test')
    sister = await inSector('one.test')
    two = await inSector('two.test')
    plain = await inSector('plain.test', { subjectType: 'public' })
  })
  after(async () => {
    await stile.close()
    server.close()
    await receiver.close()
  })

  /** An application whose redirect URIs are on a host. */
  async function inSector(host: string, more: object = {}): Promise<Registered> {
    const client = await register(stile, {
      ...web,
      grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'],
      redirectUris: [`https://${host}/cb`],
      postLogoutRedirectUris: [`https://${host}/out`],
      subjectType: 'pairwise',
      refreshTokenType: 'JSON_WEB_TOKEN',
      ...more,
    })
    await grant(stile, client.clientId, orders.id, [orders.scope('orders:read')])
    return client
  }

  async function signedOn(client: Registered, browser: Browser, who: Person, scope = 'openid') {
    const code = await obtainCode(browser, codeRequest(client, { scope }), who)
    return expectStatus(await redeemCode(stile, client, code), 200)
  }
  const introspect = async (client: Registered, token: string): Promise<Answer['json']> =>
    expectStatus(await sendForm(stile, 'introspect', client, { token }), 200)
  const userinfo = async (token: string): Promise<Answer['json']> =>
    expectStatus(await stile.send(`/${stile.environmentId}/as/userinfo`, { token }), 200)
  const subjectOf = async (client: Registered, who: Person): Promise<string> =>
    String(decodeJwt((await signedOn(client, new Browser(stile), who)).id_token).sub)
  const silently = (browser: Browser, client: Registered, more: Readonly<Record<string, string>>) =>
    browser.authorize(codeRequest(client, { scope: 'openid', prompt: 'none', ...more }))

  /** Everything that an application of a sector is shown of a user who is signed on. */
  async function shown(client: Registered, browser: Browser, who: Person) {
    const tokens = await signedOn(client, browser, who)
    const refreshed = expectStatus(await refreshTokens(stile, client, tokens.refresh_token), 200)
    const all = [tokens, refreshed].flatMap(({ access_token, id_token, refresh_token }) => [
      decodeJwt(access_token),
      decodeJwt(id_token),
      decodeJwt(refresh_token),
    ])
    const told = [
      await userinfo(refreshed.access_token),
      await introspect(client, refreshed.access_token),
      await introspect(client, refreshed.id_token),
      await introspect(client, refreshed.refresh_token),
    ]
    return { tokens: refreshed, said: [...all, ...told] as readonly Readonly<Record<string, unknown>>[] }
  }

  test('one subject in everything that an application is shown, the same for its sector, and another elsewhere', async () => {
    const who = await person(stile)
    const browser = new Browser(stile)
    const { said } = await shown(one, browser, who)
    const subjects = new Set(said.map(({ sub }) => sub))
    assert.equal(said.length, 10)
    assert.equal(subjects.size, 1, [...subjects].join(' '))
    const [subject] = subjects
    assert.match(String(subject), form)
    assert.equal(await subjectOf(one, who), subject, 'the next time as well')
    assert.equal(await subjectOf(sister, who), subject)
    assert.notEqual(await subjectOf(two, who), subject)
    assert.notEqual(await subjectOf(one, await person(stile)), subject)
    assert.equal(await subjectOf(plain, who), who.id)
  })

  test('E11: two sectors share nothing but what is of the environment: no subject, session, grant or token', async () => {
    const who = await person(stile)
    const browser = new Browser(stile)
    const texts = async (client: Registered) => {
      const { said } = await shown(client, browser, who)
      return new Set(
        said.flatMap((claims) => Object.values(claims).flat()).filter((value) => typeof value === 'string'),
      )
    }
    const [ours, theirs, known] = [await texts(one), await texts(two), await texts(plain)]
    const common = [...ours].filter((text) => theirs.has(text) || known.has(text))
    const ofEnvironment = [stile.issuer, stile.apiUrl, stile.environmentId, stile.organizationId]
    const ofEverybody = ['openid', 'Single_Factor', 'pwd', 'Bearer', 'NA']
    assert.deepEqual(
      new Set(common),
      new Set([...ofEnvironment, ...ofEverybody].filter((text) => common.includes(text))),
    )
    assert.ok(!ours.has(who.id) && !ours.has(who.username))
    assert.ok(known.has(who.id), 'an application with public subjects knows the id')
  })

  test('the applications of a sector know a session by one name, which is not its id', async () => {
    const browser = new Browser(stile)
    const who = await person(stile)
    const sids: unknown[] = []
    for (const client of [one, sister, two, plain]) {
      const { id_token, access_token } = await signedOn(client, browser, who)
      sids.push(decodeJwt(id_token)['sid'])
      assert.equal(decodeJwt(access_token)['sid'], sids.at(-1))
    }
    const [ours, sisters, theirs, id] = sids
    assert.match(String(ours), form)
    assert.equal(sisters, ours)
    assert.equal(new Set([ours, theirs, id]).size, 3)
    const { _embedded } = expectStatus(await stile.api('GET', `/users/${who.id}/sessions`), 200)
    assert.deepEqual(
      _embedded.sessions.map((session: { id: string }) => session.id),
      [id],
    )
  })

  test('a mapping of sub is not looked at, and there is no p1.userId in what it is shown', async () => {
    const client = await inSector('one.test')
    const path = `/applications/${client.clientId}/attributes`
    const { _embedded } = expectStatus(await stile.api('GET', path), 200)
    const [{ id }] = _embedded.attributes
    const body = { name: 'sub', value: '${user.username}', required: true }
    expectStatus(await stile.api('PUT', `${path}/${id}`, body), 200)
    const who = await person(stile)
    const { said } = await shown(client, new Browser(stile), who)
    for (const claims of said) {
      assert.match(String(claims['sub']), form)
      assert.equal(claims['p1.userId'], undefined)
    }
  })

  test('a resource that maps sub: the token is still of the user, named there by the pairwise subject', async () => {
    const mapped = await customResource(stile, { audience: 'https://mapped.test' }, ['mapped:read'])
    const path = `/resources/${mapped.id}/attributes`
    const [{ id }] = expectStatus(await stile.api('GET', path), 200)._embedded.attributes
    expectStatus(await stile.api('PUT', `${path}/${id}`, { name: 'sub', value: 'user:${user.username}' }), 200)
    const client = await inSector('one.test', { requestScopesForMultipleResourcesEnabled: true })
    await grant(stile, client.clientId, mapped.id, [mapped.scope('mapped:read')])
    const who = await person(stile)
    const tokens = await signedOn(client, new Browser(stile), who, 'openid mapped:read')
    const claims = decodeJwt(tokens.access_token)
    const subject = decodeJwt(tokens.id_token).sub
    assert.deepEqual([claims.sub, claims['p1.userId']], [`user:${who.username}`, subject])
    assert.equal((await userinfo(tokens.access_token)).sub, subject)
    expectStatus(await sendForm(stile, 'revoke', client, { token: tokens.access_token }), 200)
    assert.equal(await isLive(stile, tokens.access_token), false)
  })

  test('device grant: the same subject', async () => {
    server.documents.set('/keys.json', { body: { keys: [] } })
    server.documents.set('/sector.json', { body: [`${server.base}/keys.json`] })
    const sector = { subjectType: 'pairwise', sectorIdentifierUri: `${server.base}/sector.json` }
    const television = await register(stile, { ...tv, ...sector, jwksUrl: `${server.base}/keys.json` })
    const app = await inSector('127.0.0.1')
    const who = await person(stile)
    const device = await newDevice(stile, television)
    await approve(new Browser(stile), device, who)
    const { id_token } = expectStatus(await poll(stile, television, device.device_code), 200)
    assert.equal(decodeJwt(id_token).sub, await subjectOf(app, who))
  })

  suite('what an application sends back', () => {
    test('F09: an ID token hint is read by whoever it was for, and by nobody else of its sector', async () => {
      const who = await person(stile)
      const browser = new Browser(stile)
      const { id_token: hint } = await signedOn(one, browser, who)
      assert.ok(told(await silently(browser, one, { id_token_hint: hint })).get('code'))
      for (const client of [sister, two, plain]) {
        const refused = told(await silently(browser, client, { id_token_hint: hint }))
        assert.equal(refused.get('error'), 'invalid_request')
      }
      const elsewhere = new Browser(stile)
      await signedOn(one, elsewhere, await person(stile))
      assert.equal(told(await silently(elsewhere, one, { id_token_hint: hint })).get('error'), 'login_required')
    })

    test('the sub claim of a request: its own subject, not the id, nor that of another sector', async () => {
      const who = await person(stile)
      const browser = new Browser(stile)
      const subject = String(decodeJwt((await signedOn(one, browser, who)).id_token).sub)
      const asking = (client: Registered, value: string) =>
        silently(browser, client, { claims: JSON.stringify({ id_token: { sub: { value } } }) })
      assert.ok(told(await asking(one, subject)).get('code'))
      assert.ok(told(await asking(sister, subject)).get('code'))
      assert.equal(told(await asking(one, who.id)).get('error'), 'invalid_request')
      assert.equal(told(await asking(two, subject)).get('code'), null)
      assert.ok(told(await asking(plain, who.id)).get('code'))
    })

    test('a login_hint_token names users as the application knows them; an id says nothing to it', async () => {
      const email = `${randomUUID()}@example.com`
      const who = await person(stile, { email })
      server.documents.set('/bank.json', { body: [`${server.base}/bank-keys.json`] })
      server.documents.set('/bank-keys.json', { body: { keys: [] } })
      const pairwise = { subjectType: 'pairwise', sectorIdentifierUri: `${server.base}/bank.json` }
      const client = await register(stile, { ...bank, ...pairwise, jwksUrl: `${server.base}/bank-keys.json` })
      const subject = await subjectOf(await inSector('127.0.0.1'), who)
      const by = (sub: string) => requestObject(stile, client, bySecret(client), { sub, jti: randomUUID() })
      await ask(stile, client, { login_hint_token: await by(who.id) })
      assert.equal((await inboxOf(stile, email)).length, 0)
      await ask(stile, client, { login_hint_token: await by(subject) })
      assert.equal((await inboxOf(stile, email)).length, 1)
      await ask(stile, client, { login_hint_token: await by(who.username) })
      assert.equal((await inboxOf(stile, email)).length, 2)
      const { id_token } = await signedOn(one, new Browser(stile), who)
      expectRefusal(await askFor(stile, client, { id_token_hint: id_token }), 'invalid_request')
    })

    test('CIBA: an ID token of its own is a hint', async () => {
      const both = await inSector('one.test', { grantTypes: ['AUTHORIZATION_CODE', 'CIBA'] })
      const email = `${randomUUID()}@example.com`
      const { id_token } = await signedOn(both, new Browser(stile), await person(stile, { email }))
      await ask(stile, both, { id_token_hint: id_token })
      assert.equal((await inboxOf(stile, email)).length, 1)
    })
  })

  suite('token exchange', () => {
    const agentIn = async (host: string) => {
      const service = { type: 'SERVICE', grantTypes: ['TOKEN_EXCHANGE'], responseTypes: [], redirectUris: [] }
      const path = `/${randomUUID()}.json`
      server.documents.set(path, { body: [`${server.base}/agent-keys.json`] })
      const sector = { subjectType: 'pairwise', sectorIdentifierUri: `${server.base}${path}` }
      const more = host === '' ? sector : { redirectUris: [`https://${host}/cb`], subjectType: 'pairwise' }
      const agent = await register(
        stile,
        { ...web, ...service, jwksUrl: `${server.base}/agent-keys.json`, ...more },
        [],
      )
      await grant(stile, agent.clientId, orders.id, [orders.scope('orders:read')])
      return agent
    }

    test('the user has the subject of whoever gets the token, whatever sector the other was for', async () => {
      const agent = await agentIn('')
      const who = await person(stile)
      const { access_token } = await signedOn(one, new Browser(stile), who, 'openid orders:read')
      const form = { grant_type: exchange, subject_token: access_token, subject_token_type: accessToken }
      const exchanged = expectStatus(await sendForm(stile, 'token', agent, { ...form, scope: 'orders:read' }), 200)
      const claims = decodeJwt(exchanged.access_token)
      assert.equal(claims.sub, await subjectOf(await inSector('127.0.0.1'), who))
      assert.notEqual(claims.sub, decodeJwt(access_token).sub)
      assert.notEqual(claims['sid'], decodeJwt(access_token)['sid'])
      assert.equal((await introspect(agent, exchanged.access_token)).sub, claims.sub)
      await enable(stile, who, false)
      assert.deepEqual(await introspect(agent, exchanged.access_token), { active: false })
    })

    test('an ID token of its own', async () => {
      const both = await inSector('one.test', { grantTypes: ['AUTHORIZATION_CODE', 'TOKEN_EXCHANGE'] })
      const who = await person(stile)
      const { id_token } = await signedOn(both, new Browser(stile), who, 'openid orders:read')
      const form = { grant_type: exchange, subject_token: id_token, subject_token_type: idToken, scope: 'orders:read' }
      const { access_token } = expectStatus(await sendForm(stile, 'token', both, form), 200)
      assert.equal(decodeJwt(access_token).sub, decodeJwt(id_token).sub)
    })
  })

  suite('logout', () => {
    const logoutTokens = async (path: string, count: number) => {
      const arrived = () => receiver.received.filter(({ target }) => target === path)
      for (let waited = 0; waited < 10_000 && arrived().length < count; waited += 10) {
        stile.node.kernel.wakeOutbox()
        await pause(10)
      }
      return arrived().map(({ form }) => decodeJwt(form['logout_token'] ?? ''))
    }

    test('back channel: user and session as the ID tokens of the application name them', async () => {
      const path = `/${randomUUID()}`
      const more = { backchannelLogoutUri: `${receiver.url}${path}`, backchannelLogoutSessionRequired: true }
      const client = await inSector('one.test', more)
      const browser = new Browser(stile)
      const who = await person(stile)
      const { id_token, access_token } = await signedOn(client, browser, who)
      const answer = await signOff(browser, { id_token_hint: id_token })
      assert.equal(answer.status, 302, answer.text)
      const { sub, sid } = decodeJwt(id_token)
      const [logout] = await logoutTokens(path, 1)
      assert.deepEqual([logout?.sub, logout?.['sid']], [sub, sid])
      assert.match(`${sub} ${String(sid)}`, /^[\w-]{22} [\w-]{22}$/)
      assert.equal(await isLive(stile, access_token), false)
    })

    test('back channel: of all sessions of a user, by the subject alone', async () => {
      const path = `/${randomUUID()}`
      const client = await inSector('one.test', { backchannelLogoutUri: `${receiver.url}${path}` })
      const who = await person(stile)
      const { id_token } = await signedOn(client, new Browser(stile), who)
      await enable(stile, who, false)
      const [logout] = await logoutTokens(path, 1)
      assert.equal(logout?.sub, decodeJwt(id_token).sub)
      assert.ok(!JSON.stringify(logout).includes(who.id))
    })

    test('2.4: an application that maps sub is told of each session, since a token must name one of both', async () => {
      const path = `/${randomUUID()}`
      const client = await register(stile, { ...web, backchannelLogoutUri: `${receiver.url}${path}` })
      const attributes = `/applications/${client.clientId}/attributes`
      const [{ id }] = expectStatus(await stile.api('GET', attributes), 200)._embedded.attributes
      const body = { name: 'sub', value: '${user.username}', required: true }
      expectStatus(await stile.api('PUT', `${attributes}/${id}`, body), 200)
      const who = await person(stile)
      const sids = []
      for (const browser of [new Browser(stile), new Browser(stile)]) {
        const claims = decodeJwt((await signedOn(client, browser, who)).id_token)
        assert.deepEqual([claims.sub, claims['p1.userId']], [who.username, who.id])
        sids.push(claims['sid'])
      }
      await enable(stile, who, false)
      const told = await logoutTokens(path, 2)
      assert.deepEqual(new Set(told.map((claims) => claims['sid'])), new Set(sids))
      assert.ok(
        told.every(({ sub }) => sub === undefined),
        'a sub that it does not know would be worse than none',
      )
    })

    test('front channel: each sector has its own name of the session', async () => {
      const framed = (host: string) =>
        inSector(host, {
          frontchannelLogoutUri: `https://${host}/front`,
          frontchannelLogoutSessionRequired: true,
        })
      const browser = new Browser(stile)
      const who = await person(stile)
      const sids: unknown[] = []
      let hint = ''
      for (const host of ['one.test', 'two.test']) {
        hint = (await signedOn(await framed(host), browser, who)).id_token
        sids.push(decodeJwt(hint)['sid'])
      }
      const { text } = await signOff(browser, { id_token_hint: hint })
      const frames = [...text.matchAll(/<iframe [^>]*src="([^"]*)"/g)].map(([, src = '']) =>
        src.replaceAll('&amp;', '&'),
      )
      assert.deepEqual(
        new Map(frames.map((src) => [new URL(src).host, new URL(src).searchParams.get('sid')])),
        new Map([
          ['one.test', sids[0]],
          ['two.test', sids[1]],
        ]),
      )
    })

    test('idpSignoff: an ID token ends the session that it names', async () => {
      const client = await inSector('one.test', { idpSignoff: true })
      const { id_token, access_token } = await signedOn(client, new Browser(stile), await person(stile))
      expectStatus(await stile.send(`/${stile.environmentId}/as/idpSignoff?id_token_hint=${id_token}`), 204)
      assert.equal(await isLive(stile, access_token), false)
    })
  })

  test('what was issued under another kind of subject counts no more, and nothing is taken for somebody else', async () => {
    const client = await inSector('one.test')
    const who = await person(stile)
    const browser = new Browser(stile)
    const tokens = await signedOn(client, browser, who)
    await change(stile, client.clientId, { subjectType: 'public' })
    assert.equal(await isLive(stile, tokens.access_token), false)
    assert.deepEqual(await introspect(client, tokens.access_token), { active: false })
    assert.deepEqual(await introspect(client, tokens.id_token), { active: false })
    const next = expectStatus(await refreshTokens(stile, client, tokens.refresh_token), 200)
    assert.equal(decodeJwt(next.id_token).sub, who.id, 'the grant goes on')
  })

  suite('the sector', () => {
    const creating = (members: object) =>
      stile.api('POST', '/applications', {
        ...web,
        name: `Application ${randomUUID()}`,
        subjectType: 'pairwise',
        ...members,
      })

    test('has to be clear: one host, or a sector identifier over https', async () => {
      const hosts = ['https://one.test/cb', 'https://two.test/cb']
      for (const members of [
        { redirectUris: hosts },
        { ...tv, redirectUris: [] },
        { redirectUris: hosts, sectorIdentifierUri: 'http://127.0.0.1/sector.json' },
        { redirectUris: hosts, sectorIdentifierUri: 'https://10.0.0.1/sector.json' },
        { redirectUris: hosts, sectorIdentifierUri: 'nothing' },
      ]) {
        const { details } = expectStatus(await creating(members), 400)
        assert.equal(details[0].target, 'sectorIdentifierUri')
      }
      expectStatus(await creating({ redirectUris: ['https://one.test/a', 'https://one.test:8443/b'] }), 201)
      expectStatus(await creating({ ...tv, redirectUris: [], subjectType: 'public' }), 201)
    })

    test('oidcc-registration-sector-uri: several hosts of one sector, by a document that lists them', async () => {
      await policy(stile, { mode: 'OPEN', perNetworkAddress: { count: 100_000, seconds: 60 } })
      const redirect_uris = ['https://a.test/cb', 'https://b.test/cb']
      server.documents.set('/family.json', { body: redirect_uris })
      const sector = { subject_type: 'pairwise', sector_identifier_uri: `${server.base}/family.json` }
      const who = await person(stile)
      const subjects = []
      for (const redirectUri of redirect_uris) {
        const client = await registered(stile, { ...webClient, ...sector, redirect_uris: [redirectUri] })
        const own = { clientId: client.client_id, clientSecret: client.client_secret, redirectUri }
        const { verifier, challenge } = pkce()
        const more = { scope: 'openid', code_challenge: challenge, code_challenge_method: 'S256' }
        const code = told(await allowed(new Browser(stile), codeRequest(own, more), who)).get('code') ?? ''
        const { id_token } = expectStatus(await redeemCode(stile, own, code, { code_verifier: verifier }), 200)
        subjects.push(decodeJwt(id_token).sub)
      }
      assert.match(String(subjects[0]), form)
      assert.equal(subjects[0], subjects[1])
    })

    test('H15: nobody joins a sector by having no redirect URI that its document would have to list', async () => {
      await policy(stile, {
        mode: 'OPEN',
        perNetworkAddress: { count: 100_000, seconds: 60 },
        grantTypes: ['DEVICE_CODE'],
      })
      server.documents.set('/theirs.json', { body: ['https://victim.test/cb'] })
      const joining = {
        client_name: 'Stranger',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
        token_endpoint_auth_method: 'none',
        subject_type: 'pairwise',
        sector_identifier_uri: `${server.base}/theirs.json`,
      }
      for (const more of [
        {},
        { jwks_uri: `${server.base}/own-keys.json` },
        { jwks: { keys: [clientKey('ES256').jwk] } },
      ]) {
        const answer = await registering(stile, { ...joining, ...more })
        expectMetadataError(answer, 'invalid_client_metadata', 'sector_identifier_uri')
      }
      const members = { ...tv, redirectUris: [], sectorIdentifierUri: `${server.base}/theirs.json` }
      const { details } = expectStatus(await creating(members), 400)
      assert.equal(details[0].target, 'sectorIdentifierUri')
    })
  })

  test('an answer that nobody is signed on for says nothing of the user', async () => {
    const answer = await authorizeBySignOnPage(new Browser(stile), codeRequest(one, { scope: 'openid' }))
    assert.deepEqual([...told(answer).keys()].toSorted(), ['code', 'iss'])
  })
})
