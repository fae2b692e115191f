/** Who reaches which user: rows N05, N09, N13, N31, N35 and what lies between them. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import {
  addPopulation,
  addUser,
  administrator,
  giveRoles,
  type Json,
  onEachEngine,
  password,
  userToken,
  vendor,
} from './people.ts'

await onEachEngine('access to users', (stile) => {
  const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
  const ids = ({ json }: { readonly json: Json }) => json._embedded.users.map(({ id }: Json) => id).toSorted()

  /** Two populations with a user each, and an administrator of the first alone. */
  async function scene() {
    const [here, there] = [await addPopulation(stile()), await addPopulation(stile())]
    const mine = await addUser(stile(), { population: { id: here }, password: { value: password } })
    const foreign = await addUser(stile(), { population: { id: there }, password: { value: password } })
    const token = await administrator(stile(), { role: 'Identity Data Admin', type: 'POPULATION', id: here })
    const as = (method: string, path: string, body?: unknown, call: object = {}) =>
      api(method, path, body, { ...call, token })
    return { here, there, mine, foreign, token, as }
  }

  /** Every operation on one user: what it sends and how it answers when it is allowed. */
  const operations: readonly (readonly [string, string, unknown, string | undefined])[] = [
    ['GET', '', undefined, undefined],
    ['PUT', '', { username: 'taken-over' }, undefined],
    ['PATCH', '', { nickname: 'x' }, undefined],
    ['POST', '', undefined, 'account.lock'],
    ['POST', '', undefined, 'account.unlock'],
    ['GET', '/enabled', undefined, undefined],
    ['PUT', '/enabled', { enabled: false }, undefined],
    ['GET', '/mfaEnabled', undefined, undefined],
    ['PUT', '/mfaEnabled', { mfaEnabled: true }, undefined],
    ['GET', '/population', undefined, undefined],
    ['GET', '/password', undefined, undefined],
    ['PUT', '/password', { value: 'Other-Horse-28-Staple' }, 'password.set'],
    ['PUT', '/password', { newPassword: 'Other-Horse-28-Staple' }, 'password.reset'],
    ['POST', '/password', { password }, 'password.check'],
    ['POST', '/password', undefined, 'password.forceChange'],
    ['POST', '/password', undefined, 'password.unlock'],
    ['DELETE', '', undefined, undefined],
  ]

  test('N05, N06: a list, its filters and its count show the populations of the administrator alone', async () => {
    const { here, there, mine, foreign, as } = await scene()
    const all = await as('GET', '/users')
    assert.deepEqual(ids(all), [mine.id])
    assert.equal(all.json.count, 1)
    for (const filter of [
      `id eq "${foreign.id}"`,
      `username eq "${foreign.username}"`,
      `population.id eq "${there}"`,
      `population.id eq "${there}" or id eq "${foreign.id}"`,
    ]) {
      const found = await as('GET', `/users?filter=${encodeURIComponent(filter)}`)
      assert.deepEqual([ids(found), found.json.count], [[], 0], filter)
    }
    const either = `population.id eq "${there}" or population.id eq "${here}"`
    assert.deepEqual(ids(await as('GET', `/users?filter=${encodeURIComponent(either)}`)), [mine.id])
  })

  test('N05: a user of another population is answered like one that does not exist, by every operation', async () => {
    const { foreign, as } = await scene()
    const before = (await api('GET', `/users/${foreign.id}`)).text
    for (const [method, path, body, operation] of operations) {
      const call = operation ? vendor(operation) : {}
      const [there, nowhere] = [
        await as(method, `/users/${foreign.id}${path}`, body, call),
        await as(method, `/users/${randomUUID()}${path}`, body, call),
      ]
      const { id: _there, ...said } = there.json
      const { id: _nowhere, ...expected } = nowhere.json
      assert.deepEqual([there.status, said], [404, expected], `${method} ${path} ${operation}`)
    }
    assert.equal((await api('GET', `/users/${foreign.id}`)).text, before)
    const check = await api('POST', `/users/${foreign.id}/password`, { password }, vendor('password.check'))
    assert.equal(check.json.status, 'OK')
  })

  test('N05: the same operations work on a user of the own population', async () => {
    const { here, as } = await scene()
    for (const [method, path, body, operation] of operations) {
      const { id } = await addUser(stile(), { population: { id: here }, password: { value: password } })
      const sent = method === 'PUT' && path === '' ? { username: `user-${randomUUID()}` } : body
      const answer = await as(method, `/users/${id}${path}`, sent, operation ? vendor(operation) : {})
      assert.equal(answer.status, method === 'DELETE' ? 204 : 200, `${method} ${path} ${operation} ${answer.text}`)
    }
  })

  test('N05: nobody is created in, moved to or moved from a population out of reach', async () => {
    const { here, there, mine, foreign, as } = await scene()
    const username = `user-${randomUUID()}`
    assert.equal((await as('POST', '/users', { username, population: { id: there } })).status, 403)
    assert.equal((await as('POST', '/users', { username })).status, 403)
    const nowhere = await as('POST', '/users', { username, population: { id: randomUUID() } })
    assert.equal(nowhere.status, 403)
    assert.equal((await as('PUT', `/users/${mine.id}/population`, { id: there })).status, 403)
    assert.equal((await as('PUT', `/users/${foreign.id}/population`, { id: here })).status, 404)
    assert.equal((await api('GET', `/users/${mine.id}/population`)).json.id, here)
    assert.equal((await as('POST', '/users', { username, population: { id: here } })).status, 201)

    const both = await administrator(
      stile(),
      { role: 'Identity Data Admin', type: 'POPULATION', id: here },
      { role: 'Identity Data Admin', type: 'POPULATION', id: there },
    )
    const moved = await api('PUT', `/users/${mine.id}/population`, { id: there }, { token: both })
    assert.deepEqual([moved.status, moved.json.id], [200, there])
    assert.equal((await as('GET', `/users/${mine.id}`)).status, 404)
    const gone = await api('PUT', `/users/${mine.id}/population`, { id: randomUUID() })
    assert.deepEqual([gone.status, gone.json.details[0].target], [400, 'population.id'])
  })

  test('a cursor of one administrator is none of another (N22)', async () => {
    const { here, as } = await scene()
    await addUser(stile(), { population: { id: here } })
    const { json } = await as('GET', '/users?limit=1')
    const next = json._links.next.href.slice(stile().apiUrl.length)
    assert.equal((await as('GET', next)).status, 200)
    const another = await administrator(stile(), { role: 'Identity Data Admin', type: 'POPULATION', id: here })
    assert.equal((await api('GET', next, undefined, { token: another })).status, 400)
  })

  test('a read-only administrator changes nothing', async () => {
    const { mine } = await scene()
    const reader = { role: 'Identity Data Read Only', type: 'ENVIRONMENT', id: stile().environmentId } as const
    const token = await administrator(stile(), reader)
    for (const [method, path, body, operation] of operations) {
      const { status } = await api(method, `/users/${mine.id}${path}`, body, {
        ...(operation ? vendor(operation) : {}),
        token,
      })
      assert.equal(status, method === 'GET' ? 200 : 403, `${method} ${path} ${operation}`)
    }
  })

  test('N09: credentials and account of somebody who holds more are out of reach, their other attributes are not', async () => {
    const { here, mine, as } = await scene()
    await giveRoles(stile(), `/users/${mine.id}`, [
      { role: 'Environment Admin', type: 'ENVIRONMENT', id: stile().environmentId },
    ])
    const { username } = mine
    const refused: readonly (readonly [string, string, unknown, string | undefined])[] = [
      ['PUT', '', { username: `${username}-x` }, undefined],
      ['PATCH', '', { username: `${username}-x` }, undefined],
      ['PATCH', '', { email: 'evil@example.com' }, undefined],
      ['PUT', '', { username, email: 'evil@example.com' }, undefined],
      ['PUT', '/population', { id: here }, undefined],
      ...operations.filter(
        ([method, path, , operation]) =>
          method !== 'GET' &&
          operation !== 'password.check' &&
          !(path === '' && operation === undefined && method !== 'DELETE'),
      ),
    ]
    for (const [method, path, body, operation] of refused) {
      const { status, json } = await as(method, `/users/${mine.id}${path}`, body, operation ? vendor(operation) : {})
      assert.deepEqual([status, json?.code], [403, 'ACCESS_FAILED'], `${method} ${path} ${operation}`)
    }
    const after = await as('PATCH', `/users/${mine.id}`, { nickname: 'Boss' })
    assert.deepEqual([after.status, after.json.username, after.json.enabled], [200, username, true])

    // Whoever holds as much may.
    const peer = await administrator(
      stile(),
      { role: 'Environment Admin', type: 'ENVIRONMENT', id: stile().environmentId },
      { role: 'Identity Data Admin', type: 'ENVIRONMENT', id: stile().environmentId },
    )
    const reset = await api(
      'PUT',
      `/users/${mine.id}/password`,
      { newPassword: 'Other-Horse-28-Staple' },
      { ...vendor('password.reset'), token: peer },
    )
    assert.equal(reset.status, 200, reset.text)
  })

  test('N13: a user reaches the own user through self scopes, and nothing else', async () => {
    const user = await addUser(stile(), { email: 'me@example.com', password: { value: password } })
    const other = await addUser(stile(), { password: { value: password } })
    // An administrator's roles do not count in a token for an application that is not a worker.
    await giveRoles(stile(), `/users/${user.id}`, [
      { role: 'Identity Data Admin', type: 'ENVIRONMENT', id: stile().environmentId },
    ])
    const everything = [
      'p1:read:user',
      'p1:update:user',
      'p1:read:userPassword',
      'p1:reset:userPassword',
      'p1:validate:userPassword',
    ]
    const token = await userToken(stile(), user.id, ...everything)
    const bare = await userToken(stile(), user.id, 'openid', 'profile')
    const as = (
      method: string,
      id: string,
      path: string,
      body: unknown,
      operation: string | undefined,
      bearer = token,
    ) => api(method, `/users/${id}${path}`, body, { ...(operation ? vendor(operation) : {}), token: bearer })

    const allowed = new Set(['GET ', 'PATCH ', 'GET /enabled', 'GET /mfaEnabled', 'GET /population', 'GET /password'])
    for (const [method, path, body, operation] of operations) {
      const what = `${method} ${path} ${operation}`
      assert.equal((await as(method, other.id, path, body, operation)).status, 403, `${what} of another`)
      assert.equal((await as(method, user.id, path, body, operation, bare)).status, 403, `${what} without a scope`)
      const own = await as(
        method,
        user.id,
        path,
        method === 'PUT' && path === '' ? { username: user.username } : body,
        operation,
      )
      const expected = operation === 'password.reset' ? 400 : 403
      const fits = allowed.has(`${method} ${path}`) || operation === 'password.check' || what.startsWith('PUT  ')
      assert.equal(own.status, fits ? 200 : expected, `${what} of the own user: ${own.text}`)
    }
    assert.equal((await api('GET', '/users', undefined, { token })).status, 403)
    assert.equal((await api('POST', '/users', { username: randomUUID() }, { token })).status, 403)

    const raised = await as(
      'PATCH',
      user.id,
      '',
      { verifyStatus: 'ENABLED', enabled: false, nickname: 'Me', population: { id: other.population.id } },
      undefined,
    )
    assert.deepEqual([raised.status, raised.json.nickname, raised.json.verifyStatus], [200, 'Me', 'NOT_INITIATED'])
    assert.equal(raised.json.enabled, true)
  })

  test('E23, N31, N35: a deleted, disabled or locked user has no token, and a new one of the name inherits nothing', async () => {
    const user = await addUser(stile(), { password: { value: password } })
    await giveRoles(stile(), `/users/${user.id}`, [
      { role: 'Identity Data Admin', type: 'ENVIRONMENT', id: stile().environmentId },
    ])
    const first = await userToken(stile(), user.id, 'p1:read:user')
    const own = (token = first) => api('GET', `/users/${user.id}`, undefined, { token })
    assert.equal((await own()).status, 200)
    await api('PUT', `/users/${user.id}/enabled`, { enabled: false })
    assert.equal((await own()).status, 401)
    await api('PUT', `/users/${user.id}/enabled`, { enabled: true })
    assert.equal((await own()).status, 401, 'the session has ended')
    const second = await userToken(stile(), user.id, 'p1:read:user')
    assert.equal((await own(second)).status, 200)
    await api('POST', `/users/${user.id}`, undefined, vendor('account.lock'))
    assert.equal((await own(second)).status, 401)
    await api('POST', `/users/${user.id}`, undefined, vendor('account.unlock'))
    assert.equal((await own(second)).status, 200)

    assert.equal((await api('DELETE', `/users/${user.id}`)).status, 204)
    assert.equal((await own(second)).status, 401)
    for (const [method, path, body, operation] of operations) {
      const { status } = await api(method, `/users/${user.id}${path}`, body, operation ? vendor(operation) : {})
      assert.equal(status, 404, `${method} ${path} ${operation}`)
    }
    const again = await addUser(stile(), { username: user.username })
    assert.notEqual(again.id, user.id)
    assert.equal((await own(second)).status, 401)
    assert.equal((await api('GET', `/users/${again.id}/password`)).json.status, 'NO_PASSWORD')
    const { storage } = stile().node.kernel
    for (const table of ['passwords', 'sessions']) {
      const rows = await storage.read({ text: `SELECT 1 AS one FROM ${table} WHERE user_id = $1`, values: [user.id] })
      assert.equal(rows.length, 0, table)
    }
    const roles = await storage.read({
      text: 'SELECT 1 AS one FROM role_assignments WHERE actor_id = $1',
      values: [user.id],
    })
    assert.equal(roles.length, 0)
  })
})
