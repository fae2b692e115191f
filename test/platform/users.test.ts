import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { addPopulation, addUser, onEachEngine, password, vendor } from './people.ts'

/** Every attribute that can be written, with a value that fits. */
const attributes = {
  name: {
    given: 'Ann',
    middle: 'B.',
    family: "O'Neil-Smith Jr.",
    formatted: "Ann O'Neil",
    honorificPrefix: 'Dr.',
    honorificSuffix: 'III',
  },
  email: 'ann.o@example.com',
  address: {
    countryCode: 'US',
    locality: 'Springfield',
    postalCode: 'AB-1 2',
    region: 'TX',
    streetAddress: '1 Main St.\nFloor 2',
  },
  externalId: 'ext-1',
  locale: 'en-US',
  mobilePhone: '+1.5125551111',
  nickname: 'Annie',
  photo: { href: 'https://example.com/ann.png' },
  preferredLanguage: 'en-US;q=0.9, fr',
  primaryPhone: '+1 512 555 1112',
  timezone: 'America/Los_Angeles',
  title: 'Boss',
  type: 'tele$commuter',
  verifyStatus: 'ENABLED',
}

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
  const detail = (json: any) => json.details?.[0]

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

  test('every attribute comes back as it was sent, from POST, PUT and PATCH', async () => {
    const created = await api('POST', '/users', { ...named(), ...attributes, mfaEnabled: true })
    assert.equal(created.status, 201, created.text)
    assert.equal(created.json.mfaEnabled, true)
    const replaced = await api('PUT', `/users/${created.json.id}`, { username: created.json.username, ...attributes })
    const plain = await api('POST', '/users', named())
    const patched = await api('PATCH', `/users/${plain.json.id}`, attributes)
    for (const { json } of [created, replaced, patched]) {
      for (const [name, value] of Object.entries(attributes)) assert.deepEqual(json[name], value, name)
    }
  })

  test('PUT replaces: what is absent or null is gone', async () => {
    const { json } = await api('POST', '/users', { ...named(), ...attributes })
    const { status, json: after } = await api('PUT', `/users/${json.id}`, {
      username: json.username,
      email: null,
      name: { given: 'Bea', family: null },
    })
    assert.equal(status, 200)
    assert.deepEqual(after.name, { given: 'Bea' })
    for (const name of Object.keys(attributes).filter((key) => key !== 'name' && key !== 'verifyStatus')) {
      assert(!(name in after), name)
    }
    assert.equal(after.verifyStatus, 'NOT_INITIATED')
    assert.equal(after.createdAt, json.createdAt)
  })

  test('PATCH merges: null clears a member or a part, the rest stays', async () => {
    const { json } = await api('POST', '/users', { ...named(), ...attributes })
    const patch = { name: { given: 'Bea', middle: null }, address: null, title: null, nickname: 'B' }
    const { status, json: after } = await api('PATCH', `/users/${json.id}`, patch)
    assert.equal(status, 200)
    const { middle: _middle, ...name } = attributes.name
    assert.deepEqual(after.name, { ...name, given: 'Bea' })
    assert(!('address' in after) && !('title' in after))
    assert.deepEqual([after.nickname, after.email], ['B', attributes.email])
    const { json: emptied } = await api('PATCH', `/users/${json.id}`, {
      name: { given: null, family: null, formatted: null, honorificPrefix: null, honorificSuffix: null },
    })
    assert(!('name' in emptied))
    const cleared = await api('PATCH', `/users/${json.id}`, { username: null })
    assert.deepEqual([cleared.status, detail(cleared.json).target], [400, 'username'])
  })

  test('N14: read-only members change nothing, in POST, PUT and PATCH', async () => {
    const population = await addPopulation(stile())
    const { json } = await api('POST', '/users', { ...readOnly, ...named(), email: 'a@example.com' })
    const check = (after: any, what: string) => {
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
    await refused({ lifecycle: { status: 'VERIFICATION_REQUIRED' } }, 'lifecycle.status')
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

  test('values that do not fit are refused by name', async () => {
    const bad: readonly (readonly [string, object])[] = [
      ['username', { username: '' }],
      ['username', { username: '   ' }],
      ['username', { username: 'x'.repeat(129) }],
      ['username', { username: 'a\u200bb' }],
      ['username', { username: 'a\nb' }],
      ['username', { username: 7 }],
      ['name', { name: 'Ann' }],
      ['name', { name: ['Ann'] }],
      ['name.given', { name: { given: '' } }],
      ['name.family', { name: { family: '<script>' } }],
      ['email', { email: 'nobody' }],
      ['email', { email: 'a@b@c' }],
      ['email', { email: 'a b@example.com' }],
      ['email', { email: 'a,b@example.com' }],
      ['email', { email: 'Ann <a@example.com>' }],
      ['email', { email: 'a\uff20example.com' }],
      ['email', { email: 'a@example..com' }],
      ['email', { email: `${'a'.repeat(300)}@example.com` }],
      ['address.countryCode', { address: { countryCode: 'us' } }],
      ['mobilePhone', { mobilePhone: 'none' }],
      ['mobilePhone', { mobilePhone: '1'.repeat(33) }],
      ['timezone', { timezone: 'Nowhere' }],
      ['preferredLanguage', { preferredLanguage: 'en us' }],
      ['photo.href', { photo: { href: 'javascript:alert(1)//https://' } }],
      ['photo.href', { photo: { href: 'http://example.com/a.png' } }],
      ['verifyStatus', { verifyStatus: 'YES' }],
      ['population.id', { population: { id: 'x' } }],
      ['population.id', { population: { id: randomUUID() } }],
      ['externalId', { externalId: 'x'.repeat(1025) }],
    ]
    for (const [target, properties] of bad) {
      const { status, json } = await api('POST', '/users', { ...named(), ...properties })
      assert.deepEqual(
        [status, json.code, detail(json)?.target],
        [400, 'INVALID_DATA', target],
        JSON.stringify(properties),
      )
    }
    const email = await api('POST', '/users', { ...named(), email: 'nobody' })
    assert.equal(detail(email.json).message, 'must be a well-formed email address')
  })

  test('O07, O08, O17: U+0000, lone surrogates and long text in every string are a quick 400', async () => {
    const { json: existing } = await api('POST', '/users', named())
    const texts = (value: object, path: readonly string[] = []): string[][] =>
      Object.entries(value).flatMap(([key, part]) =>
        typeof part === 'object' ? texts(part as object, [...path, key]) : [[...path, key]],
      )
    const at = (path: readonly string[], value: string): object =>
      path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object
    for (const path of [['username'], ...texts(attributes)]) {
      for (const text of ['a\u0000b', 'x\ud800', `${'1a.@-/\u00e9 '.repeat(12_500)}!`]) {
        const body = at(path, text)
        const started = performance.now()
        const answers = [
          await api('POST', '/users', { ...named(), ...body }),
          await api('PUT', `/users/${existing.id}`, { username: existing.username, ...body }),
          await api('PATCH', `/users/${existing.id}`, body),
        ]
        const taken = performance.now() - started
        for (const { status } of answers) assert.equal(status, 400, `${path.join('.')} ${text.slice(0, 5)}`)
        assert(taken < 500, `${path.join('.')} took ${taken} ms`)
      }
    }
    for (const filter of ['username eq "a%00b"', 'username eq "\\u0000"', 'username eq "\\ud800"']) {
      assert.equal((await api('GET', `/users?filter=${filter.replaceAll(' ', '+')}`)).status, 400)
    }
    assert.equal((await api('GET', `/users/${existing.id}%00`)).status, 404)
  })

  test('K32, K33: an address is no longer proved when it changes', async () => {
    const user = await addUser(stile(), { email: 'a@example.com', emailVerified: true })
    const path = `/users/${user.id}`
    assert.equal((await api('PATCH', path, { nickname: 'A' })).json.emailVerified, true)
    const same = { username: user.username, email: 'a@example.com' }
    assert.equal((await api('PUT', path, same)).json.emailVerified, true)
    assert(!('emailVerified' in (await api('PATCH', path, { email: 'b@example.com' })).json))
    assert(!('emailVerified' in (await api('PATCH', path, { email: 'a@example.com' })).json))
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

  test('filters find by every attribute the list names, without regard to case', async () => {
    const token = randomUUID().slice(0, 8)
    const population = await addPopulation(stile())
    const user = await addUser(stile(), {
      username: `Find-${token}`,
      email: `Find.${token}@example.com`,
      name: { given: `Given-${token}`, family: `Family ${token}` },
      mobilePhone: `+1 ${token}9`,
      externalId: `Ext-${token}`,
      population: { id: population },
    })
    const other = await addUser(stile(), { population: { id: population }, enabled: false })
    const find = async (filter: string) => {
      const { status, json, text } = await api('GET', `/users?filter=${encodeURIComponent(filter)}`)
      assert.equal(status, 200, text)
      return json._embedded.users.map(({ id }: any) => id)
    }
    for (const filter of [
      `id eq "${user.id}"`,
      `((username eq "FIND-${token}"))`,
      `username sw "find-${token}"`,
      `email eq "find.${token}@EXAMPLE.com"`,
      `email SW "find.${token}@"`,
      `name.given eq "given-${token}"`,
      `name.family sw "family ${token.slice(0, 7)}"`,
      `mobilePhone eq "+1 ${token}9"`,
      `externalId sw "Ext-${token}"`,
      `population.id eq "${population}" and enabled eq true`,
      `((username eq "nobody") OR (id eq "${user.id}")) AND ((enabled eq "true"))`,
    ]) {
      assert.deepEqual(await find(filter), [user.id], filter)
    }
    assert.deepEqual(await find(`population.id eq "${population}" and enabled eq "false"`), [other.id])
    assert.deepEqual(await find(`externalId eq "ext-${token}"`), [])
    assert.deepEqual(await find(`username eq "find-${token}' OR '1'='1"`), [])

    const { status, json } = await api('GET', `/users?filter=${encodeURIComponent('memberOfGroups[id eq "x"]')}`)
    assert.deepEqual([status, json.code, detail(json).code], [400, 'INVALID_REQUEST', 'INVALID_FILTER'])
    assert(detail(json).innerError.supportedAttributes.includes('name.given'))
  })

  test('lists come in pages whose cursors cannot be carried elsewhere (N22, N23)', async () => {
    const population = await addPopulation(stile())
    const ids: string[] = []
    for (let count = 0; count < 5; count += 1) ids.push((await addUser(stile(), { population: { id: population } })).id)
    const filter = encodeURIComponent(`population.id eq "${population}"`)
    const seen: string[] = []
    let next: string | undefined = `/v1/environments/${stile().environmentId}/users?limit=2&filter=${filter}`
    let second: string | undefined
    while (next !== undefined) {
      const { json }: any = await api('GET', next)
      seen.push(...json._embedded.users.map(({ id }: any) => id))
      assert(json.size <= 2)
      const href: string | undefined = json._links.next?.href
      next = href?.slice(stile().apiUrl.length)
      second ??= next
    }
    assert.deepEqual(seen.toSorted(), ids.toSorted())
    assert(second)
    const cursor = new URL(second, stile().apiUrl).searchParams.get('cursor') ?? ''
    for (const query of [`cursor=${cursor}`, `limit=2&filter=${filter}&cursor=x${cursor}`, 'cursor=a.b', 'limit=0']) {
      assert.equal((await api('GET', `/users?${query}`)).status, 400, query)
    }
  })
})
