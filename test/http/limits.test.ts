/** What the server bears: sizes, depths, encodings and forged headers (rows N15, O01-O05, O07, O08, O19, O22, O24). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { allOperations } from '../../src/http/operations.ts'
import { Browser, piFlowRequest, pkce, signOn } from '../harness/sign-on.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { converse, head } from './wire.ts'

const operations = await allOperations()

const mebibyte = 1_048_576

suite('limits of requests', () => {
  let stile: Stile
  let port: number
  before(async () => {
    stile = await startStile()
    port = stile.node.port
  })
  after(() => stile.close())

  const token = () => `/${stile.environmentId}/as/token`
  const jwks = () => `/${stile.environmentId}/as/jwks`
  const users = () => `/v1/environments/${stile.environmentId}/users`
  const isAlive = async () => assert.equal((await stile.send(jwks())).status, 200)
  /** A path with ids that name nothing, in an environment that is there. */
  const concrete = (path: string) =>
    path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'environmentId' ? stile.environmentId : randomUUID()))
  const withJson = operations.filter(({ body }) => body?.kind === 'json')

  suite('size (O01)', () => {
    test('64 KiB for the authentication endpoints, 1 MiB for the management API, told by its length alone', async () => {
      for (const [path, limit, mediaType] of [
        [token(), 65_536, 'application/x-www-form-urlencoded'],
        [`/${stile.environmentId}/as/authorize`, 65_536, 'application/x-www-form-urlencoded'],
        [`/${stile.environmentId}/flows/${randomUUID()}`, 65_536, 'application/vnd.pingidentity.session.reset+json'],
        [users(), mebibyte, 'application/json'],
      ] as const) {
        const declared = (length: number) =>
          converse(
            port,
            head(`POST ${path} HTTP/1.1`, 'Host: x', `Content-Type: ${mediaType}`, `Content-Length: ${length}`),
            20,
          )
        const { answers, closed } = await declared(limit + 1)
        assert.deepEqual([answers[0]?.status, closed], [413, true], path)
        assert.deepEqual((await declared(limit)).answers, [], `${path}: this much is waited for`)
      }
    })

    test('a body without a length is cut off where it passes the limit', async () => {
      const chunk = `4000\r\n${'a'.repeat(0x4000)}\r\n`
      const start = head(
        `POST ${token()} HTTP/1.1`,
        'Host: x',
        'Content-Type: application/x-www-form-urlencoded',
        'Transfer-Encoding: chunked',
      )
      const { answers, closed } = await converse(port, start + chunk.repeat(5))
      assert.deepEqual([answers[0]?.status, closed], [413, true])
    })

    test('a hundred bodies of 50 MB at once do not fill the memory', async () => {
      const chunk = Buffer.from(`10000\r\n${'a'.repeat(0x10000)}\r\n`)
      /** Sends until it is told to stop. */
      const flood = (path: string) =>
        new Promise<number>((resolve) => {
          let answer = ''
          let sent = 0
          const socket = connect(port, '127.0.0.1', () => {
            socket.write(
              head(`POST ${path} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', 'Transfer-Encoding: chunked'),
            )
            more()
          })
          const more = () => {
            while (sent < 50 * mebibyte && !socket.destroyed && socket.writable) {
              sent += chunk.length
              if (!socket.write(chunk)) return
            }
          }
          socket.on('drain', more)
          socket.on('data', (data) => (answer += data.toString('latin1')))
          socket.on('error', () => undefined)
          socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)))
        })
      const before = process.memoryUsage().rss
      let highest = before
      const timer = setInterval(() => (highest = Math.max(highest, process.memoryUsage().rss)), 5)
      const statuses = await Promise.all(
        Array.from({ length: 100 }, (_, at) => flood(at % 2 === 0 ? users() : token())),
      )
      clearInterval(timer)
      // The answer may be lost when the connection is closed under a client that still writes.
      for (const status of statuses) assert.ok(status === 413 || status === 0, String(status))
      assert.ok(statuses.filter((status) => status === 413).length > 50)
      // Both ends are in this process.
      assert.ok(highest - before < 100 * mebibyte, `${Math.round((highest - before) / mebibyte)} MiB more`)
      await isAlive()
    })
  })

  suite('JSON (N15, O02, O03, O04, O05, O07, O08)', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
    const depths = [33, 20_000, 200_000]
    const attacks: Readonly<Record<string, string | Buffer>> = {
      'a repeated member': '{"a":1,"a":2}',
      'a member repeated in another spelling': '{"name":1,"n\\u0061me":2}',
      'a member __proto__': '{"__proto__":{"polluted":true}}',
      'an escaped __proto__': '{"\\u005f_proto__":{"polluted":true}}',
      'a nested __proto__': '{"a":{"__proto__":{"polluted":true}}}',
      'U+0000': '{"name":"a\\u0000b"}',
      'U+0000 in a name': '{"a\\u0000":1}',
      'a lone surrogate': '{"name":"\\ud800"}',
      'a byte order mark': '\ufeff{}',
      'invalid UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      'overlong UTF-8': Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]),
      'UTF-8 of a surrogate': Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]),
      'a number beyond doubles': '{"n":1e400}',
      'a number that would be rounded': '{"n":9007199254740993}',
      'too many members': `{${Array.from({ length: 1001 }, (_, at) => `"m${at}":0`).join()}}`,
      'no JSON': '{"a":}',
    }

    async function post(path: string, method: string, mediaType: string, body: string | Buffer) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: {
          'content-type': mediaType,
          ...(path.includes('/flows/') ? {} : { authorization: `Bearer ${await stile.workerToken()}` }),
        },
        body: Buffer.from(body),
      })
      return { status: response.status, text: await response.text() }
    }

    test('what parsers disagree about is 400 at every endpoint that takes JSON, each with a third of it', async () => {
      const flowId = (await new Browser(stile).authorize(piFlowRequest(stile, pkce().challenge))).json.id
      const bodies = [...Object.entries(attacks), ...depths.map((depth) => [`${depth} levels`, nested(depth)] as const)]
      for (const [number, operation] of withJson.entries()) {
        const path = operation.path.includes('/flows/')
          ? `/${stile.environmentId}/flows/${flowId}`
          : concrete(operation.path)
        const mediaType = operation.mediaTypes?.[0] ?? 'application/json'
        for (const [name, body] of bodies.filter((_, at) => at % 3 === number % 3)) {
          const { status, text } = await post(path, operation.method, mediaType, body)
          const isTooLarge = !operation.path.startsWith('/v1/') && body.length > 65_536
          assert.equal(status, isTooLarge ? 413 : 400, `${operation.id}: ${name}: ${text}`)
          if (!Object.hasOwn(attacks, name)) continue
          const { code, error = '' } = JSON.parse(text)
          assert.equal(code ?? error.toUpperCase(), 'INVALID_REQUEST', operation.id)
        }
      }
      assert.equal(({} as { polluted?: unknown }).polluted, undefined)
      await isAlive()
    })

    test('O05: members named after what objects inherit are left aside', async () => {
      const population = stile.populationId
      const username = `person-${randomUUID()}`
      const body = `{"username":"${username}","population":{"id":"${population}","constructor":{"x":1}},"constructor":{"prototype":{"polluted":true}},"prototype":{},"toString":"x","hasOwnProperty":1}`
      const made = await stile.api('POST', '/users', undefined, { body })
      assert.equal(made.status, 201, made.text)
      assert.ok(!made.text.includes('polluted') && !made.text.includes('toString'))
      assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    })
  })

  suite('forms and addresses (O05, O07, O08, O19)', () => {
    const form = async (body: string | Buffer) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const response = await fetch(`http://127.0.0.1:${port}${token()}`, {
        method: 'POST',
        headers,
        body: Buffer.from(body),
      })
      return { status: response.status, json: (await response.json()) as { error: string; error_description: string } }
    }

    test('a form that is not well encoded is 400 and nothing else', async () => {
      for (const body of [
        'grant_type=%zz',
        'grant_type=%',
        'grant_type=%c0%af',
        'grant_type=%ed%a0%80',
        'grant_type=%ff',
        'client_id=a%00b',
        'a\u0000b=1',
        Buffer.from([0x61, 0x3d, 0xff]),
        Buffer.from([0x61, 0x3d, 0xc0, 0xaf]),
        '__proto__=1',
        '%5f_proto__=1',
        'constructor=1',
        `${'a=1&'.repeat(201)}`,
      ]) {
        const { status, json } = await form(body)
        assert.deepEqual([status, json.error], [400, 'invalid_request'], String(body))
        assert.match(json.error_description, /Correlation ID/)
      }
    })

    test('O19: an address that is too long, badly escaped or not an address', async () => {
      for (const [target, status] of [
        [`${jwks()}?${'a'.repeat(9000)}`, 414],
        [`/${'a'.repeat(9000)}/as/jwks`, 414],
        [`/${'a'.repeat(4000)}/as/jwks`, 404],
        [`/v1/environments/${'a'.repeat(201)}`, 404],
        ['/%zz', 400],
        [`/${stile.environmentId}/flows/%zz`, 400],
        [`/${stile.environmentId}/flows/%00`, 404],
        [`/${stile.environmentId}/flows/%c0%af`, 400],
        [`/${stile.environmentId}\\as\\jwks`, 404],
        [`http://evil.example${jwks()}`, 400],
        [`${stile.authUrl}${jwks()}`, 400],
        ['*', 400],
        [`${jwks()}?a=\u00ff`, 400],
      ] as const) {
        const { answers } = await converse(
          port,
          Buffer.from(head(`GET ${target} HTTP/1.1`, 'Host: x', 'Connection: close'), 'latin1'),
          50,
        )
        assert.equal(answers[0]?.status, status, target.slice(0, 100))
      }
      await isAlive()
    })

    test('O22: nothing is compressed, so that no length tells what stands beside the words of somebody else', async () => {
      const headers = { 'accept-encoding': 'gzip, deflate, br, zstd' }
      const { clientId, clientSecret } = stile.worker
      const flow = await new Browser(stile).authorize(piFlowRequest(stile, pkce().challenge))
      for (const path of [
        `/${stile.environmentId}/signon/?flowId=${flow.json.id}`,
        `/${stile.environmentId}/flows/${flow.json.id}`,
        `/v1/environments/${stile.environmentId}/users`,
        '/v1/openapi.json',
      ]) {
        const answer = await stile.send(path, { headers, token: await stile.workerToken() })
        assert.equal(answer.headers.get('content-encoding'), null, path)
        assert.equal(answer.headers.get('transfer-encoding'), null, path)
      }
      const token = await stile.send(`/${stile.environmentId}/as/token`, {
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { ...headers, authorization: basic(clientId, clientSecret) },
      })
      assert.deepEqual([token.status, token.headers.get('content-encoding')], [200, null])
    })

    test('compressed bodies are not unpacked', async () => {
      for (const encoding of ['gzip', 'br', 'deflate', 'identity, gzip']) {
        const lines = [
          `POST ${token()} HTTP/1.1`,
          'Host: x',
          'Content-Type: application/x-www-form-urlencoded',
          `Content-Encoding: ${encoding}`,
          'Content-Length: 3',
        ]
        const { answers } = await converse(port, `${head(...lines)}abc`, 50)
        assert.equal(answers[0]?.status, 415, encoding)
      }
    })
  })

  test('O24: without trusted proxies no forwarding header reaches audit, sessions or links', async () => {
    const forged = {
      'x-forwarded-for': '203.0.113.7',
      'x-real-ip': '203.0.113.7',
      'x-client-ip': '203.0.113.7',
      'true-client-ip': '203.0.113.7',
      'cf-connecting-ip': '203.0.113.7',
      forwarded: 'for=203.0.113.7;proto=https;host=evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '444',
      via: '1.1 evil.example',
    }
    class Forger extends Browser {
      override send(path: string, call: Parameters<Stile['send']>[1] = {}) {
        return super.send(path, { ...call, headers: { ...forged, ...call.headers } })
      }
    }
    const browser = new Forger(stile)
    const { flowId } = await signOn(browser)
    const wrong = await browser.authorize(piFlowRequest(stile, pkce().challenge, { prompt: 'login' }))
    for (const [table, column] of [
      ['events', 'remote_ip'],
      ['users', 'last_sign_on_ip'],
    ] as const) {
      const found = await stile.node.kernel.storage.read<Record<string, string>>({
        text: `SELECT DISTINCT ${column} AS address FROM ${table} WHERE environment_id = $1 AND ${column} <> ''`,
        values: [stile.environmentId],
      })
      assert.deepEqual([...new Set(found.map(({ address }) => address))], ['127.0.0.1'], table)
    }
    const sessions = await stile.node.kernel.storage.read<{ document: string }>({
      text: 'SELECT document FROM sessions WHERE environment_id = $1',
      values: [stile.environmentId],
    })
    assert.doesNotMatch(JSON.stringify(sessions), /203\.0\.113\.7/)
    assert.doesNotMatch(wrong.text, /evil|https:|:444\b/)
    assert.ok(flowId)
  })
})
