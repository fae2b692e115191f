/**
 * The authorization challenge endpoint: draft-ietf-oauth-first-party-apps-04 section 5. The same flow as by the browser,
 * with the same limits; rows J03, J08, J10, L07, D07, K02, B21.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import {
  addressOf,
  addEmailDevice,
  assign,
  codeSentTo,
  enableMfa,
  inboxOf,
  newApplication,
  newPassword,
  newPerson,
  newPolicy,
  offeringOf,
  type Person,
  rows,
} from '../flow-runtime/arrange.ts'
import { pkce, redeem } from '../harness/sign-on.ts'
import { createDemoDatabase } from '../harness/demo-template.ts'
import { type Answer, basic, type Stile, startStile } from '../harness/stile.ts'
import { startSecondNode } from '../environment/second-node.ts'
import { absent } from '../storage/absent.ts'
import { clientKey } from './assertions.ts'
import { proofOf, thumbprintOf } from './proofs.ts'
import { startPostgres } from '../storage/postgres-cluster.ts'

const firstParty = { isFirstParty: true }

suite('the authorization challenge endpoint', () => {
  let stile: Stile
  let client: string
  let recovering: string
  before(async () => {
    stile = await startStile()
    client = await newApplication(stile, firstParty)
    recovering = await newApplication(stile, firstParty)
    const offers = { recovery: { enabled: true }, registration: { enabled: true } }
    await assign(stile, recovering, await newPolicy(stile, { type: 'LOGIN', ...offers }))
  })
  after(() => stile.close())

  const { verifier, challenge: codeChallenge } = pkce()
  const begin = { scope: 'openid profile', code_challenge: codeChallenge, code_challenge_method: 'S256' }
  const post = (parameters: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) =>
    challenge(stile, parameters, headers)
  const left = ({ status, json }: Answer) => [status, json.error, json.status]

  test('a user is signed on without a browser, and the code becomes tokens', async () => {
    const person = await newPerson(stile)
    const first = await post({ client_id: client, ...begin })
    assert.deepEqual(left(first), [400, 'insufficient_authorization', 'USERNAME_PASSWORD_REQUIRED'], first.text)
    assert.deepEqual(first.json.actions, ['usernamePassword.check'])
    assert.equal(first.headers.get('cache-control'), 'no-store')
    const { auth_session } = first.json
    const wrong = await post({ auth_session, username: person.username, password: 'wrong' })
    assert.deepEqual(left(wrong), [400, 'insufficient_authorization', 'USERNAME_PASSWORD_REQUIRED'])
    assert.equal(wrong.json.details[0].code, 'INVALID_CREDENTIALS')
    const done = await post({ auth_session: wrong.json.auth_session, ...person })
    assert.equal(done.status, 200, done.text)
    assert.deepEqual(Object.keys(done.json), ['authorization_code'])
    assert.deepEqual(done.headers.getSetCookie(), [], 'no browser is there for a session')
    const tokens = await redeem(stile, done.json.authorization_code, verifier, client)
    assert.equal(tokens.status, 200, tokens.text)
    const { sub, aud, amr } = decodeJwt(tokens.json.id_token)
    assert.deepEqual([sub, aud, amr], [person.id, client, ['pwd']])
  })

  test('everything at once takes one request', async () => {
    const person = await newPerson(stile)
    const done = await post({ client_id: client, ...begin, ...person })
    assert.equal(done.status, 200, done.text)
  })

  test('L07: the second factor of the policy is asked for, with its devices', async () => {
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    const device = await addEmailDevice(stile, person)
    const application = await newApplication(stile, firstParty)
    await assign(stile, application, await newPolicy(stile, { type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }))
    const asked = await post({ client_id: application, ...begin, ...person })
    assert.deepEqual(left(asked), [400, 'insufficient_authorization', 'OTP_REQUIRED'], asked.text)
    assert.deepEqual([asked.json.devices[0].id, asked.json.selectedDevice], [device, { id: device }])
    const otp = await codeSentTo(stile, addressOf(person))
    const done = await post({ auth_session: asked.json.auth_session, otp })
    assert.equal(done.status, 200, done.text)
    const tokens = await redeem(stile, done.json.authorization_code, verifier, application)
    assert.deepEqual(decodeJwt(tokens.json.id_token).amr, ['pwd', 'otp', 'mfa'])
  })

  test('naming a user sends nothing; recovering a password has to be asked for by name', async () => {
    const person = await newPerson(stile)
    const named = await post({ client_id: recovering, ...begin, username: person.username })
    assert.deepEqual(left(named), [400, 'insufficient_authorization', 'USERNAME_PASSWORD_REQUIRED'])
    assert.deepEqual(await inboxOf(stile, addressOf(person)), [])
    const forgot = await post({
      auth_session: named.json.auth_session,
      action: 'password.forgot',
      username: person.username,
    })
    assert.deepEqual(left(forgot), [400, 'insufficient_authorization', 'RECOVERY_CODE_REQUIRED'], forgot.text)
    assert.equal(forgot.json.passwordPolicy.history.count, 6)
    const fields = { recoveryCode: await codeSentTo(stile, addressOf(person)), newPassword: newPassword() }
    const done = await post({ auth_session: forgot.json.auth_session, ...fields })
    assert.equal(done.status, 200, done.text)
  })

  test('what needs a browser is done in one', async () => {
    const { elsewhere } = await offeringOf(stile)
    const policies = (await stile.api('GET', '/signOnPolicies')).json._embedded.signOnPolicies
    const policy = policies.find(({ name }: { readonly name: string }) => name === elsewhere)
    const application = await newApplication(stile, firstParty)
    await assign(stile, application, { ...policy, actions: [] })
    const answer = await post({ client_id: application, ...begin })
    assert.deepEqual([answer.status, answer.json.error, answer.json.auth_session], [400, 'redirect_to_web', undefined])
  })

  test('an application that is not marked as first-party gets nothing, and begins nothing', async () => {
    const other = await newApplication(stile)
    const flows = (await rows(stile, 'flows')).length
    const answer = await post({ client_id: other, ...begin, ...(await newPerson(stile)) })
    assert.deepEqual([answer.status, answer.json.error], [400, 'unauthorized_client'])
    assert.equal((await rows(stile, 'flows')).length, flows)
    const { json } = await stile.api('GET', `/applications/${other}`)
    assert.equal(json.isFirstParty, undefined)
    assert.equal((await stile.api('GET', `/applications/${client}`)).json.isFirstParty, true)
  })

  test('J03: an auth_session is of its client, and nothing else reaches the flow', async () => {
    const person = await newPerson(stile)
    const { auth_session } = (await post({ client_id: client, ...begin })).json
    const flowId = Buffer.from(auth_session, 'base64url').toString().split('.')[0] ?? ''
    const forged = Buffer.from(`${flowId}.${randomUUID()}`).toString('base64url')
    for (const parameters of [
      { client_id: recovering, auth_session },
      { auth_session: forged },
      { auth_session: flowId },
      { auth_session: 'x' },
      { auth_session: `${auth_session}AA` },
    ]) {
      const answer = await post({ ...parameters, ...person })
      assert.deepEqual([answer.status, answer.json.error], [400, 'invalid_session'], JSON.stringify(parameters))
    }
    assert.equal((await stile.send(`/${stile.environmentId}/flows/${flowId}`)).status, 404)
    assert.equal((await post({ auth_session, ...person })).status, 200, 'the flow is as it was')
    assert.equal((await post({ auth_session, ...person })).json.error, 'invalid_session')
  })

  test('a client that is not let in is recorded, as at the token endpoint', async () => {
    const confidential = await newApplication(stile, {
      ...firstParty,
      tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
    })
    const secret = `CANARY-${randomUUID()}`
    const failures = async () => {
      await stile.node.kernel.volumeEvents.flush()
      return rows(stile, 'events', "action = 'CLIENT_AUTHENTICATION.FAILED'")
    }
    const before = (await failures()).length
    for (const clientId of [confidential, 'no client id']) {
      const refused = await post(begin, { authorization: basic(clientId, secret) })
      assert.deepEqual([refused.status, refused.json.error], [401, 'invalid_client'])
    }
    await post({ client_id: client, ...begin })
    const recorded = (await failures()).slice(before)
    assert.deepEqual(
      new Set(recorded.map((row) => Object(row).actor_client_id)),
      new Set([confidential, null]),
      'what is no client id is not kept',
    )
    assert.equal(recorded.length, 2)
    assert.ok(!JSON.stringify(recorded).includes(secret))
  })

  test('a confidential client authenticates each time', async () => {
    const application = await newApplication(stile, {
      ...firstParty,
      type: 'WEB_APP',
      tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
      pkceEnforcement: 'OPTIONAL',
    })
    const { secret } = (await stile.api('GET', `/applications/${application}/secret`)).json
    const authorization = basic(application, secret)
    const first = await post({ scope: 'openid' }, { authorization })
    assert.equal(first.json.error, 'insufficient_authorization', first.text)
    const { auth_session } = first.json
    const person = await newPerson(stile)
    const without = await post({ auth_session, ...person })
    assert.deepEqual([without.status, without.json.error], [401, 'invalid_client'])
    assert.equal((await post({ auth_session, ...person }, { authorization })).status, 200)
  })

  test('requests that are none are refused: repetition, no PKCE, an unknown action, a scope nobody granted', async () => {
    const twice = `client_id=${client}&client_id=${client}`
    const repeated = await stile.send(`/${stile.environmentId}/as/authorization_challenge`, {
      body: new URLSearchParams(twice),
    })
    assert.equal(repeated.json.error, 'invalid_request')
    assert.equal((await post({ client_id: client, scope: 'openid' })).json.error, 'invalid_request')
    assert.equal((await post({ client_id: client, ...begin, action: 'root' })).json.error, 'invalid_request')
    assert.equal((await post({ client_id: client, ...begin, prompt: 'none' })).json.error, 'invalid_request')
    assert.equal((await post({ ...begin })).json.error, 'invalid_client')
  })

  test('K02: the guesses are those of the flow, whatever the door', async () => {
    const person = await newPerson(stile)
    let answer = await post({ client_id: client, ...begin })
    for (let guess = 0; guess < 5; guess++) {
      answer = await post({ auth_session: answer.json.auth_session, username: person.username, password: 'wrong' })
    }
    const locked = await post({ client_id: client, ...begin, ...person })
    assert.equal(locked.json.details[0].code, 'PASSWORD_LOCKED_OUT', locked.text)
  })

  test('9.1, B21: a session that began with a key goes on with that key alone, and so does the code', async () => {
    const person = await newPerson(stile)
    const path = `/${stile.environmentId}/as/authorization_challenge`
    const key = clientKey('ES256')
    const by = async (signer = key, more: object = {}) => ({ dpop: await proofOf(stile, signer, { path, ...more }) })
    const credentials = { username: person.username, password: person.password }
    const refused = (answer: Answer) =>
      assert.deepEqual([answer.status, answer.json.error], [400, 'invalid_dpop_proof'])

    const named = { dpop_jkt: await thumbprintOf(key) }
    for (const [parameters, headers] of [
      [{}, await by()],
      [named, {}],
      [named, await by()],
    ] as const) {
      const { auth_session } = (await post({ client_id: client, ...begin, ...parameters }, headers)).json
      refused(await post({ auth_session, ...credentials }))
      refused(await post({ auth_session, ...credentials }, await by(clientKey('ES256'))))
      refused(await post({ auth_session, ...credentials }, await by(key, { path: `/${stile.environmentId}/as/token` })))
      const proof = await by()
      const wrong = await post({ auth_session, ...credentials, password: 'wrong' }, proof)
      assert.equal(wrong.json.error, 'insufficient_authorization', wrong.text)
      refused(await post({ auth_session, ...credentials }, proof))
      const done = await post({ auth_session, ...credentials }, await by())
      const code = String(done.json.authorization_code)
      const stolen = await redeem(stile, code, verifier, client)
      assert.equal(stolen.json.error, 'invalid_grant')
      const body = new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        client_id: client,
      })
      const headersOfToken = { dpop: await proofOf(stile, key) }
      const tokens = await stile.send(`/${stile.environmentId}/as/token`, { body, headers: headersOfToken })
      assert.equal(tokens.json.token_type, 'DPoP', tokens.text)
    }
    refused(await post({ client_id: client, ...begin, ...named }, await by(clientKey('ES256'))))
    const proof = await by()
    assert.equal((await post({ client_id: client, ...begin }, proof)).json.error, 'insufficient_authorization')
    refused(await post({ client_id: client, ...begin }, proof))
  })

  test('the metadata name it', async () => {
    const { json } = await stile.send(`/${stile.environmentId}/as/.well-known/openid-configuration`)
    assert.equal(json.authorization_challenge_endpoint, `${json.issuer}/authorization_challenge`)
  })
})

function challenge(
  stile: Stile,
  { id: _, deviceId: __, ...parameters }: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const body = new URLSearchParams(parameters)
  return stile.send(`/${stile.environmentId}/as/authorization_challenge`, { body, headers })
}

function races(engine: string, start: () => Promise<{ nodes: readonly Stile[]; stop: () => Promise<void> }>): void {
  test(`J08, J10: of twenty requests with one auth_session one gets a code, ${engine}`, async (context) => {
    const { nodes, stop } = await start()
    context.after(stop)
    const [stile] = nodes as [Stile]
    const client = await newApplication(stile, firstParty)
    const person: Person = await newPerson(stile)
    const begin = {
      client_id: client,
      scope: 'openid',
      code_challenge: pkce().challenge,
      code_challenge_method: 'S256',
    }
    const { auth_session } = (await challenge(stile, begin)).json
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => challenge(nodes[at % nodes.length] as Stile, { auth_session, ...person })),
    )
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    assert.equal((await rows(stile, 'sessions', 'user_id = $2', person.id)).length, 1)
  })
}

races('embedded engine', async () => {
  const stile = await startStile()
  return { nodes: [stile], stop: () => stile.close() }
})

const cluster = await startPostgres()
if ('missing' in cluster) test('J08, J10, PostgreSQL', (context) => absent(context, cluster.missing))
else {
  races('PostgreSQL', async () => {
    const databaseUrl = await createDemoDatabase(cluster)
    const first = await startStile({ databaseUrl })
    const second = await startSecondNode(first, databaseUrl)
    const stop = async () => {
      await second.close()
      await first.close()
      await cluster.stop()
    }
    return { nodes: [first, second], stop }
  })
}
