/** Scopes over HTTP: platform-api 3.11.2, 3.11.4; rows N04, N08, N14. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { type Stile, startStile } from '../harness/stile.ts'
import { sentMembers } from './members.ts'
import { workerBody } from './worker.ts'

suite('scopes', () => {
  let stile: Stile
  let custom: string
  let openid: string
  let pingOneApi: string
  before(async () => {
    stile = await startStile()
    custom = (await stile.api('POST', '/resources', { name: 'orders' })).json.id
    const { json } = await stile.api('GET', '/resources')
    const named = (name: string) => json._embedded.resources.find((one: { name: string }) => one.name === name).id
    openid = named('openid')
    pingOneApi = named('PingOne API')
  })
  after(() => stile.close())

  const create = async (resourceId: string, body: object) => {
    const answer = await stile.api('POST', `/resources/${resourceId}/scopes`, body)
    assert.equal(answer.status, 201, answer.text)
    return answer.json
  }
  const scopesOf = async (resourceId: string): Promise<{ id: string; name: string; description?: string }[]> =>
    (await stile.api('GET', `/resources/${resourceId}/scopes`)).json._embedded.scopes

  test('are created, read, replaced, listed and deleted', async () => {
    const sent = { name: 'orders:read', description: 'Reads orders.' }
    const created = await stile.api('POST', `/resources/${custom}/scopes`, sent)
    assert.equal(created.status, 201, created.text)
    const { _links, id, environment } = created.json
    assert.deepEqual(sentMembers(created.json), { ...sent, resource: { id: custom } })
    assert.deepEqual(environment, { id: stile.environmentId })
    assert.equal(created.headers.get('location'), _links.self.href)
    const path = `/resources/${custom}/scopes/${id}`
    assert.deepEqual((await stile.api('GET', path)).json, created.json)
    const replaced = await stile.api('PUT', path, { name: 'orders:list' })
    assert.equal(replaced.status, 200, replaced.text)
    assert.deepEqual([replaced.json.name, replaced.json.description], ['orders:list', undefined])
    assert.deepEqual(await scopesOf(custom), [replaced.json])
    assert.equal((await stile.api('DELETE', path)).status, 204)
    assert.equal((await stile.api('DELETE', path)).status, 404)
  })

  test('names are unique in their resource', async () => {
    await create(custom, { name: 'twice' })
    const again = await stile.api('POST', `/resources/${custom}/scopes`, { name: 'twice' })
    assert.deepEqual(
      [again.status, again.json.details[0].code, again.json.details[0].target],
      [400, 'UNIQUENESS_VIOLATION', 'name'],
    )
    const { id } = await create(custom, { name: 'thrice' })
    const renamed = await stile.api('PUT', `/resources/${custom}/scopes/${id}`, { name: 'twice' })
    assert.equal(renamed.json.details[0].code, 'UNIQUENESS_VIOLATION')
    await create(openid, { name: 'twice' })
  })

  test('N08: a scope of a custom resource never reads like one of the platform', async () => {
    for (const name of ['openid', 'profile', 'email', 'offline_access', 'p1:update:user', 'P1:read:user']) {
      const { status, json } = await stile.api('POST', `/resources/${custom}/scopes`, { name })
      assert.equal(status, 400, name)
      assert.equal(json.details[0].target, 'name')
    }
    const { id } = await create(custom, { name: 'harmless' })
    const renamed = await stile.api('PUT', `/resources/${custom}/scopes/${id}`, { name: 'p1:update:user' })
    assert.equal(renamed.status, 400)
  })

  test('what is not a scope-token, or promises what is not there, is refused', async () => {
    const refused: readonly (readonly [string, object, string])[] = [
      [custom, { name: 'a b' }, 'name'],
      [custom, { name: '' }, 'name'],
      [custom, { name: 'ü' }, 'name'],
      [custom, { name: 'a"b' }, 'name'],
      [custom, { name: 'x'.repeat(257) }, 'name'],
      [custom, { name: 'x', schemaAttributes: ['*'] }, 'schemaAttributes'],
      [custom, { name: 'x', mappedClaims: [] }, 'mappedClaims'],
      [openid, { name: 'x', mappedClaims: ['0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f'] }, 'mappedClaims.0'],
      [pingOneApi, { name: 'orders:read' }, 'name'],
      [pingOneApi, { name: 'p1:delete:user:name' }, 'name'],
      [pingOneApi, { name: 'p1:read:user' }, 'name'],
      [pingOneApi, { name: 'p1:read:user:name', schemaAttributes: ['name.given'] }, 'schemaAttributes.0'],
    ]
    for (const [resourceId, body, target] of refused) {
      const { status, json } = await stile.api('POST', `/resources/${resourceId}/scopes`, body)
      assert.equal(status, 400, JSON.stringify(body))
      assert.equal(json.details[0].target, target)
    }
    const added = await create(pingOneApi, { name: 'p1:read:user:name', schemaAttributes: ['*'] })
    assert.deepEqual(added.schemaAttributes, ['*'])
    assert.deepEqual((await create(openid, { name: 'loyalty', mappedClaims: [] })).mappedClaims, [])
  })

  test('those that came with the environment can only be told again what they are', async () => {
    for (const [resourceId, name, reset] of [
      [openid, 'profile', { mappedClaims: [] }],
      [pingOneApi, 'p1:read:user', { schemaAttributes: ['*'] }],
    ] as const) {
      const present = (await scopesOf(resourceId)).find((one) => one.name === name)
      assert.ok(present?.description)
      const path = `/resources/${resourceId}/scopes/${present.id}`
      const same = await stile.api('PUT', path, { name, description: present.description, ...reset })
      assert.equal(same.status, 200, same.text)
      assert.equal(same.json.description, present.description)
      for (const change of [{ name: 'other' }, { name, description: 'Something else.' }]) {
        assert.equal((await stile.api('PUT', path, change)).status, 400)
      }
      const deleted = await stile.api('DELETE', path)
      assert.equal(deleted.json.details[0].code, 'CONSTRAINT_VIOLATION')
      const { name: kept, description } = (await stile.api('GET', path)).json
      assert.deepEqual([kept, description], [present.name, present.description])
    }
  })

  test('a deleted one is taken from every grant; a grant left with none goes', async () => {
    const one = await create(custom, { name: 'one' })
    const two = await create(custom, { name: 'two' })
    const application = (await stile.api('POST', '/applications', workerBody('Holder'))).json.id
    const sent = { resource: { id: custom }, scopes: [{ id: one.id }, { id: two.id }] }
    assert.equal((await stile.api('POST', `/applications/${application}/grants`, sent)).status, 201)
    const grants = async () => (await stile.api('GET', `/applications/${application}/grants`)).json._embedded.grants
    await stile.api('DELETE', `/resources/${custom}/scopes/${one.id}`)
    assert.deepEqual((await grants())[0].scopes, [{ id: two.id }])
    await stile.api('DELETE', `/resources/${custom}/scopes/${two.id}`)
    assert.deepEqual(await grants(), [])
  })

  test('N04: a scope is found through its own resource alone', async () => {
    const { id } = await create(custom, { name: 'mine' })
    const other = (await stile.api('POST', '/resources', { name: 'other' })).json.id
    const path = `/resources/${other}/scopes/${id}`
    const answers = [
      await stile.api('GET', path),
      await stile.api('PUT', path, { name: 'stolen' }),
      await stile.api('DELETE', path),
      await stile.api('POST', '/resources/0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f/scopes', { name: 'lost' }),
    ]
    for (const { status } of answers) assert.equal(status, 404)
    assert.equal((await stile.api('GET', `/resources/${custom}/scopes/${id}`)).json.name, 'mine')
  })

  test('N14: read-only members are ignored', async () => {
    const other = '0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f'
    const readOnly = { id: other, environment: { id: other }, resource: { id: other }, createdAt: 'x', _links: {} }
    const made = await create(custom, { name: 'assigned', ...readOnly })
    assert.notEqual(made.id, other)
    assert.deepEqual([made.resource.id, made.environment.id], [custom, stile.environmentId])
    const again = await stile.api('PUT', `/resources/${custom}/scopes/${made.id}`, { ...made, ...readOnly })
    assert.deepEqual(again.json, { ...made, updatedAt: again.json.updatedAt })
  })
})
