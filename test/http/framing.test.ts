/**
 * Headers and framing, sent as bytes: what no client would send (rows G18, I27, O06, O09-O11, O23, O28). Slow and many
 * connections: connections.test.ts.
 */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { type Conversation, converse, head } from './wire.ts'

suite('requests as bytes', () => {
  let stile: Stile
  let port: number
  before(async () => {
    stile = await startStile()
    port = stile.node.port
  })
  after(() => stile.close())

  const token = () => `/${stile.environmentId}/as/token`
  const jwks = () => `/${stile.environmentId}/as/jwks`

  test('G18: whatever host a request names, nothing is fetched from there and nothing points there', async () => {
    const called: string[] = []
    const attacker = createServer((request, response) => {
      called.push(request.url ?? '')
      response.end()
    })
    await new Promise<void>((resolve) => attacker.listen(0, '127.0.0.1', resolve))
    const { port: theirs } = attacker.address() as AddressInfo
    const evil = `127.0.0.1:${theirs}`
    const query = new URLSearchParams({
      client_id: stile.webApp.clientId,
      response_type: 'code',
      redirect_uri: stile.webApp.redirectUri,
      scope: 'openid',
    })
    const authorize = `/${stile.environmentId}/as/authorize?${query}`
    const named = [`Host: ${evil}`, `X-Forwarded-Host: ${evil}`, `Forwarded: host=${evil}`, 'Connection: close']
    for (const target of [authorize, `http://${evil}${authorize}`]) {
      const { answers, text } = await converse(port, head(`GET ${target} HTTP/1.1`, ...named), 100)
      assert.ok([302, 400].includes(answers[0]?.status ?? 0), text)
      assert.ok(!text.includes(evil), text)
      if (answers[0]?.status === 302) assert.match(text, new RegExp(`location: ${stile.authUrl}`, 'i'))
    }
    const page = await stile.send(`/${stile.environmentId}/signon/?flowId=${stile.environmentId}`, {
      headers: { 'x-forwarded-host': evil, forwarded: `host=${evil}` },
    })
    assert.ok(!page.text.includes(evil))
    await new Promise((resolve) => attacker.close(resolve))
    assert.deepEqual(called, [])
  })

  suite('headers (O06, O10, O23)', () => {
    const status = async (...lines: readonly string[]) => {
      const { answers, closed } = await converse(
        port,
        head(`GET ${jwks()} HTTP/1.1`, ...lines, 'Connection: close'),
        50,
      )
      return [answers[0]?.status, closed]
    }

    test('too many, too long, not named like headers', async () => {
      const many = (count: number) => Array.from({ length: count }, (_, at) => `X-${at}: 1`)
      assert.deepEqual(await status('Host: x', ...many(90)), [200, true])
      assert.deepEqual(await status('Host: x', ...many(150)), [431, true])
      assert.deepEqual(await status('Host: x', ...many(2000)), [431, true])
      assert.deepEqual(await status('Host: x', `X: ${'a'.repeat(17_000)}`), [431, true])
      assert.deepEqual(await status('Host: x', `Cookie: ${'ST=x; '.repeat(4000)}`), [431, true])
      for (const line of ['X Y: 1', 'X(Y): 1', ': 1', 'X\u0000: 1', 'X: a\u0000b', 'X']) {
        assert.deepEqual(await status('Host: x', line), [400, true], line)
      }
    })

    test('I27: cookies of others do not hide the own one; more than fit are 431, and gone once they are cleared', async () => {
      const { headers } = await new Browser(stile).authorize(piFlowRequest(stile, pkce().challenge))
      const own = headers.getSetCookie()[0]?.split(';')[0] ?? ''
      const others = (length: number) => Array.from({ length: 100 }, (_, at) => `c${at}=${'x'.repeat(length)}`)
      const flow = (cookies: readonly string[]) => status('Host: x', `Cookie: ${cookies.join('; ')}`)
      assert.deepEqual(await flow([...others(100), own]), [200, true])
      assert.deepEqual(await flow([...others(200), own]), [431, true])
      assert.deepEqual(await flow([own]), [200, true])
    })

    test('O09: no line of the answer is anybody else’s, wherever a word of the request comes back in one', async () => {
      const injected = '%0d%0aX-Injected:%201%0d%0a%0d%0a<script>'
      const { webApp, environmentId } = stile
      const request = `client_id=${webApp.clientId}&redirect_uri=${encodeURIComponent(webApp.redirectUri)}`
      const as = `/${environmentId}/as`
      const paths = [
        `${as}/authorize?${request}&response_type=code&scope=openid&prompt=none&state=${injected}`,
        `${as}/authorize?${request}&response_type=${injected}&state=x`,
        `${as}/authorize?${request}&response_type=code&scope=${injected}&${injected}=x&${injected}=y`,
        `${as}/authorize?${request}${injected}&response_type=code`,
        `${as}/authorize?client_id=${injected}`,
        `${as}/resume?flowId=${injected}`,
        `${as}/signoff?post_logout_redirect_uri=${injected}&state=${injected}&client_id=${webApp.clientId}`,
        `${as}/initiate_login?iss=${injected}&target_link_uri=${injected}`,
        `/${environmentId}/device?user_code=${injected}&ui_locales=${injected}`,
        `/${environmentId}/invite?inviteCode=${injected}`,
        `/${environmentId}/signon/?flowId=${injected}`,
        `/v1/environments/${environmentId}/users?filter=${injected}`,
        `/as/authorize?client_id=${webApp.clientId}&state=${injected}`,
      ]
      for (const path of paths) {
        const { answers } = await converse(port, head(`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close'), 50)
        assert.equal(answers.length, 1, path)
        assert.doesNotMatch(answers[0]?.head ?? '', /^x-injected/im, path)
      }
      for (const line of [
        'Origin: https://x\rX-Injected: 1',
        'Authorization: Bearer x\rX-Injected: 1',
        'DPoP: x\nX-Injected: 1',
      ])
        assert.deepEqual((await status('Host: x', line))[0], 400, line)
    })

    test('what means something once, sent twice, is refused', async () => {
      for (const line of ['Host: x', 'host: y', 'HOST: x']) assert.equal((await status('Host: x', line))[0], 400, line)
      assert.equal((await status())[0], 400, 'no host at all')
      const auth = 'Authorization: Bearer a'
      assert.equal((await status('Host: x', auth, auth))[0], 400)
      const type = 'Content-Type: application/x-www-form-urlencoded'
      for (const other of [type, 'content-type: application/json']) {
        const { answers } = await converse(
          port,
          `${head(`POST ${token()} HTTP/1.1`, 'Host: x', type, other, 'Content-Length: 3')}a=b`,
          50,
        )
        assert.equal(answers[0]?.status, 400, other)
      }
    })

    test('Expect is answered by 100 or refused', async () => {
      const lines = [
        `POST ${token()} HTTP/1.1`,
        'Host: x',
        'Content-Type: application/x-www-form-urlencoded',
        'Content-Length: 3',
      ]
      const first = await converse(port, `${head(...lines, 'Expect: 100-continue')}a=b`, 50)
      assert.deepEqual(first.text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 100', 'HTTP/1.1 400'])
      const second = await converse(port, `${head(...lines, 'Expect: the-moon')}a=b`, 50)
      assert.equal(second.answers[0]?.status, 417)
    })
  })

  suite('framing (O11)', () => {
    /** A second request, hidden behind the first: it must not be taken for one. */
    const hidden = () => head(`GET ${jwks()} HTTP/1.1`, 'Host: x')
    const post = (...lines: readonly string[]) =>
      head(`POST ${token()} HTTP/1.1`, 'Host: x', 'Content-Type: application/x-www-form-urlencoded', ...lines)

    const refused: Readonly<Record<string, () => string>> = {
      'CL.TE': () => `${post('Content-Length: 6', 'Transfer-Encoding: chunked')}0\r\n\r\nG`,
      'TE.CL': () => `${post('Transfer-Encoding: chunked', 'Content-Length: 4')}5c\r\n`,
      'TE.TE, a space before the colon': () => `${post('Transfer-Encoding : chunked')}0\r\n\r\n`,
      'TE.TE, an unknown coding': () => `${post('Transfer-Encoding: xchunked')}0\r\n\r\n`,
      'TE.TE, chunked is not last': () => `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n`,
      'TE.TE, twice': () => `${post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
      'TE.TE, twice and different': () =>
        `${post('Transfer-Encoding: chunked', 'Transfer-Encoding: identity')}0\r\n\r\n`,
      'TE.TE, a vertical tab': () => `${post('Transfer-Encoding:\u000bchunked')}0\r\n\r\n`,
      'TE.TE, a folded line': () => `${post('Transfer-Encoding:\r\n chunked')}0\r\n\r\n`,
      'two lengths': () => `${post('Content-Length: 3', 'Content-Length: 3')}a=b`,
      'two lengths that differ': () => `${post('Content-Length: 3', 'Content-Length: 0')}a=b`,
      'a list of lengths': () => `${post('Content-Length: 3, 3')}a=b`,
      'a signed length': () => `${post('Content-Length: +3')}a=b`,
      'a negative length': () => `${post('Content-Length: -3')}a=b`,
      'a length in hexadecimal': () => `${post('Content-Length: 0x3')}a=b`,
      'a length beyond numbers': () => `${post('Content-Length: 99999999999999999999999')}a=b`,
      'bare LF': () => `GET ${jwks()} HTTP/1.1\nHost: x\n\n`,
      'bare LF after a header': () => `GET ${jwks()} HTTP/1.1\r\nHost: x\nX: y\r\n\r\n`,
      'bare CR': () => `GET ${jwks()} HTTP/1.1\r\nHost: x\rX: y\r\n\r\n`,
      'a chunk size in the style of C': () => `${post('Transfer-Encoding: chunked')}0x3\r\na=b\r\n0\r\n\r\n`,
      'a chunk longer than it says': () => `${post('Transfer-Encoding: chunked')}3\r\na=bXX\r\n0\r\n\r\n`,
      'chunks ended by LF': () => `${post('Transfer-Encoding: chunked')}3\na=b\n0\n\n`,
      'a chunk extension ended by LF': () => `${post('Transfer-Encoding: chunked')}3;x\n\r\na=b\r\n0\r\n\r\n`,
      'a length in the trailers': () =>
        `${post('Transfer-Encoding: chunked')}3\r\na=b\r\n0\r\nContent-Length: 999\r\n\r\n`,
      'HTTP/1.0 with chunks': () =>
        post('Transfer-Encoding: chunked').replace('HTTP/1.1', 'HTTP/1.0').concat('0\r\n\r\n'),
      'HTTP/1.2': () => head(`GET ${jwks()} HTTP/1.2`, 'Host: x'),
      'HTTP/2.0': () => head(`GET ${jwks()} HTTP/2.0`, 'Host: x'),
      'HTTP/0.9': () => `GET ${jwks()}\r\n`,
    }
    for (const [name, request] of Object.entries(refused)) {
      test(`${name}: 400, closed, and nothing behind it is carried out`, async () => {
        const { answers, closed }: Conversation = await converse(port, request() + hidden())
        assert.deepEqual(
          answers.map(({ status }) => status),
          [400],
        )
        assert.ok(closed)
        assert.match(answers[0]?.head ?? '', /connection: close/i)
      })
    }

    const understood: Readonly<Record<string, () => string>> = {
      'CL.0: a GET with a body': () => `${head(`GET ${jwks()} HTTP/1.1`, 'Host: x', 'Content-Length: 5')}G / H`,
      'a tab before chunked': () => `${post('Transfer-Encoding:\tchunked')}0\r\n\r\n`,
      'chunk extensions': () => `${post('Transfer-Encoding: chunked')}3;a=b;c\r\na=b\r\n0\r\n\r\n`,
      trailers: () => `${post('Transfer-Encoding: chunked')}3\r\na=b\r\n0\r\nHost: evil\r\nX: y\r\n\r\n`,
    }
    for (const [name, request] of Object.entries(understood)) {
      test(`${name}: read as it is meant, so that the next request begins where it begins`, async () => {
        const { answers } = await converse(port, request() + hidden())
        assert.equal(answers.length, 2)
        assert.equal(answers[1]?.status, 200)
      })
    }

    test('garbage behind a request ends the connection', async () => {
      const { answers, closed } = await converse(port, `${post('Content-Length: 3')}a=bGARBAGE\r\n\r\n${hidden()}`)
      assert.ok(closed)
      assert.ok(answers.every(({ status }) => status === 400))
    })
  })
})
