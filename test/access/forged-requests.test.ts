/**
 * What callers of the management API may try beside its operations, generated from their declarations: ids of any shape and
 * of other objects, methods and callers named by headers, patches of another kind, words in the query (rows N15, N16, N19,
 * N21, N24, N27, N29, N37, N40).
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { allOperations } from '../../src/http/operations.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { expectStatus, otherEnvironment } from '../oauth/registrations.ts'
import { administrator } from '../platform/people.ts'

const operations = (await allOperations()).filter(({ path }) => path.startsWith('/v1/'))
const guarded = operations.filter(({ permission }) => permission.kind !== 'public')

suite('forged requests', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  /** A path in the environment that is there, with other ids as they are given; where none is, one that names nothing. */
  const concrete = (path: string, ids: Readonly<Record<string, string>> = {}) =>
    path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      name === 'environmentId' ? stile.environmentId : (ids[name] ?? randomUUID()),
    )
  const call = ({ method, body, mediaTypes }: (typeof operations)[number], path: string, more: object = {}) =>
    stile.send(path, {
      method,
      ...(body ? { body: {}, mediaType: mediaTypes?.[0] ?? 'application/json' } : {}),
      ...(!body && mediaTypes?.[0] ? { mediaType: mediaTypes[0] } : {}),
      ...more,
    })
  const newUser = async (): Promise<Answer['json']> => {
    const body = { username: `user-${randomUUID()}`, population: { id: stile.populationId } }
    return expectStatus(await stile.api('POST', '/users', body), 201)
  }

  test('N19: an id of another shape, or of an object of another kind, names nothing, in every operation', async () => {
    const token = await stile.workerToken()
    const ofOtherKinds = [stile.populationId, stile.webApp.clientId]
    const odd = ['null', '[]', '0', '%2e%2e%2f%2e%2e', '%00', "'%20OR%20'1'='1"]
    for (const operation of operations) {
      const names = [...operation.path.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => name ?? [])
      for (const name of names.filter((one) => one !== 'environmentId' && one !== 'organizationId')) {
        const own = { populationId: stile.populationId, applicationId: stile.webApp.clientId, userId: stile.user.id }
        const others = ofOtherKinds.filter((id) => id !== own[name as keyof typeof own])
        for (const id of [...odd, ...others]) {
          const answer = await call(operation, concrete(operation.path, { [name]: id }), { token })
          assert.ok([400, 403, 404].includes(answer.status), `${operation.id} ${name}=${id}: ${answer.text}`)
        }
      }
    }
  })

  test('N29, N37: no header says who calls, and there is one version of the API', async () => {
    const id = stile.user.id
    const headers = {
      'x-middleware-subrequest': 'middleware:middleware:middleware:middleware:middleware',
      'x-internal-request': 'true',
      'x-internal-auth': 'true',
      'x-user-id': id,
      'x-forwarded-user': id,
      'x-authenticated-userid': id,
      'x-roles': 'Organization Admin',
      'x-original-url': '/',
      'x-rewrite-url': '/',
      'x-api-version': '0',
      accept: 'application/vnd.pingidentity.preview+json',
      'remote-user': id,
      'ssl-client-verify': 'SUCCESS',
    }
    for (const operation of guarded) {
      const answer = await call(operation, concrete(operation.path), { headers })
      assert.equal(answer.status, 401, operation.id)
      for (const version of ['/v0', '/v2', '/beta', '/internal', '']) {
        const path = concrete(operation.path).replace('/v1', version)
        assert.equal((await call(operation, path, { headers })).status, 404, path)
      }
    }
  })

  test('N27: the method is that of the request, whatever else names one', async () => {
    const user = await newUser()
    const path = `/users/${user.id}`
    for (const headers of [
      { 'x-http-method-override': 'DELETE' },
      { 'x-http-method': 'DELETE' },
      { 'x-method-override': 'DELETE' },
    ] as readonly Readonly<Record<string, string>>[]) {
      assert.equal((await stile.api('GET', path, undefined, { headers })).status, 200)
      assert.equal((await stile.api('POST', path, {}, { headers })).status, 415)
      assert.equal((await stile.api('PATCH', path, { nickname: 'n' }, { headers })).status, 200)
    }
    assert.equal((await stile.api('GET', `${path}?_method=DELETE`)).status, 200)
    assert.equal((await stile.api('PATCH', path, { _method: 'DELETE' })).status, 200)
    assert.equal((await stile.api('GET', path)).json.id, user.id)
  })

  test('N15, N16: a change is an object of members: no list of operations, no path, no name in another case', async () => {
    const token = await stile.workerToken()
    const hidden = [{ op: 'test', path: '/password/value', value: 'x' }]
    for (const operation of operations.filter(({ method }) => method === 'PATCH')) {
      const path = concrete(operation.path)
      const send = (body: unknown, mediaType = 'application/json') =>
        stile.send(path, { method: 'PATCH', token, body, mediaType })
      for (const mediaType of ['application/json-patch+json', 'application/merge-patch+json', 'application/scim+json'])
        assert.equal((await send(hidden, mediaType)).status, 415, `${operation.id} ${mediaType}`)
      for (const body of [hidden, [], 'null', '"x"', '1'])
        assert.equal((await send(body)).status, 400, `${operation.id} ${JSON.stringify(body)}`)
    }
    const user = await newUser()
    const change = (body: unknown) => stile.api('PATCH', `/users/${user.id}`, body)
    const { updatedAt: _, ...same } = expectStatus(
      await change({
        'name.given': 'x',
        '/name/given': 'x',
        'name~1given': 'x',
        USERNAME: 'x',
        Enabled: false,
        'population.id': randomUUID(),
      }),
      200,
    )
    const { updatedAt: __, ...before } = user
    assert.deepEqual(same, before)
    for (const body of [{ name: ['x'] }, { name: 'x' }, { nickname: { $ne: null } }, { email: ['x'] }])
      assert.equal((await change(body)).status, 400, JSON.stringify(body))
  })

  test('N21: no list is ordered, cut or widened by words of the query that are none of its own', async () => {
    const sql = "id; DROP TABLE users; --' OR 1=1"
    const words = new URLSearchParams({ order: sql, sort: sql, sortBy: sql, fields: sql, select: sql, where: sql })
    const token = await stile.workerToken()
    const lists = guarded.filter(
      ({ method, query }) => method === 'GET' && query !== undefined && 'cursor' in shape(query),
    )
    assert.ok(lists.length > 15)
    for (const list of lists) {
      const path = concrete(list.path, { userId: stile.user.id, applicationId: stile.webApp.clientId })
      const [plain, worded] = [await stile.send(path, { token }), await stile.send(`${path}?${words}`, { token })]
      assert.deepEqual([worded.status, withoutTrace(worded)], [plain.status, withoutTrace(plain)], list.id)
      for (const odd of ['limit=0', 'limit=-1', 'limit=1e9', 'limit=1;DROP', 'cursor=x'])
        assert.ok([400, 404].includes((await stile.send(`${path}?${odd}`, { token })).status), `${list.id} ${odd}`)
    }
  })

  test('N24: what may be put into an answer is one word, one level deep', async () => {
    for (const path of ['', `/users/${stile.user.id}/memberOfGroups`]) {
      for (const expand of ['*', 'x', 'group.members', 'group,group', 'billOfMaterials.environment', 'environment'])
        assert.equal((await stile.api('GET', `${path}?expand=${expand}`)).status, 400, `${path} ${expand}`)
    }
  })

  test('N40: what a node remembers of one environment is nothing in another, for whoever administers both', async () => {
    const other = await otherEnvironment(stile)
    const token = await administrator(
      stile,
      { role: 'Environment Admin', type: 'ENVIRONMENT', id: stile.environmentId },
      { role: 'Environment Admin', type: 'ENVIRONMENT', id: other.environmentId },
      { role: 'Identity Data Admin', type: 'ENVIRONMENT', id: stile.environmentId },
      { role: 'Identity Data Admin', type: 'ENVIRONMENT', id: other.environmentId },
    )
    const kinds: readonly (readonly [path: string, parameter: string])[] = [
      ['applications', 'applicationId'],
      ['resources', 'resourceId'],
      ['populations', 'populationId'],
      ['users', 'userId'],
      ['groups', 'groupId'],
      ['signOnPolicies', 'policyId'],
      ['passwordPolicies', 'passwordPolicyId'],
      ['keys', 'keyId'],
    ]
    await stile.api('POST', '/groups', { name: `Group ${randomUUID()}`, population: { id: stile.populationId } })
    for (const [kind] of kinds) {
      const { _embedded } = expectStatus(await stile.api('GET', `/${kind}`, undefined, { token }), 200)
      const [object] = Object.values(_embedded as Record<string, readonly { readonly id: string }[]>)[0] ?? []
      assert.ok(object, kind)
      // Read where it is, so that it is remembered; then in turn.
      for (let round = 0; round < 2; round++) {
        assert.equal((await stile.api('GET', `/${kind}/${object.id}`, undefined, { token })).status, 200, kind)
        assert.equal((await other.api('GET', `/${kind}/${object.id}`, undefined, { token })).status, 404, kind)
        assert.ok(
          [400, 404, 405].includes((await other.api('PUT', `/${kind}/${object.id}`, {}, { token })).status),
          kind,
        )
      }
    }
    const query = new URLSearchParams({ client_id: stile.webApp.clientId, response_type: 'code', scope: 'openid' })
    for (const [{ environmentId }, status] of [
      [stile, 302],
      [other, 400],
      [stile, 302],
      [other, 400],
    ] as const) {
      const path = `/${environmentId}/as/authorize?${query}&redirect_uri=${encodeURIComponent(stile.webApp.redirectUri)}`
      assert.equal((await stile.send(path)).status, status)
    }
  })
})

/** The members of a query. */
function shape(query: unknown): object {
  return (query as { readonly shape?: object }).shape ?? {}
}

/** The answer without what is new each time. */
function withoutTrace({ json }: Answer): unknown {
  const { id: _, _links: __, ...rest } = json ?? {}
  return rest
}
