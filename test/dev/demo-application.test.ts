import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Context, Operation, Reply } from '../../src/contract/operation.ts'
import { type DemoFacts, demoOperations } from '../../src/dev/demo-application.ts'
import type { TokenRequest } from '../../src/dev/redeem-code.ts'
import { testWorld } from '../../src/world.ts'

const issuer = 'http://localhost:4000/e1/as'
const callbackOf = (clientId: string) => `http://localhost:4000/dev/app/${clientId}/callback`
const facts: DemoFacts = {
  environmentId: 'e1',
  issuer,
  singlePageApp: { clientId: 'spa', redirectUri: callbackOf('spa') },
  webApp: { clientId: 'web', clientSecret: 's+cret', redirectUri: callbackOf('web') },
  mfaApp: { clientId: 'mfa', redirectUri: callbackOf('mfa') },
  user: { username: 'demo' },
  mfaUser: { username: 'demo-mfa' },
}
const token = (claims: object) =>
  [{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') + '.x'

/** The demo application with a token endpoint that notes what it is asked. */
function rig(known: DemoFacts | undefined, answer: (request: TokenRequest) => unknown = () => ({})) {
  const asked: TokenRequest[] = []
  const operations = demoOperations(
    () => known,
    async (request) => {
      asked.push(request)
      return answer(request)
    },
  )
  const call = async (id: string, clientId: string, sent: Readonly<Record<string, string>>, cookie?: string) => {
    const operation = operations.find((candidate) => candidate.id === id) as Operation
    const input = { params: { clientId }, query: sent, body: { values: sent, repeated: [] } }
    const context = { kernel: { world: testWorld() }, headers: { cookie } } as unknown as Context
    return await operation.handle(input as never, context)
  }
  return { asked, call }
}

/** What the browser keeps of a started request. */
function kept(reply: Reply) {
  const location = new URL(String(reply.headers?.['location']))
  return {
    cookie: String(reply.headers?.['set-cookie']).split(';')[0],
    sent: Object.fromEntries(location.searchParams),
  }
}

suite('demo application', () => {
  test('the start page sends the browser to the authorization endpoint with a request of its own', async () => {
    const { call } = rig(facts)
    const reply = await call('startDemo', 'web', { prompt: 'login' })
    assert.equal(reply.status, 302)
    const { sent } = kept(reply)
    assert.equal(sent['prompt'], 'login')
    assert.equal(sent['login_hint'], 'demo')
  })

  test('a code that answers its own request is redeemed once, with the verifier and the client’s authentication', async () => {
    const { asked, call } = rig(facts, () => ({ access_token: token({ sub: 'u1' }), token_type: 'Bearer' }))
    const { cookie, sent } = kept(await call('startDemo', 'web', {}))
    const reply = await call('demoCallback', 'web', { code: 'c1', state: sent['state'] ?? '', iss: issuer }, cookie)
    assert.equal(asked.length, 1)
    assert.equal(asked[0]?.form['code'], 'c1')
    assert.equal(asked[0]?.form['redirect_uri'], callbackOf('web'))
    assert.match(asked[0]?.form['code_verifier'] ?? '', /^[A-Za-z0-9_-]{43}$/)
    assert.equal(asked[0]?.authorization, `Basic ${Buffer.from('web:s%2Bcret').toString('base64')}`)
    assert.match(String(reply.headers?.['set-cookie']), /Max-Age=0/)
    assert.match(reply.html ?? '', /<h2>Access token<\/h2>/)
    assert.doesNotMatch(reply.html ?? '', /class="bad"/)
  })

  test('a public client sends its id and no secret', async () => {
    const { asked, call } = rig(facts)
    const { cookie, sent } = kept(await call('startDemo', 'spa', {}))
    await call('demoCallbackForm', 'spa', { code: 'c1', state: sent['state'] ?? '' }, cookie)
    assert.equal(asked[0]?.form['client_id'], 'spa')
    assert.equal(asked[0]?.authorization, undefined)
  })

  test('a code that somebody fetched by hand is shown and left alone', async () => {
    const { asked, call } = rig(facts)
    const reply = await call('demoCallback', 'web', { code: 'c1', state: 'mine' })
    assert.equal(asked.length, 0)
    assert.match(reply.html ?? '', /c1/)
    assert.match(reply.html ?? '', /class="bad"/)
  })

  test('issuer and nonce of another request are noticed', async () => {
    const { call } = rig(facts, () => ({ id_token: token({ nonce: 'other' }) }))
    const { cookie, sent } = kept(await call('startDemo', 'spa', {}))
    const reply = await call(
      'demoCallback',
      'spa',
      { code: 'c', state: sent['state'] ?? '', iss: 'https://evil' },
      cookie,
    )
    assert.equal(reply.html?.match(/class="bad"/g)?.length, 2)
  })

  test('an error is explained, wherever it comes from', async () => {
    const front = rig(facts)
    const refused = await front.call('demoCallback', 'web', { error: 'login_required', error_description: '<b>x' })
    assert.match(refused.html ?? '', /prompt=none/)
    assert.match(refused.html ?? '', /&lt;b&gt;x/)
    const back = rig(facts, () => ({ error: 'invalid_grant' }))
    const { cookie, sent } = kept(await back.call('startDemo', 'web', {}))
    const reply = await back.call('demoCallback', 'web', { code: 'c', state: sent['state'] ?? '' }, cookie)
    assert.match(reply.html ?? '', /The application got an error/)
  })

  test('without parameters the answer is looked for in the fragment', async () => {
    const reply = await rig(facts).call('demoCallback', 'spa', {})
    assert.match(reply.html ?? '', /fragment\.[0-9a-f]{16}\.js/)
    assert.match(reply.html ?? '', /<form method="post" action="http:\/\/localhost:4000\/dev\/app\/spa\/callback">/)
  })

  test('unknown applications are not found, and before the demo environment stands nothing answers', async () => {
    await assert.rejects(rig(facts).call('startDemo', 'other', {}), { key: 'NOT_FOUND' })
    await assert.rejects(rig(undefined).call('startDemo', 'web', {}), { key: 'UNAVAILABLE' })
  })

  test('W01: nothing received becomes markup', async () => {
    const hostile = '"><script>alert(1)</script>'
    const claims = { [hostile]: hostile, sub: hostile, nested: { [hostile]: [hostile] } }
    const { call } = rig(facts, () => ({ id_token: token(claims), [hostile]: hostile }))
    const { cookie, sent } = kept(await call('startDemo', 'spa', {}))
    const reply = await call('demoCallback', 'spa', { code: hostile, state: sent['state'] ?? '', x: hostile }, cookie)
    assert.doesNotMatch(reply.html ?? '', /<script(?! type="module" src="\/)/)
  })
})
