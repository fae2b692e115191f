/** Roles of groups: platform-api 3.4, 3.21; rows N05, N07, N08, N09, N12, N31, N35. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { roleNamed } from '../../src/access/roles.ts'
import { isAdministrator } from '../../src/flow-runtime/admission.ts'
import { insert, update } from '../../src/storage/operations.ts'
import { rows } from '../flow-runtime/arrange.ts'
import type { Answer, Stile } from '../harness/stile.ts'
import {
  addPopulation,
  addUser,
  administrator,
  giveRoles,
  type Held,
  onEachEngine,
  tokenOfSignOn,
  vendor,
} from './people.ts'
import { workerBody } from './worker.ts'

await onEachEngine('roles of groups', (stile) => {
  const api = (...call: Parameters<Stile['api']>) => stile().api(...call)
  const here = (role: string): Held => ({ role, type: 'ENVIRONMENT', id: stile().environmentId })
  const bodyOf = ({ role, type, id }: Held) => ({ role: { id: roleNamed(role).id }, scope: { id, type } })
  const strong = () => here('Environment Admin')
  const weak = () => here('Identity Data Read Only')
  /** Manages users and groups, and holds no more. */
  const lesser = () => administrator(stile(), here('Identity Data Admin'))

  async function newGroup(more: object = {}, ...roles: readonly Held[]): Promise<string> {
    const { status, json, text } = await api('POST', '/groups', { name: `Group ${randomUUID()}`, ...more })
    assert.equal(status, 201, text)
    await giveRoles(stile(), `/groups/${json.id}`, roles)
    return json.id as string
  }
  const newUser = async () => (await addUser(stile(), { population: { id: stile().populationId } })).id as string
  const put = (userId: string, groupId: string, token?: string) =>
    api('POST', `/users/${userId}/memberOfGroups`, { id: groupId }, token === undefined ? {} : { token })
  const nest = (groupId: string, parentId: string, token?: string) =>
    api('POST', `/groups/${groupId}/memberOfGroups`, { id: parentId }, token === undefined ? {} : { token })
  const done = (answer: Answer, status = 201) => assert.equal(answer.status, status, answer.text)

  /** What a user may call the platform with, by an application that administrators use. */
  let console: Promise<string> | undefined
  async function tokenOf(userId: string): Promise<string> {
    console ??= api('POST', '/applications', {
      ...workerBody(`Console ${randomUUID()}`),
      grantTypes: ['AUTHORIZATION_CODE'],
      responseTypes: ['CODE'],
      redirectUris: ['https://console.example.com/callback'],
    }).then(({ json }) => json.id as string)
    return tokenOfSignOn(stile(), userId, [], 0, await console)
  }
  const mayReadPolicies = async (token: string) =>
    (await api('GET', '/signOnPolicies', undefined, { token })).status === 200

  test('are given, read, listed and taken', async () => {
    const path = `/groups/${await newGroup()}/roleAssignments`
    const given = await api('POST', path, bodyOf(strong()))
    done(given)
    const { id, _links, role, scope } = given.json
    assert.deepEqual(
      [{ role, scope }, _links.group.href.endsWith(path.replace('/roleAssignments', ''))],
      [bodyOf(strong()), true],
    )
    assert.deepEqual((await api('GET', `${path}/${id}`)).json, given.json)
    assert.deepEqual((await api('GET', path)).json._embedded.roleAssignments, [given.json])
    const again = await api('POST', path, bodyOf(strong()))
    assert.equal(again.json.details[0].code, 'UNIQUENESS_VIOLATION')
    done(await api('DELETE', `${path}/${id}`), 204)
    assert.equal((await api('GET', `${path}/${id}`)).status, 404)
    assert.equal((await api('POST', `/groups/${randomUUID()}/roleAssignments`, bodyOf(strong()))).status, 404)
  })

  test('hold for whoever is put in, at the next request, and no longer (N35)', async () => {
    const { kernel } = stile().node
    const outer = await newGroup({}, strong())
    const inner = await newGroup()
    const [one, other] = [await newUser(), await newUser()]
    const tokens = [await tokenOf(one), await tokenOf(other)]
    const may = async () => Promise.all(tokens.map(mayReadPolicies))
    assert.deepEqual(await may(), [false, false])
    done(await put(one, outer))
    done(await put(other, inner))
    assert.deepEqual(await may(), [true, false])
    done(await nest(inner, outer))
    assert.deepEqual(await may(), [true, true])
    assert.ok(await isAdministrator(kernel, stile().environmentId, other), 'they are administrators everywhere')
    done(await api('DELETE', `/users/${one}/memberOfGroups/${outer}`), 204)
    assert.deepEqual(await may(), [false, true])
    done(await api('DELETE', `/groups/${inner}/memberOfGroups/${outer}`), 204)
    assert.deepEqual(await may(), [false, false])
    done(await nest(inner, outer))
    const [{ id } = { id: '' }] = (await api('GET', `/groups/${outer}/roleAssignments`)).json._embedded.roleAssignments
    done(await api('DELETE', `/groups/${outer}/roleAssignments/${id}`), 204)
    assert.deepEqual(await may(), [false, false])
  })

  test('N31: go with the group', async () => {
    const group = await newGroup({}, strong())
    const user = await newUser()
    done(await put(user, group))
    const token = await tokenOf(user)
    assert.ok(await mayReadPolicies(token))
    done(await api('DELETE', `/groups/${group}`), 204)
    assert.deepEqual(await rows(stile(), 'role_assignments', 'actor_id = $2', group), [])
    assert.ok(!(await mayReadPolicies(token)))
  })

  test('N07, N08: nobody gives or takes by groups what they could not give themselves', async () => {
    const token = await lesser()
    const by = { token }
    const [member, user] = [await newUser(), await newUser()]
    const group = await newGroup({}, strong())
    const nested = await newGroup()
    const loose = await newGroup()
    done(await nest(nested, group))
    done(await put(member, nested))
    const own = await newUser()
    done(await put(own, loose, token))
    const [{ id: assignment }] = (await api('GET', `/groups/${group}/roleAssignments`)).json._embedded.roleAssignments
    const state = async () => [
      await rows(stile(), 'group_memberships', 'group_id <> $2', ''),
      await rows(stile(), 'group_nestings', 'group_id <> $2', ''),
      await rows(stile(), 'groups', 'id <> $2', ''),
      await rows(stile(), 'role_assignments', 'actor_type = $2', 'GROUP'),
    ]
    const before = await state()
    const named = { name: `Group ${randomUUID()}` }
    const attempts: readonly (readonly [string, string, object | undefined])[] = [
      ['POST', `/users/${user}/memberOfGroups`, { id: group }],
      ['POST', `/users/${user}/memberOfGroups`, { id: nested }],
      ['POST', `/groups/${loose}/memberOfGroups`, { id: group }],
      ['POST', `/groups/${loose}/memberOfGroups`, { id: nested }],
      ['DELETE', `/groups/${nested}/memberOfGroups/${group}`, undefined],
      ['DELETE', `/users/${member}/memberOfGroups/${nested}`, undefined],
      ['PUT', `/groups/${group}`, { ...named, userFilter: 'username sw "user"' }],
      ['PUT', `/groups/${nested}`, { ...named, userFilter: 'username sw "user"' }],
      ['PUT', `/groups/${group}`, named],
      ['DELETE', `/groups/${group}`, undefined],
      ['DELETE', `/groups/${nested}`, undefined],
      ['POST', `/groups/${loose}/roleAssignments`, bodyOf(strong())],
      ['DELETE', `/groups/${group}/roleAssignments/${assignment}`, undefined],
      ['DELETE', `/users/${member}`, undefined],
      ['PUT', `/users/${member}/enabled`, { enabled: false }],
      ['PUT', `/users/${member}/password`, { value: 'Green-Horse-28-Staple' }],
    ]
    for (const [method, path, body] of attempts) {
      const set = path.endsWith('/password') ? vendor('password.set') : {}
      const answer = await api(method, path, body, { ...by, ...set })
      assert.equal(answer.status, 403, `${method} ${path}: ${answer.text}`)
    }
    assert.deepEqual(await state(), before)
    const harmless = await newGroup({}, weak())
    done(await put(user, harmless, token))
    done(await nest(loose, harmless, token))
    done(await api('PUT', `/groups/${harmless}`, named, by), 200)
    done(await api('POST', `/groups/${loose}/roleAssignments`, bodyOf(weak()), by))
  })

  test('N05: of groups of a population are managed by its administrators, others by nobody there', async () => {
    const population = await addPopulation(stile())
    const held: Held = { role: 'Identity Data Admin', type: 'POPULATION', id: population }
    const token = await administrator(stile(), held)
    const inside = await newGroup({ population: { id: population } })
    const outside = await newGroup()
    const body = bodyOf({ ...held, role: 'Identity Data Read Only' })
    done(await api('POST', `/groups/${inside}/roleAssignments`, body, { token }))
    assert.equal((await api('POST', `/groups/${outside}/roleAssignments`, body, { token })).status, 404)
    assert.equal((await api('GET', `/groups/${outside}/roleAssignments`, undefined, { token })).status, 404)
  })

  test('N08: no filter brings a role, neither by rule nor by what is stored', async () => {
    const userFilter = 'name.given eq "Mallory"'
    const dynamic = await newGroup({ userFilter })
    const refused = async (answer: Promise<Answer>, target: string) => {
      const { status, json } = await answer
      assert.deepEqual(
        [status, json.details?.[0].code, json.details?.[0].target],
        [400, 'CONSTRAINT_VIOLATION', target],
      )
    }
    await refused(api('POST', `/groups/${dynamic}/roleAssignments`, bodyOf(strong())), 'role')
    const group = await newGroup({}, strong())
    await refused(nest(dynamic, group), 'id')
    const around = await newGroup()
    done(await nest(dynamic, around))
    await refused(nest(around, group), 'id')
    await refused(api('POST', `/groups/${around}/roleAssignments`, bodyOf(strong())), 'role')
    const nested = await newGroup()
    done(await nest(nested, group))
    for (const id of [group, nested]) {
      await refused(api('PUT', `/groups/${id}`, { name: `Group ${randomUUID()}`, userFilter }), 'userFilter')
    }

    const environment_id = stile().environmentId
    await stile().node.kernel.storage.commit({
      name: 'test.filter',
      *run() {
        yield* update('groups', { environment_id, id: group }, { user_filter: userFilter })
      },
    })
    const { id } = await addUser(stile(), { population: { id: stile().populationId }, name: { given: 'Mallory' } })
    const { json } = await api('GET', `/users/${id}/memberOfGroups`)
    assert.ok(json._embedded.groupMemberships.some((each: { readonly id: string }) => each.id === group))
    assert.ok(!(await mayReadPolicies(await tokenOf(id))))
  })

  test('N12: an organization keeps an Organization Admin, also where a group gives the role', async () => {
    const { storage } = stile().node.kernel
    const organization: Held = { role: 'Organization Admin', type: 'ORGANIZATION', id: stile().organizationId }
    const role = roleNamed(organization.role).id
    const group = await newGroup({}, organization)
    const inner = await newGroup()
    const [one, other] = [await newUser(), await newUser()]
    done(await put(one, group))
    done(await put(other, inner))
    done(await nest(inner, group))
    const direct = await rows<{ id: string; environment_id: string; actor_id: string; actor_type: string }>(
      stile(),
      'role_assignments',
      "role_id = $2 AND actor_type <> 'GROUP'",
      role,
    )
    // The worker of the tests keeps what it needs to try, but for the role itself.
    for (const { id } of direct.slice(1)) {
      await storage.commit({
        name: 'test.take',
        run: () => update('role_assignments', { id }, { role_id: randomUUID() }),
      })
    }
    const [worker] = direct
    assert.ok(worker)
    const taken = await api('DELETE', `/applications/${worker.actor_id}/roleAssignments/${worker.id}`)
    done(taken, 204)
    try {
      const token = await tokenOf(other)
      const by = { token }
      const identity = await stile().workerToken()
      assert.ok(identity)
      const keeps = async (answer: Promise<Answer>) => {
        const { status, json, text } = await answer
        assert.deepEqual([status, json?.details?.[0].code], [400, 'CONSTRAINT_VIOLATION'], text)
      }
      const [{ id: assignment }] = (await api('GET', `/groups/${group}/roleAssignments`, undefined, by)).json._embedded
        .roleAssignments
      await keeps(api('DELETE', `/groups/${group}/roleAssignments/${assignment}`, undefined, by))
      await giveDirectly(other, 'Identity Data Admin', 'ENVIRONMENT', stile().environmentId)
      await giveDirectly(other, 'Environment Admin', 'ENVIRONMENT', stile().environmentId)
      done(await api('DELETE', `/users/${one}/memberOfGroups/${group}`, undefined, by), 204)
      await keeps(api('DELETE', `/users/${other}/memberOfGroups/${inner}`, undefined, by))
      await keeps(api('DELETE', `/groups/${inner}/memberOfGroups/${group}`, undefined, by))
      await keeps(api('DELETE', `/groups/${inner}`, undefined, by))
      await keeps(api('DELETE', `/groups/${group}`, undefined, by))
      await keeps(api('DELETE', `/users/${other}`, undefined, by))
      done(await put(one, inner, token))
      const ends = await Promise.all([
        api('DELETE', `/users/${one}/memberOfGroups/${inner}`, undefined, by),
        api('DELETE', `/users/${other}/memberOfGroups/${inner}`, undefined, by),
      ])
      assert.ok(
        ends.some(({ status }) => status !== 204),
        'one of them stays',
      )
    } finally {
      await giveDirectly(worker.actor_id, organization.role, 'ORGANIZATION', organization.id, 'APPLICATION')
    }

    async function giveDirectly(actorId: string, name: string, type: string, id: string, actorType = 'USER') {
      await storage.commit({
        name: 'test.give',
        run: () =>
          insert('role_assignments', {
            id: randomUUID(),
            environment_id: stile().environmentId,
            actor_type: actorType,
            actor_id: actorId,
            role_id: roleNamed(name).id,
            scope_type: type,
            scope_id: id,
            scope_environment_id: type === 'ENVIRONMENT' ? id : null,
            read_only: 0,
            created_at: 0,
          }),
      })
    }
  })
})
