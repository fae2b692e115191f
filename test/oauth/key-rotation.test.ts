/**
 * R17: the signing key is rotated every 30 seconds for a while, on two nodes in turn, while both issue tokens and
 * both are shown tokens of the other; a verifier elsewhere keeps the JWKS for five minutes and reads it anew for a `kid`
 * it does not know, once a minute at the most. Nothing may fail. F11: old keys go when their last token has expired.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { rotateKeys } from '../../src/jobs/rotate-keys.ts'
import { testWorld } from '../../src/world.ts'
import { startSecondNode } from '../environment/second-node.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { vendor } from '../platform/people.ts'
import { absent } from '../storage/absent.ts'
import { startPostgres } from '../storage/postgres-cluster.ts'
import { expectStatus } from './registrations.ts'

const cluster = await startPostgres()
const step = 30_000
const steps = 24
const day = 86_400_000
const world = testWorld()

if ('missing' in cluster) test('rotation under load', (context) => absent(context, cluster.missing))
else {
  suite('rotation under load, two nodes', () => {
    let nodes: readonly [Stile, Stile]
    let policyId: string
    before(async () => {
      const databaseUrl = await cluster.createDatabase()
      const first = await startStile({ databaseUrl, world })
      nodes = [first, await startSecondNode(first, databaseUrl, world)]
      const list = expectStatus(await first.api('GET', '/keyRotationPolicies'), 200)
      policyId = list._embedded.keyRotationPolicies.find((policy: { default: boolean }) => policy.default).id
      await rotateKeys(first.node.kernel, new AbortController().signal)
    })
    after(async () => {
      for (const node of nodes.toReversed()) await node.close()
      await cluster.stop()
    })

    const advance = async (milliseconds: number) => {
      world.advance(milliseconds)
      // Twice: one that was under way has seen the time before.
      for (const { node } of [...nodes, ...nodes]) await node.kernel.environments.poll()
    }
    const issue = async (node: Stile): Promise<string> => {
      const { clientId, clientSecret } = node.worker
      const headers = { authorization: basic(clientId, clientSecret) }
      const body = new URLSearchParams({ grant_type: 'client_credentials' })
      return expectStatus(await node.send(`/${node.environmentId}/as/token`, { body, headers }), 200).access_token
    }
    const readJwks = async (node: Stile): Promise<JSONWebKeySet> =>
      expectStatus(await node.send(`/${node.environmentId}/as/jwks`), 200)
    /** Whether the management API of a node takes a token. */
    const takes = async (node: Stile, token: string) =>
      expectStatus(await node.api('GET', '', undefined, { token }), 200)

    test('R17: no verification fails, and no node signs with a key that the other does not publish', async () => {
      let cached: { keys: JSONWebKeySet; at: number; missedAt: number } | undefined
      let reads = 0
      const verify = async (token: string, node: Stile) => {
        const now = world.now()
        if (!cached || now - cached.at >= 300_000) {
          cached = { keys: await readJwks(node), at: now, missedAt: now }
          reads += 1
        }
        const { kid } = decodeProtectedHeader(token)
        if (!cached.keys.keys.some((key) => key.kid === kid) && now - cached.missedAt >= 60_000) {
          cached = { keys: await readJwks(node), at: now, missedAt: now }
          reads += 1
        }
        await jwtVerify(token, createLocalJWKSet(cached.keys), { currentDate: new Date(now) })
      }
      const issued: string[] = []
      const kids = new Set<unknown>()
      for (let at = 0; at < steps; at++) {
        const [one, other] = at % 2 === 0 ? nodes : nodes.toReversed()
        assert(one && other)
        const rotated = await one.api(
          'POST',
          `/keyRotationPolicies/${policyId}`,
          {},
          { ...vendor('keyRotationPolicy.rotate'), token: await issue(other) },
        )
        expectStatus(rotated, 200)
        // The other node has not been told yet.
        const tokens = await Promise.all([issue(one), issue(other)])
        for (const [from, token] of tokens.entries()) {
          const elsewhere = from === 0 ? other : one
          await takes(elsewhere, token)
          const published = (await readJwks(elsewhere)).keys.map(({ kid }) => kid)
          assert.ok(published.includes(decodeProtectedHeader(token).kid))
          await verify(token, elsewhere)
          kids.add(decodeProtectedHeader(token).kid)
        }
        issued.push(...tokens)
        await advance(step)
      }
      assert.ok(kids.size > steps / 2, `${kids.size} keys signed`)
      assert.ok(reads <= 4, `${reads} reads of the JWKS`)
      for (const [at, token] of issued.entries()) await takes(nodes[at % 2] ?? nodes[0], token)
    })

    test('F11: tokens of every key hold to the end of their life; then their keys go', async () => {
      const before = await readJwks(nodes[0])
      const token = await issue(nodes[0])
      await advance(3_599_000)
      await takes(nodes[1], token)
      await advance(1000)
      assert.equal((await nodes[1].api('GET', '', undefined, { token })).status, 401)
      await rotateKeys(nodes[1].node.kernel, new AbortController().signal)
      assert.equal((await readJwks(nodes[0])).keys.length, before.keys.length, 'others may live for thirty days')
      await advance(31 * day)
      await rotateKeys(nodes[1].node.kernel, new AbortController().signal)
      await advance(0)
      for (const node of nodes) assert.equal((await readJwks(node)).keys.length, 4, 'two policies with two keys each')
    })
  })
}
