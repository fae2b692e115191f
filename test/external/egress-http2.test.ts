/** The way out by HTTP/2, against servers on loopback that misbehave (group G). */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttp1Server } from 'node:http'
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, BlockList, createServer as createTcpServer, type Server } from 'node:net'
import { after, suite, test } from 'node:test'
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls'
import { EgressFailed, type EgressFailure, type OutboundRequest, openEgress } from '../../src/external/egress.ts'
import { serverCertificate } from './certificate.ts'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
const local = openEgress({ listed: loopback })
const ask = (url: string, more: Partial<OutboundRequest> = {}): OutboundRequest => ({
  method: 'POST',
  url,
  http2: true,
  body: '{}',
  ...more,
})

async function failsFor(reason: EgressFailure, attempt: Promise<unknown>): Promise<void> {
  await assert.rejects(attempt, (error) => {
    assert.ok(error instanceof EgressFailed, String(error))
    assert.equal(error.reason, reason, error.message)
    return true
  })
}

await suite('egress by HTTP/2', async () => {
  const ending: (() => void)[] = []
  after(() => {
    for (const end of ending) end()
  })
  async function listening(server: Server | Http2Server): Promise<number> {
    server.on('connection', (socket) => {
      socket.on('error', () => {})
      ending.push(() => socket.destroy())
    })
    ending.push(() => server.close())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  async function serve(handle: (stream: ServerHttp2Stream, path: string) => void): Promise<string> {
    const server = createServer()
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {})
      handle(stream, String(headers[':path']))
    })
    return `http://127.0.0.1:${await listening(server)}`
  }
  let connections = 0
  const sink = await listening(createTcpServer((socket) => void socket.destroy(void connections++)))

  test('asks, and gives back status, media type and body', async () => {
    const base = await serve((stream, path) => {
      stream.respond({ ':status': 410, 'content-type': 'Application/JSON; charset=utf-8' })
      stream.end(JSON.stringify({ path }))
    })
    const answer = await local(ask(`${base}/3/device/a?b=c`))
    assert.deepEqual([answer.status, answer.contentType], [410, 'application/json'])
    assert.deepEqual(JSON.parse(answer.body.toString()), { path: '/3/device/a?b=c' })
  })

  test('G01, G03: addresses that are not public are never connected to, whatever they are called', async () => {
    for (const address of ['127.0.0.1', '::1', '10.0.0.1', '169.254.169.254', '::ffff:127.0.0.1']) {
      const egress = openEgress({ listed: undefined, resolve: async () => [address] })
      await failsFor('address', egress(ask(`https://push.example:${sink}/`)))
    }
    const mixed = async () => ['93.184.216.34', '127.0.0.1']
    await failsFor('address', openEgress({ listed: undefined, resolve: mixed })(ask(`https://push.example:${sink}/`)))
    await failsFor('url', openEgress({ listed: undefined })(ask(`https://127.0.0.1:${sink}/`)))
    let asked = 0
    const turning = async () => (asked++ === 0 ? ['192.0.2.1'] : ['127.0.0.1'])
    await assert.rejects(openEgress({ listed: undefined, resolve: turning })(ask(`https://push.example:${sink}/`)))
    assert.equal(connections, 0)
  })

  test('G04, G07, G08: redirects, too much, too late, nothing', async () => {
    const redirects = await serve((stream) => {
      stream.respond({ ':status': 307, location: 'https://push.example/' })
      stream.end()
    })
    await failsFor('redirect', local(ask(redirects)))
    const endless = await serve((stream) => {
      stream.respond({ ':status': 200 })
      const more = () => void (stream.destroyed || stream.write(Buffer.alloc(65_536), () => setImmediate(more)))
      more()
    })
    await failsFor('size', local(ask(endless, { maximumBytes: 100_000 })))
    const heady = await serve((stream) => {
      stream.respond({ ':status': 200, 'x-long': 'y'.repeat(100_000) })
      stream.end()
    })
    await failsFor('unreachable', local(ask(heady)))
    const packed = await serve((stream) => {
      stream.respond({ ':status': 200, 'content-encoding': 'gzip' })
      stream.end('x')
    })
    await failsFor('encoding', local(ask(packed)))
    const silent = await serve(() => {})
    await failsFor('time', local(ask(silent, { maximumMilliseconds: 100 })))
    const cut = await serve((stream) => stream.session?.destroy())
    await failsFor('unreachable', local(ask(cut)))
    await failsFor('unreachable', local(ask(`http://127.0.0.1:${sink}/`)))
    const old = `http://127.0.0.1:${await listening(createHttp1Server((_request, response) => response.end()))}`
    await failsFor('unreachable', local(ask(old)))
  })

  test('G11: over TLS a good certificate and the protocol, and nothing less', async () => {
    const trusted = getCACertificates('default')
    const good = await serverCertificate({ host: '127.0.0.1' })
    const other = await serverCertificate({ host: 'other.example' })
    const secure = async (certificate: typeof good) => {
      const server = createSecureServer(certificate)
      server.on('stream', (stream) => {
        stream.respond({ ':status': 200 })
        stream.end('over TLS')
      })
      server.on('sessionError', () => {})
      return `https://127.0.0.1:${await listening(server)}`
    }
    const [goodBase, otherBase] = [await secure(good), await secure(other)]
    const http1 = createHttpsServer({ ...good, ALPNProtocols: ['http/1.1'] }, (_request, response) => response.end())
    const http1Base = `https://127.0.0.1:${await listening(http1)}`
    const speaking = createServer()
    speaking.on('stream', (stream) => {
      stream.respond({ ':status': 200 })
      stream.end()
    })
    const unagreed = createTlsServer(good, (socket) => void speaking.emit('connection', socket))
    const unagreedBase = `https://127.0.0.1:${await listening(unagreed)}`
    await failsFor('unreachable', local(ask(goodBase)))
    setDefaultCACertificates([...trusted, good.cert, other.cert])
    try {
      assert.equal((await local(ask(goodBase))).body.toString(), 'over TLS')
      await failsFor('unreachable', local(ask(otherBase)))
      await failsFor('unreachable', local(ask(http1Base)))
      await failsFor('unreachable', local(ask(unagreedBase)))
    } finally {
      setDefaultCACertificates(trusted)
    }
  })
})
