/**
 * The certificate by which a caller has authenticated its connection: of the connection itself, or, behind a proxy that
 * ends TLS, from the header that the operator has named (RFC 9440, or URL-encoded PEM as nginx sends it in
 * `$ssl_client_escaped_cert`). Rows D22, O24.
 *
 * Never: a header of a peer that is not listed as a proxy, or that came twice; the certificate of a proxy taken for that of
 * its client.
 */
import { X509Certificate } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Config } from '../config.ts'
import type { ClientCertificate } from '../contract/operation.ts'
import { decodeBase64url } from '../keys/base64url.ts'
import { isTrustedPeer } from './client-address.ts'

/** What of a TLS connection tells who is at its other end. */
interface PeerCertificate {
  readonly raw?: Buffer
  readonly issuerCertificate?: PeerCertificate
}

/** Reads the certificate of a request; undefined when there is none, or none that can be believed. */
export function clientCertificate(
  socket: Socket,
  headers: IncomingHttpHeaders,
  { clientCertificateHeader: header, trustedProxies }: Pick<Config, 'clientCertificateHeader' | 'trustedProxies'>,
): ClientCertificate | undefined {
  if (!isTrustedPeer(socket.remoteAddress ?? '', trustedProxies)) return ofConnection(socket)
  if (header === undefined) return undefined
  const certificate = certificateIn(headers[header])
  const chain = headers[`${header}-chain`]
  return (
    certificate && { certificate, chain: typeof chain === 'string' ? chain.split(',').flatMap(certificatesIn) : [] }
  )
}

function ofConnection(socket: Socket): ClientCertificate | undefined {
  if (!('getPeerCertificate' in socket)) return undefined
  const peer = (socket as { getPeerCertificate(detailed: true): PeerCertificate }).getPeerCertificate(true)
  if (!peer.raw) return undefined
  const chain: X509Certificate[] = []
  // Whoever issued itself ends the chain.
  for (let at = peer; at.issuerCertificate?.raw && at.issuerCertificate !== at; at = at.issuerCertificate) {
    chain.push(new X509Certificate(at.issuerCertificate.raw))
  }
  return { certificate: new X509Certificate(peer.raw), chain }
}

function certificatesIn(value: string): readonly X509Certificate[] {
  const certificate = certificateIn(value.trim())
  return certificate ? [certificate] : []
}

function certificateIn(value: string | string[] | undefined): X509Certificate | undefined {
  // Node joins headers of one name by commas, which neither form has.
  if (typeof value !== 'string' || value === '' || value.includes(',')) return undefined
  try {
    const encoded = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(value)?.[1]
    if (encoded === undefined) return new X509Certificate(decodeURIComponent(value))
    const canonical = encoded.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
    const der = decodeBase64url(canonical)
    return der && new X509Certificate(der)
  } catch {
    return undefined
  }
}
