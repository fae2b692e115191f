/**
 * How requests find their operation: every path of the product by every method, and every spelling of a path that is not
 * its own (decision D5; rows C24, N28, O06, O18, O20, O21, O27, O29).
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import type { Operation } from '../../src/contract/operation.ts'
import { allOperations, served } from '../../src/http/operations.ts'
import { userToken } from '../harness/sign-on.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { converse, head } from './wire.ts'

const operations = await allOperations()

/** Operations by path, aliases included. */
const byPath = new Map<string, Operation[]>()
for (const operation of operations) {
  for (const path of [operation.path, ...(operation.aliases ?? [])]) {
    byPath.set(path, [...(byPath.get(path) ?? []), operation])
  }
}

suite('routes', () => {
  let stile: Stile
  let user: string
  before(async () => {
    stile = await startStile()
    user = await userToken(stile)
  })
  after(() => stile.close())

  /** A path with ids that name nothing, in an environment that is there. */
  const concrete = (path: string) =>
    path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'environmentId' ? stile.environmentId : randomUUID()))

  test('no path has operations in both lists: the one that is loaded later would never be asked', async () => {
    const pathsOf = (list: readonly Operation[]) => list.flatMap(({ path, aliases = [] }) => [path, ...aliases])
    const further = new Set(pathsOf(await served.management()))
    assert.ok(further.size > 0)
    assert.deepEqual(
      pathsOf(served.operations).filter((path) => further.has(path)),
      [],
    )
  })

  test('O20: every path answers a method it does not have by 405 and lists those it has', async () => {
    for (const [path, group] of byPath) {
      const allowed = [...new Set(group.map(({ method }) => method))]
      const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
      for (const method of methods.filter((one) => !(allowed as readonly string[]).includes(one))) {
        for (const token of [null, user]) {
          const answer = await stile.send(concrete(path), { method, token })
          assert.equal(answer.status, 405, `${method} ${path}`)
          assert.equal(answer.headers.get('allow'), allowed.join(', '), path)
          if (method !== 'HEAD') assert.match(answer.json.code ?? answer.json.error, /^invalid_request$/i)
        }
      }
    }
  })

  test('O20: TRACE and QUERY too, which no fetch sends', async () => {
    for (const [path, group] of [...byPath].filter((_, at) => at % 10 === 0)) {
      const allowed = [...new Set(group.map(({ method }) => method))].join(', ')
      for (const method of ['TRACE', 'QUERY']) {
        const { answers } = await converse(stile.node.port, head(`${method} ${concrete(path)} HTTP/1.1`, 'Host: x'), 20)
        assert.equal(answers[0]?.status, 405, `${method} ${path}`)
        assert.match(answers[0]?.head ?? '', new RegExp(`^allow: ${allowed}\\r?$`, 'm'))
      }
    }
  })

  test('methods of other protocols find nothing, and CONNECT no proxy', async () => {
    const path = concrete('/{environmentId}/as/jwks')
    for (const method of ['PROPFIND', 'MKCOL', 'LOCK', 'PURGE', 'M-SEARCH', 'LINK']) {
      const { answers } = await converse(stile.node.port, head(`${method} ${path} HTTP/1.1`, 'Host: x'), 20)
      assert.equal(answers[0]?.status, 404, method)
    }
    const tunnel = await converse(stile.node.port, head('CONNECT example.com:443 HTTP/1.1', 'Host: example.com'))
    assert.deepEqual([tunnel.closed, tunnel.answers], [true, []])
  })

  test('HEAD has no body; OPTIONS without an origin lists the methods and touches nothing', async () => {
    const path = concrete('/{environmentId}/as/jwks')
    const { answers, text } = await converse(stile.node.port, head(`HEAD ${path} HTTP/1.1`, 'Host: x'))
    assert.equal(answers[0]?.status, 405)
    assert.ok(text.endsWith('\r\n\r\n'))
    for (const [path, group] of byPath) {
      const answer = await stile.send(concrete(path), { method: 'OPTIONS' })
      assert.deepEqual([answer.status, answer.text], [204, ''])
      assert.equal(answer.headers.get('allow'), [...new Set(group.map(({ method }) => method))].join(', '))
    }
  })

  test('C24: a page that is asked for before anybody goes there begins nothing and sets nothing', async () => {
    const { webApp, environmentId } = stile
    const query = new URLSearchParams({
      client_id: webApp.clientId,
      redirect_uri: webApp.redirectUri,
      response_type: 'code',
      scope: 'openid',
    })
    const target = `/${environmentId}/as/authorize?${query}`
    const flows = async () =>
      (await stile.node.kernel.storage.read({ text: 'SELECT id FROM flows', values: [] })).length
    const before = await flows()
    const pages = operations.filter(
      ({ surface, method, path }) => surface === 'page' && method === 'GET' && path.startsWith('/{environmentId}/'),
    )
    assert.ok(pages.length > 10)
    const ahead = [
      { 'sec-purpose': 'prefetch' },
      { 'sec-purpose': 'prefetch;prerender' },
      { 'Sec-Purpose': 'Prefetch ; anonymous-client-ip' },
      { purpose: 'prefetch' },
    ] as readonly Readonly<Record<string, string>>[]
    for (const headers of ahead) {
      for (const path of [target, ...pages.map((page) => concrete(page.path))]) {
        const answer = await stile.send(path, { headers })
        assert.deepEqual([answer.status, answer.headers.getSetCookie()], [503, []], `${path}: ${answer.text}`)
        assert.equal(answer.headers.get('cache-control'), 'no-store')
      }
    }
    assert.equal((await stile.send(target, { method: 'HEAD' })).status, 405)
    assert.equal(await flows(), before)
    assert.equal((await stile.send(target, { headers: { 'sec-purpose': 'other', purpose: 'prefetched' } })).status, 302)
    assert.equal(await flows(), before + 1)
  })

  test('an answer without a body has no media type', async () => {
    const { clientId, clientSecret } = stile.worker
    const revoked = await stile.send(`/${stile.environmentId}/as/revoke`, {
      body: new URLSearchParams({ token: 'unknown' }),
      headers: { authorization: basic(clientId, clientSecret) },
    })
    const { nativeApp } = stile
    const query = new URLSearchParams({ client_id: nativeApp.clientId, redirect_uri: nativeApp.redirectUri })
    const redirected = await stile.send(`/${stile.environmentId}/as/authorize?${query}`)
    assert.deepEqual([revoked.status, redirected.status], [200, 302])
    for (const { text, headers } of [revoked, redirected]) {
      assert.deepEqual([text, headers.get('content-type'), headers.get('content-length')], ['', null, '0'])
    }
  })

  test('O06: every operation with a body refuses other media types by 415, a flow as decision D5 has it', async () => {
    for (const operation of operations.filter(({ body }) => body)) {
      const at = concrete(operation.path)
      const { method, surface } = operation
      const isForm = operation.body?.kind === 'form'
      const others = [
        'text/plain',
        'application/xml',
        'multipart/form-data; boundary=x',
        isForm ? 'application/json' : 'application/x-www-form-urlencoded',
      ]
      const own = operation.mediaTypes?.[0] ?? (isForm ? 'application/x-www-form-urlencoded' : 'application/json')
      for (const mediaType of [...others, `${own}; charset=utf-16`, `${own};charset="iso-8859-1"`, 'nonsense']) {
        const { status } = await stile.send(at, { method, mediaType, body: '{}', token: await stile.workerToken() })
        assert.equal(status, 415, `${operation.id} ${mediaType}`)
        if (surface === 'flow') assert.equal((await stile.send(at, { method, mediaType, body: '{}' })).status, 401)
      }
    }
  })

  suite('N28: a path in another spelling', () => {
    const protectedPaths = [...byPath].filter(([, group]) =>
      group.some(({ method, permission }) => method === 'GET' && permission.kind !== 'public'),
    )

    /** Spellings that some proxy or router takes for the same. */
    const spellings = (path: string): readonly string[] => [
      `/${path}`,
      path.replace('/v1/', '/v1//'),
      path.replace('/v1/', '/v1/./'),
      path.replace('/v1/', '/v1/x/../'),
      path.replace('/v1/', '/v1;a=b/'),
      `${path};a=b`,
      `${path}/`,
      `${path}//`,
      `${path}/.`,
      `${path}.json`,
      `${path}%20`,
      `${path}%2f`,
      `${path}%00`,
      `${path}%0a`,
      `${path}\\`,
      path.replace('/v1/', '%2fv1%2f'),
      path.replace('/v1/', '/v1%2f'),
      path.replace('/v1/', '/v1\\'),
      path.replace('/v1/', '/%2e/v1/'),
      path.replace('/v1/', '/V1/'),
      path.replace('/v1/', '/%76%31/'),
      path.toUpperCase(),
    ]

    test('is another path, or gets the same decision', async () => {
      for (const [path] of protectedPaths) {
        const at = concrete(path)
        for (const spelling of spellings(at)) {
          const answer = async (token?: string) => {
            const lines = [
              `GET ${spelling} HTTP/1.1`,
              'Host: x',
              'Connection: close',
              ...(token ? [`Authorization: Bearer ${token}`] : []),
            ]
            return (await converse(stile.node.port, head(...lines), 20)).answers[0]?.status
          }
          assert.ok([400, 401, 404].includes((await answer()) ?? 0), `${spelling} without a token`)
        }
      }
    })

    test('with a token that may do nothing, and with one that may: never more than the canonical path gives', async () => {
      const worker = await stile.workerToken()
      for (const path of [
        '/v1/environments/{environmentId}/users',
        '/v1/environments/{environmentId}/applications',
        '/v1/environments',
      ]) {
        const at = concrete(path)
        for (const spelling of spellings(at)) {
          const status = async (token: string) =>
            (
              await converse(
                stile.node.port,
                head(`GET ${spelling} HTTP/1.1`, 'Host: x', 'Connection: close', `Authorization: Bearer ${token}`),
                20,
              )
            ).answers[0]?.status ?? 0
          const isCanonical = !spelling.includes('%2f') && decodeURIComponent(spelling) === at
          assert.ok(
            (isCanonical ? [403, 200] : [400, 404]).includes(await status(user)),
            `${spelling}: ${await status(user)}`,
          )
          assert.ok(
            (isCanonical ? [200] : [400, 404]).includes(await status(worker)),
            `${spelling}: ${await status(worker)}`,
          )
        }
      }
    })

    test('ids are lower-case UUIDs and nothing else', async () => {
      const token = await stile.workerToken()
      const id = stile.environmentId
      for (const other of [
        id.toUpperCase(),
        `{${id}}`,
        id.replaceAll('-', ''),
        `urn:uuid:${id}`,
        ` ${id}`,
        `${id}%20`,
        'me',
        '..',
        '1',
      ]) {
        const { status } = await stile.send(`/v1/environments/${encodeURI(other)}`, { token })
        assert.ok(status === 404 || status === 403, `${other}: ${status}`)
        assert.equal((await stile.send(`/${encodeURI(other)}/as/jwks`)).status, 404, other)
      }
    })
  })

  test('O21: what lies beside the sources is not served', async () => {
    for (const path of [
      '/package.json',
      '/.env',
      '/.git/config',
      '/src/main.ts',
      '/assets/../package.json',
      '/assets/..%2f..%2fpackage.json',
      '/assets/%2e%2e%2fpackage.json',
      '/assets/....//package.json',
      '/assets/style.css.map',
      '/assets/',
      '/assets',
    ]) {
      const { answers } = await converse(
        stile.node.port,
        head(`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close'),
        20,
      )
      assert.equal(answers[0]?.status, 404, path)
    }
  })

  test('O18: a parameter is a string: brackets, repetition and names of prototypes are refused or left aside', async () => {
    const token = await stile.workerToken()
    const users = `/v1/environments/${stile.environmentId}/users`
    for (const query of [
      'limit[]=5',
      'limit[a]=5',
      'limit=5&limit=6',
      '__proto__=x',
      '__proto__[x]=1',
      'constructor=1',
      'filter=a%00',
      'filter=%zz',
      'cursor=%ff',
    ]) {
      assert.equal((await stile.send(`${users}?${query}`, { token })).status, 400, query)
    }
    const form = (body: string, at = `/${stile.environmentId}/as/token`) =>
      stile.send(at, { body, mediaType: 'application/x-www-form-urlencoded' })
    for (const body of [
      'grant_type[]=client_credentials',
      'grant_type=client_credentials&grant_type=client_credentials',
      '__proto__=x',
      'client_id=a%00b',
    ]) {
      const { status, json } = await form(body)
      assert.deepEqual([status, json.error], [400, 'invalid_request'], body)
    }
    assert.equal((await stile.send(`${users}?toString=1&hasOwnProperty=x&valueOf=2`, { token })).status, 200)
    const { filter, ...others } = {} as Record<string, unknown>
    assert.deepEqual([filter, others, Object.keys(Object.prototype)], [undefined, {}, []], 'nothing was polluted')
  })

  test('O27: an answer is kept by nobody because of a suffix, and no header decides what metadata say', async () => {
    for (const suffix of ['/x.css', '/..%2fx.css', ';x.css', '.css', '%2fx.css']) {
      const { status, headers } = await stile.send(`/${stile.environmentId}/as/userinfo${suffix}`, { token: user })
      assert.deepEqual([status, headers.get('cache-control')], [404, 'no-store'], suffix)
    }
    for (const at of [
      `/${stile.environmentId}/as/.well-known/openid-configuration`,
      `/${stile.environmentId}/as/jwks`,
    ]) {
      const plain = await stile.send(at)
      const { text } = await converse(
        stile.node.port,
        head(
          `GET ${at} HTTP/1.1`,
          'Host: evil.example',
          'X-Forwarded-Host: evil.example',
          'X-Forwarded-Proto: https',
          'X-Forwarded-Prefix: /evil',
          'X-Original-URL: /evil',
          'X-Rewrite-URL: /evil',
          'Forwarded: host=evil.example;proto=https',
          'Connection: close',
        ),
      )
      assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), plain.text)
    }
  })

  test('O29: a malformed Authorization is 401 wherever a token is needed, and breaks nothing elsewhere', async () => {
    const malformed = [
      '',
      ' ',
      'Bearer',
      'Bearer ',
      'bearer a b',
      'Bearer a.b.c',
      'Bearer ..',
      'Bearer =',
      'Basic',
      'Basic !!!',
      'Digest x',
      'Negotiate',
      'x'.repeat(9000),
      'Bearer \u00e9',
      `Bearer ${'a.'.repeat(3000)}`,
    ]
    const tokens = ['e30.e30.', `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ env: stile.environmentId }))}.`]
    for (const operation of operations) {
      const sample = operation.path.length % 3
      for (const authorization of [...malformed, ...tokens.map((token) => `Bearer ${token}`)].filter(
        (_, at) => at % 3 === sample,
      )) {
        const { status, headers, text } = await stile.send(concrete(operation.path), {
          method: operation.method,
          headers: { authorization },
          ...(operation.body
            ? {
                body: {},
                mediaType:
                  operation.mediaTypes?.[0] ??
                  (operation.body.kind === 'form' ? 'application/x-www-form-urlencoded' : 'application/json'),
              }
            : {}),
        })
        if (operation.permission.kind === 'public') assert.ok(status < 500, `${operation.id} ${authorization}: ${text}`)
        else {
          assert.equal(status, 401, `${operation.id} ${authorization}: ${text}`)
          assert.match(headers.get('www-authenticate') ?? '', /^Bearer/)
        }
      }
    }
  })
})
