/** A provider over HTTP: takes what is sent to it, and answers as a test wants. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it arrived. */
export interface ProviderRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The body as a form. */
  readonly form: Readonly<Record<string, string>>
}

/** A running provider. */
export interface ProviderServer {
  readonly url: string
  readonly received: readonly ProviderRequest[]
  /** The status of the next answers; default: 201. */
  status: number
  close(): Promise<void>
}

/** Starts a provider on a free port. */
export async function startProviderServer(): Promise<ProviderServer> {
  const received: ProviderRequest[] = []
  const state = { status: 201 }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const { method = '', url: target = '', headers } = request
      received.push({ method, target, headers, body, form: Object.fromEntries(new URLSearchParams(body)) })
      response.writeHead(state.status, { 'content-type': 'application/json' })
      // As providers do: it quotes what it was sent.
      response.end(JSON.stringify({ sid: 'SM1', message: body }))
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    get status() {
      return state.status
    },
    set status(status) {
      state.status = status
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
