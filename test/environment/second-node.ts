/** A second node on the database of a first one: the same environment, the same public origins, another process's cache. */
import { readConfig } from '../../src/config.ts'
import { startNode } from '../../src/http/node.ts'
import { served } from '../../src/http/operations.ts'
import { realWorld, type World } from '../../src/world.ts'
import type { Call, Stile } from '../harness/stile.ts'

/**
 * Starts it. What is sent through it goes to its own port; the worker's token and the demo environment are the first's.
 * @param databaseUrl of the first node's database, perhaps by another way
 */
export async function startSecondNode(first: Stile, databaseUrl: string, world: World = realWorld): Promise<Stile> {
  const settings = {
    STILE_LOG_LEVEL: 'silent',
    STILE_HOST: '127.0.0.1',
    STILE_AUTH_URL: first.authUrl,
    STILE_API_URL: first.apiUrl,
    DATABASE_URL: databaseUrl,
  }
  const node = await startNode(
    readConfig('dev', settings, { port: '0' }),
    world,
    first.node.kernel.masterKeys,
    served,
    { passwords: first.node.kernel.passwords },
  )
  const send = (path: string, call?: Call) => first.send(`http://127.0.0.1:${node.port}${path}`, call)
  return {
    ...first,
    node,
    send,
    async api(method, path, body, call = {}) {
      const full = path.startsWith('/v1') ? path : `/v1/environments/${first.environmentId}${path}`
      const token = call.token === undefined ? await first.workerToken() : call.token
      return send(full, { ...call, method, token, ...(body === undefined ? {} : { body }) })
    },
    close: () => node.close(),
  }
}
