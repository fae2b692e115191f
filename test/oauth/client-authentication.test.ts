/** Client authentication at the token endpoint: authentication-api 2.8; rows D01-D06, D09 as to secrets. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type Answer, basic, type Call, type Stile, startStile } from '../harness/stile.ts'
import { expectRefusal } from './journeys.ts'
import { change, expectStatus, otherEnvironment, type Registered, register, web, wrk } from './registrations.ts'

/** Ways to present credentials. */
const presented = {
  basic: ({ clientId, clientSecret }: Registered): Call => ({
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
    headers: { authorization: basic(clientId, clientSecret) },
  }),
  post: ({ clientId, clientSecret }: Registered): Call => ({
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }),
  }),
  nothing: ({ clientId }: Registered): Call => ({
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId }),
  }),
}

suite('client authentication', () => {
  let stile: Stile
  let byBasic: Registered
  let byPost: Registered
  let open: Registered
  before(async () => {
    stile = await startStile()
    byBasic = await register(stile, wrk, [])
    byPost = await register(stile, { ...wrk, tokenEndpointAuthMethod: 'CLIENT_SECRET_POST' }, [])
    open = await register(stile, { ...web, tokenEndpointAuthMethod: 'NONE' }, [])
  })
  after(() => stile.close())

  const token = (call: Call, path = `/${stile.environmentId}/as/token`): Promise<Answer> => stile.send(path, call)
  const withHeader = (authorization: string): Promise<Answer> =>
    token({ body: new URLSearchParams({ grant_type: 'client_credentials' }), headers: { authorization } })
  const withBasicText = (text: string | Buffer) => withHeader(`Basic ${Buffer.from(text).toString('base64')}`)

  test('D02: the registered method and no other', async () => {
    expectStatus(await token(presented.basic(byBasic)), 200)
    expectStatus(await token(presented.post(byPost)), 200)
    const wrong = [
      presented.post(byBasic),
      presented.nothing(byBasic),
      presented.basic(byPost),
      presented.nothing(byPost),
    ]
    for (const call of wrong) {
      const answer = await token(call)
      expectRefusal(answer, 'invalid_client')
      assert.match(answer.json.error_description, /Unsupported authentication method \(Correlation ID: /)
    }
  })

  test('D02: a public client is known by its id alone; a secret it never had helps nobody', async () => {
    expectRefusal(await token(presented.nothing(open)), 'unauthorized_client')
    for (const call of [
      presented.basic({ ...open, clientSecret: 'x' }),
      presented.post({ ...open, clientSecret: 'x' }),
    ]) {
      expectRefusal(await token(call), 'invalid_client')
    }
  })

  test('D01: no credentials at all', async () => {
    const answer = await token({ body: new URLSearchParams({ grant_type: 'client_credentials' }) })
    expectRefusal(answer, 'invalid_client')
    assert.equal(answer.headers.get('www-authenticate'), null)
  })

  test('D03: two methods at once, or two clients', async () => {
    const { clientId, clientSecret } = byBasic
    const headers = { authorization: basic(clientId, clientSecret) }
    const form = { grant_type: 'client_credentials' }
    const twice = new URLSearchParams({ ...form, client_id: clientId, client_secret: clientSecret })
    expectRefusal(await token({ headers, body: twice }), 'invalid_request')
    expectRefusal(
      await token({ headers, body: new URLSearchParams({ ...form, client_id: byPost.clientId }) }),
      'invalid_request',
    )
    expectStatus(await token({ headers, body: new URLSearchParams({ ...form, client_id: clientId }) }), 200)
  })

  test('D04: Basic is decoded as RFC 6749 section 2.3.1 and RFC 7617 say', async () => {
    const { clientId, clientSecret } = byBasic
    const everyByte = (text: string) =>
      [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
    expectStatus(await withBasicText(`${everyByte(clientId)}:${everyByte(clientSecret)}`), 200)
    expectStatus(await withHeader(basic(clientId, clientSecret).replace('Basic', 'bASIC')), 200)
    expectStatus(await withHeader(basic(clientId, clientSecret).replace('Basic ', 'Basic   ')), 200)
    const unpadded = basic(clientId, clientSecret).replace(/=+$/, '')
    expectStatus(await withHeader(unpadded), 200)
  })

  test('D04: whatever else is in the header is 401 with a challenge, never a 5xx', async () => {
    const { clientId, clientSecret } = byBasic
    const good = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
    const headers = [
      'Basic',
      'Basic !!!!',
      `Basic ${good.slice(0, 8)}*${good.slice(8)}`,
      `Basic ${good}====`,
      `Basic ${good} x`,
      `Bearer ${good}`,
      'Bearer garbage',
      'Digest username="x"',
      'Negotiate YII=',
      good,
    ]
    const texts: (string | Buffer)[] = [
      clientId,
      `:${clientSecret}`,
      ':',
      `${clientId}:`,
      `${clientId}\u0000:${clientSecret}`,
      `${clientId}:${clientSecret}\u0000`,
      `\u0000:\u0000`,
      `%00:%00`,
      `%:${clientSecret}`,
      `${clientId}:%`,
      `ü:ö`,
      `%ff%fe:x`,
      Buffer.from([0xff, 0xfe, 0x3a, 0xff]),
      `${'a'.repeat(99)}\u{1f511}:x`,
      `' OR 1=1 --:x`,
      `__proto__:x`,
      `${'x'.repeat(9000)}:x`,
    ]
    const answers = [...headers.map(withHeader), ...texts.map(withBasicText)]
    for (const [at, answer] of (await Promise.all(answers)).entries()) {
      expectRefusal(answer, 'invalid_client')
      assert.equal(answer.headers.get('www-authenticate'), 'Basic realm="stile"', `${at}`)
    }
    assert.ok([400, 401, 431].includes((await withBasicText('x'.repeat(65_536))).status))
    await stile.node.kernel.volumeEvents.flush()
    assert.ok((await failuresOf(null)) > 0, 'the failures are recorded, without what was presented')
  })

  test('D05: nothing but the secret is the secret', async () => {
    const { clientSecret } = byPost
    const wrong = [
      '',
      'null',
      'undefined',
      '[object Object]',
      ' ',
      clientSecret.slice(0, -1),
      `${clientSecret}0`,
      `${clientSecret} `,
      clientSecret.toLowerCase(),
      clientSecret.slice(0, 32),
      byBasic.clientSecret,
    ]
    for (const secret of wrong)
      expectRefusal(await token(presented.post({ ...byPost, clientSecret: secret })), 'invalid_client')
  })

  test('D06: after a rotation the secret before is over, unless it was kept for a while', async () => {
    const rotating = await register(stile, wrk, [])
    const path = `/applications/${rotating.clientId}/secret`
    const rotate = async (body: object) => ({
      ...rotating,
      clientSecret: expectStatus(await stile.api('POST', path, body), 200).secret,
    })
    const second = await rotate({})
    expectRefusal(await token(presented.basic(rotating)), 'invalid_client')
    const third = await rotate({ previous: { expiresAt: new Date(Date.now() + 3_600_000).toISOString() } })
    expectStatus(await token(presented.basic(second)), 200)
    expectStatus(await token(presented.basic(third)), 200)
    expectStatus(await stile.api('DELETE', path), 204)
    expectRefusal(await token(presented.basic(second)), 'invalid_client')
    expectStatus(await token(presented.basic(third)), 200)
  })

  test('D09: unknown, disabled, deleted and of another environment: the same answer as a wrong secret', async () => {
    const disabled = await register(stile, wrk, [])
    await change(stile, disabled.clientId, { enabled: false })
    const deleted = await register(stile, wrk, [])
    expectStatus(await stile.api('DELETE', `/applications/${deleted.clientId}`), 204)
    const foreign = await register(await otherEnvironment(stile), wrk, [])
    const clients: readonly Registered[] = [
      { ...byBasic, clientSecret: 'wrong' },
      disabled,
      deleted,
      foreign,
      { ...byBasic, clientId: randomUUID() },
      { ...byBasic, clientId: 'unknown' },
      { ...byBasic, clientId: byBasic.clientId.toUpperCase() },
    ]
    const seen = await Promise.all(
      clients.map(async (client) => {
        const { status, headers, text } = await token(presented.basic(client))
        const kept = [...headers].filter(([name]) => !['date', 'correlation-id', 'content-length'].includes(name))
        return { status, kept, text: text.replace(/[0-9a-f-]{36}/, '') }
      }),
    )
    assert.equal(seen[0]?.status, 401)
    for (const one of seen) assert.deepEqual(one, seen[0])
  })

  test('the challenge answers the method that was tried, with and without an environment in the address', async () => {
    for (const path of [`/${stile.environmentId}/as/token`, '/as/token', '/as/token.oauth2']) {
      for (const clientId of [byBasic.clientId, randomUUID(), 'x']) {
        const wrong = { ...byBasic, clientId, clientSecret: 'wrong' }
        const tried = await token(presented.basic(wrong), path)
        expectRefusal(tried, 'invalid_client')
        assert.equal(tried.headers.get('www-authenticate'), 'Basic realm="stile"')
        assert.equal((await token(presented.post(wrong), path)).headers.get('www-authenticate'), null)
      }
    }
  })

  test('a failure is recorded with the client it names, and never with its secret', async () => {
    const secret = `CANARY-${randomUUID()}`
    await token(presented.basic({ ...byPost, clientSecret: secret }))
    await stile.node.kernel.volumeEvents.flush()
    assert.ok((await failuresOf(byPost.clientId)) > 0)
    const statement = { text: 'SELECT document FROM events WHERE environment_id = $1', values: [stile.environmentId] }
    const rows = await stile.node.kernel.storage.read<{ document: string }>(statement)
    assert.ok(rows.every(({ document }) => !document.includes(secret)))
  })

  /** How many failed authentications are recorded for a client; null: for none that has an id. */
  async function failuresOf(clientId: string | null): Promise<number> {
    const text = `SELECT actor_client_id FROM events WHERE environment_id = $1 AND action = 'CLIENT_AUTHENTICATION.FAILED'`
    const rows = await stile.node.kernel.storage.read<{ actor_client_id: string | null }>({
      text,
      values: [stile.environmentId],
    })
    return rows.filter(({ actor_client_id }) => actor_client_id === clientId).length
  }
})
