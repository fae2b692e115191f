import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { addPopulation, addUser, type Json, onEachEngine } from './people.ts'

await onEachEngine('lists of users', (stile) => {
  const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
  const detail = (json: Json) => json.details?.[0]

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
      return json._embedded.users.map(({ id }: Json) => id)
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

    const { status, json } = await api('GET', `/users?filter=${encodeURIComponent('memberOfGroups[name eq "x"]')}`)
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
      const { json }: { readonly json: Json } = await api('GET', next)
      seen.push(...json._embedded.users.map(({ id }: Json) => id))
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
