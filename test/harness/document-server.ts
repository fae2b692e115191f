/** A web server over TLS whose documents a test writes, trusted by this process while it runs. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls'
import { serverCertificate } from '../external/certificate.ts'

/** A document as it is answered. */
export interface Served {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, unless it is a string or bytes. */
  readonly body?: unknown
}

/** What was sent to it. */
export interface Sent {
  readonly method: string
  readonly path: string
  readonly contentType: string | undefined
  readonly body: string
  readonly tlsVersion: string | null
}

/** A running server. */
export interface DocumentServer {
  /** `https://127.0.0.1:<port>` */
  readonly base: string
  /** By path; anything else is 404. */
  readonly documents: Map<string, Served>
  /** How often a path was asked for. */
  hits(path?: string): number
  /** Requests in the order in which they came. */
  readonly received: readonly Sent[]
  close(): void
}

/** Starts a server on a free port. */
export async function startDocumentServer(): Promise<DocumentServer> {
  const trusted = getCACertificates('default')
  const certificate = await serverCertificate({ host: '127.0.0.1' })
  setDefaultCACertificates([...trusted, certificate.cert])
  const documents = new Map<string, Served>()
  const received: Sent[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers: sent } = request
    const tlsVersion = (request.socket as TLSSocket).getProtocol()
    received.push({ method, path: url, contentType: sent['content-type'], body: await text(request), tlsVersion })
    const { status = 200, headers = {}, body = '' } = documents.get(url) ?? { status: 404 }
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body))
  }
  const server = createServer(certificate, (request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    base: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    documents,
    hits: (path) => received.filter((each) => path === undefined || each.path === path).length,
    received,
    close() {
      setDefaultCACertificates(trusted)
      server.closeAllConnections()
      server.close()
    },
  }
}
