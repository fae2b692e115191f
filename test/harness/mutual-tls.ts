/** A node that also listens for certificates of clients, and `fetch` of a client that presents one: RFC 8705. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { openMtlsPort } from '../../src/http/mtls.ts'
import { serverCertificate } from '../external/certificate.ts'
import type { Held } from './client-certificates.ts'
import { type Stile, type StileOptions, startStile } from './stile.ts'

/** Where the endpoints for certificates are said to be; a client that goes there comes to the port of the test. */
const mtlsUrl = 'https://mtls.example.com'

/** A request of a client, as `fetch` takes it. */
export interface TlsRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: URLSearchParams | string | null
}

/** A node with its port for certificates. */
export interface MutualTlsStile {
  readonly stile: Stile
  /** The port for certificates. */
  readonly port: number
  /** A client without a certificate presents none; addresses of any other origin are asked without TLS of its own. */
  readonly fetchAs: (held: Held | undefined) => (url: string, call?: TlsRequest) => Promise<Response>
  readonly close: () => Promise<void>
}

/**
 * Starts a node whose metadata name endpoints for certificates.
 * @param authority whose certificates are believed
 */
export async function startMutualTlsStile(authority: Held, options: StileOptions = {}): Promise<MutualTlsStile> {
  const directory = await mkdtemp(join(tmpdir(), 'stile-mutual-tls-'))
  const made = await serverCertificate({ host: 'mtls.example.com' })
  const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
  await writeFile(files.cert, made.cert)
  await writeFile(files.key, made.key)
  const environment = { STILE_CLIENT_CERTIFICATE_AUTHORITIES: authority.cert, STILE_MTLS_URL: mtlsUrl }
  const stile = await startStile({ ...options, environment: { ...options.environment, ...environment } })
  const opened = await openMtlsPort(stile.node.app, { tls: files, host: '127.0.0.1' }, 0)
  const ofMtls = (url: string) => url.startsWith(`${mtlsUrl}/`)
  return {
    stile,
    port: opened.port,
    fetchAs: (held) => (url, call) =>
      ofMtls(url)
        ? overTls(url, opened.port, held, call)
        : fetch(url, { redirect: 'manual', ...(call as RequestInit) }),
    async close() {
      await opened.close()
      await stile.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function overTls(url: string, port: number, held: Held | undefined, call: TlsRequest = {}): Promise<Response> {
  const { host, pathname, search } = new URL(url)
  const body = call.body?.toString()
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request(
    {
      host: '127.0.0.1',
      servername: host,
      port,
      path: pathname + search,
      method: call.method ?? (body === undefined ? 'GET' : 'POST'),
      // The certificate of the server is that of the test, whose authority nobody knows.
      rejectUnauthorized: false,
      agent: false,
      ...(held ? { key: held.key, cert: held.cert } : {}),
      headers: {
        host,
        ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' }),
        ...call.headers,
      },
    },
    resolve,
  )
    .on('error', reject)
    .end(body)
  const answer = await promise
  const headers = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value) => [name, value] as [string, string]),
  )
  const content = await buffer(answer)
  return new Response(content.length === 0 ? null : Uint8Array.from(content), {
    status: answer.statusCode ?? 0,
    headers,
  })
}
