/**
 * Claims out of attribute mappings: of applications in ID tokens and userinfo, of resources in access tokens and
 * introspection, of `openid` by its scopes. platform-api 3.9, 3.11.3; OpenID Connect Core sections 5.4, 5.5; rows A35, E22.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, test } from 'node:test'
import { decodeJwt } from 'jose'
import { Browser } from '../harness/sign-on.ts'
import type { Answer } from '../harness/stile.ts'
import { onEachEngine } from '../platform/people.ts'
import {
  authorizeBySignOnPage,
  codeOf,
  codeRequest,
  expectRefusal,
  obtainCode,
  redeemCode,
  refreshTokens,
  sendForm,
  told,
} from './journeys.ts'
import {
  builtInResource,
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

const body = { ...web, grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN', 'CLIENT_CREDENTIALS'] }

await onEachEngine('mapped claims', (stile) => {
  let ada: Person
  let openid: Resource
  const groups: Record<string, string> = {}
  before(async () => {
    openid = await builtInResource(stile(), 'OPENID_CONNECT')
    ada = await person(stile(), {
      email: 'ada@example.com',
      name: { given: 'Ada', family: 'Lovelace' },
      title: 'Countess',
      locale: 'en-GB',
      address: { locality: 'London', countryCode: 'GB' },
    })
    for (const name of ['Readers', 'Staff']) {
      groups[name] = expectStatus(await stile().api('POST', '/groups', { name: `${name} ${randomUUID()}` }), 201).id
      expectStatus(await stile().api('POST', `/users/${ada.id}/memberOfGroups`, { id: groups[name] }), 201)
    }
  })

  /** An application with mappings. */
  async function application(mappings: readonly object[], scopes?: readonly string[]): Promise<Registered> {
    const client = await register(stile(), body, scopes)
    for (const mapping of mappings) await map(client, mapping)
    return client
  }
  const map = async ({ clientId }: Registered, mapping: object): Promise<Answer['json']> =>
    expectStatus(
      await stile().api('POST', `/applications/${clientId}/attributes`, { value: 'x', required: false, ...mapping }),
      201,
    )
  async function mapSubject({ clientId }: Registered, value: string): Promise<void> {
    const path = `/applications/${clientId}/attributes`
    const [{ id }] = expectStatus(await stile().api('GET', path), 200)._embedded.attributes
    expectStatus(await stile().api('PUT', `${path}/${id}`, { name: 'sub', value, required: true }), 200)
  }
  /** A resource with attributes, granted to an application. */
  async function resource(client: Registered, scope: string, attributes: readonly object[]): Promise<Resource> {
    const made = await customResource(stile(), { audience: `https://${randomUUID()}.test` }, [scope])
    for (const attribute of attributes) {
      expectStatus(await stile().api('POST', `/resources/${made.id}/attributes`, attribute), 201)
    }
    await grant(stile(), client.clientId, made.id, [made.scope(scope)])
    return made
  }
  /** Changes an attribute of `openid`, and puts it back afterwards. */
  async function withOpenid(name: string, members: object, run: () => Promise<void>): Promise<void> {
    const path = `/resources/${openid.id}/attributes`
    const { _embedded } = expectStatus(await stile().api('GET', path), 200)
    const present = _embedded.attributes.find((attribute: { name: string }) => attribute.name === name)
    expectStatus(await stile().api('PUT', `${path}/${present.id}`, { ...present, ...members }), 200)
    await run()
    expectStatus(await stile().api('PUT', `${path}/${present.id}`, present), 200)
  }

  const tokensOf = async (client: Registered, scope = 'openid', who = ada, more: Record<string, string> = {}) => {
    const code = await obtainCode(new Browser(stile()), codeRequest(client, { scope, ...more }), who)
    return expectStatus(await redeemCode(stile(), client, code), 200)
  }
  const userinfo = (token: string): Promise<Answer> => stile().send(`/${stile().environmentId}/as/userinfo`, { token })

  const protocol = 'sub iss aud iat exp acr amr auth_time at_hash sid env org p1.region'.split(' ')
  const personal = (claims: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(claims).filter(([name]) => !protocol.includes(name)))
  /** What an application is told of a person, in both places. */
  async function toldOf(client: Registered, scope?: string, who?: Person, more?: Record<string, string>) {
    const { id_token, access_token } = await tokensOf(client, scope, who, more)
    return {
      idToken: personal(decodeJwt(id_token)),
      userInfo: personal(expectStatus(await userinfo(access_token), 200)),
    }
  }

  test('of an application: every kind of value, with openid alone; what somebody does not have is left out', async () => {
    const client = await application([
      { name: 'who', value: '${user.username}' },
      { name: 'greeting', value: 'Hello ${user.name.given}' },
      { name: 'plan', value: 'gold' },
      { name: 'groups', value: '${user.memberOfGroupIDs}' },
      { name: 'since', value: '${#datetime.toUnixTimestamp(user.createdAt)}' },
      { name: 'verified', value: '${user.emailVerified}' },
      { name: 'population', value: '${user.population.id}' },
      { name: 'nick', value: '${user.nickname}' },
      { name: 'both', value: '${user.title} ${user.nickname}' },
      { name: 'https://claims.test/title', value: '${user.title}' },
    ])
    const { idToken, userInfo } = await toldOf(client)
    assert.deepEqual(idToken, userInfo)
    const { since, groups: memberOf, verified, ...others } = idToken
    assert.deepEqual(others, {
      who: ada.username,
      greeting: 'Hello Ada',
      plan: 'gold',
      population: stile().populationId,
      'https://claims.test/title': 'Countess',
    })
    assert.ok(Math.abs(Number(since) - Date.now() / 1000) < 300 && Number.isInteger(since))
    assert.deepEqual(new Set(memberOf as string[]), new Set(Object.values(groups)))
    assert.ok(verified === undefined || typeof verified === 'boolean')
    const nobodys = await toldOf(client, 'openid', await person(stile()))
    assert.deepEqual(
      [nobodys.idToken['groups'], nobodys.idToken['greeting'], nobodys.idToken['plan']],
      [[], undefined, 'gold'],
    )
  })

  test('each goes where it is to go, and with the scopes that it is for', async () => {
    const client = await application([
      { name: 'id_only', userInfo: false },
      { name: 'info_only', idToken: false },
      { name: 'with_email', oidcScopes: [openid.scope('email')] },
      { name: 'with_either', oidcScopes: [openid.scope('phone'), openid.scope('email')] },
      { name: 'with_phone', oidcScopes: [openid.scope('phone')] },
    ])
    const bare = await toldOf(client)
    assert.deepEqual([bare.idToken, bare.userInfo], [{ id_only: 'x' }, { info_only: 'x' }])
    const { idToken, userInfo } = await toldOf(client, 'openid email')
    const { email, email_verified: _, ...others } = idToken
    assert.deepEqual([email, others], ['ada@example.com', { id_only: 'x', with_email: 'x', with_either: 'x' }])
    assert.deepEqual([userInfo['with_phone'], userInfo['with_email']], [undefined, 'x'])
  })

  test('they take the place of what a scope brings, and of what was asked for by itself', async () => {
    const client = await application([
      { name: 'email', value: 'masked@example.com' },
      { name: 'address', value: '${user.address.locality}' },
    ])
    const claims = JSON.stringify({ id_token: { email: null, given_name: null }, userinfo: { email: null } })
    const { idToken, userInfo } = await toldOf(client, 'openid email address', ada, { claims })
    for (const told of [idToken, userInfo]) {
      assert.deepEqual([told['email'], told['address']], ['masked@example.com', 'London'])
    }
    assert.deepEqual([idToken['given_name'], userInfo['given_name']], ['Ada', undefined])
  })

  test('A35: a mapped claim cannot be had by asking where its scope was not granted', async () => {
    const client = await application([{ name: 'secret', value: 'x', oidcScopes: [openid.scope('phone')] }], ['email'])
    const claims = JSON.stringify({ id_token: { secret: { essential: true } }, userinfo: { secret: null } })
    const { idToken, userInfo } = await toldOf(client, 'openid', ada, { claims })
    assert.deepEqual([idToken, userInfo], [{}, {}])
  })

  test('names that mean something to JavaScript are names as any other', async () => {
    const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty']
    const client = await application(names.map((name) => ({ name, value: `${name}!` })))
    await resource(
      client,
      'odd:read',
      names.map((name) => ({ name, value: `${name}!` })),
    )
    const { id_token, access_token } = await tokensOf(client, 'openid odd:read')
    for (const token of [id_token, access_token]) {
      const text = Buffer.from(token.split('.')[1], 'base64url').toString()
      for (const name of names) assert.ok(text.includes(`"${name}":"${name}!"`), `${name} in ${text}`)
    }
  })

  test('required: nothing is issued to somebody who has no value, and nothing is used up', async () => {
    const client = await application([{ name: 'title', value: '${user.title}', required: true }])
    assert.equal((await toldOf(client)).idToken['title'], 'Countess')
    const plain = await person(stile())
    const browser = new Browser(stile())
    const code = await obtainCode(browser, codeRequest(client), plain)
    expectRefusal(await redeemCode(stile(), client, code), 'invalid_request')
    expectStatus(await stile().api('PATCH', `/users/${plain.id}`, { title: 'Miss' }), 200)
    const tokens = expectStatus(await redeemCode(stile(), client, code), 200)
    assert.equal(decodeJwt(tokens.id_token)['title'], 'Miss')
    expectStatus(await stile().api('PATCH', `/users/${plain.id}`, { title: null }), 200)
    assert.equal((await userinfo(tokens.access_token)).status, 400)
    expectRefusal(await refreshTokens(stile(), client, tokens.refresh_token), 'invalid_request')
    expectStatus(await stile().api('PATCH', `/users/${plain.id}`, { title: 'Dame' }), 200)
    const next = expectStatus(await refreshTokens(stile(), client, tokens.refresh_token), 200)
    assert.equal(decodeJwt(next.id_token)['title'], 'Dame', 'the user as they are now')
  })

  test('required, in the front channel: the application is told by redirect, at once and after signing on', async () => {
    const client = await application([{ name: 'title', value: '${user.title}', required: true }])
    await change(stile(), client.clientId, { grantTypes: ['IMPLICIT'], responseTypes: ['ID_TOKEN'] })
    const plain = await person(stile())
    const request = codeRequest(client, { response_type: 'id_token', nonce: 'n', state: 's' })
    const browser = new Browser(stile())
    await authorizeBySignOnPage(browser, codeRequest(await register(stile())), plain)
    for (const answer of [
      await browser.authorize(request),
      await authorizeBySignOnPage(new Browser(stile()), request, plain),
    ]) {
      const parts = told(answer)
      assert.deepEqual(
        [parts.get('error'), parts.get('state'), parts.get('iss')],
        ['invalid_request', 's', stile().issuer],
      )
      assert.equal(parts.get('id_token'), null)
    }
  })

  test('sub: as the application has it, beside p1.userId; hints and requests still find the user', async () => {
    const client = await application([])
    await mapSubject(client, 'acct:${user.username}')
    const browser = new Browser(stile())
    const code = await obtainCode(browser, codeRequest(client, { scope: 'openid' }), ada)
    const { id_token, access_token } = expectStatus(await redeemCode(stile(), client, code), 200)
    const info = expectStatus(await userinfo(access_token), 200)
    for (const claims of [decodeJwt(id_token), info]) {
      assert.deepEqual([claims.sub, claims['p1.userId']], [`acct:${ada.username}`, ada.id])
    }
    assert.equal(decodeJwt(access_token).sub, ada.id, 'a token for the platform names the user by the id')
    const silently = (more: Record<string, string>) =>
      browser.authorize(codeRequest(client, { scope: 'openid', prompt: 'none', ...more }))
    assert.ok(told(await silently({ id_token_hint: id_token })).get('code'))
    await mapSubject(client, '${user.externalId}')
    expectRefusal(await redeemCode(stile(), client, codeOf(await silently({}))), 'invalid_request')
    await mapSubject(client, '${user.id}')
    const claims = decodeJwt((await tokensOf(client)).id_token)
    assert.deepEqual([claims.sub, claims['p1.userId']], [ada.id, undefined])
  })

  test('of a resource: claims of its access tokens, in the JWT and at introspection, and of no others', async () => {
    const client = await application([])
    await change(stile(), client.clientId, { requestScopesForMultipleResourcesEnabled: true })
    const orders = await resource(client, 'orders:read', [
      { name: 'tier', value: 'gold' },
      { name: 'who', value: '${user.username}' },
      { name: 'groups', value: '${user.memberOfGroupIDs}' },
      { name: 'nick', value: '${user.nickname}' },
      { name: 'shared', value: 'of orders' },
      // Words of an introspection's own.
      { name: 'active', value: 'no' },
      { name: 'token_type', value: 'none' },
    ])
    await resource(client, 'bills:read', [
      { name: 'shared', value: 'of bills' },
      { name: 'billing', value: 'yes' },
    ])
    const { access_token, id_token, refresh_token } = await tokensOf(client, 'openid orders:read')
    const claims = decodeJwt(access_token)
    assert.deepEqual(
      [claims['tier'], claims['who'], claims['nick'], claims['billing']],
      ['gold', ada.username, undefined, undefined],
    )
    assert.deepEqual(new Set(claims['groups'] as string[]), new Set(Object.values(groups)))
    assert.equal(decodeJwt(id_token)['tier'], undefined)
    const { secret } = expectStatus(await stile().api('GET', `/resources/${orders.id}/secret`), 200)
    const server = { clientId: orders.id, clientSecret: secret }
    const said = expectStatus(await sendForm(stile(), 'introspect', server, { token: access_token }), 200)
    assert.deepEqual([said.active, said.token_type, said.tier, said.who], [true, 'Bearer', 'gold', ada.username])
    expectStatus(await stile().api('PATCH', `/users/${ada.id}`, { nickname: 'Enchantress' }), 200)
    const next = expectStatus(await refreshTokens(stile(), client, refresh_token), 200)
    assert.equal(decodeJwt(next.access_token)['nick'], 'Enchantress', 'the user as they are now')
    expectStatus(await stile().api('PATCH', `/users/${ada.id}`, { nickname: null }), 200)
    const both = decodeJwt((await tokensOf(client, 'openid orders:read bills:read')).access_token)
    assert.equal(both['billing'], 'yes')
    assert.match(String(both['shared']), /^of (orders|bills)$/)
    const plain = decodeJwt((await tokensOf(client, 'openid')).access_token)
    assert.deepEqual([plain['tier'], plain['shared']], [undefined, undefined], 'a token for the platform')
  })

  test('of a resource, for an application by itself: text alone has a value', async () => {
    const client = await application([])
    const orders = await resource(client, 'orders:read', [
      { name: 'tier', value: 'gold' },
      { name: 'who', value: 'app ${user.username}' },
    ])
    const form = { grant_type: 'client_credentials', scope: 'orders:read' }
    const { access_token } = expectStatus(await sendForm(stile(), 'token', client, form), 200)
    const { tier, who, sub, aud } = decodeJwt(access_token)
    assert.deepEqual([tier, who, sub], ['gold', undefined, undefined])
    const { audience } = expectStatus(await stile().api('GET', `/resources/${orders.id}`), 200)
    assert.deepEqual(aud, [audience])
  })

  test('E22: whatever sub a resource has, the token acts for the user that it was issued to', async () => {
    const client = await application([])
    const orders = await resource(client, 'orders:read', [])
    const path = `/resources/${orders.id}/attributes`
    const [{ id }] = expectStatus(await stile().api('GET', path), 200)._embedded.attributes
    const victim = await person(stile())
    const setTo = async (value: string) =>
      expectStatus(await stile().api('PUT', `${path}/${id}`, { name: 'sub', value }), 200)
    await setTo(victim.id)
    const { access_token } = await tokensOf(client, 'openid orders:read')
    const claims = decodeJwt(access_token)
    assert.deepEqual([claims.sub, claims['p1.userId']], [victim.id, ada.id])
    assert.equal(expectStatus(await userinfo(access_token), 200).sub, ada.id)
    await setTo('${user.externalId}')
    const code = await obtainCode(new Browser(stile()), codeRequest(client, { scope: 'openid orders:read' }), ada)
    expectRefusal(await redeemCode(stile(), client, code), 'invalid_request')
    await setTo('${user.id}')
    assert.equal(decodeJwt(expectStatus(await redeemCode(stile(), client, code), 200).access_token).sub, ada.id)
  })

  test('of openid: values, switches and scopes of an administrator, in tokens and in discovery', async () => {
    const client = await application([])
    const discovered = async () =>
      expectStatus(await stile().send(new URL(stile().discoveryUrl).pathname), 200) as Record<string, string[]>
    const before = await discovered()
    assert.ok(!before['claims_supported']?.includes('website') && before['claims_supported']?.includes('locale'))
    await withOpenid('website', { value: 'https://people.test/${user.username}' }, async () => {
      assert.equal((await toldOf(client, 'openid profile')).idToken['website'], `https://people.test/${ada.username}`)
      assert.ok((await discovered())['claims_supported']?.includes('website'))
    })
    await withOpenid('locale', { value: '' }, async () => {
      assert.equal((await toldOf(client, 'openid profile')).userInfo['locale'], undefined)
      assert.ok(!(await discovered())['claims_supported']?.includes('locale'))
    })
    await withOpenid('locale', { idToken: false }, async () => {
      const claims = JSON.stringify({ id_token: { locale: { essential: true } } })
      const { idToken, userInfo } = await toldOf(client, 'openid profile', ada, { claims })
      assert.deepEqual([idToken['locale'], userInfo['locale']], [undefined, 'en-GB'], 'asked for or not')
    })
    await withOpenid('address.locality', { value: 'Paris' }, async () => {
      const { idToken } = await toldOf(client, 'openid address')
      assert.deepEqual(idToken['address'], { locality: 'Paris', country: 'GB', formatted: 'London\nGB' })
    })
  })

  test('of openid: a claim that somebody added comes with the scope that brings it, and by itself where that is granted', async () => {
    const client = await application([])
    const name = `badge-${randomUUID()}`
    const attribute = { name, value: 'B-${user.username}' }
    const { id } = expectStatus(await stile().api('POST', `/resources/${openid.id}/attributes`, attribute), 201)
    assert.equal((await toldOf(client, 'openid profile')).idToken[name], undefined)
    const scopeName = `badges-${randomUUID()}`
    const scope = { name: scopeName, mappedClaims: [id] }
    const { id: scopeId } = expectStatus(await stile().api('POST', `/resources/${openid.id}/scopes`, scope), 201)
    const grants = `/applications/${client.clientId}/grants`
    const [present] = expectStatus(await stile().api('GET', grants), 200)._embedded.grants
    const asking = { claims: JSON.stringify({ userinfo: { [name]: null } }) }
    assert.equal((await toldOf(client, 'openid', ada, asking)).userInfo[name], undefined, 'A35')
    const scopes = [...present.scopes, { id: scopeId }]
    expectStatus(await stile().api('PUT', `${grants}/${present.id}`, { resource: { id: openid.id }, scopes }), 200)
    const brought = await toldOf(client, `openid ${scopeName}`)
    assert.deepEqual([brought.idToken[name], brought.userInfo[name]], [`B-${ada.username}`, `B-${ada.username}`])
    const asked = await toldOf(client, 'openid', ada, asking)
    assert.deepEqual([asked.idToken[name], asked.userInfo[name]], [undefined, `B-${ada.username}`])
    const { claims_supported, scopes_supported } = expectStatus(
      await stile().send(new URL(stile().discoveryUrl).pathname),
      200,
    )
    assert.ok(claims_supported.includes(name) && scopes_supported.includes(scopeName))
  })

  test('a change is in the next token, without a restart', async () => {
    const client = await application([])
    const { id } = await map(client, { name: 'plan', value: 'silver' })
    assert.equal((await toldOf(client)).idToken['plan'], 'silver')
    const path = `/applications/${client.clientId}/attributes/${id}`
    expectStatus(await stile().api('PUT', path, { name: 'plan', value: 'gold', required: false }), 200)
    assert.equal((await toldOf(client)).userInfo['plan'], 'gold')
    expectStatus(await stile().api('DELETE', path), 204)
    assert.equal((await toldOf(client)).idToken['plan'], undefined)
  })
})
