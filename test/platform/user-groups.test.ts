/** The groups of a user (platform-api 3.4, 3.5; rows N09, N13, N31). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Stile } from '../harness/stile.ts'
import { addPopulation, addUser, administrator, giveRoles, type Json, onEachEngine, userToken } from './people.ts'

await onEachEngine('groups of users', (stile) => {
  const api = (...call: Parameters<Stile['api']>) => stile().api(...call)
  const newGroup = async (properties: object = {}): Promise<Json> => {
    const { status, json, text } = await api('POST', '/groups', { name: `Group ${randomUUID()}`, ...properties })
    assert.equal(status, 201, text)
    return json
  }
  const groupsOf = async ({ id }: Json, query = ''): Promise<Json[]> => {
    const { status, json, text } = await api('GET', `/users/${id}/memberOfGroups${query}`)
    assert.equal(status, 200, text)
    return json._embedded.groupMemberships
  }
  const typesOf = async (user: Json) => (await groupsOf(user)).map(({ id, type }: Json) => `${type} ${id}`).toSorted()
  const usersIn = async ({ id }: Json, more = ''): Promise<string[]> => {
    const filter = encodeURIComponent(`(memberOfGroups[id eq "${id}"])${more}`)
    const { status, json, text } = await api('GET', `/users?filter=${filter}`)
    assert.equal(status, 200, text)
    return json._embedded.users.map((user: Json) => user.id).toSorted()
  }

  test('are added, read and removed as Terraform does it', async () => {
    const [user, group] = [await addUser(stile()), await newGroup()]
    const added = await api('POST', `/users/${user.id}/memberOfGroups`, { id: group.id })
    assert.equal(added.status, 201, added.text)
    assert.deepEqual([added.json.id, added.json.name, added.json.type], [group.id, group.name, 'DIRECT'])
    assert.equal(added.headers.get('location'), added.json._links.self.href)
    assert.deepEqual((await api('GET', `/users/${user.id}/memberOfGroups/${group.id}`)).json, added.json)
    assert.equal((await api('GET', `/groups/${group.id}`)).json.directMemberCounts.users, 1)

    const again = await api('POST', `/users/${user.id}/memberOfGroups`, { id: group.id })
    assert.deepEqual([again.status, again.json.details[0].code], [400, 'UNIQUENESS_VIOLATION'])
    const nowhere = await api('POST', `/users/${user.id}/memberOfGroups`, { id: randomUUID() })
    assert.deepEqual([nowhere.status, nowhere.json.details[0].target], [400, 'id'])
    assert.equal((await api('POST', `/users/${randomUUID()}/memberOfGroups`, { id: group.id })).status, 404)

    const [expanded] = await groupsOf(user, '?expand=group')
    assert.equal(expanded._embedded.group.name, group.name)
    const single = await api('GET', `/users/${user.id}/memberOfGroups/${group.id}?expand=group`)
    assert.deepEqual(single.json, expanded)

    assert.equal((await api('DELETE', `/users/${user.id}/memberOfGroups/${group.id}`)).status, 204)
    assert.equal((await api('DELETE', `/users/${user.id}/memberOfGroups/${group.id}`)).status, 404)
    assert.equal((await api('GET', `/users/${user.id}/memberOfGroups/${group.id}`)).status, 404)
  })

  test('come in pages and by filter', async () => {
    const user = await addUser(stile())
    const groups = [await newGroup(), await newGroup(), await newGroup()]
    for (const { id } of groups) await api('POST', `/users/${user.id}/memberOfGroups`, { id })
    const found: string[] = []
    let next: string | undefined = `/users/${user.id}/memberOfGroups?limit=2`
    while (next !== undefined) {
      const { json }: { json: Json } = next.startsWith('http')
        ? await stile().send(next, { token: await stile().workerToken() })
        : await api('GET', next)
      found.push(...json._embedded.groupMemberships.map(({ id }: Json) => id))
      next = json._links.next?.href
    }
    assert.deepEqual(
      found,
      groups.map(({ id }) => id),
    )
    const filter = encodeURIComponent(`name eq "${groups[1].name}"`)
    assert.deepEqual(
      (await groupsOf(user, `?filter=${filter}`)).map(({ id }) => id),
      [groups[1].id],
    )
  })

  test('are by filter, by nesting or both, seen from the user and from the group', async () => {
    const token = randomUUID()
    const dynamic = await newGroup({ userFilter: `email sw "${token}" and enabled eq true` })
    const [middle, top] = [await newGroup(), await newGroup()]
    await api('POST', `/groups/${dynamic.id}/memberOfGroups`, { id: middle.id })
    await api('POST', `/groups/${middle.id}/memberOfGroups`, { id: top.id })
    const matching = await addUser(stile(), { email: `${token.toUpperCase()}@example.com` })
    const disabled = await addUser(stile(), { email: `${token}-2@example.com`, enabled: false })
    const direct = await addUser(stile())
    await api('POST', `/users/${direct.id}/memberOfGroups`, { id: middle.id })

    const indirect = [dynamic, middle, top].map(({ id }) => `INDIRECT ${id}`).toSorted()
    assert.deepEqual(await typesOf(matching), indirect)
    assert.deepEqual(await typesOf(disabled), [])
    assert.deepEqual(await typesOf(direct), [`DIRECT ${middle.id}`, `INDIRECT ${top.id}`].toSorted())
    assert.deepEqual(await usersIn(dynamic), [matching.id])
    assert.deepEqual(await usersIn(top), [matching.id, direct.id].toSorted())
    assert.deepEqual(await usersIn(top, ` and id eq "${direct.id}"`), [direct.id])
    assert.deepEqual(await usersIn({ id: randomUUID() }), [])
    assert.equal((await api('GET', `/users/${matching.id}/memberOfGroups/${top.id}`)).json.type, 'INDIRECT')
    assert.equal((await api('DELETE', `/users/${matching.id}/memberOfGroups/${top.id}`)).status, 404)

    const { json } = await api('GET', `/users/${direct.id}?include=memberOfGroupIDs,memberOfGroupNames`)
    assert.deepEqual(json.memberOfGroupIDs, [middle.id, top.id])
    assert.deepEqual(json.memberOfGroupNames, [middle.name, top.name])
    const names = await api('GET', `/users/${direct.id}?include=memberOfGroupNames`)
    assert.deepEqual([names.json.memberOfGroupIDs, names.json.memberOfGroupNames], [undefined, [middle.name, top.name]])
    assert.equal((await api('GET', `/users/${direct.id}`)).json.memberOfGroupIDs, undefined)
    assert.equal((await api('GET', `/users/${direct.id}?include=password`)).status, 400)
  })

  test('N05: a filter in a group of a population makes members of its users alone', async () => {
    const [here, there] = [await addPopulation(stile()), await addPopulation(stile())]
    const token = randomUUID()
    const mine = await addUser(stile(), { username: `${token}-1`, population: { id: here } })
    const foreign = await addUser(stile(), { username: `${token}-2`, population: { id: there } })
    const group = await newGroup({
      population: { id: here },
      userFilter: `username eq "nobody" or username sw "${token}"`,
    })
    assert.deepEqual(await typesOf(mine), [`INDIRECT ${group.id}`])
    assert.deepEqual(await typesOf(foreign), [])
    assert.deepEqual(await usersIn(group), [mine.id])
    const { json } = await api('GET', `/groups/${group.id}?include=totalMemberCounts`)
    assert.equal(json.totalMemberCounts.users, 1)
  })

  test('N31: nothing of them is left when the user or the group is deleted', async () => {
    const [user, group] = [await addUser(stile()), await newGroup()]
    const members = () =>
      stile().node.kernel.storage.read({
        text: 'SELECT user_id FROM group_memberships WHERE group_id = $1',
        values: [group.id],
      })
    await api('POST', `/users/${user.id}/memberOfGroups`, { id: group.id })
    assert.equal((await members()).length, 1)
    await api('DELETE', `/users/${user.id}`)
    assert.deepEqual(await members(), [])
    const other = await addUser(stile())
    await api('POST', `/users/${other.id}/memberOfGroups`, { id: group.id })
    await api('DELETE', `/groups/${group.id}`)
    assert.deepEqual(await members(), [])
    assert.deepEqual(await groupsOf(other), [])
  })

  test('N09: whoever holds more than the actor is neither put into groups nor taken out', async () => {
    const { environmentId: id, organizationId } = stile()
    const [user, group] = [await addUser(stile()), await newGroup()]
    await giveRoles(stile(), `/users/${user.id}`, [
      { role: 'Organization Admin', type: 'ORGANIZATION', id: organizationId },
    ])
    const token = await administrator(stile(), { role: 'Identity Data Admin', type: 'ENVIRONMENT', id })
    const path = `/users/${user.id}/memberOfGroups`
    assert.equal((await api('POST', path, { id: group.id }, { token })).status, 403)
    assert.equal((await api('POST', path, { id: group.id })).status, 201)
    assert.equal((await api('DELETE', `${path}/${group.id}`, undefined, { token })).status, 403)
  })

  test('N13: users reach neither their groups nor those of others', async () => {
    const [user, group] = [await addUser(stile()), await newGroup()]
    const token = await userToken(stile(), user.id, 'p1:read:user', 'p1:update:user')
    const as = (method: string, path: string, body?: unknown) => api(method, path, body, { token })
    assert.equal((await as('GET', `/users/${user.id}`)).status, 200)
    for (const [method, path, body] of [
      ['GET', `/users/${user.id}?include=memberOfGroupIDs`, undefined],
      ['GET', `/users/${user.id}/memberOfGroups`, undefined],
      ['POST', `/users/${user.id}/memberOfGroups`, { id: group.id }],
      ['GET', '/groups', undefined],
    ] as const) {
      assert.equal((await as(method, path, body)).status, 403, path)
    }
  })
})
