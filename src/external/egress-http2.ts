/**
 * One outbound request by HTTP/2 (RFC 9113), for servers that take nothing else; judged as every other (egress.ts). Over TLS
 * the protocol is agreed by ALPN; to an address that the operator lists it may also go without, by prior knowledge
 * (section 3.3).
 *
 * Never: a connection kept for another request, a certificate that does not verify, a stream that the server pushes.
 */
import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2'
import { connect as connectPlainly, isIP, type Socket } from 'node:net'
import { connect as connectSecurely, type TLSSocket } from 'node:tls'
import {
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
import { portOf } from './outbound-url.ts'

/** Makes one request; its address has been judged. @throws EgressFailed */
export function sendByHttp2(wanted: OutboundRequest, judging: Judging): Promise<OutboundAnswer> {
  const { connect } = process.getBuiltinModule('node:http2')
  const url = new URL(wanted.url)
  return new Promise((fulfil, reject) => {
    const socket = openSocket(url, judging)
    const session = connect(url.origin, {
      createConnection: () => socket,
      settings: { enablePush: false, maxHeaderListSize: maximumHeaderBytes },
    })
    const end = () => {
      clearTimeout(timer)
      session.destroy()
      socket.destroy()
    }
    const fail = (error: unknown) => {
      end()
      reject(error instanceof EgressFailed ? error : new EgressFailed('unreachable', error))
    }
    const timer = setTimeout(() => fail(new EgressFailed('time')), millisecondsOf(wanted))
    socket.once('connect', () => {
      // The last word: whatever was resolved, this is who answers.
      const refusal = judging.judge(socket.remoteAddress ?? '')
      if (refusal) fail(refusal)
    })
    socket.once('secureConnect', () => {
      if ((socket as TLSSocket).alpnProtocol !== 'h2') fail(new EgressFailed('unreachable'))
    })
    socket.on('error', fail)
    session.on('error', fail)
    session.once('close', () => fail(new EgressFailed('unreachable')))
    const head = { ':method': wanted.method, ':path': `${url.pathname}${url.search}`, ...headersOf(wanted) }
    const stream: ClientHttp2Stream = session.request(head)
    stream.on('error', fail)
    stream.on('response', (headers: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
      readAnswer({ status: headers[':status'] ?? 0, headers, body: stream }, wanted).then((answer) => {
        fulfil(answer)
        end()
      }, fail)
    })
    stream.end(wanted.body)
  })
}

function openSocket(url: URL, judging: Judging): Socket {
  const host = url.hostname.replaceAll(/^\[|\]$/g, '')
  const place = { host, port: portOf(url.href), lookup: judgedLookup(judging) }
  if (url.protocol !== 'https:') return connectPlainly(place)
  const name = isIP(host) === 0 ? { servername: host } : {}
  return connectSecurely({ ...place, ...name, ALPNProtocols: ['h2'], rejectUnauthorized: true })
}
