/** Resources over HTTP: platform-api 3.11; rows N02, N14. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { sentMembers } from './members.ts'
import { workerBody, workerWith } from './worker.ts'

const defaults = {
  type: 'CUSTOM',
  accessTokenValiditySeconds: 3600,
  introspectEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
  applicationPermissionsSettings: { claimEnabled: false },
  accessTokenFormat: 'JWT',
}

suite('resources', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const create = async (body: object) => {
    const answer = await stile.api('POST', '/resources', body)
    assert.equal(answer.status, 201, answer.text)
    return answer.json
  }
  const builtIn = async (name: string) => {
    const { json } = await stile.api('GET', '/resources')
    return json._embedded.resources.find((one: { name: string }) => one.name === name)
  }

  test('are created, read, replaced, listed and deleted', async () => {
    const sent = {
      ...defaults,
      name: 'orders-api',
      description: 'Orders.',
      audience: 'https://orders.test/api',
      accessTokenValiditySeconds: 300,
    }
    const created = await stile.api('POST', '/resources', sent)
    assert.equal(created.status, 201, created.text)
    const { _links, id, environment } = created.json
    assert.deepEqual(sentMembers(created.json), sent)
    assert.deepEqual(environment, { id: stile.environmentId })
    assert.equal(created.headers.get('location'), _links.self.href)
    assert.equal((await stile.api('GET', new URL(_links.scopes.href).pathname)).status, 200)
    assert.deepEqual((await stile.api('GET', `/resources/${id}`)).json, created.json)

    const replaced = await stile.api('PUT', `/resources/${id}`, { name: 'orders-v2' })
    assert.equal(replaced.status, 200, replaced.text)
    const { name, audience, description } = replaced.json
    assert.deepEqual([name, audience, description], ['orders-v2', 'orders-v2', undefined])
    const { json } = await stile.api('GET', '/resources')
    assert.ok(json._embedded.resources.some((one: object) => JSON.stringify(one) === JSON.stringify(replaced.json)))
    assert.equal(json.size, json.count)

    assert.equal((await stile.api('DELETE', `/resources/${id}`)).status, 204)
    assert.equal((await stile.api('DELETE', `/resources/${id}`)).status, 404)
    assert.equal((await stile.api('GET', `/resources/${id}/scopes`)).status, 404)
  })

  test('get the documented defaults; the audience is the name', async () => {
    assert.deepEqual(sentMembers(await create({ name: 'plain' })), { ...defaults, name: 'plain', audience: 'plain' })
  })

  test('the built-in ones are there, without the members of custom ones, and stay as they are', async () => {
    for (const [name, type] of [
      ['openid', 'OPENID_CONNECT'],
      ['PingOne API', 'PINGONE_API'],
    ] as const) {
      const resource = await builtIn(name)
      assert.equal(resource.type, type)
      for (const member of ['audience', 'accessTokenValiditySeconds', 'introspectEndpointAuthMethod']) {
        assert.ok(!(member in resource), member)
      }
      const path = `/resources/${resource.id}`
      for (const answer of [await stile.api('PUT', path, { name: 'mine' }), await stile.api('DELETE', path)]) {
        assert.equal(answer.status, 400)
        assert.equal(answer.json.details[0].code, 'CONSTRAINT_VIOLATION')
      }
      const taken = await stile.api('POST', '/resources', { name, audience: `urn:${name.length}` })
      assert.equal(taken.json.details[0].code, 'UNIQUENESS_VIOLATION')
      const another = await stile.api('POST', '/resources', { name: 'another', type })
      assert.equal(another.status, 400)
      assert.deepEqual(another.json.details[0].innerError.allowedValues, ['CUSTOM'])
    }
  })

  test('name and audience are unique, on creation and replacement', async () => {
    await create({ name: 'first', audience: 'urn:first' })
    const { id } = await create({ name: 'second' })
    const clashes: readonly (readonly [object, string])[] = [
      [{ name: 'first', audience: 'urn:other' }, 'name'],
      [{ name: 'third', audience: 'urn:first' }, 'audience'],
    ]
    for (const [body, target] of clashes) {
      for (const answer of [
        await stile.api('POST', '/resources', body),
        await stile.api('PUT', `/resources/${id}`, body),
      ]) {
        assert.equal(answer.status, 400)
        const [detail] = answer.json.details
        assert.deepEqual([detail.code, detail.target], ['UNIQUENESS_VIOLATION', target])
      }
    }
    assert.equal((await stile.api('PUT', `/resources/${id}`, { name: 'second' })).status, 200, 'its own audience')
  })

  test('what is not allowed is refused and named', async () => {
    const { authUrl, apiUrl } = stile
    const refused: readonly (readonly [object, string])[] = [
      [{ audience: 'https://api.PingOne.com' }, 'audience'],
      [{ audience: 'pingidentity' }, 'audience'],
      [{ name: 'My PingOne' }, 'name'],
      [{ audience: 'https://orders.test/#f' }, 'audience'],
      [{ audience: 'a\nb' }, 'audience'],
      [{ audience: '' }, 'audience'],
      [{ audience: apiUrl }, 'audience'],
      [{ audience: `${authUrl.toUpperCase()}/${stile.environmentId}/as` }, 'audience'],
      [{ accessTokenValiditySeconds: 299 }, 'accessTokenValiditySeconds'],
      [{ accessTokenValiditySeconds: 2_592_001 }, 'accessTokenValiditySeconds'],
      [{ accessTokenValiditySeconds: '3600' }, 'accessTokenValiditySeconds'],
      [{ introspectEndpointAuthMethod: 'PRIVATE_KEY_JWT' }, 'introspectEndpointAuthMethod'],
      [{ applicationPermissionsSettings: { claimEnabled: true } }, 'applicationPermissionsSettings.claimEnabled'],
      [{ clientId: '0123456789' }, 'clientId'],
      [{ description: '<b>' }, 'description'],
      [{ name: '' }, 'name'],
      [{ name: ' ' }, 'name'],
      [{ name: 'x'.repeat(257) }, 'name'],
      [{ name: 'a\u0007b' }, 'name'],
    ]
    for (const [change, target] of refused) {
      const { status, json } = await stile.api('POST', '/resources', { name: 'refused', ...change })
      assert.equal(status, 400, JSON.stringify(change))
      assert.equal(json.details[0].target, target)
    }
  })

  test('its validity is the life of its access tokens, at once', async () => {
    const { id, audience } = await create({ name: 'short', accessTokenValiditySeconds: 300 })
    const scope = (await stile.api('POST', `/resources/${id}/scopes`, { name: 'short:read' })).json
    const application = (await stile.api('POST', '/applications', workerBody('Short'))).json.id
    await stile.api('POST', `/applications/${application}/grants`, { resource: { id }, scopes: [{ id: scope.id }] })
    const { secret } = (await stile.api('GET', `/applications/${application}/secret`)).json
    const token = async () => {
      const { json } = await stile.send(`/${stile.environmentId}/as/token`, {
        body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'short:read' }),
        headers: { authorization: basic(application, secret) },
      })
      const payload: string = json.access_token.split('.')[1]
      return { expiresIn: json.expires_in, aud: JSON.parse(Buffer.from(payload, 'base64url').toString()).aud }
    }
    assert.deepEqual(await token(), { expiresIn: 300, aud: [audience] })
    const change = { name: 'short', audience: 'urn:short', accessTokenValiditySeconds: 600 }
    await stile.api('PUT', `/resources/${id}`, change)
    assert.deepEqual(await token(), { expiresIn: 600, aud: ['urn:short'] })

    assert.equal((await stile.api('DELETE', `/resources/${id}`)).status, 204)
    const { json } = await stile.api('GET', `/applications/${application}/grants`)
    assert.deepEqual(json._embedded.grants, [], 'grants go with their resource')
  })

  test('N14: read-only members are ignored', async () => {
    const other = '0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f'
    const readOnly = {
      id: other,
      environment: { id: other },
      createdAt: 'x',
      clientSecret: 'CANARY-secret',
      _links: {},
    }
    const made = await create({ name: 'assigned', ...readOnly })
    assert.notEqual(made.id, other)
    assert.equal(made.environment.id, stile.environmentId)
    assert.ok(!JSON.stringify(made).includes('CANARY'))
    const again = await stile.api('PUT', `/resources/${made.id}`, { ...made, ...readOnly })
    assert.deepEqual([again.json.id, again.json.createdAt], [made.id, made.createdAt])
  })

  test('are for readers to read and for administrators to change', async () => {
    const { token } = await workerWith(stile, 'Reader', 'Client Application Developer')
    assert.equal((await stile.api('GET', '/resources', undefined, { token })).status, 200)
    assert.equal((await stile.api('POST', '/resources', { name: 'forbidden' }, { token })).status, 403)
    assert.equal((await stile.api('GET', '/resources', undefined, { token: null })).status, 401)
  })
})
