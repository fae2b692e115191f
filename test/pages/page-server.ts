/** Serves pages on a free port as the product would: with the headers of pages, and their assets through the operation. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import { assetOperations } from '../../src/pages/assets.ts'
import type { Context, Operation, Reply } from '../../src/contract/operation.ts'
import { toPingOne, Problem } from '../../src/errors/problem.ts'
import { pageHeaders } from '../../src/pages/headers.ts'

/** A request as it arrived. */
export interface Arrived {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A server that runs. */
export interface PageServer {
  readonly origin: string
  readonly arrived: readonly Arrived[]
  close(): Promise<void>
}

/** Carries out an operation that needs no context. */
export async function perform(operation: Operation, params: Readonly<Record<string, string>>): Promise<Reply> {
  return await operation.handle({ params, query: {}, body: undefined } as never, {} as Context)
}

/**
 * Starts a server.
 * @param answer what to answer a request that is for no asset; `html` gets the headers of pages unless it brings its own
 * @param host a loopback host, as an address names it
 */
export async function servePages(
  answer: (request: Arrived) => Reply | undefined,
  host: '127.0.0.1' | '[::1]' = '127.0.0.1',
): Promise<PageServer> {
  const arrived: Arrived[] = []
  const respond = async (request: Arrived): Promise<Reply> => {
    const file = /^\/assets\/([^/?]+)$/.exec(request.url)?.[1]
    const [assets] = assetOperations
    if (!file) return answer(request) ?? { status: 404 }
    assert.ok(assets)
    try {
      return await perform(assets, { file })
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return { status: error.entry.status, body: toPingOne(error, '') }
    }
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const taken = { method, url, headers, body: Buffer.concat(chunks).toString() }
      arrived.push(taken)
      void respond(taken).then((reply) => {
        const own = { ...(reply.html === undefined ? {} : pageHeaders({ formActions: ["'self'"] })), ...reply.headers }
        const contentType = reply.html === undefined ? reply.text?.contentType : 'text/html;charset=UTF-8'
        response.writeHead(reply.status, {
          'x-content-type-options': 'nosniff',
          ...(contentType ? { 'content-type': contentType } : {}),
          ...own,
        })
        response.end(reply.html ?? reply.text?.content ?? JSON.stringify(reply.body) ?? '')
      })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, host.replace(/[[\]]/g, ''), resolve)
  })
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  return {
    origin: `http://${host}:${address.port}`,
    arrived,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
