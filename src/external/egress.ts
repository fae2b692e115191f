/**
 * The only way out to the network (architecture section 6): one HTTP request, judged before and while it is made. Names
 * are resolved here, every answer is judged, and the connection goes to exactly those addresses, so that a second answer
 * of the DNS changes nothing. Security catalogue group G.
 *
 * Never: a redirect followed, a proxy taken from the environment, a connection kept for another request, a certificate
 * that does not verify, a body beyond its bound, a compressed body; an answer that tells the caller why it failed.
 */
import { lookup } from 'node:dns/promises'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { type BlockList, isIP, type LookupFunction } from 'node:net'
import { isWebPort, type Reach, reachOf } from './addresses.ts'
import { outboundUrlProblem, portOf } from './outbound-url.ts'

// Not by `import`: the module namespace of node:http evaluates Node's own fetch, 14 MB and 40 ms that nobody here needs.
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http')

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

/** How a way out is opened. */
export interface EgressOptions {
  /** Addresses the operator allows beside public ones. */
  readonly listed: BlockList | undefined
  /** Finds the addresses of a name; default: the operating system. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>
}

const standardBytes = 1024 * 1024
const standardMilliseconds = 10_000
const maximumHeaderBytes = 16 * 1024
const headerValue = /^[\t\x20-\x7e]*$/

async function resolveBySystem(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address)
}

/** Opens a way out. */
export function openEgress({ listed, resolve = resolveBySystem }: EgressOptions): Egress {
  return async (wanted) => {
    if (outboundUrlProblem(wanted.url, listed) !== undefined) throw new EgressFailed('url')
    if (Object.values(wanted.headers ?? {}).some((value) => !headerValue.test(value))) throw new EgressFailed('header')
    return send(wanted, {
      judge: (address) => refusalOf(reachOf(address, listed), new URL(wanted.url), portOf(wanted.url)),
      resolve,
    })
  }
}

/** What an address may be asked for: over TLS at a web port, or anything where the operator lists it. */
function refusalOf(reach: Reach, url: URL, port: number): EgressFailed | undefined {
  if (reach === 'listed') return undefined
  if (reach === 'closed' || url.protocol !== 'https:') return new EgressFailed('address')
  return isWebPort(port) ? undefined : new EgressFailed('port')
}

interface Judging {
  readonly judge: (address: string) => EgressFailed | undefined
  readonly resolve: (hostname: string) => Promise<readonly string[]>
}

/** A resolver for one request: all addresses of the name have to pass, or none is used (row G03). */
function judgedLookup({ judge, resolve }: Judging): LookupFunction {
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

function send(wanted: OutboundRequest, judging: Judging): Promise<OutboundAnswer> {
  const { method, url, headers = {}, body, maximumMilliseconds = standardMilliseconds } = wanted
  const isSecure = new URL(url).protocol === 'https:'
  const options = {
    method,
    headers: {
      'user-agent': 'Stile',
      ...headers,
      'accept-encoding': 'identity',
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    },
    lookup: judgedLookup(judging),
    maxHeaderSize: maximumHeaderBytes,
  }
  return new Promise((fulfil, reject) => {
    const outgoing: ClientRequest = isSecure
      ? httpsRequest(url, { ...options, rejectUnauthorized: true, agent: new HttpsAgent({ keepAlive: false }) })
      : httpRequest(url, { ...options, agent: new HttpAgent({ keepAlive: false }) })
    const fail = (error: unknown) => {
      clearTimeout(timer)
      outgoing.destroy()
      reject(error instanceof EgressFailed ? error : new EgressFailed('unreachable', error))
    }
    const timer = setTimeout(() => fail(new EgressFailed('time')), maximumMilliseconds)
    outgoing.on('error', fail)
    outgoing.on('socket', (socket) => {
      // The last word: whatever was resolved, this is who answers.
      socket.once('connect', () => {
        const refusal = judging.judge(socket.remoteAddress ?? '')
        if (refusal) fail(refusal)
      })
    })
    outgoing.on('response', (response) => {
      read(response, wanted.maximumBytes ?? standardBytes).then((answer) => {
        clearTimeout(timer)
        outgoing.destroy()
        fulfil(answer)
      }, fail)
    })
    outgoing.end(body)
  })
}

async function read(response: IncomingMessage, maximumBytes: number): Promise<OutboundAnswer> {
  const { statusCode: status = 0, headers } = response
  if (status >= 300 && status < 400) throw new EgressFailed('redirect')
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw new EgressFailed('encoding')
  if (Number(headers['content-length'] ?? 0) > maximumBytes) throw new EgressFailed('size')
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maximumBytes) throw new EgressFailed('size')
    chunks.push(chunk)
  }
  const contentType = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  return { status, contentType, cacheControl: headers['cache-control'] ?? '', body: Buffer.concat(chunks) }
}
