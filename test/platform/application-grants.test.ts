/** Grants over HTTP: platform-api 3.9; rows N02, N04, N14. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { sentMembers } from './members.ts'
import { workerBody } from './worker.ts'

type Named = { id: string; name: string }

suite('application grants', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const create = async (path: string, body: object) => {
    const answer = await stile.api('POST', path, body)
    assert.equal(answer.status, 201, answer.text)
    return answer.json
  }
  const application = (name: string, change: object = {}) => create('/applications', { ...workerBody(name), ...change })
  /** A custom resource with scopes of these names. */
  const resource = async (name: string, ...scopes: string[]) => {
    const { id } = await create('/resources', { name })
    const made = []
    for (const scope of scopes)
      made.push({ id: (await create(`/resources/${id}/scopes`, { name: scope })).id as string })
    return { id: id as string, scopes: made }
  }
  const builtIn = async (name: string) => {
    const { json } = await stile.api('GET', '/resources')
    const { id } = json._embedded.resources.find((one: Named) => one.name === name)
    const scopes: Named[] = (await stile.api('GET', `/resources/${id}/scopes`)).json._embedded.scopes
    return { id: id as string, scope: (wanted: string) => ({ id: scopes.find((one) => one.name === wanted)?.id }) }
  }

  test('are created, read, replaced, listed and deleted', async () => {
    const { id } = await application('Shop')
    const orders = await resource('orders', 'read', 'write')
    const sent = { resource: { id: orders.id }, scopes: orders.scopes }
    const created = await stile.api('POST', `/applications/${id}/grants`, sent)
    assert.equal(created.status, 201, created.text)
    const { _links, id: grantId, environment } = created.json
    assert.deepEqual(sentMembers(created.json), { ...sent, application: { id } })
    assert.deepEqual(environment, { id: stile.environmentId })
    assert.deepEqual(Object.keys(_links), ['self', 'environment', 'application', 'resource'])
    assert.equal(created.headers.get('location'), _links.self.href)
    const path = `/applications/${id}/grants/${grantId}`
    assert.deepEqual((await stile.api('GET', path)).json, created.json)

    const less = await stile.api('PUT', path, { ...sent, scopes: [orders.scopes[1]] })
    assert.equal(less.status, 200, less.text)
    assert.deepEqual(less.json.scopes, [orders.scopes[1]])
    const listed = await stile.api('GET', `/applications/${id}/grants`)
    assert.deepEqual(listed.json._embedded.grants, [less.json])
    assert.equal(listed.json.count, 1)

    assert.equal((await stile.api('DELETE', path)).status, 204)
    assert.equal((await stile.api('DELETE', path)).status, 404)
    assert.deepEqual((await stile.api('GET', `/applications/${id}/grants`)).json._embedded.grants, [])
  })

  test('decide, at once, what a token of the application holds', async () => {
    const { id } = await application('Tokens')
    const { secret } = (await stile.api('GET', `/applications/${id}/secret`)).json
    const stock = await resource('stock', 'stock:read', 'stock:write')
    const token = (scope: string) =>
      stile.send(`/${stile.environmentId}/as/token`, {
        body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
        headers: { authorization: basic(id, secret) },
      })
    assert.equal((await token('stock:read')).status, 400)
    const grant = await create(`/applications/${id}/grants`, { resource: { id: stock.id }, scopes: [stock.scopes[0]] })
    assert.equal((await token('stock:read stock:write')).json.scope, 'stock:read')
    await stile.api('DELETE', `/applications/${id}/grants/${grant.id}`)
    assert.equal((await token('stock:read')).status, 400)
  })

  test('are one per resource', async () => {
    const { id } = await application('Twice')
    const { id: resourceId, scopes } = await resource('twice', 'once')
    const sent = { resource: { id: resourceId }, scopes }
    const answers = await Promise.all([1, 2, 3].map(() => stile.api('POST', `/applications/${id}/grants`, sent)))
    assert.equal(answers.filter(({ status }) => status === 201).length, 1)
    const refused = answers.find(({ status }) => status === 400)
    assert.equal(refused?.json.details[0].code, 'UNIQUENESS_VIOLATION')
    assert.equal(refused?.json.details[0].target, 'resource')
  })

  test('hold scopes of their resource alone, and never openid', async () => {
    const { id } = await application('Strict')
    const mine = await resource('mine', 'own')
    const other = await resource('other', 'foreign')
    const openid = await builtIn('openid')
    const unknown = { id: '0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f' }
    const refused: readonly (readonly [object, string])[] = [
      [{ resource: { id: mine.id }, scopes: [...mine.scopes, ...other.scopes] }, 'scopes.1.id'],
      [{ resource: { id: mine.id }, scopes: [unknown] }, 'scopes.0.id'],
      [{ resource: unknown, scopes: mine.scopes }, 'resource.id'],
      [{ resource: { id: openid.id }, scopes: [openid.scope('profile'), openid.scope('openid')] }, 'scopes.1.id'],
      [{ resource: { id: mine.id }, scopes: [] }, 'scopes'],
      [{ resource: { id: mine.id } }, 'scopes'],
      [{ scopes: mine.scopes }, 'resource'],
    ]
    for (const [body, target] of refused) {
      const { status, json } = await stile.api('POST', `/applications/${id}/grants`, body)
      assert.equal(status, 400, target)
      assert.equal(json.details[0].target, target)
    }
    const made = await create(`/applications/${id}/grants`, {
      resource: { id: openid.id },
      scopes: [openid.scope('profile'), openid.scope('email'), openid.scope('profile')],
    })
    assert.equal(made.scopes.length, 2)
    const moved = await stile.api('PUT', `/applications/${id}/grants/${made.id}`, {
      resource: { id: mine.id },
      scopes: mine.scopes,
    })
    assert.equal(moved.status, 400)
    assert.equal(moved.json.details[0].target, 'resource.id')
  })

  test('are on one custom resource, unless requests may name scopes of several', async () => {
    const one = await resource('one', 'a')
    const two = await resource('two', 'b')
    const grantOn = (id: string, on: typeof one) =>
      stile.api('POST', `/applications/${id}/grants`, { resource: { id: on.id }, scopes: on.scopes })
    const single = await application('Single')
    const openid = await builtIn('openid')
    const profile = { resource: { id: openid.id }, scopes: [openid.scope('profile')] }
    assert.equal((await stile.api('POST', `/applications/${single.id}/grants`, profile)).status, 201)
    assert.equal((await grantOn(single.id, one)).status, 201)
    const refused = await grantOn(single.id, two)
    assert.equal(refused.json.details[0].code, 'CONSTRAINT_VIOLATION')

    const many = { ...workerBody('Many'), requestScopesForMultipleResourcesEnabled: true }
    const { id } = await create('/applications', many)
    assert.equal((await grantOn(id, one)).status, 201)
    assert.equal((await grantOn(id, two)).status, 201)
    const off = await stile.api('PUT', `/applications/${id}`, workerBody('Many'))
    assert.equal(off.status, 400)
    assert.equal(off.json.details[0].target, 'requestScopesForMultipleResourcesEnabled')
  })

  test('N04: a grant is found through its own application alone', async () => {
    const a = await application('Parent a')
    const b = await application('Parent b')
    const { id: resourceId, scopes } = await resource('parents', 'x')
    const body = { resource: { id: resourceId }, scopes }
    const grant = await create(`/applications/${b.id}/grants`, body)
    const path = `/applications/${a.id}/grants/${grant.id}`
    const answers = [await stile.api('GET', path), await stile.api('PUT', path, body), await stile.api('DELETE', path)]
    for (const { status } of answers) assert.equal(status, 404)
    assert.equal((await stile.api('GET', `/applications/${b.id}/grants/${grant.id}`)).status, 200)
    const nobody = '/applications/0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f/grants'
    assert.equal((await stile.api('GET', nobody)).status, 404)
    assert.equal((await stile.api('POST', nobody, body)).status, 404)
  })

  test('N14: read-only members are ignored', async () => {
    const { id } = await application('Assigned')
    const { id: resourceId, scopes } = await resource('assigned', 'x')
    const other = '0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f'
    const readOnly = { id: other, application: { id: other }, environment: { id: other }, createdAt: 'x', _links: {} }
    const made = await create(`/applications/${id}/grants`, { resource: { id: resourceId }, scopes, ...readOnly })
    assert.notEqual(made.id, other)
    assert.equal(made.application.id, id)
    assert.equal(made.environment.id, stile.environmentId)
    const again = await stile.api('PUT', `/applications/${id}/grants/${made.id}`, { ...made, ...readOnly })
    assert.equal(again.json.id, made.id)
    assert.equal(again.json.createdAt, made.createdAt)
  })
})
