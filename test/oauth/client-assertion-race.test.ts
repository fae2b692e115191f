/**
 * D11: an assertion counts once: of twenty at the same time, on a second node, and after a restart; on both engines.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { startNode } from '../../src/http/node.ts'
import { operations } from '../../src/http/operations.ts'
import { realWorld } from '../../src/world.ts'
import { startSecondNode } from '../environment/second-node.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { absent } from '../storage/absent.ts'
import { startPostgres } from '../storage/postgres-cluster.ts'
import { assertion, byAssertion, clientKey, registerPkj } from './assertions.ts'
import { expectRefusal } from './journeys.ts'
import { expectStatus } from './registrations.ts'

const key = clientKey('ES256')
const rounds = 10
const presentations = 20

async function raceOf(nodes: readonly Stile[]): Promise<void> {
  const [stile] = nodes as readonly [Stile]
  const pkj = await registerPkj(stile, key)
  for (let round = 0; round < rounds; round++) {
    const jwt = await assertion(stile, pkj.clientId, key)
    const answers = await Promise.all(
      Array.from({ length: presentations }, (_, at) =>
        (nodes[at % nodes.length] ?? stile).send(`/${stile.environmentId}/as/token`, byAssertion(jwt)),
      ),
    )
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    for (const answer of answers) if (answer.status !== 200) expectRefusal(answer, 'invalid_client')
  }
}

suite('D11: the race for an assertion, embedded engine', () => {
  test('one of twenty, and none after a restart', async () => {
    const stile = await startStile()
    try {
      await raceOf([stile])
      const pkj = await registerPkj(stile, key)
      const jwt = await assertion(stile, pkj.clientId, key)
      const present = (port: number) =>
        stile.send(`http://127.0.0.1:${port}/${stile.environmentId}/as/token`, byAssertion(jwt))
      expectStatus(await present(stile.node.port), 200)
      const { config, masterKeys } = stile.node.kernel
      await stile.node.close()
      const again = await startNode(
        { ...config, authUrl: stile.authUrl, apiUrl: stile.apiUrl },
        realWorld,
        masterKeys,
        () => operations,
      )
      try {
        expectRefusal(await present(again.port), 'invalid_client')
      } finally {
        await again.close()
      }
    } finally {
      await stile.close()
    }
  })
})

const cluster = await startPostgres()
if ('missing' in cluster)
  test('D11: the race for an assertion, PostgreSQL', (context) => absent(context, cluster.missing))
else {
  suite('D11: the race for an assertion, PostgreSQL', () => {
    test('one of twenty at two nodes', async () => {
      const databaseUrl = await cluster.createDatabase()
      const stile = await startStile({ databaseUrl })
      const second = await startSecondNode(stile, databaseUrl)
      try {
        await raceOf([stile, second])
      } finally {
        await second.close()
        await stile.close()
        await cluster.stop()
      }
    })
  })
}
