/** The secret of a custom resource over HTTP: platform-api 3.8 and 3.11; rows N25, N32. What is common to secrets: application-secret.test.ts. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { resourceSecret } from '../../src/storage/sql/resources.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { workerWith } from './worker.ts'

suite('resource secret', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const create = async (): Promise<string> => {
    const answer = await stile.api('POST', '/resources', { name: `Resource ${randomUUID()}` })
    assert.equal(answer.status, 201, answer.text)
    assert.ok(!JSON.stringify(answer.json).includes('secret":"'), 'the resource itself does not tell it')
    return answer.json.id
  }
  const read = async (id: string) => (await stile.api('GET', `/resources/${id}/secret`)).json

  test('is there from the beginning, is rotated, and keeps its predecessor for as long as that was given', async () => {
    const id = await create()
    const first = await read(id)
    const { _links, environment, secret, ...rest } = first
    assert.match(secret, /^[a-zA-Z0-9._~-]{64}$/)
    assert.deepEqual([environment, rest], [{ id: stile.environmentId }, {}])
    assert.deepEqual(await read(id), first)
    assert.equal(
      (await stile.api('GET', new URL(_links.resource.href).pathname)).json._links.secret.href,
      _links.self.href,
    )

    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    const rotated = await stile.api('POST', `/resources/${id}/secret`, { previous: { expiresAt } })
    assert.equal(rotated.status, 200, rotated.text)
    assert.deepEqual(rotated.json.previous, { secret, expiresAt })
    assert.equal((await stile.api('DELETE', `/resources/${id}/secret`)).status, 204)
    const { previous, secret: last } = await read(id)
    assert.deepEqual([previous, last], [undefined, rotated.json.secret])
    assert.equal((await stile.api('DELETE', `/resources/${id}/secret`)).status, 404)
  })

  test('a built-in resource has none, and neither has one that is gone', async () => {
    const { json } = await stile.api('GET', '/resources')
    const builtIn: { id: string; _links: object }[] = json._embedded.resources.filter(
      ({ type }: { type: string }) => type !== 'CUSTOM',
    )
    assert.equal(builtIn.length, 2)
    const id = await create()
    assert.equal((await stile.api('DELETE', `/resources/${id}`)).status, 204)
    assert.deepEqual(await stile.node.kernel.storage.read(resourceSecret(stile.environmentId, id)), [])
    for (const each of [...builtIn.map((resource) => resource.id), id, randomUUID()]) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        assert.equal((await stile.api(method, `/resources/${each}/secret`)).status, 404)
      }
    }
    assert.ok(builtIn.every(({ _links }) => !('secret' in _links)))
  })

  test('N25, N32: by a permission of its own, sealed, and every touch is recorded without it', async () => {
    const id = await create()
    const reader = await workerWith(stile, 'Reader of resources', 'Configuration Read Only')
    const as = { token: reader.token }
    assert.equal((await stile.api('GET', `/resources/${id}`, undefined, as)).status, 200)
    for (const method of ['GET', 'POST', 'DELETE']) {
      assert.equal((await stile.api(method, `/resources/${id}/secret`, undefined, as)).status, 403)
    }
    const { secret } = await read(id)
    const { json } = await stile.api('POST', `/resources/${id}/secret`)
    const stored = JSON.stringify(await stile.node.kernel.storage.read(resourceSecret(stile.environmentId, id)))
    const rows = await stile.node.kernel.storage.read<{ action: string }>({
      text: 'SELECT action, document FROM events WHERE environment_id = $1 AND subject_id = $2 ORDER BY recorded_at, id',
      values: [stile.environmentId, id],
    })
    assert.deepEqual(rows.map(({ action }) => action).toSorted(), [
      'RESOURCE.CREATED',
      'RESOURCE_SECRET.READ',
      'RESOURCE_SECRET.ROTATED',
    ])
    for (const canary of [secret, json.secret]) {
      assert.ok(!stored.includes(canary))
      assert.ok(!JSON.stringify(rows).includes(canary))
    }
  })
})
