/**
 * A node in production mode: what a failure tells (row O25), and that an answer which does not fit its declaration never
 * turns a committed change into a 5xx.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { createAdministrator } from '../../src/access/administrator.ts'
import { readConfig } from '../../src/config.ts'
import type { Operation } from '../../src/contract/operation.ts'
import { Problem } from '../../src/errors/problem.ts'
import { type Node, startNode } from '../../src/http/node.ts'
import { allOperations } from '../../src/http/operations.ts'
import { parseMasterKeys } from '../../src/keys/master-key.ts'
import { StorageUnavailable } from '../../src/storage/port.ts'
import { realWorld } from '../../src/world.ts'
import { temporaryDirectory } from '../storage/temporary-directory.ts'
import { converse, head } from './wire.ts'

const operations = await allOperations()

/** What no answer may hold: where it failed, what with, and on what. */
const internals =
  /node_modules|\/src\/|\.ts\b|\bat \w|sqlite|postgres|\bpg\b|SELECT|INSERT|stile\.db|fastify|zod|CANARY|v24|\bstack\b/i

suite('a node in production mode', () => {
  let node: Node
  let environmentId: string
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  /** Operations whose handler a test has replaced. */
  const replaced = new Map<string, Operation['handle']>()
  before(async () => {
    directory = await temporaryDirectory()
    const masterKey = realWorld.bytes(32).toString('base64url')
    const settings = {
      STILE_PUBLIC_URL: 'http://id.example.com',
      STILE_MASTER_KEY: masterKey,
      STILE_HOST: '127.0.0.1',
      STILE_MANAGEMENT_PORT: '0',
      STILE_LOG_LEVEL: 'silent',
    }
    const config = readConfig('serve', settings, { port: '0', dataDirectory: directory.path })
    const replaceable = operations.map(
      (operation): Operation => ({
        ...operation,
        handle: (input, context) => (replaced.get(operation.id) ?? operation.handle)(input, context),
      }),
    )
    const served = { operations: replaceable, management: async () => [] }
    node = await startNode(config, realWorld, parseMasterKeys(masterKey), served)
    const created = await createAdministrator(node.kernel, {
      organizationName: 'Organization',
      environmentName: 'Administrators',
      clientId: randomUUID(),
      clientSecret: 'x'.repeat(40),
    })
    environmentId = created.environmentId
  })
  after(async () => {
    await node.close()
    await directory.remove()
  })

  async function send(path: string, init: RequestInit = {}) {
    const response = await fetch(`http://127.0.0.1:${node.port}${path}`, { redirect: 'manual', ...init })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  function tellsNothing({ headers, text }: { headers: Headers; text: string }, what: string): void {
    assert.match(headers.get('correlation-id') ?? '', /^[0-9a-f-]{36}$/, what)
    assert.ok(text.includes(headers.get('correlation-id') as string), `${what}: ${text}`)
    assert.doesNotMatch(text, internals, what)
    assert.doesNotMatch(JSON.stringify([...headers]), internals, what)
    assert.equal(headers.get('server'), null)
    assert.equal(headers.get('x-powered-by'), null)
  }

  test('O25: whatever is malformed is told with its correlation id and nothing from inside', async () => {
    const json = (body: string, type = 'application/json') => ({
      method: 'POST',
      body,
      headers: { 'content-type': type },
    })
    const form = (body: string) => json(body, 'application/x-www-form-urlencoded')
    const cases: readonly (readonly [path: string, init: RequestInit])[] = [
      ['/nowhere', {}],
      ['/%zz', {}],
      [`/${environmentId}/as/token`, form('grant_type=%zz')],
      [`/${environmentId}/as/token`, form('grant_type=CANARY')],
      [`/${environmentId}/as/token`, json('{')],
      [`/${environmentId}/as/token`, { method: 'DELETE' }],
      [`/${environmentId}/as/authorize?client_id=CANARY`, {}],
      [`/${environmentId}/as/authorize?client_id[]=x`, {}],
      [`/${environmentId}/as/userinfo`, { headers: { authorization: 'Bearer CANARY.x.y' } }],
      [`/${environmentId}/flows/CANARY`, {}],
      [
        `/${environmentId}/flows/${randomUUID()}`,
        json('{"CANARY":', 'application/vnd.pingidentity.session.reset+json'),
      ],
      [`/${environmentId}/signon/?flowId=CANARY`, {}],
      [`/v1/environments/${environmentId}/users?filter=CANARY`, {}],
      [`/v1/environments/${environmentId}/users`, json('{"username":"CANARY"')],
      [`/${randomUUID()}/as/jwks`, {}],
      [`/${environmentId}/as/jwks?${'a'.repeat(9000)}`, {}],
    ]
    for (const [path, init] of cases) {
      for (const accept of ['application/json', 'text/html']) {
        const answer = await send(path, { ...init, headers: { ...init.headers, accept } })
        assert.ok(answer.status >= 400 && answer.status < 500, `${path}: ${answer.status}`)
        if (answer.status === 404 && path.includes('/signon/')) continue
        tellsNothing(answer, path)
      }
    }
  })

  test('O25: below HTTP too', async () => {
    for (const bytes of [
      'CANARY\r\n\r\n',
      'GET / HTTP/1.1\r\nCANARY\r\n\r\n',
      head('GET / HTTP/9.9', 'Host: CANARY'),
      head('GET / HTTP/1.1', `X: ${'CANARY'.repeat(4000)}`),
    ]) {
      const { text, closed } = await converse(node.port, bytes)
      assert.ok(closed)
      assert.match(text, /^HTTP\/1\.1 4\d\d Error\r\ncontent-type: application\/json\r\n/)
      const { id, code, message } = JSON.parse(text.slice(text.indexOf('\r\n\r\n')))
      assert.ok(id && code && message)
      assert.doesNotMatch(text, internals)
    }
  })

  test('O25: what nobody foresaw is 500 with the id to look for in the log, and the process lives', async () => {
    for (const [id, path, accept] of [
      ['jwks', `/${environmentId}/as/jwks`, 'application/json'],
      ['token', `/${environmentId}/as/token`, 'application/json'],
      ['authorize', `/${environmentId}/as/authorize`, 'text/html'],
      ['authorize', `/${environmentId}/as/authorize`, 'application/json'],
      ['openApi', '/v1/openapi.json', 'application/json'],
    ] as const) {
      for (const thrown of [
        new Error('CANARY at /src/secret.ts: SELECT * FROM passwords'),
        new TypeError("Cannot read properties of undefined (reading 'CANARY')"),
        Object.assign(new Error('CANARY'), { statusCode: 418, code: 'CANARY' }),
        'CANARY',
        null,
        { toString: () => 'CANARY' },
      ]) {
        replaced.set(id, () => {
          throw thrown
        })
        const post = id === 'token' ? { method: 'POST', body: new URLSearchParams({ a: 'b' }) } : {}
        const answer = await send(path, { ...post, headers: { accept } })
        replaced.delete(id)
        assert.equal(answer.status, 500, id)
        tellsNothing(answer, id)
      }
    }
    assert.equal((await send(`/${environmentId}/as/jwks`)).status, 200)
  })

  test('a store that is away is 503 with Retry-After; a problem stays what it is', async () => {
    replaced.set('jwks', () => {
      throw new StorageUnavailable('CANARY')
    })
    const away = await send(`/${environmentId}/as/jwks`)
    assert.deepEqual([away.status, away.headers.get('retry-after')], [503, '1'])
    tellsNothing(away, 'away')
    replaced.set('jwks', () => {
      throw new Problem('LIMITED', { headers: { 'retry-after': '7' } })
    })
    const limited = await send(`/${environmentId}/as/jwks`)
    assert.deepEqual([limited.status, limited.headers.get('retry-after')], [429, '7'])
    replaced.delete('jwks')
  })

  test('an answer is cut to its declaration; one that does not fit it still goes out', async () => {
    replaced.set('jwks', () => ({ status: 200, body: { keys: [], internal: 'CANARY' } }))
    assert.deepEqual(JSON.parse((await send(`/${environmentId}/as/jwks`)).text), { keys: [] })
    replaced.set('jwks', () => ({ status: 200, body: { keys: 'none' } }))
    const unfit = await send(`/${environmentId}/as/jwks`)
    assert.deepEqual([unfit.status, JSON.parse(unfit.text)], [200, { keys: 'none' }])
    replaced.delete('jwks')
  })

  test('what an answer holds arrives whole: its length counts bytes, not letters', async () => {
    for (const kid of ['a', 'é', '€', '𝄞', 'ÿ\u0100', '\u2028']) {
      replaced.set('jwks', () => ({ status: 200, body: { keys: [{ kid }] } }))
      const { headers, text } = await send(`/${environmentId}/as/jwks`)
      assert.deepEqual(JSON.parse(text), { keys: [{ kid }] })
      assert.equal(headers.get('content-length'), String(Buffer.byteLength(text)))
    }
    replaced.delete('jwks')
  })

  test('a header that cannot be sent is 500, and the connection goes on', async () => {
    replaced.set('jwks', () => ({
      status: 200,
      body: { keys: [] },
      headers: { 'x-made': 'CANARY\r\nset-cookie: a=b' },
    }))
    const answer = await send(`/${environmentId}/as/jwks`)
    assert.equal(answer.status, 500)
    assert.deepEqual([answer.headers.get('x-made'), answer.headers.get('set-cookie')], [null, null])
    tellsNothing(answer, 'a header')
    replaced.delete('jwks')
    const request = head(`GET /${environmentId}/as/jwks HTTP/1.1`, 'Host: x')
    const { answers } = await converse(node.port, `${request}${request}`, 50)
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    )
  })
})
