/** The ceiling of roles: every caller against every role, given and taken (platform-api 3.21; rows N07, N11). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type Role, roles, type ScopeType } from '../../src/access/roles.ts'
import { insert, remove } from '../../src/storage/operations.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { addPopulation, addUser } from './people.ts'
import { workerWith } from './worker.ts'

/** A place to hold a role at, with everything above it. */
interface Place {
  readonly type: ScopeType
  readonly id: string
  readonly above: readonly string[]
  readonly environmentId: string | null
}

interface Held {
  readonly role: Role
  readonly place: Place
}

const reaches = (held: Place, wanted: Place) => held.id === wanted.id || wanted.above.includes(held.id)

suite('role ceiling', () => {
  let stile: Stile
  let places: readonly Place[]
  let everything: readonly Held[]

  before(async () => {
    stile = await startStile()
    const { organizationId, environmentId } = stile
    const { json } = await stile.api('GET', '')
    const wanted = { name: 'Other', type: 'SANDBOX', region: 'NA', license: json.license }
    const other: string = (await stile.api('POST', '/v1/environments', wanted)).json.id
    const [first, second] = [await addPopulation(stile), await addPopulation(stile)]
    places = [
      { type: 'ORGANIZATION', id: organizationId, above: [], environmentId: null },
      { type: 'ENVIRONMENT', id: environmentId, above: [organizationId], environmentId },
      { type: 'ENVIRONMENT', id: other, above: [organizationId], environmentId: other },
      { type: 'POPULATION', id: first, above: [organizationId, environmentId], environmentId },
      { type: 'POPULATION', id: second, above: [organizationId, environmentId], environmentId },
    ]
    everything = roles.flatMap((role) =>
      places.filter(({ type }) => role.applicableTo.includes(type)).map((place) => ({ role, place })),
    )
  })
  after(() => stile.close())

  /** Writes a role past all rules, to have actors that hold exactly this. */
  async function hold(actorType: string, actorId: string, { role, place }: Held): Promise<string> {
    const id = randomUUID()
    const row = {
      id,
      environment_id: stile.environmentId,
      actor_type: actorType,
      actor_id: actorId,
      role_id: role.id,
      scope_type: place.type,
      scope_id: place.id,
      scope_environment_id: place.environmentId,
      read_only: 0,
      created_at: 0,
    }
    await stile.node.kernel.storage.commit({ name: 'test.hold', run: () => insert('role_assignments', row) })
    return id
  }

  /** Takes a role away past all rules; whether it was there. */
  async function drop(id: string): Promise<boolean> {
    const unit = { name: 'test.drop', run: () => remove('role_assignments', { id }) }
    return (await stile.node.kernel.storage.commit(unit)) > 0
  }

  /** Lets every caller give and take every role, and compares with the tree of places. */
  async function compare(holder: {
    readonly type: 'APPLICATION' | 'USER'
    readonly id: string
    readonly at: Place
  }): Promise<void> {
    const path = `/${holder.type === 'USER' ? 'users' : 'applications'}/${holder.id}/roleAssignments`
    const resource = holder.type === 'USER' ? 'userRoleAssignments' : 'applicationRoleAssignments'
    let allowed = 0
    for (const caller of everything) {
      const { id: callerId, token } = await workerWith(stile, `Caller ${randomUUID()}`)
      await hold('APPLICATION', callerId, caller)
      const mayCall = (verb: 'create' | 'delete') =>
        caller.role.permissions.has(`permissions:${verb}:${resource}`) && reaches(caller.place, holder.at)
      for (const wanted of everything) {
        const { role, place } = wanted
        const dominated =
          reaches(caller.place, place) && [...role.permissions].every((one) => caller.role.permissions.has(one))
        const what = `${caller.role.name} at ${caller.place.type}: ${role.name} at ${place.type}`

        const body = { role: { id: role.id }, scope: { id: place.id, type: place.type } }
        const given = await stile.api('POST', path, body, { token })
        assert.equal(given.status === 201, mayCall('create') && dominated, `${what}: ${given.text}`)
        if (given.status === 201) allowed += 1
        else assert.ok(given.status === 403 || given.status === 404, what)
        if (given.status === 403 && mayCall('create')) {
          assert.match(given.json.details[0].message, /^Must have role at the same or broader scope/)
        }

        const id: string = given.status === 201 ? given.json.id : await hold(holder.type, holder.id, wanted)
        const taken = await stile.api('DELETE', `${path}/${id}`, undefined, { token })
        assert.equal(taken.status === 204, mayCall('delete') && dominated, `taking, ${what}: ${taken.text}`)
        assert.equal(await drop(id), taken.status !== 204, 'nothing changes when it is refused')
      }
    }
    assert.ok(allowed > 10, `only ${allowed} combinations are allowed`)
  }

  test('of an application in the environment', async () => {
    const { id } = await workerWith(stile, 'Holder')
    await compare({ type: 'APPLICATION', id, at: places[1] as Place })
  })

  test('of a user in a population', async () => {
    const at = places[3] as Place
    const { id } = await addUser(stile, { population: { id: at.id } })
    await compare({ type: 'USER', id, at })
  })
})
