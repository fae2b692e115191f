/** Populations (platform-api 3.3; rows N02, N04, N05, N08, N14, N34). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Stile } from '../harness/stile.ts'
import { echoOf, type Json } from './echo.ts'
import { addPopulation, addUser, administrator, onEachEngine } from './people.ts'

const uniqueName = () => `Population ${randomUUID()}`
const ids = (json: Json): string[] => json._embedded.populations.map(({ id }: { id: string }) => id)

await onEachEngine('populations', (stile) => {
  const api = (...call: Parameters<Stile['api']>) => stile().api(...call)
  const create = async (properties: object = {}): Promise<Json> => {
    const { status, json, text } = await api('POST', '/populations', { name: uniqueName(), ...properties })
    assert.equal(status, 201, text)
    return json
  }
  const policies = async (): Promise<Json[]> => (await api('GET', '/passwordPolicies')).json._embedded.passwordPolicies
  const defaults = async (): Promise<string[]> => {
    const { json } = await api('GET', '/populations?limit=1000')
    return json._embedded.populations.filter((one: Json) => one.default).map(({ id }: { id: string }) => id)
  }

  test('come back as they were sent, with what clients wait for', async () => {
    const [policy] = await policies()
    const sent = {
      name: uniqueName(),
      description: 'Customers',
      alternativeIdentifiers: ['a', 'b'],
      preferredLanguage: 'de-CH',
      passwordPolicy: { id: policy.id },
    }
    const { status, json, headers } = await api('POST', '/populations', sent)
    assert.equal(status, 201)
    const { id, environment, theme, userCount, createdAt, updatedAt } = json
    assert.deepEqual(echoOf(json, 'theme', 'userCount'), { ...sent, default: false })
    assert.equal(
      headers.get('location'),
      `${stile().apiUrl}/v1/environments/${stile().environmentId}/populations/${id}`,
    )
    assert.deepEqual(environment, { id: stile().environmentId })
    assert.match(theme.id, /^[0-9a-f-]{36}$/)
    assert.deepEqual([userCount, createdAt], [0, updatedAt])
    assert.deepEqual((await api('GET', `/populations/${id}`)).json, json)

    const plain = await create({ description: null })
    assert.deepEqual(
      ['description', 'alternativeIdentifiers', 'preferredLanguage', 'passwordPolicy'].filter(
        (member) => member in plain,
      ),
      [],
      'nothing that was not sent',
    )
  })

  test('are replaced as a whole, but stay the default', async () => {
    const [policy] = await policies()
    const { id, createdAt } = await create({
      description: 'Old',
      passwordPolicy: { id: policy.id },
      preferredLanguage: 'fr',
    })
    const name = uniqueName()
    const readOnly = {
      id: randomUUID(),
      environment: { id: randomUUID() },
      userCount: 99,
      createdAt: '2001-01-01T00:00:00.000Z',
    }
    const { status, json } = await api('PUT', `/populations/${id}`, { name, ...readOnly })
    assert.equal(status, 200)
    assert.deepEqual([json.id, json.name, json.userCount, json.createdAt], [id, name, 0, createdAt])
    assert.deepEqual([json.description, json.passwordPolicy, json.preferredLanguage], [undefined, undefined, undefined])
    assert.deepEqual((await api('GET', `/populations/${id}`)).json, json)

    const { populationId } = stile()
    const kept = await api('PUT', `/populations/${populationId}`, { name: 'Default' })
    assert.equal(kept.json.default, true)
    const lost = await api('PUT', `/populations/${populationId}`, { name: 'Default', default: false })
    assert.deepEqual([lost.status, lost.json.details[0].target], [400, 'default'])
  })

  test('have one default, whoever asks at the same time', async () => {
    const made = await Promise.all(Array.from({ length: 6 }, () => create({ default: true })))
    assert.equal((await defaults()).length, 1)
    const answers = await Promise.all(
      made.map(({ id, name }) => api('PUT', `/populations/${id}`, { name, default: true })),
    )
    assert.ok(answers.every(({ status }) => status === 200))
    const now = await defaults()
    assert.equal(now.length, 1)
    assert.ok(made.some(({ id }) => id === now[0]))
    const back = await api('PUT', `/populations/${stile().populationId}`, { name: 'Default', default: true })
    assert.equal(back.json.default, true)
    assert.deepEqual(await defaults(), [stile().populationId])
  })

  test('of the same name: of 20 at once, one is created (N34)', async () => {
    const name = uniqueName()
    const answers = await Promise.all(Array.from({ length: 20 }, () => api('POST', '/populations', { name })))
    assert.equal(answers.filter(({ status }) => status === 201).length, 1)
    const { json } = answers.find(({ status }) => status !== 201) ?? { json: undefined }
    assert.deepEqual(
      [json.code, json.details[0].code, json.details[0].target],
      ['INVALID_DATA', 'UNIQUENESS_VIOLATION', 'name'],
    )
    const other = await create()
    const renamed = await api('PUT', `/populations/${other.id}`, { name })
    assert.deepEqual([renamed.status, renamed.json.details[0].code], [400, 'UNIQUENESS_VIOLATION'])
  })

  test('name only policies and themes of their environment', async () => {
    const { json: parent } = await api('GET', '')
    const body = { name: `Other ${randomUUID()}`, type: 'SANDBOX', region: 'NA', license: parent.license }
    const { json: other } = await api('POST', '/v1/environments', body)
    const { json: foreign } = await api('GET', `/v1/environments/${other.id}/passwordPolicies`)
    for (const id of [randomUUID(), foreign._embedded.passwordPolicies[0].id]) {
      const refused = await api('POST', '/populations', { name: uniqueName(), passwordPolicy: { id } })
      assert.deepEqual([refused.status, refused.json.details[0].target], [400, 'passwordPolicy.id'])
    }
    const theme = await api('POST', '/populations', { name: uniqueName(), theme: { id: randomUUID() } })
    assert.deepEqual([theme.status, theme.json.details[0].target], [400, 'theme.id'])
  })

  test('are not deleted with users in them, nor when they are the last', async () => {
    const populationId = await addPopulation(stile())
    const user = await addUser(stile(), { population: { id: populationId } })
    assert.equal((await api('GET', `/populations/${populationId}`)).json.userCount, 1)
    const full = await api('DELETE', `/populations/${populationId}`)
    assert.deepEqual([full.status, full.json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
    assert.equal((await api('GET', `/users/${user.id}`)).status, 200)
    await api('DELETE', `/users/${user.id}`)
    assert.equal((await api('DELETE', `/populations/${populationId}`)).status, 204)
    assert.equal((await api('DELETE', `/populations/${populationId}`)).status, 404)
    assert.equal((await api('GET', `/populations/${populationId}`)).status, 404)

    const { json: parent } = await api('GET', '')
    const body = { name: `Two ${randomUUID()}`, type: 'SANDBOX', region: 'NA', license: parent.license }
    const { json: environment } = await api('POST', '/v1/environments', body)
    const path = `/v1/environments/${environment.id}/populations`
    const two = await Promise.all(['a', 'b'].map((name) => api('POST', path, { name })))
    const answers = await Promise.all(two.map(({ json }) => api('DELETE', `${path}/${json.id}`)))
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [204, 400],
      'both at once: one stays',
    )
    const last = answers.find(({ status }) => status === 400)?.json
    assert.equal(last.details[0].code, 'CONSTRAINT_VIOLATION')
    assert.match(last.details[0].message, /must contain at least one population/)
    assert.equal((await api('GET', path)).json.size, 1)
  })

  test('are not deleted while people are registered in them, nor as the default', async () => {
    const gone = '0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f'
    const populationId = await addPopulation(stile())
    const { json: policy } = await api('POST', '/signOnPolicies', { name: `Registers_${randomUUID().slice(0, 8)}` })
    const actions = `/signOnPolicies/${policy.id}/actions`
    const provider = { name: uniqueName(), type: 'GOOGLE', enabled: true, clientId: 'a', clientSecret: 'b' }
    const registration = (id: string) => ({ registration: { enabled: true, population: { id } } })
    const wrong = ({ json }: Json) => [json.details?.[0].code, json.details?.[0].target]
    for (const type of ['LOGIN', 'IDENTIFIER_FIRST']) {
      const refused = await api('POST', actions, { type, priority: 1, ...registration(gone) })
      assert.deepEqual(wrong(refused), ['INVALID_VALUE', 'registration.population.id'], refused.text)
    }
    const { json: action } = await api('POST', actions, { type: 'LOGIN', priority: 1, ...registration(populationId) })
    const changed = await api('PUT', `${actions}/${action.id}`, { type: 'LOGIN', priority: 1, ...registration(gone) })
    assert.deepEqual(wrong(changed), ['INVALID_VALUE', 'registration.population.id'], changed.text)
    const outcome = async () => {
      const { status, json } = await api('DELETE', `/populations/${populationId}`)
      return [status, json?.details[0].message]
    }
    assert.deepEqual(await outcome(), [
      400,
      'A population that a sign-on policy registers people in cannot be deleted.',
    ])

    const { json: made } = await api('POST', '/identityProviders', { ...provider, ...registration(populationId) })
    assert.equal((await api('DELETE', `/signOnPolicies/${policy.id}`)).status, 204)
    const byProvider = 'A population that an identity provider registers people in cannot be deleted.'
    assert.deepEqual(await outcome(), [400, byProvider])
    const elsewhere = await api('PUT', `/identityProviders/${made.id}`, { ...provider, ...registration(gone) })
    assert.deepEqual(wrong(elsewhere), ['INVALID_VALUE', 'registration.population.id'], elsewhere.text)
    assert.equal((await api('PUT', `/identityProviders/${made.id}`, provider)).status, 200)
    assert.deepEqual(await outcome(), [204, undefined])

    const { json: parent } = await api('GET', '')
    const body = { name: `Default ${randomUUID()}`, type: 'SANDBOX', region: 'NA', license: parent.license }
    const { json: environment } = await api('POST', '/v1/environments', body)
    const path = `/v1/environments/${environment.id}/populations`
    const first = (await api('POST', path, { name: 'first', default: true })).json
    const second = (await api('POST', path, { name: 'second' })).json
    assert.match((await api('DELETE', `${path}/${first.id}`)).json.details[0].message, /default population/)
    assert.equal((await api('PUT', `${path}/${second.id}`, { name: 'second', default: true })).status, 200)
    assert.equal((await api('DELETE', `${path}/${first.id}`)).status, 204)
  })

  test('that are deleted take the roles that were scoped to them', async () => {
    const populationId = await addPopulation(stile())
    const token = await administrator(stile(), { role: 'Identity Data Admin', type: 'POPULATION', id: populationId })
    assert.deepEqual(ids((await api('GET', '/populations', undefined, { token })).json), [populationId])
    assert.equal((await api('DELETE', `/populations/${populationId}`)).status, 204)
    assert.equal((await api('GET', '/populations', undefined, { token })).status, 403)
  })

  test('are seen and changed by their own administrators alone (N05, N08)', async () => {
    const [own, other] = [await addPopulation(stile()), await addPopulation(stile())]
    const token = await administrator(stile(), { role: 'Identity Data Admin', type: 'POPULATION', id: own })
    const list = (filter: string) =>
      api('GET', `/populations?filter=${encodeURIComponent(filter)}`, undefined, { token })
    const whole = await api('GET', '/populations', undefined, { token })
    assert.deepEqual([ids(whole.json), whole.json.count], [[own], 1])
    assert.deepEqual(ids((await list(`id eq "${other}"`)).json), [])
    assert.deepEqual(ids((await list(`id eq "${other}" or name sw "Population"`)).json), [own])
    const unknown = await api('GET', `/populations/${randomUUID()}`, undefined, { token })
    const hidden = await api('GET', `/populations/${other}`, undefined, { token })
    assert.deepEqual([hidden.status, { ...hidden.json, id: '' }], [404, { ...unknown.json, id: '' }])
    assert.equal((await api('PUT', `/populations/${other}`, { name: uniqueName() }, { token })).status, 404)
    assert.equal((await api('DELETE', `/populations/${other}`, undefined, { token })).status, 404)
    assert.equal((await api('POST', '/populations', { name: uniqueName() }, { token })).status, 403)
    assert.equal((await api('PUT', `/populations/${own}`, { name: uniqueName() }, { token })).status, 200)
    const taking = await api('PUT', `/populations/${own}`, { name: uniqueName(), default: true }, { token })
    assert.equal(taking.status, 403, 'the default is a matter of the whole environment')
    assert.deepEqual(await defaults(), [stile().populationId])
    const environment = await api('GET', '', undefined, { token })
    assert.equal(environment.status, 200, 'the environment around it may be read')
    assert.equal((await api('PUT', '/settings', {}, { token })).status, 403)
  })

  test('of another environment are not found here (N02, N04)', async () => {
    const { json: parent } = await api('GET', '')
    const body = { name: `Other ${randomUUID()}`, type: 'SANDBOX', region: 'NA', license: parent.license }
    const { json: other } = await api('POST', '/v1/environments', body)
    const populationId = await addPopulation(stile())
    const path = `/v1/environments/${other.id}/populations/${populationId}`
    assert.equal((await api('GET', path)).status, 404)
    assert.equal((await api('PUT', path, { name: uniqueName() })).status, 404)
    assert.equal((await api('DELETE', path)).status, 404)
    assert.equal((await api('GET', `/populations/${populationId}`)).status, 200)
    for (const id of ['x', randomUUID().toUpperCase(), '..%2f', 'null'])
      assert.equal((await api('GET', `/populations/${id}`)).status, 404)
  })

  test('are refused with the member that is wrong', async () => {
    const cases: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
      ['name', { name: '' }],
      ['name', { name: 'n'.repeat(257) }],
      ['description', { description: 'a|b' }],
      ['default', { default: 'yes' }],
      ['passwordPolicy.id', { passwordPolicy: { id: 'x' } }],
      ['preferredLanguage', { preferredLanguage: 'not a language' }],
      ['alternativeIdentifiers', { alternativeIdentifiers: 'a' }],
    ]
    for (const [target, properties] of cases) {
      const { status, json } = await api('POST', '/populations', { name: uniqueName(), ...properties })
      assert.deepEqual([status, json.details?.[0].target], [400, target])
    }
  })
})
