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
  /** Answers a request instead; undefined: as usual. A string is sent as it is. */
  answer:
    | ((request: ProviderRequest) => { readonly status: number; readonly body: object | string } | undefined)
    | undefined
  close(): Promise<void>
}

/** Starts a provider on a free port. */
export async function startProviderServer(): Promise<ProviderServer> {
  const received: ProviderRequest[] = []
  const state: Pick<ProviderServer, 'status' | 'answer'> = { status: 201, answer: undefined }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const { method = '', url: target = '', headers } = request
      const arrived = { method, target, headers, body, form: Object.fromEntries(new URLSearchParams(body)) }
      received.push(arrived)
      // As providers do: it quotes what it was sent.
      const usual = { status: state.status, body: { sid: 'SM1', message: body } }
      const answer = state.answer?.(arrived) ?? usual
      response.writeHead(answer.status, { 'content-type': 'application/json' })
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
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
    get answer() {
      return state.answer
    },
    set answer(answer) {
      state.answer = answer
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
