import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { addPopulation, addUser, type Json, onEachEngine, password, userToken, vendor } from './people.ts'

/** What only the server decides, or only another address. */
const readOnly = {
  id: randomUUID(),
  environment: { id: randomUUID() },
  createdAt: '2001-01-01T00:00:00.000Z',
  updatedAt: '2001-01-01T00:00:00.000Z',
  account: { status: 'LOCKED', canAuthenticate: false },
  lifecycle: { status: 'VERIFICATION_REQUIRED' },
  emailVerified: true,
  enabled: false,
  lastSignOn: { at: '2001-01-01T00:00:00.000Z', remoteIp: '1.2.3.4' },
  identityProvider: { type: 'PING_ONE' },
  memberOfGroupIDs: [randomUUID()],
  memberOfGroupNames: ['Admins'],
  passwordState: { status: 'OK' },
  password: { value: password },
  isAdmin: true,
  _links: { self: { href: 'https://evil.example' } },
  _embedded: {},
}

await onEachEngine('users', (stile) => {
  const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
  const named = () => ({ username: `user-${randomUUID()}` })
  const detail = (json: Json) => json.details?.[0]

  test('are created with the defaults of PingOne, and nothing that was not sent', async () => {
    const body = named()
    const { status, json, headers } = await api('POST', '/users', body)
    assert.equal(status, 201)
    const { _links, id, createdAt, updatedAt, ...rest } = json
    assert.equal(headers.get('location'), _links.self.href)
    assert.equal(_links.self.href, `${stile().apiUrl}/v1/environments/${stile().environmentId}/users/${id}`)
    assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.equal(createdAt, updatedAt)
    assert.deepEqual(rest, {
      ...body,
      environment: { id: stile().environmentId },
      population: { id: stile().populationId },
      verifyStatus: 'NOT_INITIATED',
      enabled: true,
      mfaEnabled: false,
      account: { canAuthenticate: true, status: 'OK' },
      identityProvider: { type: 'PING_ONE' },
      lifecycle: { status: 'ACCOUNT_OK' },
    })
    assert.deepEqual((await api('GET', `/users/${id}`)).json, json)
  })

  test('N14: read-only members change nothing, in POST, PUT and PATCH', async () => {
    const population = await addPopulation(stile())
    const { json } = await api('POST', '/users', { ...readOnly, ...named(), email: 'a@example.com' })
    const check = (after: Json, what: string) => {
      assert.notEqual(after.id, readOnly.id, what)
      assert.equal(after.environment.id, stile().environmentId, what)
      assert.equal(after.population.id, stile().populationId, what)
      assert(Date.parse(after.createdAt) > Date.parse('2020-01-01'), what)
      assert.deepEqual(after.account, { canAuthenticate: true, status: 'OK' }, what)
      assert.deepEqual(after.lifecycle, { status: 'ACCOUNT_OK' }, what)
      assert.deepEqual([after.enabled, after.mfaEnabled], [true, false], what)
      for (const name of ['emailVerified', 'lastSignOn', 'password', 'passwordState', 'isAdmin', '_embedded']) {
        assert(!(name in after), `${what} ${name}`)
      }
    }
    check(json, 'POST')
    const sent = { ...readOnly, mfaEnabled: true, population: { id: population } }
    const put = await api('PUT', `/users/${json.id}`, { ...sent, username: json.username, email: 'a@example.com' })
    assert.equal(put.status, 200)
    check(put.json, 'PUT')
    const patch = await api('PATCH', `/users/${json.id}`, sent)
    assert.equal(patch.status, 200)
    check(patch.json, 'PATCH')
    check((await api('GET', `/users/${json.id}`)).json, 'GET')
    assert.equal((await api('GET', `/users/${json.id}/password`)).json.status, 'NO_PASSWORD')
  })

  test('an import also takes what another system knew of the account', async () => {
    const user = await addUser(stile(), {
      email: 'a@example.com',
      emailVerified: true,
      enabled: false,
      lifecycle: { status: 'ACCOUNT_OK' },
      account: { status: 'LOCKED', canAuthenticate: false },
      mfaEnabled: true,
      password: { value: password, forceChange: true },
    })
    assert.deepEqual([user.emailVerified, user.enabled, user.mfaEnabled], [true, false, true])
    assert.equal(user.account.status, 'LOCKED')
    assert(!('password' in user))
    const state = await api('GET', `/users/${user.id}/password`)
    assert.equal(state.json.status, 'MUST_CHANGE_PASSWORD')

    const refused = async (properties: object, target: string) => {
      const { status, json } = await api('POST', '/users', { ...named(), ...properties }, vendor('user.import'))
      assert.deepEqual([status, json.code, detail(json).target], [400, 'INVALID_DATA', target])
      return detail(json)
    }
    const weak = await refused({ password: { value: 'abc' } }, 'password')
    assert.deepEqual(weak.innerError.unsatisfiedRequirements.slice(0, 2), ['length', 'minCharacters'])
    assert.equal(weak.message, 'User password did not satisfy password policy requirements')
    assert.equal(typeof weak.innerError.length, 'string')
    await refused({ password: { value: '{SSHA512}aGFzaA==' } }, 'password.value')
    await refused({ password: { value: password, external: { gateway: { id: randomUUID() } } } }, 'password.external')
    await refused({ lifecycle: { status: 'VERIFICATION_REQUIRED' } }, 'email')
    await refused({ lifecycle: { status: 'ELSE' } }, 'lifecycle.status')
    await refused({ identityProvider: { id: randomUUID() } }, 'identityProvider.id')
  })

  test('K28, D9, N34: usernames are unique in whatever spelling; of 20 at once one is made', async () => {
    const base = `Name-${randomUUID()}`
    const made = await Promise.all(Array.from({ length: 20 }, () => api('POST', '/users', { username: base })))
    assert.equal(made.filter(({ status }) => status === 201).length, 1)
    const spellings = [base.toUpperCase(), ` ${base}`, `${base}\u00a0`, base.replace('N', '\uff2e')]
    const refused = await Promise.all(spellings.map((username) => api('POST', '/users', { username })))
    const { json: other } = await api('POST', '/users', named())
    const renamed = [
      await api('PUT', `/users/${other.id}`, { username: base }),
      await api('PATCH', `/users/${other.id}`, { username: base }),
    ]
    for (const { status, json } of [...made.filter((answer) => answer.status !== 201), ...refused, ...renamed]) {
      assert.deepEqual([status, json.code], [400, 'INVALID_DATA'])
      assert.deepEqual([detail(json).code, detail(json).target], ['UNIQUENESS_VIOLATION', 'username'])
    }
    const found = await api('GET', `/users?filter=${encodeURIComponent(`username eq "${base.toLowerCase()}"`)}`)
    assert.equal(found.json.count, 1)
  })

  test('K28: a name that looks like another is given by administrators, with an event; not by users to themselves', async () => {
    const mine = `admin-${randomUUID()}`
    const { id } = await addUser(stile(), { username: mine })
    const like = mine.replace('a', '\u0430')
    const made = await api('POST', '/users', { username: like })
    assert.equal(made.status, 201, made.text)
    const { json: other } = await api('POST', '/users', named())
    const token = await userToken(stile(), other.id, 'p1:update:user')
    const shout = mine.toUpperCase().replace('I', '\u0130')
    const own = await api('PATCH', `/users/${other.id}`, { username: shout }, { token })
    assert.deepEqual(
      [own.status, detail(own.json)?.code, detail(own.json)?.target],
      [400, 'UNIQUENESS_VIOLATION', 'username'],
    )
    assert.equal((await api('PATCH', `/users/${other.id}`, { username: shout })).status, 200)
    await stile().node.kernel.volumeEvents.flush()
    const events = await stile().node.kernel.storage.read<{ subject_id: string; result: string; document: string }>({
      text: `SELECT subject_id, result, document FROM events WHERE environment_id = $1 AND action = 'USER.CONFUSABLE'`,
      values: [stile().environmentId],
    })
    const told = events.map(({ subject_id, result, document }) => [subject_id, result, JSON.parse(document).resembles])
    const expected = [
      [made.json.id, 'SUCCESS', id],
      [other.id, 'FAILED', id],
      [other.id, 'SUCCESS', id],
    ]
    assert.deepEqual(told.toSorted(), expected.toSorted())
  })

  test('parallel changes of different members are all kept', async () => {
    const user = await addUser(stile())
    const path = `/users/${user.id}`
    const answers = await Promise.all(
      ['nickname', 'title', 'type', 'locale'].map((member) => api('PATCH', path, { [member]: 'x' })),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    )
    const { json } = await api('GET', path)
    assert.deepEqual([json.nickname, json.title, json.type, json.locale], ['x', 'x', 'x', 'x'])
  })
})
