/**
 * Fifty uses of one refresh token at once, a thousand in all, on both engines; on PostgreSQL half of them at a second node
 * (rows E02, E08; decision D21).
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, test } from 'node:test'
import { decodeJwt } from 'jose'
import { run } from '../../src/storage/port.ts'
import { revokeFamily, rotateFamily } from '../../src/storage/sql/token-families.ts'
import { Browser } from '../harness/sign-on.ts'
import type { Answer, Stile } from '../harness/stile.ts'
import { codeRequest, expectRefusal, isLive, obtainCode, redeemCode, refreshTokens } from './journeys.ts'
import { raceOnBothEngines } from './race.ts'
import { expectStatus, type Person, person, type Registered, register, rowsOf, web } from './registrations.ts'

const rounds = 20
const strictRounds = 8
const uses = 50
const refreshing = { ...web, grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] }

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

await raceOnBothEngines('E02: the race for a refresh token', (all) => {
  let nodes: readonly Stile[]
  let stile: Stile
  before(() => {
    nodes = all()
    stile = nodes[0] ?? assert.fail()
  })

  async function granted(client: Registered, who?: Person): Promise<Tokens> {
    const code = await obtainCode(new Browser(stile), codeRequest(client), who)
    return expectStatus(await redeemCode(stile, client, code), 200)
  }
  /** Released together: every request is under way before the first answer is looked at. */
  const useTogether = (client: Registered, token: string): Promise<Answer[]> =>
    Promise.all(
      Array.from({ length: uses }, (_, at) => refreshTokens(nodes[at % nodes.length] ?? stile, client, token)),
    )
  const familyOf = async ({ access_token }: Tokens) => {
    const text = 'SELECT generation, revoked_at FROM token_families WHERE environment_id = $1 AND id = $2'
    const values = [stile.environmentId, decodeJwt(access_token)['p1.gid'] as string]
    const [row] = await stile.node.kernel.storage.read<{ generation: number; revoked_at: number | null }>({
      text,
      values,
    })
    return row ?? assert.fail('the family is gone')
  }

  test('with grace all of them get one and the same successor, a thousand times', async () => {
    const client = await register(stile, refreshing)
    const families = await rowsOf(stile, 'token_families')
    let tokens = await granted(client)
    for (let round = 0; round < rounds; round++) {
      const answers = await useTogether(client, tokens.refresh_token)
      const successors = new Set(answers.map((answer) => expectStatus(answer, 200).refresh_token as string))
      assert.equal(successors.size, 1, `${successors.size} successors of one token`)
      assert.ok(!successors.has(tokens.refresh_token))
      tokens = answers[0]?.json as Tokens
    }
    assert.deepEqual(await familyOf(tokens), { generation: rounds + 1, revoked_at: null })
    assert.equal((await rowsOf(stile, 'token_families')) - families, 1)
    assert.equal(await isLive(stile, tokens.access_token), true)
  })

  test('without grace one of them gets a successor at most, and none that outlives the race', async () => {
    const client = await register(stile, { ...refreshing, refreshTokenRollingGracePeriodDuration: 0 })
    for (let round = 0; round < strictRounds; round++) {
      const tokens = await granted(client)
      const answers = await useTogether(client, tokens.refresh_token)
      const won = answers.filter(({ status }) => status === 200)
      assert.equal(won.length, 1, `${won.length} of ${uses} refreshed by one token`)
      for (const answer of answers) if (answer.status !== 200) expectRefusal(answer, 'invalid_grant')
      const [{ json }] = won as [Answer]
      for (const { access_token } of [tokens, json as Tokens]) assert.equal(await isLive(stile, access_token), false)
      expectRefusal(await refreshTokens(stile, client, json.refresh_token), 'invalid_grant')
      const { generation, revoked_at } = await familyOf(tokens)
      assert.equal(generation, 2)
      assert.ok(revoked_at)
    }
  })

  test('without the ending, and without grace, one of them gets the successor, which is good', async () => {
    const lenient = {
      refreshTokenRollingGracePeriodDuration: 0,
      additionalRefreshTokenReplayProtectionEnabled: false,
    }
    const client = await register(stile, { ...refreshing, ...lenient })
    const { refresh_token } = await granted(client)
    const won = (await useTogether(client, refresh_token)).filter(({ status }) => status === 200)
    assert.equal(won.length, 1)
    expectStatus(await refreshTokens(stile, client, won[0]?.json.refresh_token), 200)
  })

  test('more offline grants than are kept, made at once: each is made, and the oldest end', async () => {
    const client = await register(stile, refreshing, ['offline_access'])
    const browser = new Browser(stile)
    const request = codeRequest(client, { scope: 'openid offline_access' })
    const { refresh_token } = expectStatus(await redeemCode(stile, client, await obtainCode(browser, request)), 200)
    const { storage } = stile.node.kernel
    const { environmentId } = stile
    // What a node leaves that was stopped, or that had a higher limit: many to end, for each of those who come now.
    await storage.commit({
      name: 'test.older-grants',
      *run() {
        for (let at = 0; at < 120; at++) {
          yield {
            text: `INSERT INTO token_families (environment_id, id, client_id, user_id, session_id, scope, document,
                     generation, created_at, expires_at)
                   SELECT environment_id, $3, client_id, user_id, session_id, scope, document, 1, $4, expires_at
                   FROM token_families WHERE environment_id = $1 AND client_id = $2 AND created_at > $5`,
            values: [environmentId, client.clientId, randomUUID(), 1_000 + at, 10_000],
          }
        }
      },
    })
    const codes = await Promise.all(Array.from({ length: uses }, () => obtainCode(browser, request)))
    const answers = await Promise.all(
      codes.map((code, at) => redeemCode(nodes[at % nodes.length] ?? stile, client, code)),
    )
    for (const answer of answers) expectStatus(answer, 200)
    // What is over the limit after a race ends with the grants that follow.
    for (let following = 0; following < 8; following++)
      expectStatus(await redeemCode(stile, client, await obtainCode(browser, request)), 200)
    const live = await storage.read<{ id: string }>({
      text: 'SELECT id FROM token_families WHERE environment_id = $1 AND client_id = $2 AND generation > 0',
      values: [environmentId, client.clientId],
    })
    assert.equal(live.length, 100)
    expectStatus(await refreshTokens(stile, client, refresh_token), 200)
  })

  test('E08: the end of the session at the same moment, at the other node: nothing lives on', async () => {
    const client = await register(stile, refreshing)
    const other = nodes.at(-1) ?? stile
    for (let round = 0; round < 10; round++) {
      const who = await person(stile)
      const tokens = await granted(client, who)
      const session = `users/${who.id}/sessions/${String(decodeJwt(tokens.access_token)['sid'])}`
      const path = `/v1/environments/${stile.environmentId}/${session}`
      const [answer, ended] = await Promise.all([
        refreshTokens(stile, client, tokens.refresh_token),
        other.send(path, { method: 'DELETE', token: await stile.workerToken() }),
      ])
      expectStatus(ended, 204)
      const present = answer.status === 200 ? (answer.json as Tokens) : tokens
      for (const { access_token } of [tokens, present]) assert.equal(await isLive(stile, access_token), false)
      for (const node of nodes) expectRefusal(await refreshTokens(node, client, present.refresh_token), 'invalid_grant')
    }
  })

  test('E08: what was revoked after it was looked at gives no successor', async () => {
    const client = await register(stile, refreshing)
    const tokens = await granted(client)
    const familyId = decodeJwt(tokens.access_token)['p1.gid'] as string
    const now = Date.now()
    const { storage } = stile.node.kernel
    const moved = await storage.commit({
      name: 'test.revoke-and-rotate',
      *run() {
        yield revokeFamily(stile.environmentId, familyId, now)
        return yield* run(rotateFamily(stile.environmentId, familyId, 1, now, now))
      },
    })
    assert.deepEqual(moved, [])
  })

  test('E08: a user who is disabled at one node is refused by every node at once', async () => {
    const client = await register(stile, refreshing)
    const who = await person(stile)
    const { refresh_token } = await granted(client, who)
    expectStatus(await stile.api('PUT', `/users/${who.id}/enabled`, { enabled: false }), 200)
    for (const node of nodes) expectRefusal(await refreshTokens(node, client, refresh_token), 'invalid_grant')
  })
})
