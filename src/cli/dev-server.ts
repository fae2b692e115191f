/** What `stile dev` runs: a node with the demo environment, the demo application and the inbox. */
import type { Config } from '../config.ts'
import { type GivenParts, type Node, startNode } from '../http/node.ts'
import { served } from '../http/operations.ts'
import type { MasterKeys } from '../keys/master-key.ts'
import type { World } from '../world.ts'
import { demoOperations } from '../dev/demo-application.ts'
import { ensureDemoEnvironment } from '../dev/demo-environment.ts'
import { inboxOperations } from '../dev/inbox.ts'
import type { Quickstart } from '../dev/quickstart.ts'
import { redeemCode } from '../dev/redeem-code.ts'

/** A development server that listens. */
export interface DevServer {
  readonly node: Node
  readonly quickstart: Quickstart
}

/**
 * Starts a development server.
 * @param previous the facts of an earlier start on the same data
 * @throws what `startNode` throws
 */
export async function startDevServer(
  config: Config,
  world: World,
  masterKeys: MasterKeys,
  previous: Quickstart | undefined,
  given: GivenParts = {},
): Promise<DevServer> {
  let quickstart: Quickstart | undefined
  const demo = demoOperations(
    () => quickstart,
    (request) => redeemCode(node.app, request),
  )
  const inbox = inboxOperations(() => quickstart?.environmentId)
  const operations = [...served.operations, ...demo, ...inbox]
  const node: Node = await startNode(config, world, masterKeys, { ...served, operations }, given)
  try {
    quickstart = await ensureDemoEnvironment(node, previous)
    return { node, quickstart }
  } catch (error) {
    await node.close()
    throw error
  }
}
