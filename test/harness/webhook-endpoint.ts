/** An endpoint of a customer on loopback that judges sign-ons: it answers as a test wants, lies, is slow, endless or silent. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it arrived. */
export interface Asked {
  readonly target: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Answers a request. */
export type Answering = (response: ServerResponse, asked: Asked) => void | Promise<void>

/** A running endpoint. */
export interface WebhookEndpoint {
  readonly url: string
  readonly asked: Asked[]
  /** How the next requests are answered; default: CONTINUE. */
  answer: Answering
  close(): Promise<void>
}

/** An answer in JSON. */
export function says(
  body: unknown,
  { status = 200, contentType = 'application/json' }: { status?: number; contentType?: string } = {},
): Answering {
  return (response) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    response.writeHead(status, { 'content-type': contentType }).end(text)
  }
}

/** What an endpoint may do wrong, by name; each would be a yes to whoever looks only at a part of it. */
export const misdeeds: Readonly<Record<string, Answering>> = {
  'never answers': () => undefined,
  'sends a byte now and then': (response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), 30)
    response.on('close', () => clearInterval(timer))
  },
  'sends without an end': (response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const more = () => {
      if (response.destroyed) return
      response.write(Buffer.alloc(65536, 0x20))
      setImmediate(more)
    }
    more()
  },
  'sends too much': says(`${' '.repeat(17 * 1024)}{"decision":"CONTINUE"}`),
  'redirects to a yes': (response) => {
    response.writeHead(307, { location: '/yes', 'content-type': 'application/json' }).end('{"decision":"CONTINUE"}')
  },
  'closes the connection': (response) => {
    response.socket?.destroy()
  },
  'breaks off': (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '60' })
    response.write('{"decision":"CONTINUE"}', () => response.socket?.destroy())
  },
  compresses: (response) => {
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      .end('{"decision":"CONTINUE"}')
  },
  'answers 500': says({ decision: 'CONTINUE' }, { status: 500 }),
  'answers 201': says({ decision: 'CONTINUE' }, { status: 201 }),
  'answers 204': (response) => {
    response.writeHead(204).end()
  },
  'answers HTML': says('<html>CONTINUE</html>', { contentType: 'text/html' }),
  'calls JSON text': says({ decision: 'CONTINUE' }, { contentType: 'text/plain' }),
  'sends no JSON': says('CONTINUE'),
  'sends no UTF-8': (response) => {
    const body = Buffer.from('{"decision":"DENY","reason":"\u00ff"}', 'latin1')
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  },
  'sends an empty body': says(''),
  'sends a list': says([{ decision: 'CONTINUE' }]),
  'decides nothing': says({}),
  'decides something unknown': says({ decision: 'ALLOW' }),
  'writes it small': says({ decision: 'continue' }),
  'says yes and more': says({ decision: 'CONTINUE', until: 'tomorrow' }),
  'demands nothing': says({ decision: 'STEP_UP' }),
  'demands a list': says({ decision: 'STEP_UP', action: ['LOGIN'] }),
  'gives a reason in prose': says({ decision: 'DENY', reason: '<script>alert(1)</script>' }),
}

/** Starts an endpoint on a free port. */
export async function startWebhookEndpoint(): Promise<WebhookEndpoint> {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A test that forgets to close it must not wait for it.
  server.unref()
  const endpoint: WebhookEndpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/judge`,
    asked: [],
    answer: says({ decision: 'CONTINUE' }),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const asked = { target: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') }
    endpoint.asked.push(asked)
    await endpoint.answer(response, asked)
  }

  return endpoint
}
