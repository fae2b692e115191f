/** Keys that a client publishes (`jwksUrl`): rotation and what it costs; row D15. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { type ProviderServer, startProviderServer } from '../harness/provider-server.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { assertion, byAssertion, type ClientKey, clientKey, keySet } from './assertions.ts'
import { expectRefusal } from './journeys.ts'
import { expectStatus, type Registered, register, wrk } from './registrations.ts'

suite('D15: the keys that a client publishes', () => {
  let stile: Stile
  let world: TestWorld
  let server: ProviderServer
  let published: readonly ClientKey[]
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    server = await startProviderServer()
    server.answer = () => ({ status: 200, body: JSON.parse(keySet(...published)) as object })
  })
  after(async () => {
    await stile.close()
    await server.close()
  })

  const later = async (milliseconds: number): Promise<void> => {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }

  /** A client with key sets of its own address, so that no test finds what another has fetched. */
  async function publishing(...keys: readonly ClientKey[]): Promise<{ client: Registered; fetches: () => number }> {
    published = keys
    const path = `/keys/${randomUUID()}`
    const client = await register(
      stile,
      { ...wrk, tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT', jwksUrl: server.url + path },
      [],
    )
    return { client, fetches: () => server.received.filter(({ target }) => target === path).length }
  }
  const present = async (client: Registered, key: ClientKey, header = {}): Promise<Answer> =>
    stile.send(
      `/${stile.environmentId}/as/token`,
      byAssertion(await assertion(stile, client.clientId, key, {}, header)),
    )

  for (const [name, kid] of [
    ['with a kid', 'new'],
    ['without any', undefined],
  ] as const) {
    test(`a new key counts as soon as it is used, ${name}`, async () => {
      const old = clientKey('ES256', kid && 'old')
      const fresh = clientKey('ES256', kid)
      const { client, fetches } = await publishing(old)
      expectStatus(await present(client, old), 200)
      expectStatus(await present(client, old), 200)
      assert.equal(fetches(), 1, 'the keys are kept')
      expectRefusal(await present(client, fresh), 'invalid_client')
      published = [fresh]
      await later(31_000)
      expectStatus(await present(client, fresh), 200)
      assert.equal(fetches(), 2)
      expectRefusal(await present(client, old), 'invalid_client')
    })
  }

  test('a key that was removed counts for ten minutes at most', async () => {
    const [removed, other] = [clientKey('ES256', 'removed'), clientKey('ES256', 'other')]
    const { client } = await publishing(removed, other)
    expectStatus(await present(client, removed), 200)
    published = [other]
    await later(600_001)
    expectRefusal(await present(client, removed), 'invalid_client')
  })

  test('a thousand assertions with keys that are unknown: one fetch', async () => {
    const key = clientKey('ES256', 'known')
    const { client, fetches } = await publishing(key)
    expectStatus(await present(client, key), 200)
    await later(31_000)
    const forged = clientKey('ES256')
    for (let at = 0; at < 20; at++) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => present(client, forged, { kid: randomUUID() })),
      )
      for (const answer of answers) expectRefusal(answer, 'invalid_client')
    }
    assert.equal(fetches(), 2)
  })

  test('keys that cannot be had, or are none, let nobody in, and are fetched no more often', async () => {
    const key = clientKey('ES256', 'known')
    const { client, fetches } = await publishing(key)
    const usual = server.answer
    for (const answer of [
      { status: 500, body: {} },
      { status: 302, body: {} },
      { status: 200, body: [] },
      { status: 200, body: {} },
      { status: 200, body: { keys: 'x' } },
      { status: 200, body: { keys: [null, 1, { kty: 'oct', k: 'AAAA', alg: 'HS256' }] } },
    ]) {
      server.answer = () => answer
      await later(31_000)
      const before = fetches()
      for (let at = 0; at < 3; at++) expectRefusal(await present(client, key), 'invalid_client')
      assert.equal(fetches() - before, 1, JSON.stringify(answer))
    }
    server.answer = usual
    await later(31_000)
    expectStatus(await present(client, key), 200)
  })
})
