/** Wrong client credentials by network address: rows D08, D26. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { openClientRefusals } from '../../src/limits/client-refusals.ts'
import { type Answer, basic, type Stile, startStile } from '../harness/stile.ts'

suite('refused clients by network address', () => {
  let stile: Stile
  let world: TestWorld
  before(async () => {
    world = testWorld()
    const environment = { STILE_TRUSTED_PROXIES: '127.0.0.1', STILE_ADDRESS_LIMIT_CLIENT: '5/60' }
    stile = await startStile({ world, environment })
  })
  after(() => stile.close())

  let next = 0
  /** An address that nobody has come from. */
  const address = () => `198.51.100.${(next += 1)}`
  const ask = (from: string, clientId: string, clientSecret: string, path = 'token'): Promise<Answer> =>
    stile.send(`/${stile.environmentId}/as/${path}`, {
      body: new URLSearchParams({ grant_type: 'client_credentials', token: 'x' }),
      headers: { authorization: basic(clientId, clientSecret), 'x-forwarded-for': from },
    })
  const assertLimited = (answer: Answer) => {
    assert.equal(answer.status, 429, answer.text)
    assert.equal(answer.json.error, 'temporarily_unavailable')
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
  }

  test('D08: too many wrong secrets from one address: 429 for everything from there, and for nobody else', async () => {
    const { clientId, clientSecret } = stile.worker
    const remote = address()
    for (let at = 0; at < 5; at++) assert.equal((await ask(remote, clientId, `wrong-${at}`)).status, 401)
    assertLimited(await ask(remote, clientId, 'wrong'))
    assertLimited(await ask(remote, clientId, clientSecret))
    assertLimited(await ask(remote, clientId, clientSecret, 'introspect'))
    assert.equal((await ask(address(), clientId, clientSecret)).status, 200)
    world.advance(60_001)
    await stile.node.kernel.environments.poll()
    assert.equal((await ask(remote, clientId, clientSecret)).status, 200)
  })

  test('D26: client ids that nobody has count as well', async () => {
    const remote = address()
    for (let at = 0; at < 5; at++) assert.equal((await ask(remote, randomUUID(), 'x')).status, 401)
    assertLimited(await ask(remote, randomUUID(), 'x'))
  })

  test('clients who are right count for nothing', async () => {
    const { clientId, clientSecret } = stile.worker
    const remote = address()
    for (let at = 0; at < 10; at++) assert.equal((await ask(remote, clientId, clientSecret)).status, 200)
    const { storage } = stile.node.kernel
    const text = "SELECT subject FROM limits WHERE kind = 'address-client' AND subject = $1"
    assert.deepEqual(await storage.read({ text, values: [remote] }), [])
  })

  test('what is remembered has a bound, and whoever is forgotten is counted anew', async () => {
    const refusals = openClientRefusals()
    const { kernel } = stile.node
    const caller = (remoteAddress: string) => ({
      kernel,
      environment: { id: stile.environmentId },
      remoteAddress,
      now: world.now(),
    })
    const first = caller('203.0.113.1')
    for (let at = 0; at < 5; at++) await refusals.count(first)
    await assert.rejects(refusals.count(first))
    assert.throws(() => refusals.requireUnblocked(first))
    const elsewhere = openClientRefusals()
    assert.doesNotThrow(() => elsewhere.requireUnblocked(first))
    await assert.rejects(elsewhere.count(first), 'another node counts with the same counter')
    assert.throws(() => elsewhere.requireUnblocked(first))
  })
})
