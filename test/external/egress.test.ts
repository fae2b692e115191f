/** The way out, against servers on loopback that misbehave (group G). */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, BlockList, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { after, suite, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { EgressFailed, type EgressFailure, type OutboundRequest, openEgress } from '../../src/external/egress.ts'
import { serverCertificate } from './certificate.ts'
import { closedAddresses } from './refused-urls.ts'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

const local = openEgress({ listed: loopback })
const strict = openEgress({ listed: undefined })
const get = (url: string, more: Partial<OutboundRequest> = {}): OutboundRequest => ({ method: 'GET', url, ...more })

async function failsFor(reason: EgressFailure, attempt: Promise<unknown>): Promise<void> {
  await assert.rejects(attempt, (error) => {
    assert.ok(error instanceof EgressFailed, String(error))
    assert.equal(error.reason, reason, error.message)
    return true
  })
}

await suite('egress', async () => {
  const running: (Server | TcpServer)[] = []
  async function listening(server: Server | TcpServer): Promise<number> {
    running.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const serve = async (handle: RequestListener) => `http://127.0.0.1:${await listening(createServer(handle))}`
  after(() => {
    for (const server of running) {
      if ('closeAllConnections' in server) server.closeAllConnections()
      server.close()
    }
  })

  /** Counts the connections that somebody opens to it. */
  let connections = 0
  const sink = await listening(createTcpServer((socket) => socket.on('error', () => {}).destroy(void connections++)))

  test('asks, and gives back status, media type and body', async () => {
    const base = await serve((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        response.writeHead(201, { 'content-type': 'Application/JSON; charset=utf-8' })
        response.end(JSON.stringify([request.method, request.url, request.headers['x-mark'], body]))
      })
    })
    const answer = await local({ method: 'POST', url: `${base}/a?b=c`, headers: { 'x-mark': 'm' }, body: 'täxt' })
    assert.equal(answer.status, 201)
    assert.equal(answer.contentType, 'application/json')
    assert.deepEqual(JSON.parse(answer.body.toString()), ['POST', '/a?b=c', 'm', 'täxt'])
  })

  test('G01: names that resolve to addresses that are not public are never connected to', async () => {
    for (const address of closedAddresses) {
      const egress = openEgress({ listed: undefined, resolve: async () => [address] })
      await failsFor('address', egress(get(`https://idp.example:${sink}/`)))
    }
    for (const host of ['127.0.0.1', 'localhost', 'localhost.', '2130706433', '0x7f.1', '127.1', '[::1]']) {
      await failsFor('url', strict(get(`https://${host}:${sink}/`)))
    }
    assert.equal(connections, 0)
  })

  test('G03: a name that answers differently each time, or with a mixture, reaches the sink never', async () => {
    for (let attempt = 0; attempt < 100; attempt++) {
      let asked = 0
      const resolve = async () => (asked++ === 0 ? ['192.0.2.1'] : ['127.0.0.1'])
      await assert.rejects(openEgress({ listed: undefined, resolve })(get(`https://idp.example:${sink}/`)))
      assert.equal(asked, 1, 'one answer is judged and used')
    }
    const mixed = async () => ['93.184.216.34', '127.0.0.1', '::1']
    await failsFor('address', openEgress({ listed: undefined, resolve: mixed })(get(`https://idp.example:${sink}/`)))
    assert.equal(connections, 0)
  })

  test('G03: a connection goes to the address that was judged, not to another answer', async () => {
    const base = await serve((_request, response) => response.end('here'))
    let asked = 0
    const resolve = async () => (asked++ === 0 ? ['127.0.0.1'] : ['10.0.0.1'])
    const answer = await openEgress({ listed: loopback, resolve })(get(base.replace('127.0.0.1', 'idp.example')))
    assert.equal(answer.body.toString(), 'here')
  })

  test('a name without addresses, and one that cannot be found', async () => {
    await failsFor(
      'unreachable',
      openEgress({ listed: undefined, resolve: async () => [] })(get('https://idp.example/')),
    )
    const resolve = () => Promise.reject(new Error('ENOTFOUND'))
    await failsFor('unreachable', openEgress({ listed: undefined, resolve })(get('https://idp.example/')))
  })

  test('G04: redirects are not followed, whichever they are', async () => {
    let hits = 0
    const target = await serve((_request, response) => response.end(String(hits++)))
    for (const status of [301, 302, 303, 307, 308]) {
      for (const location of [target, 'file:///etc/passwd', 'https://idp.example/', '//127.0.0.1/']) {
        const base = await serve((_request, response) => response.writeHead(status, { location }).end())
        await failsFor('redirect', local(get(base)))
      }
    }
    assert.equal(hits, 0)
  })

  test('G06, G14: plain http and any port only where the operator lists the address', async () => {
    const resolve = async () => ['93.184.216.34']
    const mixed = openEgress({ listed: loopback, resolve })
    await failsFor('address', mixed(get('http://idp.example:8080/')))
    await failsFor('port', mixed(get('https://idp.example:6379/')))
    await failsFor('url', openEgress({ listed: undefined, resolve })(get('http://idp.example/')))
  })

  test('G07: bodies, headers and compressed bodies beyond their bound are cut off', async () => {
    const endless = await serve((_request, response) => {
      const more = () => void (response.destroyed || (response.write(Buffer.alloc(65536)), setImmediate(more)))
      more()
    })
    await failsFor('size', local(get(endless)))
    const announced = await serve((_request, response) => response.writeHead(200, { 'content-length': 1e9 }).write('x'))
    await failsFor('size', local(get(announced)))
    const bomb = gzipSync(Buffer.alloc(10_000_000))
    const packed = await serve((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    )
    await failsFor('encoding', local(get(packed)))
    const heady = await serve((_request, response) => response.writeHead(200, { 'x-long': 'y'.repeat(40_000) }).end())
    await failsFor('unreachable', local(get(heady)))
    const small = await serve((_request, response) => response.end('12345'))
    await failsFor('size', local(get(small, { maximumBytes: 4 })))
    assert.equal((await local(get(small, { maximumBytes: 5 }))).body.length, 5)
  })

  test('G08: whoever answers slowly, or not at all, is given up after the time', async () => {
    const drip = await serve((_request, response) => {
      const timer = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(timer))
    })
    const silent = await serve(() => {})
    const mute = `http://127.0.0.1:${await listening(createTcpServer((socket) => socket.on('error', () => {})))}`
    const before = performance.now()
    await Promise.all(
      [drip, silent, mute].map((base) => failsFor('time', local(get(base, { maximumMilliseconds: 150 })))),
    )
    const never = openEgress({ listed: undefined, resolve: () => new Promise(() => {}) })
    await failsFor('time', never(get('https://idp.example/', { maximumMilliseconds: 100 })))
    assert.ok(performance.now() - before < 5000)
  })

  test('a connection that ends early brings nothing', async () => {
    const cut = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('half', () => response.destroy())
    })
    await failsFor('unreachable', local(get(cut)))
  })

  test('G11: certificates that are self-signed, expired or of another host are refused; a good one is accepted', async () => {
    const trusted = getCACertificates('default')
    const good = await serverCertificate({ host: '127.0.0.1' })
    const old = await serverCertificate({ host: '127.0.0.1', expired: true })
    const other = await serverCertificate({ host: 'other.example' })
    const secure = async ({ cert, key }: typeof good) => {
      const server = createSecureServer({ cert, key }, (_request, response) => response.end('over TLS'))
      return `https://127.0.0.1:${await listening(server)}`
    }
    const [goodBase, oldBase, otherBase] = [await secure(good), await secure(old), await secure(other)]
    await failsFor('unreachable', local(get(goodBase)))
    setDefaultCACertificates([...trusted, good.cert, old.cert, other.cert])
    try {
      assert.equal((await local(get(goodBase))).body.toString(), 'over TLS')
      await failsFor('unreachable', local(get(oldBase)))
      await failsFor('unreachable', local(get(otherBase)))
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
      await failsFor('unreachable', local(get(otherBase)))
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      setDefaultCACertificates(trusted)
    }
  })

  test('G12: no proxy is taken from the environment', async () => {
    const base = await serve((_request, response) => response.end('direct'))
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'NODE_USE_ENV_PROXY']
    for (const name of names) process.env[name] = name.startsWith('NODE') ? '1' : `http://127.0.0.1:${sink}`
    try {
      assert.equal((await local(get(base))).body.toString(), 'direct')
      await failsFor('url', strict(get(`https://127.0.0.1:${sink}/`)))
    } finally {
      for (const name of names) delete process.env[name]
    }
    assert.equal(connections, 0)
  })

  test('G15: a header that would split the request is not sent', async () => {
    let hits = 0
    const base = await serve((_request, response) => response.end(String(hits++)))
    for (const value of ['a\r\nb: c', 'a\nb', 'a\u0000', 'ä']) {
      await failsFor('header', local(get(base, { headers: { 'x-mark': value } })))
    }
    assert.equal(hits, 0)
  })
})
