/**
 * Health on a port of its own (experience.md, "First run"): `/health/live` says the process answers, `/health/started`
 * that it has started, `/health/ready` that it may be sent requests: configuration fresh, storage answering, not closing.
 */
import type { Kernel } from '../kernel.ts'
import { environmentVersions } from '../storage/sql/environments.ts'

// Not by `import`: the module namespace of node:http evaluates Node's own fetch, 14 MB and 40 ms that nobody here needs.
const { createServer } = process.getBuiltinModule('node:http')

/** The health endpoint of a node. */
export interface Health {
  /** From now on `/health/ready` answers 503, so that a balancer sends nothing more. */
  drain(): void
  close(): Promise<void>
}

/** Starts the health endpoint. */
export function startHealth(kernel: Kernel, port: number, host: string): Promise<Health> {
  let draining = false
  const ready = async () => {
    if (draining) return false
    kernel.environments.requireFresh(kernel.world.now())
    await kernel.storage.read(environmentVersions(kernel.world.now()))
    return true
  }
  const server = createServer((request, response) => {
    const answer = (healthy: boolean) => {
      response.writeHead(healthy ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      response.end(JSON.stringify({ status: healthy ? 'UP' : 'DOWN' }))
    }
    switch (request.url) {
      case '/health/live':
      case '/health/started':
        answer(true)
        return
      case '/health/ready':
        ready().then(answer, () => answer(false))
        return
      default:
        response.writeHead(404).end()
    }
  })
  server.headersTimeout = 5_000
  server.requestTimeout = 5_000
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () =>
      resolve({
        drain: () => {
          draining = true
        },
        close: () => new Promise((closed) => server.close(() => closed())),
      }),
    )
  })
}
