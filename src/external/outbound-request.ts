/**
 * One request to somebody else's server, as both ways of making it (egress.ts over HTTP/1.1, egress-http2.ts) know it: what is
 * asked, what comes back, whom the connection may go to, and what of an answer is taken. Security catalogue group G.
 *
 * Never: a redirect followed, a body beyond its bound, a compressed body.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { isIP, type LookupFunction } from 'node:net'

/** A request to somebody else's server. */
export interface OutboundRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Most bytes of the answer's body; default 1 MiB. */
  readonly maximumBytes?: number
  /** Most milliseconds for everything, from the first look at the name to the last byte; default 10 s. */
  readonly maximumMilliseconds?: number
  /** Spoken by HTTP/2 (RFC 9113), to a server that takes nothing else. Default: HTTP/1.1. */
  readonly http2?: true
}

/** What came back, whatever its status below 300 or above 399. */
export interface OutboundAnswer {
  readonly status: number
  /** The media type without parameters, in lower case. */
  readonly contentType: string
  /** How long it may be kept, as its server says; empty where it does not. */
  readonly cacheControl: string
  readonly body: Buffer
}

/** Makes one request. @throws EgressFailed */
export type Egress = (request: OutboundRequest) => Promise<OutboundAnswer>

/** Why nothing came of a request: for the log, never for whoever caused it (row G09). */
export type EgressFailure =
  | 'url'
  | 'address'
  | 'port'
  | 'time'
  | 'size'
  | 'redirect'
  | 'encoding'
  | 'unreachable'
  | 'header'

/** A request that was not made, or brought nothing usable. */
export class EgressFailed extends Error {
  override readonly name = 'EgressFailed'
  readonly reason: EgressFailure
  constructor(reason: EgressFailure, cause?: unknown) {
    super(`an outbound request failed: ${reason}`, cause === undefined ? {} : { cause })
    this.reason = reason
  }
}

/** What every request sends of itself. */
export function headersOf({ headers = {}, body }: OutboundRequest): Record<string, string> {
  return {
    'user-agent': 'Stile',
    ...headers,
    'accept-encoding': 'identity',
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
  }
}

/** Most milliseconds of a request. */
export function millisecondsOf({ maximumMilliseconds = 10_000 }: OutboundRequest): number {
  return maximumMilliseconds
}

/** Most bytes of the headers of an answer. */
export const maximumHeaderBytes = 16 * 1024

const standardBytes = 1024 * 1024

/** How the addresses of one request are found, and which of them may be connected to. */
export interface Judging {
  readonly judge: (address: string) => EgressFailed | undefined
  readonly resolve: (hostname: string) => Promise<readonly string[]>
}

/** A resolver for one request: all addresses of the name have to pass, or none is used (row G03). */
export function judgedLookup({ judge, resolve }: Judging): LookupFunction {
  return (hostname, options, callback) => {
    const settled = async () => {
      const addresses = await resolve(hostname)
      const refusal = addresses.map(judge).find((failed) => failed !== undefined)
      if (refusal) throw refusal
      const found = addresses.map((address) => ({ address, family: isIP(address) }))
      const [first] = found
      if (!first) throw new EgressFailed('unreachable')
      return { found, first }
    }
    settled().then(
      ({ found, first }) => (options.all ? callback(null, found) : callback(null, first.address, first.family)),
      (error: Error) => callback(error, '', 4),
    )
  }
}

/** An answer as it arrives. */
export interface Arriving {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: AsyncIterable<Buffer>
}

/** Takes an answer whole. @throws EgressFailed */
export async function readAnswer(
  { status, headers, body }: Arriving,
  { maximumBytes = standardBytes }: OutboundRequest,
): Promise<OutboundAnswer> {
  if (status >= 300 && status < 400) throw new EgressFailed('redirect')
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw new EgressFailed('encoding')
  if (Number(headers['content-length'] ?? 0) > maximumBytes) throw new EgressFailed('size')
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maximumBytes) throw new EgressFailed('size')
    chunks.push(chunk)
  }
  const contentType = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  return { status, contentType, cacheControl: headers['cache-control'] ?? '', body: Buffer.concat(chunks) }
}
