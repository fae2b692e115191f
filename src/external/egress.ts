/**
 * The only way out to the network (architecture section 6): one HTTP request, judged before and while it is made. Names
 * are resolved here, every answer is judged, and the connection goes to exactly those addresses, so that a second answer
 * of the DNS changes nothing. Security catalogue group G.
 *
 * Never: a redirect followed, a proxy taken from the environment, a connection kept for another request, a certificate
 * that does not verify, a body beyond its bound, a compressed body; an answer that tells the caller why it failed.
 */
import { lookup } from 'node:dns/promises'
import type { ClientRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { BlockList } from 'node:net'
import { isWebPort, type Reach, reachOf } from './addresses.ts'
import { sendByHttp2 } from './egress-http2.ts'
import {
  type Egress,
  EgressFailed,
  headersOf,
  judgedLookup,
  type Judging,
  maximumHeaderBytes,
  millisecondsOf,
  type OutboundAnswer,
  type OutboundRequest,
  readAnswer,
} from './outbound-request.ts'
import { outboundUrlProblem, portOf } from './outbound-url.ts'

export {
  type Egress,
  EgressFailed,
  type EgressFailure,
  type OutboundAnswer,
  type OutboundRequest,
} from './outbound-request.ts'

// Not by `import`: the module namespace of node:http evaluates Node's own fetch, 14 MB and 40 ms that nobody here needs.
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http')

/** How a way out is opened. */
export interface EgressOptions {
  /** Addresses the operator allows beside public ones. */
  readonly listed: BlockList | undefined
  /** Finds the addresses of a name; default: the operating system. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>
}

const headerValue = /^[\t\x20-\x7e]*$/

async function resolveBySystem(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address)
}

/** Opens a way out. */
export function openEgress({ listed, resolve = resolveBySystem }: EgressOptions): Egress {
  return async (wanted) => {
    if (outboundUrlProblem(wanted.url, listed) !== undefined) throw new EgressFailed('url')
    if (Object.values(wanted.headers ?? {}).some((value) => !headerValue.test(value))) throw new EgressFailed('header')
    const make = wanted.http2 ? sendByHttp2 : send
    return make(wanted, {
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

function send(wanted: OutboundRequest, judging: Judging): Promise<OutboundAnswer> {
  const { method, url, body } = wanted
  const isSecure = new URL(url).protocol === 'https:'
  const options = {
    method,
    headers: headersOf(wanted),
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
    const timer = setTimeout(() => fail(new EgressFailed('time')), millisecondsOf(wanted))
    outgoing.on('error', fail)
    outgoing.on('socket', (socket) => {
      // The last word: whatever was resolved, this is who answers.
      socket.once('connect', () => {
        const refusal = judging.judge(socket.remoteAddress ?? '')
        if (refusal) fail(refusal)
      })
    })
    outgoing.on('response', (response) => {
      const arriving = { status: response.statusCode ?? 0, headers: response.headers, body: response }
      readAnswer(arriving, wanted).then((answer) => {
        clearTimeout(timer)
        outgoing.destroy()
        fulfil(answer)
      }, fail)
    })
    outgoing.end(body)
  })
}
