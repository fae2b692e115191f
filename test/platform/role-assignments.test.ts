/** Role assignments (platform-api 3.21; rows N04, N05, N12, N35). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { roleNamed, type ScopeType } from '../../src/access/roles.ts'
import { insert } from '../../src/storage/operations.ts'
import { type Answer, basic, type Stile } from '../harness/stile.ts'
import { echoOf, type Json } from './echo.ts'
import { addPopulation, addUser, administrator, type Held, onEachEngine } from './people.ts'
import { workerBody } from './worker.ts'

/** A place to hold a role at. */
interface Place {
  readonly type: ScopeType
  readonly id: string
  readonly environmentId: string | null
}

await onEachEngine('role assignments', (stile) => {
  const api = (...call: Parameters<Stile['api']>) => stile().api(...call)
  const ofEnvironment = (role: string): Held => ({ role, type: 'ENVIRONMENT', id: stile().environmentId })
  const bodyOf = ({ role, type, id }: Held) => ({ role: { id: roleNamed(role).id }, scope: { id, type } })
  const detailOf = ({ status, json }: Answer) => [status, json.code, json.details?.[0].code, json.details?.[0].target]

  async function newWorker(): Promise<string> {
    const { status, json } = await api('POST', '/applications', workerBody(`Worker ${randomUUID()}`))
    assert.equal(status, 201)
    return json.id
  }

  async function tokenOf(applicationId: string): Promise<string> {
    const { json } = await api('GET', `/applications/${applicationId}/secret`)
    const headers = { authorization: basic(applicationId, json.secret) }
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    return (await stile().send(`/${stile().environmentId}/as/token`, { body, headers })).json.access_token
  }

  async function newEnvironment(): Promise<string> {
    const { json } = await api('GET', '')
    const body = { name: `Other ${randomUUID()}`, type: 'SANDBOX', region: 'NA', license: json.license }
    return (await api('POST', '/v1/environments', body)).json.id
  }

  /** Writes a role past all rules, to have actors that hold exactly this. */
  async function hold(actorType: string, actorId: string, role: string, place: Place, readOnly = 0): Promise<string> {
    const id = randomUUID()
    await stile().node.kernel.storage.commit({
      name: 'test.hold',
      run: () =>
        insert('role_assignments', {
          id,
          environment_id: stile().environmentId,
          actor_type: actorType,
          actor_id: actorId,
          role_id: roleNamed(role).id,
          scope_type: place.type,
          scope_id: place.id,
          scope_environment_id: place.environmentId,
          read_only: readOnly,
          created_at: 0,
        }),
    })
    return id
  }

  test('are given, read, listed and taken, of applications and of users', async () => {
    const user = await addUser(stile(), { population: { id: stile().populationId } })
    for (const path of [`/applications/${await newWorker()}`, `/users/${user.id}`]) {
      const held = ofEnvironment('Identity Data Read Only')
      const { status, json, headers } = await api('POST', `${path}/roleAssignments`, {
        ...bodyOf(held),
        readOnly: true,
        id: randomUUID(),
      })
      assert.equal(status, 201)
      const { id, environment } = json
      assert.deepEqual(echoOf(json), { ...bodyOf(held), readOnly: false })
      assert.equal(environment.id, stile().environmentId)
      assert.equal(
        headers.get('location'),
        `${stile().apiUrl}/v1/environments/${stile().environmentId}${path}/roleAssignments/${id}`,
      )
      assert.deepEqual((await api('GET', `${path}/roleAssignments/${id}`)).json, json)
      const { json: list } = await api('GET', `${path}/roleAssignments`)
      assert.deepEqual(list._embedded.roleAssignments, [json])
      assert.equal((await api('DELETE', `${path}/roleAssignments/${id}`)).status, 204)
      assert.equal((await api('DELETE', `${path}/roleAssignments/${id}`)).status, 404)
      assert.equal((await api('GET', `${path}/roleAssignments/${id}`)).status, 404)
      assert.deepEqual((await api('GET', `${path}/roleAssignments`)).json._embedded.roleAssignments, [])
    }
  })

  test('are not given twice, also at the same time', async () => {
    const path = `/applications/${await newWorker()}/roleAssignments`
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => api('POST', path, bodyOf(ofEnvironment('Environment Admin')))),
    )
    const losers = answers.filter(({ status }) => status !== 201)
    assert.equal(losers.length, 19)
    for (const loser of losers) {
      assert.deepEqual(detailOf(loser), [400, 'INVALID_DATA', 'UNIQUENESS_VIOLATION', 'role'])
      assert.equal(loser.json.details[0].message, 'May not assign duplicate Role')
    }
  })

  test('fit the role and a scope of the organization', async () => {
    const path = `/applications/${await newWorker()}/roleAssignments`
    const wrong = async (body: object) => detailOf(await api('POST', path, body)).slice(0, 4)
    const environment = { id: stile().environmentId, type: 'ENVIRONMENT' }
    const organization = { id: stile().organizationId, type: 'ORGANIZATION' }
    const role = (name: string) => ({ id: roleNamed(name).id })
    assert.deepEqual(await wrong({ role: role('Organization Admin'), scope: environment }), [
      400,
      'INVALID_DATA',
      'INVALID_VALUE',
      'scope.type',
    ])
    assert.deepEqual(await wrong({ role: role('Identity Data Admin'), scope: organization }), [
      400,
      'INVALID_DATA',
      'INVALID_VALUE',
      'scope.type',
    ])
    assert.deepEqual(await wrong({ role: { id: randomUUID() }, scope: environment }), [
      400,
      'INVALID_DATA',
      'INVALID_VALUE',
      'role.id',
    ])
    const nowhere = { id: randomUUID(), type: 'ENVIRONMENT' }
    assert.deepEqual(await wrong({ role: role('Environment Admin'), scope: nowhere }), [
      400,
      'INVALID_DATA',
      'INVALID_VALUE',
      'scope.id',
    ])
    assert.deepEqual(await wrong({ role: role('Environment Admin'), scope: { ...nowhere, type: 'ORGANIZATION' } }), [
      403,
      'ACCESS_FAILED',
      'INSUFFICIENT_PERMISSIONS',
      'role',
    ])
    assert.equal(
      (await wrong({ role: role('Environment Admin'), scope: { id: 'x', type: 'ENVIRONMENT' } }))[3],
      'scope.id',
    )
    assert.equal(
      (await wrong({ role: role('Environment Admin'), scope: { ...environment, type: 'PLANET' } }))[3],
      'scope.type',
    )
    assert.equal((await wrong({ scope: environment }))[3], 'role')
  })

  test('may be scoped to what lies in another environment of the organization', async () => {
    const other = await newEnvironment()
    const { json: population } = await api('POST', `/v1/environments/${other}/populations`, { name: 'There' })
    const worker = await newWorker()
    const given = await api(
      'POST',
      `/applications/${worker}/roleAssignments`,
      bodyOf({ role: 'Identity Data Admin', type: 'POPULATION', id: population.id }),
    )
    assert.equal(given.status, 201, given.text)
    const token = await tokenOf(worker)
    const seen = await api('GET', `/v1/environments/${other}/populations`, undefined, { token })
    assert.deepEqual(
      seen.json._embedded.populations.map(({ id }: { id: string }) => id),
      [population.id],
    )
    assert.equal((await api('GET', '/populations', undefined, { token })).status, 403)
  })

  test('belong to their holder alone (N04)', async () => {
    const [one, two] = [await newWorker(), await newWorker()]
    const { json } = await api(
      'POST',
      `/applications/${one}/roleAssignments`,
      bodyOf(ofEnvironment('Environment Admin')),
    )
    assert.equal((await api('GET', `/applications/${two}/roleAssignments/${json.id}`)).status, 404)
    assert.equal((await api('DELETE', `/applications/${two}/roleAssignments/${json.id}`)).status, 404)
    assert.equal((await api('GET', `/users/${one}/roleAssignments/${json.id}`)).status, 404)
    for (const holder of [`/applications/${randomUUID()}`, `/users/${randomUUID()}`, `/users/${one}`]) {
      assert.equal((await api('GET', `${holder}/roleAssignments`)).status, 404)
      assert.equal(
        (await api('POST', `${holder}/roleAssignments`, bodyOf(ofEnvironment('Environment Admin')))).status,
        404,
      )
    }
    const other = await newEnvironment()
    assert.equal((await api('GET', `/v1/environments/${other}/applications/${one}/roleAssignments`)).status, 404)
    assert.equal((await api('GET', `/applications/${one}/roleAssignments/${json.id}`)).status, 200)
  })

  test('that are read-only stay', async () => {
    const worker = await newWorker()
    const place = {
      type: 'ENVIRONMENT',
      id: stile().environmentId,
      above: [],
      environmentId: stile().environmentId,
    } as const
    const id = await hold('APPLICATION', worker, 'Environment Admin', place, 1)
    const { status, json } = await api('DELETE', `/applications/${worker}/roleAssignments/${id}`)
    assert.deepEqual(
      [status, json.details[0].message],
      [400, `Role assignment ${id} cannot be deleted as it is read only`],
    )
    assert.equal((await api('GET', `/applications/${worker}/roleAssignments/${id}`)).json.readOnly, true)
  })

  test('that are taken end what their holder may do with the next request (I31, N35)', async () => {
    const worker = await newWorker()
    const path = `/applications/${worker}/roleAssignments`
    const { json } = await api('POST', path, bodyOf(ofEnvironment('Environment Admin')))
    const token = await tokenOf(worker)
    assert.equal((await api('GET', '/populations', undefined, { token })).status, 200)
    assert.equal((await api('DELETE', `${path}/${json.id}`)).status, 204)
    assert.equal((await api('GET', '/populations', undefined, { token })).status, 403)
    assert.equal((await api('POST', path, bodyOf(ofEnvironment('Environment Admin')), { token })).status, 403)
  })

  test('leave at least one Organization Admin, also when two take each other’s (N12)', async () => {
    const { organizationId, worker } = stile()
    const own = `/applications/${worker.clientId}/roleAssignments`
    const adminRole = roleNamed('Organization Admin').id
    const { json } = await api('GET', own)
    const last = json._embedded.roleAssignments.find(({ role }: Json) => role.id === adminRole)
    const refused = await api('DELETE', `${own}/${last.id}`)
    assert.deepEqual([refused.status, refused.json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
    assert.equal((await api('DELETE', `/applications/${worker.clientId}`)).status, 400, 'nor by deleting its holder')

    for (let round = 0; round < 5; round += 1) {
      const second = await newWorker()
      const path = `/applications/${second}/roleAssignments`
      const given = await api(
        'POST',
        path,
        bodyOf({ role: 'Organization Admin', type: 'ORGANIZATION', id: organizationId }),
      )
      assert.equal(given.status, 201)
      const admins = (await api('GET', own)).json._embedded.roleAssignments.filter(
        ({ role }: Json) => role.id === adminRole,
      )
      const tokens = [await stile().workerToken(), await tokenOf(second)]
      const answers = await Promise.all([
        api('DELETE', `${path}/${given.json.id}`, undefined, { token: tokens[0] as string }),
        api('DELETE', `${own}/${admins[0].id}`, undefined, { token: tokens[1] as string }),
      ])
      const removed = answers.filter(({ status }) => status === 204).length
      assert.equal(removed, 1, answers.map(({ text }) => text).join())
      const held = await stile().node.kernel.storage.read({
        text: 'SELECT actor_id FROM role_assignments WHERE role_id = $1',
        values: [adminRole],
      })
      assert.equal(held.length, 1)
      // Back to one administrator, the demo's own, for the next round.
      if (answers[1].status === 204) {
        const place = { type: 'ORGANIZATION', id: organizationId, environmentId: null } as const
        await hold('APPLICATION', worker.clientId, 'Organization Admin', place)
        assert.equal((await api('DELETE', `${path}/${given.json.id}`)).status, 204)
      }
    }
  })

  test('of users are managed by the administrators of their population (N05)', async () => {
    const [own, other] = [await addPopulation(stile()), await addPopulation(stile())]
    const [inside, outside] = [
      await addUser(stile(), { population: { id: own } }),
      await addUser(stile(), { population: { id: other } }),
    ]
    const token = await administrator(stile(), { role: 'Identity Data Admin', type: 'POPULATION', id: own })
    const body = bodyOf({ role: 'Identity Data Read Only', type: 'POPULATION', id: own })
    const given = await api('POST', `/users/${inside.id}/roleAssignments`, body, { token })
    assert.equal(given.status, 201, given.text)
    assert.equal(
      (await api('DELETE', `/users/${inside.id}/roleAssignments/${given.json.id}`, undefined, { token })).status,
      204,
    )
    assert.equal((await api('GET', `/users/${outside.id}/roleAssignments`, undefined, { token })).status, 404)
    assert.equal((await api('POST', `/users/${outside.id}/roleAssignments`, body, { token })).status, 404)
    assert.equal(
      (await api('GET', `/applications/${await newWorker()}/roleAssignments`, undefined, { token })).status,
      403,
    )
  })
})
