/** Password policies (platform-api 3.6, 4.5 step 3). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Stile } from '../harness/stile.ts'
import { echoOf, type Json } from './echo.ts'
import { addUser, administrator, onEachEngine, vendor } from './people.ts'

/** As Terraform sends it. */
const strict = {
  default: false,
  excludesCommonlyUsed: true,
  excludesProfileData: true,
  notSimilarToCurrent: true,
  history: { count: 6, retentionDays: 365 },
  length: { max: 255, min: 8 },
  lockout: { durationSeconds: 900, failureCount: 5 },
  minCharacters: {
    ABCDEFGHIJKLMNOPQRSTUVWXYZ: 1,
    abcdefghijklmnopqrstuvwxyz: 1,
    '0123456789': 1,
    '~!@#$%^&*()-_=+[]{}|;:,.<>/?': 1,
  },
  maxAgeDays: 182,
  minAgeDays: 1,
  maxRepeatedCharacters: 2,
  minUniqueCharacters: 5,
}

const loose = { excludesCommonlyUsed: false, excludesProfileData: false, notSimilarToCurrent: false }
const uniqueName = () => `Policy ${randomUUID()}`

await onEachEngine('password policies', (stile) => {
  const api = (...call: Parameters<Stile['api']>) => stile().api(...call)
  const create = async (properties: object = {}): Promise<Json> => {
    const { status, json, text } = await api('POST', '/passwordPolicies', {
      name: uniqueName(),
      ...loose,
      ...properties,
    })
    assert.equal(status, 201, text)
    return json
  }
  const all = async (): Promise<Json[]> => (await api('GET', '/passwordPolicies')).json._embedded.passwordPolicies
  const standard = async () => (await all()).find(({ name }) => name === 'Standard')

  test('come back as they were sent, with nothing added inside', async () => {
    const sent = { name: uniqueName(), description: 'Strict', ...strict }
    const { status, json, headers } = await api('POST', '/passwordPolicies', sent)
    assert.equal(status, 201)
    const { _links, id, environment, populationCount, createdAt, updatedAt } = json
    assert.deepEqual(echoOf(json, 'populationCount'), sent)
    assert.deepEqual([environment.id, populationCount, createdAt], [stile().environmentId, 0, updatedAt])
    assert.equal(headers.get('location'), _links.self.href)
    assert.deepEqual((await api('GET', `/passwordPolicies/${id}`)).json, json)
    const small = echoOf(await create(), 'populationCount')
    assert.deepEqual(Object.keys(small).toSorted(), [
      'default',
      'excludesCommonlyUsed',
      'excludesProfileData',
      'name',
      'notSimilarToCurrent',
    ])
  })

  test('of a new environment are Standard, Basic and Passphrase', async () => {
    const bootstrap = (await all()).filter(({ name }) => ['Standard', 'Basic', 'Passphrase'].includes(name))
    const byName = new Map(bootstrap.map((policy) => [policy.name, policy]))
    assert.deepEqual(
      [byName.get('Standard').default, byName.get('Standard').lockout],
      [true, { failureCount: 5, durationSeconds: 900 }],
    )
    assert.deepEqual([byName.get('Basic').maxAgeDays, byName.get('Basic').excludesProfileData], [undefined, false])
    assert.deepEqual([byName.get('Passphrase').minComplexity, byName.get('Passphrase').length], [7, undefined])
  })

  test('are refused with the member that is wrong', async () => {
    const cases: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
      ['excludesCommonlyUsed', { excludesCommonlyUsed: undefined }],
      ['minCharacters.abc', { minCharacters: { abc: 1 } }],
      ['maxAgeDays', { maxAgeDays: 22, minAgeDays: 1 }],
      ['length.min', { length: { min: 7 } }],
      ['length.max', { length: { max: 64 } }],
      ['qwertySequenceRule.maxLength', { qwertySequenceRule: { maxLength: 2 } }],
      ['history.retentionDays', { history: { count: 3 } }],
      ['description', { description: '<script>' }],
      ['name', { name: 'tab\there' }],
    ]
    for (const [target, properties] of cases) {
      const { status, json } = await api('POST', '/passwordPolicies', { name: uniqueName(), ...loose, ...properties })
      assert.deepEqual([status, json.details?.[0].target], [400, target], JSON.stringify(json))
    }
    const { name } = await create()
    const twice = await api('POST', '/passwordPolicies', { name, ...loose })
    assert.deepEqual(
      [twice.status, twice.json.details[0].code, twice.json.details[0].target],
      [400, 'UNIQUENESS_VIOLATION', 'name'],
    )
  })

  test('have exactly one default, also when several become it at the same time', async () => {
    const first = await standard()
    const made = await Promise.all(Array.from({ length: 5 }, () => create({ default: true })))
    assert.equal((await all()).filter((policy) => policy.default).length, 1)
    await Promise.all(
      made.map(({ id, name }) => api('PUT', `/passwordPolicies/${id}`, { name, ...loose, default: true })),
    )
    const [present, ...more] = (await all()).filter((policy) => policy.default)
    assert.equal(more.length, 0)
    const given = await api('PUT', `/passwordPolicies/${present.id}`, { name: present.name, ...loose, default: false })
    assert.deepEqual([given.status, given.json.details[0].target], [400, 'default'])
    const silent = await api('PUT', `/passwordPolicies/${present.id}`, { name: present.name, ...loose })
    assert.equal(silent.json.default, true)
    const refused = await api('DELETE', `/passwordPolicies/${present.id}`)
    assert.deepEqual([refused.status, refused.json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
    const body = { ...echoOf(first, 'populationCount'), default: true }
    assert.equal((await api('PUT', `/passwordPolicies/${first.id}`, body)).status, 200)
    assert.equal((await api('DELETE', `/passwordPolicies/${present.id}`)).status, 204)
    assert.equal((await api('DELETE', `/passwordPolicies/${present.id}`)).status, 404)
  })

  test('that a population uses are not deleted', async () => {
    const { id } = await create()
    const { json: population } = await api('POST', '/populations', { name: uniqueName(), passwordPolicy: { id } })
    assert.equal((await api('GET', `/passwordPolicies/${id}`)).json.populationCount, 1)
    const refused = await api('DELETE', `/passwordPolicies/${id}`)
    assert.deepEqual([refused.status, refused.json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
    await api('PUT', `/populations/${population.id}`, { name: population.name })
    assert.equal((await api('DELETE', `/passwordPolicies/${id}`)).status, 204)
  })

  test('hold for the next password that is set', async () => {
    const { id, name } = await create({ length: { min: 8 } })
    const { json: population } = await api('POST', '/populations', { name: uniqueName(), passwordPolicy: { id } })
    const user = await addUser(stile(), { population: { id: population.id } })
    const set = (value: string) => api('PUT', `/users/${user.id}/password`, { value }, vendor('password.set'))
    assert.equal((await set('nineteen-short')).status, 200)
    await api('PUT', `/passwordPolicies/${id}`, { name, ...loose, length: { min: 20 } })
    const refused = await set('nineteen-short-too')
    assert.equal(refused.status, 400)
    assert.deepEqual(refused.json.details[0].innerError.unsatisfiedRequirements, ['length'])
  })

  test('need a role at the environment', async () => {
    const reader = await administrator(stile(), {
      role: 'Identity Data Admin',
      type: 'ENVIRONMENT',
      id: stile().environmentId,
    })
    assert.equal((await api('GET', '/passwordPolicies', undefined, { token: reader })).status, 200)
    assert.equal(
      (await api('POST', '/passwordPolicies', { name: uniqueName(), ...loose }, { token: reader })).status,
      403,
    )
    const { id } = await standard()
    assert.equal(
      (await api('PUT', `/passwordPolicies/${id}`, { name: 'Standard', ...loose }, { token: reader })).status,
      403,
    )
    assert.equal((await api('DELETE', `/passwordPolicies/${id}`, undefined, { token: reader })).status, 403)
    const ofPopulation = await administrator(stile(), {
      role: 'Identity Data Admin',
      type: 'POPULATION',
      id: stile().populationId,
    })
    assert.equal((await api('GET', '/passwordPolicies', undefined, { token: ofPopulation })).status, 403)
  })
})
