/** Pages and their cursors (platform-api 1.5-1.7; rows N22, N23). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Stile } from '../harness/stile.ts'
import type { Json } from './echo.ts'
import { administrator, onEachEngine } from './people.ts'

await onEachEngine('pages', (stile) => {
  const api = (...call: Parameters<Stile['api']>) => stile().api(...call)
  const names = (json: Json): string[] => json._embedded.populations.map(({ name }: { name: string }) => name)
  const cursorOf = (json: Json) => new URL(json._links.next.href).searchParams.get('cursor') ?? ''
  let made: Promise<void> | undefined

  /** Seven populations `Page 1` … `Page 7`, beside the one of the demo. */
  const populations = () => {
    made ??= (async () => {
      for (let at = 1; at <= 7; at += 1) {
        const { status } = await api('POST', '/populations', { name: `Page ${at}` })
        assert.equal(status, 201)
      }
    })()
    return made
  }

  test('follow each other through absolute links until all was seen once', async () => {
    await populations()
    const filter = 'name sw "Page " or name eq "Default"'
    const seen: string[] = []
    let next: string | undefined = `/populations?filter=${encodeURIComponent(filter)}&limit=3`
    const sizes: number[] = []
    while (next) {
      const { status, json }: Json = next.startsWith('http')
        ? await stile().send(next.replace('localhost', '127.0.0.1'), { token: await stile().workerToken() })
        : await api('GET', next)
      assert.equal(status, 200)
      seen.push(...names(json))
      sizes.push(json.size)
      next = json._links.next?.href
      if (next) assert.ok(next.startsWith(`${stile().apiUrl}/v1/environments/${stile().environmentId}/populations?`))
    }
    assert.deepEqual(sizes, [3, 3, 2])
    assert.deepEqual(seen, names((await api('GET', '/populations')).json))
    assert.equal(new Set(seen).size, 8)
  })

  test('say how many there are when all are on one page, and are never missing', async () => {
    await populations()
    const whole = await api('GET', '/populations')
    assert.deepEqual([whole.json.count, whole.json.size, whole.json._links.next], [8, 8, undefined])
    const exact = await api('GET', '/populations?limit=8')
    assert.equal(exact.json._links.next, undefined, 'a full last page has no next')
    const none = await api('GET', `/populations?filter=${encodeURIComponent('name eq "nobody"')}`)
    assert.deepEqual([none.status, none.json._embedded.populations, none.json.count], [200, [], 0])
  })

  test('take limits within bounds (N23)', async () => {
    await populations()
    for (const limit of ['0', '-1', 'NaN', 'ten', '1e2', '', '3.5', '99999999999']) {
      const { status, json } = await api('GET', `/populations?limit=${limit}`)
      assert.deepEqual([status, json.code, json.details?.[0].target], [400, 'INVALID_DATA', 'limit'], limit)
    }
    for (const limit of ['1000', '5000', '1000000000'])
      assert.equal((await api('GET', `/populations?limit=${limit}`)).json.size, 8)
    assert.equal((await api('GET', '/populations?limit=2&limit=3')).status, 400)
  })

  test('refuse a cursor that was edited or belongs to another list, environment, actor or filter (N22)', async () => {
    await populations()
    const filter = `filter=${encodeURIComponent('name sw "Page "')}`
    const cursor = cursorOf((await api('GET', `/populations?${filter}&limit=2`)).json)
    const [payload = '', tag = ''] = cursor.split('.')
    const place = Buffer.from(JSON.stringify([0, ''])).toString('base64url')
    const flipped = tag.startsWith('A') ? `B${tag.slice(1)}` : `A${tag.slice(1)}`
    const other = await administrator(stile(), {
      role: 'Identity Data Admin',
      type: 'ENVIRONMENT',
      id: stile().environmentId,
    })
    const { json: parent } = await api('GET', '')
    const second = await api('POST', '/v1/environments', {
      name: 'Second',
      type: 'SANDBOX',
      region: 'NA',
      license: parent.license,
    })

    const refused = async (path: string, token?: string) => {
      const { status, json } = await api('GET', path, undefined, token === undefined ? {} : { token })
      assert.deepEqual([status, json.details?.[0].target], [400, 'cursor'], path)
    }
    const query = (value: string) => `${filter}&limit=2&cursor=${value}`
    for (const forged of [
      `${place}.${tag}`,
      `${payload}.${flipped}`,
      payload,
      `${cursor}.x`,
      `${cursor}x`,
      '.',
      'x.y',
      '%00',
    ]) {
      const { status } = await api('GET', `/populations?${query(forged)}`)
      assert.equal(status, 400, forged)
    }
    await refused(`/populations?limit=2&cursor=${cursor}`)
    await refused(`/populations?filter=${encodeURIComponent('name sw "Page"')}&limit=2&cursor=${cursor}`)
    await refused(`/passwordPolicies?${query(cursor)}`)
    await refused(`/v1/environments/${second.json.id}/populations?${query(cursor)}`)
    await refused(`/populations?${query(cursor)}`, other)
    const good = await api('GET', `/populations?${query(cursor)}`)
    assert.deepEqual(names(good.json), names((await api('GET', `/populations?${filter}`)).json).slice(2, 4))
  })
})
