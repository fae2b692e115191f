/**
 * Fifty redemptions of one code at once, and twenty guesses at its verifier (rows B01, B03, B14), on both engines; on
 * PostgreSQL half of them at a second node.
 */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { hashCode } from '../../src/oauth/token/code-facts.ts'
import { run } from '../../src/storage/port.ts'
import { takeCode } from '../../src/storage/sql/authorization-codes.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import type { Answer, Stile } from '../harness/stile.ts'
import { codeRequest, codeRequestWithPkce, expectRefusal, isLive, obtainCode, redeemCode } from './journeys.ts'
import { raceOnBothEngines } from './race.ts'
import { type Registered, register, rowsOf, spa } from './registrations.ts'

const codes = 20
const redemptions = 50
const guesses = 20

await raceOnBothEngines('B03: the race for a code', (started) => {
  let nodes: readonly Stile[]
  let stile: Stile
  let confidential: Registered
  let singlePage: Registered
  before(async () => {
    nodes = started()
    stile = nodes[0] ?? assert.fail()
    confidential = await register(stile)
    singlePage = await register(stile, spa)
  })

  /** Released together: every request is under way before the first answer is looked at. */
  const redeemTogether = (
    client: Registered,
    code: string,
    more: Readonly<Record<string, string>>,
  ): Promise<Answer[]> =>
    Promise.all(
      Array.from({ length: redemptions }, (_, at) => redeemCode(nodes[at % nodes.length] ?? stile, client, code, more)),
    )

  test('one token set at most, and none that outlives the race', async () => {
    const browser = new Browser(stile)
    const families = await rowsOf(stile, 'token_families')
    for (let at = 0; at < codes; at++) {
      const isPublic = at % 2 === 1
      const { request, verifier } = codeRequestWithPkce(isPublic ? singlePage : confidential)
      const client = isPublic ? singlePage : confidential
      const code = await obtainCode(browser, isPublic ? request : codeRequest(client))
      const answers = await redeemTogether(client, code, isPublic ? { code_verifier: verifier } : {})
      const won = answers.filter(({ status }) => status === 200)
      assert.equal(won.length, 1, `${won.length} of ${redemptions} redeemed one code`)
      for (const { status, json } of answers) {
        if (status !== 200) assert.deepEqual([status, json.error], [400, 'invalid_grant'])
      }
      assert.equal(
        await isLive(stile, won[0]?.json.access_token),
        false,
        'whoever comes second revokes what was given (B01)',
      )
    }
    assert.equal((await rowsOf(stile, 'token_families')) - families, codes)
  })

  test('B14: of wrong verifiers in parallel none is left uncounted', async () => {
    const browser = new Browser(stile)
    const { storage } = stile.node.kernel
    for (let at = 0; at < 10; at++) {
      const { request, verifier } = codeRequestWithPkce(singlePage)
      const code = await obtainCode(browser, request)
      const redeemed = await Promise.all(
        Array.from({ length: guesses }, (_, guess) => {
          const node = nodes[guess % nodes.length] ?? stile
          return redeemCode(node, singlePage, code, { code_verifier: pkce().verifier })
        }),
      )
      for (const answer of redeemed) expectRefusal(answer, 'invalid_grant')
      expectRefusal(await redeemCode(stile, singlePage, code, { code_verifier: verifier }), 'invalid_grant')

      // Nor can a node take it that read it before the guesses, or whose clock is behind.
      const taken = await storage.commit({
        name: 'test.take-burnt-code',
        run: () => run(takeCode(stile.environmentId, hashCode(code), Date.now() - 90_000)),
      })
      assert.deepEqual(taken, [])
    }
    const text = "SELECT id FROM events WHERE environment_id = $1 AND action = 'AUTHORIZATION_CODE.BURNT'"
    const burnt = await storage.read({ text, values: [stile.environmentId] })
    assert.equal(burnt.length, 10, 'one event each, however many guesses')
  })

  test('B14: five refusals of wrong verifiers, and the right one is refused, whatever is still under way', async () => {
    const browser = new Browser(stile)
    for (let at = 0; at < 10; at++) {
      const { request, verifier } = codeRequestWithPkce(singlePage)
      const code = await obtainCode(browser, request)
      let refused = 0
      const guess = async (guessAt: number) => {
        const node = nodes[guessAt % nodes.length] ?? stile
        expectRefusal(await redeemCode(node, singlePage, code, { code_verifier: pkce().verifier }), 'invalid_grant')
        refused += 1
      }
      const wrong = Array.from({ length: guesses }, (_, guessAt) => guess(guessAt))
      while (refused < 5) await Promise.race([Promise.all(wrong), setImmediate()])
      expectRefusal(await redeemCode(stile, singlePage, code, { code_verifier: verifier }), 'invalid_grant')
      await Promise.all(wrong)
    }
  })
})
