/** A web server over TLS whose documents a test writes, trusted by this process while it runs. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { serverCertificate } from '../external/certificate.ts'

/** A document as it is answered. */
export interface Served {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, unless it is a string. */
  readonly body?: unknown
}

/** A running server. */
export interface DocumentServer {
  /** `https://127.0.0.1:<port>` */
  readonly base: string
  /** By path; anything else is 404. */
  readonly documents: Map<string, Served>
  /** How often a path was asked for. */
  hits(path?: string): number
  close(): void
}

/** Starts a server on a free port. */
export async function startDocumentServer(): Promise<DocumentServer> {
  const trusted = getCACertificates('default')
  const certificate = await serverCertificate({ host: '127.0.0.1' })
  setDefaultCACertificates([...trusted, certificate.cert])
  const documents = new Map<string, Served>()
  const asked: string[] = []
  const server = createServer(certificate, ({ url = '' }, response) => {
    asked.push(url)
    const { status = 200, headers = {}, body = '' } = documents.get(url) ?? { status: 404 }
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    base: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    documents,
    hits: (path) => asked.filter((each) => path === undefined || each === path).length,
    close() {
      setDefaultCACertificates(trusted)
      server.closeAllConnections()
      server.close()
    },
  }
}
