/** Identity providers and their attribute mappings (platform-api 3.13, 4.5 step 16). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { identityProviderTypes } from '../../src/flow/identity-provider.ts'
import type { Stile } from '../harness/stile.ts'
import { echoOf, type Json } from './echo.ts'
import { addPopulation, administrator, onEachEngine } from './people.ts'

const uniqueName = () => `Provider ${randomUUID()}`

/** As Terraform sends it. */
const partner = () => ({
  name: uniqueName(),
  enabled: true,
  type: 'OPENID_CONNECT',
  clientId: 'stile',
  clientSecret: `CANARY-${randomUUID()}`,
  authorizationEndpoint: 'https://idp.example/authorize',
  issuer: 'https://idp.example',
  jwksEndpoint: 'https://idp.example/jwks',
  tokenEndpoint: 'https://idp.example/token',
  scopes: ['openid'],
  pkceMethod: 'NONE',
  tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
})

const byType: Readonly<Record<string, object>> = {
  FACEBOOK: { appId: 'app', appSecret: 'CANARY-facebook' },
  MICROSOFT: { clientId: 'client', clientSecret: 'CANARY-microsoft', tenantId: 'contoso.example' },
  APPLE: { clientId: 'client', clientSecretSigningKey: 'CANARY-apple', keyId: 'key', teamId: 'team' },
  PAYPAL: { clientId: 'client', clientSecret: 'CANARY-paypal', clientEnvironment: 'sandbox' },
}

await onEachEngine('identity providers', (stile) => {
  const api = (...call: Parameters<Stile['api']>) => stile().api(...call)
  const create = async (body: object = partner()): Promise<Json> => {
    const { status, json, text } = await api('POST', '/identityProviders', body)
    assert.equal(status, 200, text)
    return json
  }
  const detailsOf = async (method: string, path: string, body?: unknown): Promise<Json[]> => {
    const { status, json, text } = await api(method, path, body)
    assert.equal(status, 400, text)
    return json.details.map(({ code, target }: Json) => [code, target])
  }

  test('come back as they were sent', async () => {
    const sent = {
      ...partner(),
      description: 'A partner',
      discoveryEndpoint: 'https://idp.example/.well-known/openid-configuration',
      userInfoEndpoint: 'https://idp.example/userinfo',
      icon: { id: 'i', href: 'https://idp.example/icon.png' },
      registration: { population: { id: await addPopulation(stile()) } },
      trustedEmailDomains: ['corp.example'],
    }
    const created = await create(sent)
    assert.deepEqual(echoOf(created), sent)
    const read = await api('GET', `/identityProviders/${created.id}`)
    assert.deepEqual(read.json, created)
    const listed = await api('GET', `/identityProviders?filter=${encodeURIComponent(`id eq "${created.id}"`)}`)
    assert.deepEqual(listed.json._embedded.identityProviders, [created])
    const changed = { ...sent, enabled: false, clientSecret: 'another', icon: null, scopes: ['openid', 'email'] }
    const replaced = await api('PUT', `/identityProviders/${created.id}`, changed)
    const { icon: _, ...expected } = changed
    assert.deepEqual(echoOf(replaced.json), expected)
    assert.equal((await api('DELETE', `/identityProviders/${created.id}`)).status, 204)
    assert.equal((await api('GET', `/identityProviders/${created.id}`)).status, 404)
    assert.equal((await api('PUT', `/identityProviders/${created.id}`, sent)).status, 404)
  })

  for (const type of identityProviderTypes.filter((each) => each !== 'OPENID_CONNECT')) {
    test(`${type} needs no endpoints and begins with its username`, async () => {
      const members = byType[type] ?? { clientId: 'client', clientSecret: 'CANARY-social' }
      const sent = { name: uniqueName(), enabled: false, type, ...members }
      const { id, ...created } = await create(sent)
      assert.deepEqual(echoOf(created), sent)
      const { json } = await api('GET', `/identityProviders/${id}/attributes`)
      const [username] = json._embedded.attributes
      assert.equal(json._embedded.attributes.length, 1)
      assert.deepEqual(
        [username.name, username.mappingType, username.update, username.identityProvider.id],
        ['username', 'CORE', 'EMPTY_ONLY', id],
      )
      const claim: Record<string, string> = {
        GOOGLE: 'emailAddress.value',
        FACEBOOK: 'email',
        LINKEDIN: 'emailAddress',
        AMAZON: 'user_id',
        PAYPAL: 'user_id',
        GITHUB: 'id',
        MICROSOFT: 'id',
        TWITTER: 'id',
      }
      assert.equal(username.value, `\${providerAttributes.${claim[type] ?? 'sub'}}`)
    })
  }

  test('M27, M28, M30: there is no SAML; it and unknown types are refused by name; a type cannot change', async () => {
    const saml = await api('POST', '/identityProviders', { ...partner(), type: 'SAML' })
    assert.equal(saml.status, 400)
    assert.deepEqual([saml.json.details[0].code, saml.json.details[0].target], ['INVALID_VALUE', 'type'])
    assert.match(saml.json.details[0].message, /SAML is not available/)
    assert.deepEqual(await detailsOf('POST', '/identityProviders', { ...partner(), type: 'OTHER' }), [
      ['INVALID_VALUE', 'type'],
    ])
    const { id } = await create()
    const google = { name: uniqueName(), enabled: true, type: 'GOOGLE', clientId: 'c', clientSecret: 's' }
    assert.deepEqual(await detailsOf('PUT', `/identityProviders/${id}`, google), [['INVALID_VALUE', 'type']])
  })

  test('required members, unique names and populations that exist', async () => {
    const { clientSecret: _, ...withoutSecret } = partner()
    assert.deepEqual(await detailsOf('POST', '/identityProviders', withoutSecret), [['REQUIRED_VALUE', 'clientSecret']])
    const { name } = await create()
    assert.deepEqual(await detailsOf('POST', '/identityProviders', { ...partner(), name }), [
      ['UNIQUENESS_VIOLATION', 'name'],
    ])
    const registration = { population: { id: randomUUID() } }
    assert.deepEqual(await detailsOf('POST', '/identityProviders', { ...partner(), registration }), [
      ['INVALID_VALUE', 'registration.population.id'],
    ])
  })

  test('G01, G02, G05, G06, G15: addresses that the server must not ask are refused when written', async () => {
    const members = ['issuer', 'discoveryEndpoint', 'jwksEndpoint', 'tokenEndpoint', 'userInfoEndpoint']
    const urls = [
      'https://10.0.0.1/x',
      'https://169.254.169.254/latest',
      'https://[fd00:ec2::254]/',
      'https://192.168.0.1/',
      'https://0xa000001/',
      'https://user@idp.example/',
      'file:///etc/passwd',
      'gopher://idp.example/',
      'https://idp.example/\r\nX: y',
      'not an address',
    ]
    for (const member of members) {
      for (const url of urls) {
        assert.deepEqual(
          await detailsOf('POST', '/identityProviders', { ...partner(), [member]: url }),
          [['INVALID_VALUE', member]],
          url,
        )
      }
    }
    for (const url of ['javascript:alert(1)', 'http://idp.example/authorize', 'data:text/html,x']) {
      assert.deepEqual(await detailsOf('POST', '/identityProviders', { ...partner(), authorizationEndpoint: url }), [
        ['INVALID_VALUE', 'authorizationEndpoint'],
      ])
    }
  })

  test('G10, N26: the secret is masked for whoever may only read, and the mask is no secret', async () => {
    const sent = partner()
    const { id } = await create(sent)
    const place = { type: 'ENVIRONMENT', id: stile().environmentId } as const
    const reader = await administrator(stile(), { role: 'Configuration Read Only', ...place })
    const read = await api('GET', `/identityProviders/${id}`, undefined, { token: reader })
    assert.equal(read.status, 200)
    assert.equal(read.json.clientSecret, '********')
    assert.doesNotMatch(read.text, /CANARY/)
    const listed = await api('GET', '/identityProviders', undefined, { token: reader })
    assert.doesNotMatch(listed.text, /CANARY/)
    const moved = { ...sent, tokenEndpoint: 'https://evil.example/token', clientSecret: '********' }
    assert.deepEqual(await detailsOf('PUT', `/identityProviders/${id}`, moved), [['INVALID_VALUE', 'clientSecret']])
    assert.equal((await api('GET', `/identityProviders/${id}`)).json.tokenEndpoint, sent.tokenEndpoint)
    const refused = await api('PUT', `/identityProviders/${id}`, sent, { token: reader })
    assert.equal(refused.status, 403)
  })

  test('the secret lies sealed in storage and stands in no event', async () => {
    const sent = partner()
    const { id } = await create(sent)
    const { storage } = stile().node.kernel
    const rows = await storage.read({
      text: 'SELECT document, sealed_secret FROM identity_providers WHERE id = $1',
      values: [id],
    })
    assert.equal(rows.length, 1)
    assert.doesNotMatch(JSON.stringify(rows), /CANARY/)
    const events = await storage.read({
      text: 'SELECT action, document FROM events WHERE subject_id = $1',
      values: [id],
    })
    assert.equal((events[0] as Json).action, 'IDENTITY_PROVIDER.CREATED')
    assert.doesNotMatch(JSON.stringify(events), /CANARY/)
  })

  test('a provider that a sign-on policy refers to stays', async () => {
    const { id } = await create()
    const policy = await api('POST', '/signOnPolicies', { name: `P-${randomUUID()}` })
    const action = { type: 'LOGIN', priority: 1, socialProviders: [{ id }] }
    const added = await api('POST', `/signOnPolicies/${policy.json.id}/actions`, action)
    assert.equal(added.status, 201, added.text)
    assert.equal((await api('DELETE', `/identityProviders/${id}`)).status, 400)
    const unknown = { ...action, socialProviders: [{ id: randomUUID() }] }
    assert.deepEqual(await detailsOf('POST', `/signOnPolicies/${policy.json.id}/actions`, unknown), [
      ['INVALID_VALUE', 'socialProviders[0].id'],
    ])
  })

  test('attributes are mapped, changed and removed; the username stays', async () => {
    const { id } = await create()
    const path = `/identityProviders/${id}/attributes`
    const sent = { name: 'name.given', value: '${providerAttributes.given_name}', update: 'ALWAYS' }
    const { json: created, status } = await api('POST', path, sent)
    assert.equal(status, 201)
    assert.deepEqual(echoOf(created), { ...sent, identityProvider: { id }, mappingType: 'CUSTOM' })
    assert.deepEqual((await api('GET', `${path}/${created.id}`)).json, created)
    assert.deepEqual(await detailsOf('POST', path, sent), [['UNIQUENESS_VIOLATION', 'name']])
    const changed = { ...sent, value: 'Dr ${providerAttributes.a} ${providerAttributes.b}', update: 'EMPTY_ONLY' }
    assert.equal((await api('PUT', `${path}/${created.id}`, changed)).json.value, changed.value)
    const [username] = (await api('GET', path)).json._embedded.attributes
    assert.equal((await api('DELETE', `${path}/${username.id}`)).status, 400)
    assert.deepEqual(await detailsOf('PUT', `${path}/${username.id}`, sent), [['CONSTRAINT_VIOLATION', 'name']])
    const remapped = { name: 'username', value: '${providerAttributes.preferred_username}' }
    assert.equal((await api('PUT', `${path}/${username.id}`, remapped)).json.mappingType, 'CORE')
    assert.equal((await api('DELETE', `${path}/${created.id}`)).status, 204)
    assert.equal((await api('GET', path)).json.count, 1)
  })

  test('M17: nothing that decides what a user may do can be mapped', async () => {
    const { id } = await create()
    const path = `/identityProviders/${id}/attributes`
    const names = 'account id created updated lifecycle mfaEnabled enabled population population.id roles verifyStatus'
    for (const name of [...names.split(' '), 'emailVerified', 'identityProvider', '__proto__', 'constructor', 'name']) {
      assert.deepEqual(
        await detailsOf('POST', path, { name, value: '${providerAttributes.x}' }),
        [['INVALID_VALUE', 'name']],
        name,
      )
    }
    for (const value of ['plain', '${user.id}', '${providerAttributes.a}${env.X}', '${providerAttributes.a b}']) {
      assert.deepEqual(await detailsOf('POST', path, { name: 'title', value }), [['INVALID_VALUE', 'value']], value)
    }
  })
})
