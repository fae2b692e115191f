/** Nodes that race: one on the embedded engine, two on one PostgreSQL database, as a load balancer would have them. */
import { after, before, suite, test } from 'node:test'
import { type Node, startNode } from '../../src/http/node.ts'
import { served } from '../../src/http/operations.ts'
import { realWorld } from '../../src/world.ts'
import { createDemoDatabase } from '../harness/demo-template.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { absent } from '../storage/absent.ts'
import { startPostgres } from '../storage/postgres-cluster.ts'

/** Another node on the same database and under the same addresses. */
async function secondNode(stile: Stile): Promise<{ readonly node: Node; readonly send: Stile['send'] }> {
  const { config, masterKeys, passwords } = stile.node.kernel
  const addresses = { authUrl: stile.authUrl, apiUrl: stile.apiUrl }
  const node = await startNode({ ...config, ...addresses }, realWorld, masterKeys, served, { passwords })
  return { node, send: (path, call) => stile.send(`http://127.0.0.1:${node.port}${path}`, call) }
}

/** A suite per engine. `nodes` may be called from inside tests and hooks. */
export async function raceOnBothEngines(name: string, tests: (nodes: () => readonly Stile[]) => void): Promise<void> {
  suite(`${name}, embedded engine`, () => {
    let stile: Stile
    before(async () => {
      stile = await startStile()
    })
    after(() => stile.close())
    tests(() => [stile])
  })

  const cluster = await startPostgres()
  if ('missing' in cluster) {
    test(`${name}, PostgreSQL`, (context) => absent(context, cluster.missing))
    return
  }
  suite(`${name}, PostgreSQL, two nodes`, () => {
    let nodes: readonly Stile[]
    let second: Node
    before(async () => {
      const stile = await startStile({ databaseUrl: await createDemoDatabase(cluster) })
      const { node, send } = await secondNode(stile)
      second = node
      nodes = [stile, { ...stile, send }]
    })
    after(async () => {
      await second.close()
      await nodes[0]?.close()
      await cluster.stop()
    })
    tests(() => nodes)
  })
}
