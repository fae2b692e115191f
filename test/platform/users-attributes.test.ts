import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { addUser, type Json, onEachEngine, userToken } from './people.ts'

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

await onEachEngine('attributes of users', (stile) => {
  const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
  const named = () => ({ username: `user-${randomUUID()}` })
  const detail = (json: Json) => json.details?.[0]

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
        // Some tens of milliseconds; what grows by the square of a text takes minutes.
        assert(taken < 5000, `${path.join('.')} took ${taken} ms`)
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
    for (const email of ['b@example.com', 'a@example.com']) {
      assert.equal((await api('PATCH', path, { email, emailVerified: true })).json.emailVerified, false)
    }
    const token = await userToken(stile(), user.id, 'p1:update:user', 'p1:verify:user')
    const claims = { emailVerified: true, lifecycle: { status: 'ACCOUNT_OK' }, nickname: 'B' }
    assert.equal((await api('PATCH', path, claims, { token })).json.emailVerified, false)
    assert(!('emailVerified' in (await api('PATCH', path, { email: null })).json))
  })

  test('K29: a user cannot take the address of somebody else for a username', async () => {
    const email = `${randomUUID()}@example.com`
    const [user] = [await addUser(stile()), await addUser(stile(), { email })]
    const token = await userToken(stile(), user.id, 'p1:update:user')
    const path = `/users/${user.id}`
    const { status, json } = await api('PATCH', path, { username: email.toUpperCase() }, { token })
    assert.deepEqual([status, json.details[0].code, json.details[0].target], [400, 'UNIQUENESS_VIOLATION', 'username'])
    const own = { username: `own-${email}`, email: `own-${email}` }
    assert.equal((await api('PATCH', path, own, { token })).status, 200)
  })
})
