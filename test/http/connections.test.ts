/**
 * Connections that are slow, idle, greedy or many: rows O13-O16. What the operating system has to do with it, with a process:
 * test/cli/serve.test.ts.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { mostConnections } from '../../src/http/connection-limit.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { converse, head } from './wire.ts'

suite('slow and many connections', () => {
  let stile: Stile
  let port: number
  before(async () => {
    stile = await startStile()
    port = stile.node.port
  })
  after(() => stile.close())

  const token = () => `/${stile.environmentId}/as/token`
  const jwks = () => `/${stile.environmentId}/as/jwks`
  const isAlive = async () => assert.equal((await stile.send(jwks())).status, 200)

  test('every limit is set by hand', () => {
    const { server } = stile.node.app
    assert.deepEqual(
      [server.headersTimeout, server.requestTimeout, server.keepAliveTimeout, server.timeout, server.maxHeadersCount],
      [15_000, 30_000, 65_000, 60_000, 100],
    )
    if (process.platform === 'linux') assert.ok(server.maxConnections >= 50)
  })

  test('O16: as many connections as files are left', () => {
    const limits = (files: number | string) =>
      `Limit                     Soft Limit           Hard Limit           Units\n` +
      `Max open files            ${files}                 4096                 files\nMax locked memory  1  1  bytes\n`
    assert.equal(mostConnections(limits(4096), 1), 3584)
    assert.equal(mostConnections(limits(4096), 2), 1792)
    assert.equal(mostConnections(limits(256), 1), 156)
    assert.equal(mostConnections(limits(64), 1), 50)
    for (const unknown of ['', limits('unlimited')]) assert.equal(mostConnections(unknown, 1), undefined)
  })

  test('O15: of the requests that one packet holds, sixteen are worked on', async () => {
    const request = head(`GET ${jwks()} HTTP/1.1`, 'Host: x')
    const { answers } = await converse(port, request.repeat(500))
    const statuses = answers.map(({ status }) => status)
    assert.equal(statuses.length, 500)
    assert.ok(statuses.filter((status) => status === 200).length <= 32)
    assert.deepEqual([statuses[0], statuses[15], statuses[499]], [200, 200, 429])
    const behind = await converse(port, request.repeat(16))
    assert.ok(behind.answers.length === 16 && behind.answers.every(({ status }) => status === 200))
  })

  test('O15: who asks for much and reads nothing of it is let go, and holds no more than a buffer meanwhile', async () => {
    const { server } = stile.node.app
    const before = process.memoryUsage().rss
    server.timeout = 150
    const ended: Promise<unknown>[] = []
    const note = (socket: Socket) => void ended.push(once(socket, 'close'))
    server.on('connection', note)
    const lazy = Array.from({ length: 10 }, () => {
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(head('GET /v1/openapi.json HTTP/1.1', 'Host: x').repeat(100)),
      )
      socket.on('error', () => undefined)
      return socket.pause()
    })
    while (ended.length < lazy.length) await pause(5)
    server.off('connection', note)
    server.timeout = 60_000
    await Promise.all(ended)
    for (const socket of lazy) socket.destroy()
    const more = Math.round((process.memoryUsage().rss - before) / 1_048_576)
    assert.ok(more < 150, `${more} MiB more`)
    await isAlive()
  })

  test('O14: connections that never finish their headers or their body are closed, and the others are served meanwhile', async () => {
    const { server } = stile.node.app
    server.headersTimeout = 500
    server.requestTimeout = 500
    const patient = Array.from({ length: 300 }, (_, at) => {
      const socket = connect(port, '127.0.0.1')
      const ended = new Promise<string>((resolve) => {
        let text = ''
        socket.on('data', (data) => (text += data.toString('latin1')))
        socket.on('error', () => undefined)
        socket.on('close', () => resolve(text))
      })
      // A header that goes on for ever, headers without end, a method and a body that never come to their end.
      const [begins, goesOn] = (
        [
          [`GET ${jwks()} HTTP/1.1\r\nX: `, 'y'],
          [`GET ${jwks()} HTTP/1.1\r\n`, 'X: y\r\n'],
          ['P', ''],
          [
            head(
              `POST ${token()} HTTP/1.1`,
              'Host: x',
              'Content-Type: application/x-www-form-urlencoded',
              'Content-Length: 1000',
            ),
            'a',
          ],
        ] as const
      )[at % 4] as readonly [string, string]
      socket.on('connect', () => socket.write(begins))
      const drip = setInterval(() => socket.write(goesOn), 400)
      return ended.finally(() => clearInterval(drip))
    })
    const times: number[] = []
    const began = performance.now()
    let open = true
    const all = Promise.all(patient).finally(() => (open = false))
    while (open) {
      const start = performance.now()
      await isAlive()
      times.push(performance.now() - start)
      await Promise.race([all, pause(50)])
    }
    const answers = await all
    server.headersTimeout = 15_000
    server.requestTimeout = 30_000
    // The server looks every 5 s.
    assert.ok(performance.now() - began < 8000, `${Math.round(performance.now() - began)} ms`)
    for (const text of answers) assert.match(text, /^HTTP\/1\.1 408 /)
    assert.ok((times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.9)] ?? 0) < 500)
  })
})
