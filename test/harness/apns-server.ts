/** Apple's push service on loopback: takes messages over HTTP/2 without TLS, and answers as a test wants. */
import { once } from 'node:events'
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'

/** A message as it arrived. */
export interface Arrived {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: { readonly aps: { readonly alert: { readonly title: string; readonly body: string } } }
}

/** A running service. */
export interface ApnsServer {
  readonly url: string
  readonly received: Arrived[]
  /** How the next messages are answered; default: 200. */
  answer: { readonly status: number; readonly reason?: string }
  close(): Promise<void>
}

/** Starts it on a free port. */
export async function startApnsServer(): Promise<ApnsServer> {
  const sessions = new Set<ServerHttp2Session>()
  const server: Http2Server = createServer()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
    session.on('error', () => {})
  })
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = []
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Arrived['body']
      apns.received.push({ path: flat[':path'] ?? '', headers: flat, body })
      const { status, reason } = apns.answer
      stream.respond({ ':status': status, 'apns-id': flat['apns-id'] ?? '' })
      stream.end(reason === undefined ? undefined : JSON.stringify({ reason }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  const apns: ApnsServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    answer: { status: 200 },
    async close() {
      for (const session of sessions) session.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return apns
}
