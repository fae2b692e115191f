/** Fifty redemptions of one code at once, on both engines; on PostgreSQL half of them at a second node (rows B01, B03). */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { type Node, startNode } from '../../src/http/node.ts'
import { operations } from '../../src/http/operations.ts'
import { realWorld } from '../../src/world.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { absent } from '../storage/absent.ts'
import { startPostgres } from '../storage/postgres-cluster.ts'
import { codeRequest, codeRequestWithPkce, isLive, obtainCode, redeemCode } from './journeys.ts'
import { type Registered, register, rowsOf, spa } from './registrations.ts'

const codes = 20
const redemptions = 50

/** Another node on the same database and under the same addresses, as a load balancer would have it. */
async function secondNode(stile: Stile): Promise<{ readonly node: Node; readonly send: Stile['send'] }> {
  const { config, masterKeys } = stile.node.kernel
  const addresses = { authUrl: stile.authUrl, apiUrl: stile.apiUrl }
  const node = await startNode({ ...config, ...addresses }, realWorld, masterKeys, () => operations)
  return { node, send: (path, call) => stile.send(`http://127.0.0.1:${node.port}${path}`, call) }
}

function races(
  engine: string,
  start: () => Promise<{ readonly nodes: readonly Stile[]; stop(): Promise<void> }>,
): void {
  suite(`B03: the race for a code, ${engine}`, () => {
    let nodes: readonly Stile[]
    let stop: () => Promise<void>
    let stile: Stile
    let confidential: Registered
    let singlePage: Registered
    before(async () => {
      ;({ nodes, stop } = await start())
      stile = nodes[0] ?? assert.fail()
      confidential = await register(stile)
      singlePage = await register(stile, spa)
    })
    after(() => stop())

    /** Released together: every request is under way before the first answer is looked at. */
    const redeemTogether = (
      client: Registered,
      code: string,
      more: Readonly<Record<string, string>>,
    ): Promise<Answer[]> =>
      Promise.all(
        Array.from({ length: redemptions }, (_, at) =>
          redeemCode(nodes[at % nodes.length] ?? stile, client, code, more),
        ),
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
  })
}

races('embedded engine', async () => {
  const stile = await startStile()
  return { nodes: [stile], stop: () => stile.close() }
})

const cluster = await startPostgres()
if ('missing' in cluster) test('B03: the race for a code, PostgreSQL', (context) => absent(context, cluster.missing))
else {
  races('PostgreSQL, two nodes', async () => {
    const stile = await startStile({ databaseUrl: await cluster.createDatabase() })
    const second = await secondNode(stile)
    return {
      nodes: [stile, { ...stile, send: second.send }],
      async stop() {
        await second.node.close()
        await stile.close()
        await cluster.stop()
      },
    }
  })
}
