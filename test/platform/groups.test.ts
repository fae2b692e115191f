/** Groups and how they are nested (platform-api 3.4; rows N02, N04, N05, N08, N14, N34). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Stile } from '../harness/stile.ts'
import { echoOf, type Json } from './echo.ts'
import { addPopulation, addUser, administrator, onEachEngine } from './people.ts'

const uniqueName = () => `Group ${randomUUID()}`
const ids = (json: Json): string[] => json._embedded.groups.map(({ id }: { id: string }) => id)

await onEachEngine('groups', (stile) => {
  const api = (...call: Parameters<Stile['api']>) => stile().api(...call)
  const create = async (properties: object = {}): Promise<Json> => {
    const { status, json, text } = await api('POST', '/groups', { name: uniqueName(), ...properties })
    assert.equal(status, 201, text)
    return json
  }
  const nest = (inner: Json, outer: Json) => api('POST', `/groups/${inner.id}/memberOfGroups`, { id: outer.id })
  const put = async (user: Json, group: Json) => {
    const { status, text } = await api('POST', `/users/${user.id}/memberOfGroups`, { id: group.id })
    assert.equal(status, 201, text)
  }

  test('come back as they were sent, custom data to the letter', async () => {
    const population = await addPopulation(stile())
    const sent = {
      name: uniqueName(),
      description: 'Administrators',
      externalId: 'ext-1',
      userFilter: 'username sw "admin-"',
      customData: { shelf: 3, note: null, list: [1, null] },
      population: { id: population },
    }
    const { status, json, headers } = await api('POST', '/groups', sent)
    assert.equal(status, 201)
    assert.deepEqual(echoOf(json, 'displayName', 'directMemberCounts'), sent)
    assert.equal(json.displayName, sent.name)
    assert.deepEqual(json.directMemberCounts, { users: 0 })
    assert.equal(headers.get('location'), json._links.self.href)
    assert.deepEqual((await api('GET', `/groups/${json.id}`)).json, json)

    const replaced = await api('PUT', `/groups/${json.id}`, { name: sent.name, id: randomUUID(), displayName: 'x' })
    assert.equal(replaced.status, 200)
    assert.deepEqual(echoOf(replaced.json, 'displayName', 'directMemberCounts'), { name: sent.name })
    assert.equal(replaced.json.createdAt, json.createdAt)
    assert.deepEqual((await api('GET', `/groups/${json.id}`)).json, replaced.json)
    assert.equal((await api('DELETE', `/groups/${json.id}`)).status, 204)
    assert.equal((await api('DELETE', `/groups/${json.id}`)).status, 404)
    assert.equal((await api('GET', `/groups/${json.id}`)).status, 404)
  })

  test('have names that repeat across populations alone; of 10 at once, one is created (N34)', async () => {
    const [here, there] = [await addPopulation(stile()), await addPopulation(stile())]
    const name = uniqueName()
    for (const population of [undefined, { id: here }, { id: there }]) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => api('POST', '/groups', { name, population })))
      assert.equal(answers.filter(({ status }) => status === 201).length, 1)
      const refused = answers.find(({ status }) => status !== 201)
      assert.deepEqual([refused?.status, refused?.json.details[0].code], [400, 'UNIQUENESS_VIOLATION'])
    }
    const other = await create()
    const renamed = await api('PUT', `/groups/${other.id}`, { name })
    assert.deepEqual([renamed.status, renamed.json.details[0].target], [400, 'name'])
  })

  test('are found by name, id, external id and population, as Terraform asks', async () => {
    const population = await addPopulation(stile())
    const externalId = randomUUID()
    const group = await create({ externalId, population: { id: population } })
    for (const filter of [
      `((name eq "${group.name}"))`,
      `((id eq "${group.id}"))`,
      `externalId eq "${externalId}"`,
      `population.id eq "${population}"`,
    ]) {
      const { json } = await api('GET', `/groups?filter=${encodeURIComponent(filter)}`)
      assert.deepEqual(ids(json), [group.id], filter)
    }
    const refused = await api('GET', `/groups?filter=${encodeURIComponent('description eq "x"')}`)
    assert.equal(refused.json.details[0].code, 'INVALID_FILTER')
  })

  test('refuse what they cannot hold, and nothing is changed', async () => {
    for (const [body, target] of [
      [{ name: '' }, 'name'],
      [{ name: 'x', population: { id: randomUUID() } }, 'population.id'],
      [{ name: 'x', userFilter: 'shoeSize eq "42"' }, 'userFilter'],
      [{ name: 'x', userFilter: 'memberOfGroups[id eq "x"]' }, 'userFilter'],
      [{ name: 'x', userFilter: '(' }, 'userFilter'],
      [{ name: 'x', customData: 'text' }, 'customData'],
      [{ name: 'x', customData: { long: 'x'.repeat(20_000) } }, 'customData'],
    ] as const) {
      const { status, json } = await api('POST', '/groups', body)
      assert.deepEqual([status, json.code, json.details[0].target], [400, 'INVALID_DATA', target])
    }
  })

  test('keep their population from being deleted', async () => {
    const population = await addPopulation(stile())
    const group = await create({ population: { id: population } })
    const refused = await api('DELETE', `/populations/${population}`)
    assert.deepEqual([refused.status, refused.json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
    await api('DELETE', `/groups/${group.id}`)
    assert.equal((await api('DELETE', `/populations/${population}`)).status, 204)
  })

  test('are nested, read and taken apart', async () => {
    const [inner, outer] = [await create(), await create()]
    const made = await nest(inner, outer)
    assert.equal(made.status, 201, made.text)
    assert.deepEqual([made.json.id, made.json.type], [outer.id, 'DIRECT'])
    const { json } = await api('GET', `/groups/${inner.id}/memberOfGroups`)
    assert.deepEqual(json._embedded.groupMemberships, [made.json])
    assert.deepEqual((await api('GET', `/groups/${inner.id}/memberOfGroups/${outer.id}`)).json, made.json)
    assert.equal((await nest(inner, outer)).json.details[0].code, 'UNIQUENESS_VIOLATION')
    assert.equal((await api('GET', `/groups/${outer.id}/memberOfGroups/${inner.id}`)).status, 404)
    assert.equal((await api('DELETE', `/groups/${inner.id}/memberOfGroups/${outer.id}`)).status, 204)
    assert.equal((await api('DELETE', `/groups/${inner.id}/memberOfGroups/${outer.id}`)).status, 404)

    await nest(inner, outer)
    assert.equal((await api('DELETE', `/groups/${outer.id}`)).status, 204)
    assert.deepEqual((await api('GET', `/groups/${inner.id}/memberOfGroups`)).json._embedded.groupMemberships, [])
    const nowhere = await nest(inner, { id: randomUUID() })
    assert.deepEqual([nowhere.status, nowhere.json.details[0].target], [400, 'id'])
    assert.equal((await nest({ id: randomUUID() }, inner)).status, 404)
  })

  test('never lie in a circle, whoever nests at the same time, and no deeper than 10 levels', async () => {
    const [a, b, c] = [await create(), await create(), await create()]
    assert.equal((await nest(a, a)).json.details[0].code, 'CONSTRAINT_VIOLATION')
    const answers = await Promise.all([nest(a, b), nest(b, c), nest(c, a)])
    assert.equal(answers.filter(({ status }) => status === 201).length, 2)

    const chain = []
    for (let at = 0; at < 12; at++) chain.push(await create())
    for (const [at, status] of [201, 201, 201, 201, 201, 201, 201, 201, 201, 201, 400].entries()) {
      assert.equal((await nest(chain[at], chain[at + 1])).status, status, `level ${at + 1}`)
    }
    assert.equal((await nest(c, chain[10])).status, 201)
    assert.equal((await nest(await create(), chain[0])).status, 400)
  })

  test('any sequence of nestings leaves no circle, and indirect membership is reachability', async () => {
    const size = 5
    const edge = fc.tuple(fc.nat(size - 1), fc.nat(size - 1))
    const sequence = fc.array(fc.record({ edge, isAdded: fc.constantFrom(true, true, true, false) }), { maxLength: 14 })
    await fc.assert(
      fc.asyncProperty(sequence, fc.nat(size - 1), async (steps, home) => {
        const groups = await Promise.all(Array.from({ length: size }, () => create()))
        const user = await addUser(stile())
        await put(user, groups[home])
        const edges = new Set<string>()
        const reachable = (from: number): Set<number> => {
          const found = new Set([from])
          for (const at of found) for (let to = 0; to < size; to++) if (edges.has(`${at}>${to}`)) found.add(to)
          return found
        }
        for (const {
          edge: [from, to],
          isAdded,
        } of steps) {
          const key = `${from}>${to}`
          if (isAdded) {
            const isPossible = !edges.has(key) && !reachable(to).has(from)
            assert.equal((await nest(groups[from], groups[to])).status, isPossible ? 201 : 400, key)
            if (isPossible) edges.add(key)
          } else {
            const path = `/groups/${groups[from].id}/memberOfGroups/${groups[to].id}`
            assert.equal((await api('DELETE', path)).status, edges.delete(key) ? 204 : 404)
          }
        }
        const { json } = await api('GET', `/users/${user.id}/memberOfGroups`)
        const memberships = json._embedded.groupMemberships.map(({ id, type }: Json) => `${type} ${id}`)
        const expected = [...reachable(home)].map((at) => `${at === home ? 'DIRECT' : 'INDIRECT'} ${groups[at].id}`)
        assert.deepEqual(memberships.toSorted(), expected.toSorted())
      }),
      { numRuns: 12 },
    )
  })

  test('count their members: those put into them, and all', async () => {
    const token = randomUUID()
    const [inner, outer] = [await create({ userFilter: `username sw "${token}"` }), await create()]
    await nest(inner, outer)
    const [one, two] = [await addUser(stile()), await addUser(stile(), { username: `${token}-x` })]
    await put(one, inner)
    await put(two, inner)
    await put(one, outer)
    await addUser(stile(), { username: `${token}-y` })
    const { json } = await api('GET', `/groups/${outer.id}?include=totalMemberCounts`)
    assert.deepEqual([json.directMemberCounts, json.totalMemberCounts], [{ users: 1 }, { users: 3 }])
    assert.equal((await api('GET', `/groups/${outer.id}`)).json.totalMemberCounts, undefined)
  })

  test('N05, N08: who administers a population reaches its groups and no others', async () => {
    const [here, there] = [await addPopulation(stile()), await addPopulation(stile())]
    const mine = await create({ population: { id: here } })
    const foreign = await create({ population: { id: there } })
    const everybodys = await create()
    const user = await addUser(stile(), { population: { id: here } })
    const token = await administrator(stile(), { role: 'Identity Data Admin', type: 'POPULATION', id: here })
    const as = (method: string, path: string, body?: unknown) => api(method, path, body, { token })

    assert.deepEqual(ids((await as('GET', '/groups?limit=1000')).json), [mine.id])
    assert.equal((await as('POST', '/groups', { name: uniqueName(), population: { id: here } })).status, 201)
    for (const population of [undefined, { id: there }, { id: randomUUID() }]) {
      assert.equal((await as('POST', '/groups', { name: uniqueName(), population })).status, 403)
      assert.equal((await as('PUT', `/groups/${mine.id}`, { name: mine.name, population })).status, 403)
    }
    assert.equal((await as('PUT', `/groups/${mine.id}`, { name: mine.name, population: { id: here } })).status, 200)
    for (const { id } of [foreign, everybodys]) {
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['PUT', '', { name: 'taken-over', population: { id: here } }],
        ['DELETE', '', undefined],
        ['GET', '/memberOfGroups', undefined],
        ['POST', '/memberOfGroups', { id: mine.id }],
      ] as const) {
        const [out, nowhere] = [
          await as(method, `/groups/${id}${path}`, body),
          await as(method, `/groups/${randomUUID()}${path}`, body),
        ]
        assert.deepEqual([out.status, out.json.message], [404, nowhere.json.message], `${method} ${path}`)
      }
      const nested = await as('POST', `/groups/${mine.id}/memberOfGroups`, { id })
      assert.deepEqual([nested.status, nested.json.details[0].target], [400, 'id'])
      const added = await as('POST', `/users/${user.id}/memberOfGroups`, { id })
      assert.deepEqual([added.status, added.json.details[0].target], [400, 'id'])

      await put(user, { id })
      assert.equal((await as('GET', `/users/${user.id}/memberOfGroups/${id}`)).status, 404)
      assert.equal((await as('DELETE', `/users/${user.id}/memberOfGroups/${id}`)).status, 404)
      const filter = encodeURIComponent(`memberOfGroups[id eq "${id}"]`)
      assert.deepEqual((await as('GET', `/users?filter=${filter}`)).json._embedded.users, [])
      await nest(mine, { id })
      assert.equal((await as('DELETE', `/groups/${mine.id}/memberOfGroups/${id}`)).status, 404)
    }
    assert.deepEqual((await as('GET', `/users/${user.id}/memberOfGroups`)).json._embedded.groupMemberships, [])
    assert.deepEqual((await as('GET', `/groups/${mine.id}/memberOfGroups`)).json._embedded.groupMemberships, [])
    const seen = await as('GET', `/users/${user.id}?include=memberOfGroupIDs,memberOfGroupNames`)
    assert.deepEqual([seen.json.memberOfGroupIDs, seen.json.memberOfGroupNames], [[], []])
  })
})
