/** The secret of an application over HTTP: platform-api 3.8; rows N10, N25, N32; decision D15. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { applicationSecret } from '../../src/storage/sql/applications.ts'
import { realWorld, testWorld } from '../../src/world.ts'
import { newSecret } from '../../src/environment/client-secret.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { giveRole, workerBody, workerWith } from './worker.ts'

const minute = 60_000
const day = 24 * 60 * minute

suite('application secret', () => {
  const world = testWorld()
  let stile: Stile
  before(async () => {
    stile = await startStile({ world })
  })
  after(() => stile.close())

  const create = async (name: string, change: object = {}): Promise<string> => {
    const answer = await stile.api('POST', '/applications', { ...workerBody(name), ...change })
    assert.equal(answer.status, 201, answer.text)
    return answer.json.id
  }
  const read = async (id: string) => (await stile.api('GET', `/applications/${id}/secret`)).json
  const rotate = (id: string, body?: object) => stile.api('POST', `/applications/${id}/secret`, body)
  const authenticates = async (id: string, secret: string) => {
    const { status } = await stile.send(`/${stile.environmentId}/as/token`, {
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      headers: { authorization: basic(id, secret) },
    })
    return status === 200
  }
  /** Moves the clock, and lets the node see that its configuration is fresh. */
  const advance = async (milliseconds: number) => {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
    await stile.node.kernel.environments.poll()
  }
  const inMilliseconds = (milliseconds: number) => new Date(world.now() + milliseconds).toISOString()

  test('has 64 characters, each of the 66 equally likely', () => {
    const counts = new Map<string, number>()
    const secrets = 4000
    for (let made = 0; made < secrets; made++) {
      const secret = newSecret(realWorld)
      assert.match(secret, /^[a-zA-Z0-9._~-]{64}$/)
      for (const character of secret) counts.set(character, (counts.get(character) ?? 0) + 1)
    }
    assert.equal(counts.size, 66)
    const expected = (secrets * 64) / 66
    // Eight standard deviations: taking bytes modulo 66 would put the first characters 29 % above the others.
    for (const count of counts.values()) assert.ok(Math.abs(count - expected) < 8 * Math.sqrt(expected))
  })

  test('is the same at each reading until it is rotated; then the old one is dead at once', async () => {
    const id = await create('Rotated')
    const original = await read(id)
    assert.deepEqual(await read(id), original)
    assert.deepEqual(original.environment, { id: stile.environmentId })
    assert.equal(original.previous, undefined)
    assert.ok(await authenticates(id, original.secret))

    const rotated = await rotate(id)
    assert.equal(rotated.status, 200, rotated.text)
    assert.notEqual(rotated.json.secret, original.secret)
    assert.equal(rotated.json.previous, undefined)
    assert.deepEqual(await read(id), rotated.json)
    assert.ok(await authenticates(id, rotated.json.secret))
    assert.ok(!(await authenticates(id, original.secret)))
  })

  test('keeps the previous one valid until its time, and not a moment longer', async () => {
    const id = await create('Overlapping')
    const { secret: old } = await read(id)
    const expiresAt = inMilliseconds(2 * minute)
    const { json } = await rotate(id, { previous: { expiresAt } })
    assert.deepEqual(json.previous, { secret: old, expiresAt })
    assert.deepEqual((await read(id)).previous, json.previous)
    assert.ok(await authenticates(id, old))
    assert.ok(await authenticates(id, json.secret))
    await advance(2 * minute - 1)
    assert.ok(await authenticates(id, old))
    await advance(1)
    assert.ok(!(await authenticates(id, old)))
    assert.equal((await read(id)).previous, undefined)
    assert.equal((await stile.api('DELETE', `/applications/${id}/secret`)).status, 404)
  })

  test('the previous one can be forgotten, once', async () => {
    const id = await create('Forgetful')
    const { secret: old } = await read(id)
    await rotate(id, { previous: { expiresAt: inMilliseconds(day) } })
    assert.ok(await authenticates(id, old))
    assert.equal((await stile.api('DELETE', `/applications/${id}/secret`)).status, 204)
    assert.ok(!(await authenticates(id, old)))
    assert.equal((await read(id)).previous, undefined)
    assert.equal((await stile.api('DELETE', `/applications/${id}/secret`)).status, 404)
  })

  test('the previous one is kept for 1 minute to 30 days', async () => {
    const id = await create('Limits')
    for (const milliseconds of [minute, 30 * day]) {
      assert.equal((await rotate(id, { previous: { expiresAt: inMilliseconds(milliseconds) } })).status, 200)
    }
    const { secret } = await read(id)
    for (const milliseconds of [-day, 0, minute - 1, 30 * day + 1]) {
      const { status, json } = await rotate(id, { previous: { expiresAt: inMilliseconds(milliseconds) } })
      assert.equal(status, 400)
      assert.equal(json.details[0].target, 'previous.expiresAt')
    }
    for (const expiresAt of ['tomorrow', '', 12, {}, '9999999-01-01']) {
      assert.equal((await rotate(id, { previous: { expiresAt } })).status, 400, JSON.stringify(expiresAt))
    }
    assert.equal((await read(id)).secret, secret)
  })

  test('two rotations at once leave one secret, and it is the one that is read', async () => {
    const id = await create('Raced')
    const answers = await Promise.all(Array.from({ length: 8 }, () => rotate(id)))
    const { secret } = await read(id)
    const valid = await Promise.all(answers.map(({ json }) => authenticates(id, json.secret)))
    assert.equal(valid.filter(Boolean).length, 1)
    assert.equal(answers[valid.indexOf(true)]?.json.secret, secret)
  })

  test('is not there for a public application, and goes and comes with the authentication method', async () => {
    const grantTypes = ['AUTHORIZATION_CODE']
    const publicBody = { ...workerBody('Public'), type: 'SINGLE_PAGE_APP', grantTypes, tokenEndpointAuthMethod: 'NONE' }
    const id = await create('Public', publicBody)
    for (const method of ['GET', 'POST', 'DELETE']) {
      const { status, json } = await stile.api(method, `/applications/${id}/secret`)
      assert.equal(status, 404)
      assert.equal(json.code, 'NOT_FOUND')
      assert.equal(json.message, 'The request could not be completed. The requested resource was not found.')
    }
    const confidential = { ...publicBody, tokenEndpointAuthMethod: 'CLIENT_SECRET_POST' }
    await stile.api('PUT', `/applications/${id}`, confidential)
    const first = await read(id)
    assert.match(first.secret, /^[a-zA-Z0-9._~-]{64}$/)
    await stile.api('PUT', `/applications/${id}`, confidential)
    assert.equal((await read(id)).secret, first.secret, 'a PUT that changes nothing keeps it')
    await stile.api('PUT', `/applications/${id}`, publicBody)
    assert.equal((await stile.api('GET', `/applications/${id}/secret`)).status, 404)
    await stile.api('PUT', `/applications/${id}`, confidential)
    assert.notEqual((await read(id)).secret, first.secret)
  })

  test('F16, D15: rests sealed, beside its hash', async () => {
    const id = await create('Sealed')
    const { secret: old } = await read(id)
    const { json } = await rotate(id, { previous: { expiresAt: inMilliseconds(day) } })
    const [row] = await stile.node.kernel.storage.read(applicationSecret(stile.environmentId, id))
    const stored = JSON.stringify(row)
    for (const secret of [old, json.secret]) {
      assert.ok(!stored.includes(secret))
      assert.ok(stored.includes(createHash('sha256').update(secret).digest('base64url')))
    }
  })

  test('N25: has permissions of its own, which those who only read the configuration lack', async () => {
    const id = await create('Guarded')
    const reader = await workerWith(stile, 'Reader', 'Configuration Read Only')
    const { secret } = await read(id)
    const as = { token: reader.token }
    const seen = await stile.api('GET', `/applications/${id}`, undefined, as)
    assert.equal(seen.status, 200)
    assert.ok(!seen.text.includes(secret))
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await stile.api(method, `/applications/${id}/secret`, undefined, as)
      assert.equal(answer.status, 403)
      assert.ok(!answer.text.includes(secret))
    }
    assert.equal((await read(id)).secret, secret)
  })

  test('N10: of an application with roles is for those who could give these roles', async () => {
    const developer = await workerWith(stile, 'Developer', 'Client Application Developer')
    const id = await create('Stronger')
    const as = { token: developer.token }
    assert.equal((await stile.api('GET', `/applications/${id}/secret`, undefined, as)).status, 200)
    await giveRole(stile, id, 'Environment Admin')
    const { secret } = await read(id)
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await stile.api(method, `/applications/${id}/secret`, undefined, as)
      assert.equal(answer.status, 403)
      assert.ok(!answer.text.includes(secret))
    }
    assert.equal((await read(id)).secret, secret)
  })

  test('N25, N32: every reading, rotation and forgetting is recorded, without the secret', async () => {
    const id = await create('Watched')
    const { secret } = await read(id)
    const { json } = await rotate(id, { previous: { expiresAt: inMilliseconds(day) } })
    await stile.api('DELETE', `/applications/${id}/secret`)
    const rows = await stile.node.kernel.storage.read<{ action: string; actor_client_id: string; document: string }>({
      text: `SELECT action, actor_client_id, document FROM events
             WHERE environment_id = $1 AND subject_id = $2 AND action LIKE 'APPLICATION_SECRET.%'`,
      values: [stile.environmentId, id],
    })
    assert.deepEqual(rows.map(({ action }) => action).toSorted(), [
      'APPLICATION_SECRET.PREVIOUS_REMOVED',
      'APPLICATION_SECRET.READ',
      'APPLICATION_SECRET.ROTATED',
    ])
    for (const row of rows) {
      assert.equal(row.actor_client_id, stile.worker.clientId)
      for (const canary of [secret, json.secret]) assert.ok(!JSON.stringify(row).includes(canary))
    }
  })
})
