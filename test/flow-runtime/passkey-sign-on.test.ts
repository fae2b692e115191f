/**
 * Signing on by a passkey alone, over HTTP (extension, D24): what browsers are asked for, what is accepted, once, from whom.
 * Rows J26, K07, K08, K14, L02, L22, L25, L27, L28. What it proves is in flow/actions/passkey.test.ts.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { update } from '../../src/storage/operations.ts'
import { testWorld, type TestWorld } from '../../src/world.ts'
import { sentMembers } from '../platform/members.ts'
import { type Said, SoftwareAuthenticator } from '../harness/software-authenticator.ts'
import { Browser, piFlowRequest, pkce, redeem } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  addPasskey,
  assign,
  begin,
  bodyOf,
  codeSentTo,
  addressOf,
  enable,
  enableMfa,
  newApplication,
  newPerson,
  newPolicy,
  type Person,
  rows,
  saidTo,
  signature,
  stateOf,
} from './arrange.ts'
import { watchStorage } from './watch-storage.ts'

const passkeys = { enabled: true }
const redirect = 'https://app.example.com/callback'

suite('a passkey alone', () => {
  let stile: Stile
  let world: TestWorld
  /** Applications by what their policy begins with. */
  let clients: Readonly<Record<'login' | 'nameFirst' | 'passwordAfter' | 'named' | 'both' | 'verifying', string>>

  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    const login = { type: 'LOGIN', passkeys } as const
    const nameFirst = { type: 'IDENTIFIER_FIRST', passkeys } as const
    const clientOf = async (...actions: Parameters<typeof newPolicy>[1][]) => {
      const client = await newApplication(stile)
      await assign(stile, client, await newPolicy(stile, ...actions))
      return client
    }
    clients = {
      login: await clientOf(login),
      nameFirst: await clientOf(nameFirst, login),
      passwordAfter: await clientOf(nameFirst, { type: 'LOGIN' }),
      named: await clientOf({ type: 'IDENTIFIER_FIRST' }, login),
      both: await clientOf(login, { type: 'MULTI_FACTOR_AUTHENTICATION' }),
      verifying: await clientOf(login),
    }
  })
  after(() => stile.close())

  /** Somebody with a passkey; MFA is not switched on for them any more. */
  async function personWithPasskey(options: Parameters<typeof newPerson>[1] = {}, passkey?: SoftwareAuthenticator) {
    const person = await newPerson(stile, options)
    await enableMfa(stile, person)
    const added = await addPasskey(stile, person, passkey)
    await stile.api('PUT', `/users/${person.id}/mfaEnabled`, { mfaEnabled: false })
    return { person, ...added }
  }

  async function wait(milliseconds: number): Promise<void> {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }

  /** Begins a flow, and says what the browser is asked for. */
  async function ask(client: string = clients.login, more: Readonly<Record<string, string>> = {}) {
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: client, ...more })
    return { browser, flowId, options: await optionsOf(browser, flowId) }
  }

  async function optionsOf(browser: Browser, flowId: string): Promise<string> {
    const { publicKeyCredentialRequestOptions } = (await browser.flow(flowId)).json
    assert.ok(publicKeyCredentialRequestOptions)
    return publicKeyCredentialRequestOptions
  }

  const check = (browser: Browser, flowId: string, assertion: string, origin = stile.authUrl) =>
    browser.act(flowId, 'assertion.check', { origin, assertion, compatibility: 'FULL' })

  /** What a passkey answers: it names the user it was made for. */
  const sign = (passkey: SoftwareAuthenticator, { id }: Pick<Person, 'id'>, options: string, lie: Partial<Said> = {}) =>
    signature(stile, passkey, options, { userHandle: id, ...lie })

  /** What a refusal tells, and nothing that is of this request alone. */
  const told = ({ status, json }: Answer) => ({ status, code: json.code, details: json.details })
  const refusal = {
    status: 400,
    code: 'INVALID_DATA',
    details: [{ code: 'INVALID_VALUE', target: 'assertion', message: 'The assertion is not valid.' }],
  }

  test('signs on in either first status; session and tokens say what happened', async () => {
    for (const client of [clients.login, clients.nameFirst, clients.both]) {
      const { person, passkey } = await personWithPasskey()
      const browser = new Browser(stile)
      const { verifier, challenge } = pkce()
      const { json } = await browser.authorize(
        piFlowRequest(stile, challenge, { client_id: client, redirect_uri: redirect }),
      )
      assert.ok('assertion.check' in json._links)
      const done = await check(browser, json.id, sign(passkey, person, json.publicKeyCredentialRequestOptions))
      assert.equal(done.json.status, 'COMPLETED', done.text)
      assert.equal(done.json._embedded.user.id, person.id)
      const { code } = (await browser.resume(json.id)).json.authorizeResponse
      const tokens = await redeem(stile, code, verifier, client, redirect)
      const claims = decodeJwt(tokens.json.id_token)
      assert.deepEqual([claims.sub, claims.amr], [person.id, ['pop', 'mfa']])
      const [session] = await rows<{ document: string }>(stile, 'sessions', 'user_id = $2', person.id)
      assert.deepEqual(Object.keys(JSON.parse(session?.document ?? '{}').lastSignOn.withAuthenticator), ['mfa'])
    }
  })

  test('J26, K14: browsers are asked for any passkey with its user verified, whoever was named', async () => {
    const { person } = await personWithPasskey()
    const shown = async (client: string, username?: string) => {
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'pi.flow', { client_id: client })
      if (username !== undefined) await browser.act(flowId, 'user.lookup', { username })
      const { json } = await browser.flow(flowId)
      const options = JSON.parse(json.publicKeyCredentialRequestOptions)
      return [{ ...options, challenge: [] }, Object.keys(json), json._embedded.user]
    }
    const [options, , user] = await shown(clients.login)
    assert.deepEqual(
      [options, user],
      [
        { challenge: [], timeout: 120_000, rpId: 'localhost', allowCredentials: [], userVerification: 'required' },
        undefined,
      ],
    )
    assert.deepEqual(await shown(clients.named, person.username), await shown(clients.named, 'nobody'))
  })

  test('D3: each time a flow is read there is a fresh challenge, and nothing is written', async () => {
    const { person, passkey } = await personWithPasskey()
    const { browser, flowId, options } = await ask()
    await wait(200_000)
    const watch = watchStorage(stile.node.kernel)
    const later = await optionsOf(browser, flowId)
    assert.deepEqual(watch.commits, [])
    watch.stop()
    assert.notEqual(later, options)
    await wait(100_001)
    assert.deepEqual(told(await check(browser, flowId, sign(passkey, person, options))), refusal, 'L22: five minutes')
    await wait(199_999)
    const done = await check(browser, flowId, sign(passkey, person, later))
    assert.equal(done.json.status, 'COMPLETED', done.text)
  })

  test('L22: is good once: not again in its flow, not after session.reset, not in another flow', async () => {
    const uncounted = new SoftwareAuthenticator(undefined, false)
    const { person, passkey } = await personWithPasskey({}, uncounted)
    const { browser, flowId, options } = await ask(clients.passwordAfter)
    const answer = sign(passkey, person, options)
    const other = await ask(clients.passwordAfter)
    assert.deepEqual(told(await check(other.browser, other.flowId, answer)), refusal)

    assert.equal((await check(browser, flowId, answer)).json.status, 'PASSWORD_REQUIRED')
    assert.equal((await check(browser, flowId, answer)).json.code, 'INVALID_REQUEST')
    assert.equal((await browser.act(flowId, 'session.reset', {})).json.status, 'SIGN_ON_REQUIRED')
    assert.deepEqual(told(await check(browser, flowId, answer)), refusal)
    const again = await check(browser, flowId, sign(passkey, person, await optionsOf(browser, flowId)))
    assert.equal(again.json.status, 'PASSWORD_REQUIRED', again.text)

    const last = await ask()
    const once = sign(passkey, person, last.options)
    assert.equal((await check(last.browser, last.flowId, once)).json.status, 'COMPLETED')
    assert.equal((await check(last.browser, last.flowId, once)).json.code, 'INVALID_REQUEST')
  })

  test('L22: of twenty at once, one is taken, though the authenticator counts nothing', async () => {
    const { person, passkey } = await personWithPasskey({}, new SoftwareAuthenticator(undefined, false))
    const { browser, flowId, options } = await ask()
    const answer = sign(passkey, person, options)
    const all = await Promise.all(
      Array.from({ length: 20 }, () =>
        check(Object.assign(new Browser(stile), { cookie: browser.cookie }), flowId, answer),
      ),
    )
    assert.equal(all.filter(({ status }) => status === 200).length, 1)
    assert.equal((await rows(stile, 'sessions', 'user_id = $2', person.id)).length, 1)
  })

  test('L27: of copies that sign in several flows at once, one is taken', async () => {
    const { person, passkey } = await personWithPasskey()
    const flows = [await ask(), await ask(), await ask()]
    const answers = await Promise.all(
      flows.map(({ browser, flowId, options }) =>
        check(browser, flowId, sign(passkey, person, options, { counter: 7 })),
      ),
    )
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 400, 400])
  })

  test('L22: the challenges of a second factor and of a new device are others', async () => {
    const { person, passkey } = await personWithPasskey()
    await enableMfa(stile, person)
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: clients.both })
    const alone = await optionsOf(browser, flowId)
    const passed = await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    assert.equal(passed.json.status, 'ASSERTION_REQUIRED')
    assert.deepEqual(told(await check(browser, flowId, sign(passkey, person, alone))), refusal)
    const second = passed.json.publicKeyCredentialRequestOptions
    const { browser: other, flowId: otherId } = await ask()
    assert.deepEqual(told(await check(other, otherId, sign(passkey, person, second))), refusal)
    const { json } = await stile.api('POST', `/users/${person.id}/devices`, { type: 'FIDO2' })
    const made = passkey.assert({
      ...saidTo(stile, json.publicKeyCredentialCreationOptions),
      userHandle: person.id,
    })
    assert.deepEqual(told(await check(other, otherId, made)), refusal)
  })

  test('L22-L28: whatever is wrong with an answer, it is refused in the same words', async () => {
    const { person } = await personWithPasskey()
    const victim = await personWithPasskey()
    const lies: Readonly<Record<string, Partial<Said>>> = {
      'L28: no user handle': { userHandle: '' },
      'L28: the handle of somebody else': { userHandle: person.id },
      'L25: nobody verified': { isVerified: false },
      'L25: nobody present': { isPresent: false },
      'L23: another page': { origin: 'https://evil.example' },
      'L23: an embedded page': { more: { crossOrigin: true } },
      'L24: another relying party': { rpId: 'evil.example' },
      'L22: a made-up challenge': { challenge: Buffer.alloc(38, 1).toString('base64url') },
      'L22: a short challenge': { challenge: 'AAAA' },
    }
    for (const [what, lie] of Object.entries(lies)) {
      const { browser, flowId, options } = await ask()
      const answer = sign(victim.passkey, victim.person, options, lie)
      assert.deepEqual(told(await check(browser, flowId, answer)), refusal, what)
      const right = sign(victim.passkey, victim.person, options)
      assert.equal((await check(browser, flowId, right)).json.status, 'COMPLETED', 'and then it is right')
    }
    const { browser, flowId, options } = await ask()
    const unknown = new SoftwareAuthenticator()
    assert.deepEqual(told(await check(browser, flowId, sign(unknown, victim.person, options))), refusal, 'K14: unknown')
    const forged = new SoftwareAuthenticator(victim.passkey.credentialId)
    assert.deepEqual(told(await check(browser, flowId, sign(forged, victim.person, options))), refusal, 'L26')
    const right = sign(victim.passkey, victim.person, options)
    assert.deepEqual(told(await check(browser, flowId, right, 'https://evil.example')), refusal, 'L23')
    assert.deepEqual(told(await check(browser, flowId, '{}')), refusal)
    assert.deepEqual(told(await check(browser, flowId, right.replaceAll('"id":"', '"id":"\\u0000'))), refusal)
    assert.equal((await stateOf(stile, flowId)).status, 'USERNAME_PASSWORD_REQUIRED')
  })

  test('L28: a credential of another environment is unknown', async () => {
    const { person, passkey } = await personWithPasskey()
    const key = {
      environment_id: stile.environmentId,
      credential_id: passkey.credentialId.toString('base64url'),
    }
    await stile.node.kernel.storage.commit({
      name: 'test.move-credential',
      *run() {
        yield* update('fido2_credentials', key, { environment_id: randomUUID() })
      },
    })
    const { browser, flowId, options } = await ask()
    assert.deepEqual(told(await check(browser, flowId, sign(passkey, person, options))), refusal)
  })

  test('L25: the user is verified, whatever the FIDO2 policy asks of second factors', async () => {
    const { json } = await stile.api('GET', '/fido2Policies')
    const [standard] = json._embedded.fido2Policies.filter((each: { default: boolean }) => each.default)
    const lenient = { option: 'PREFERRED', enforceDuringAuthentication: false }
    const { person, passkey } = await personWithPasskey()
    const path = `/fido2Policies/${standard.id}`
    const sent = sentMembers({ ...standard, deviceAuthenticationPolicies: undefined })
    const changed = await stile.api('PUT', path, { ...sent, userVerification: lenient })
    assert.equal(changed.status, 200, changed.text)
    await stile.node.kernel.environments.poll()
    const { browser, flowId, options } = await ask()
    assert.equal(JSON.parse(options).userVerification, 'required')
    const unverified = sign(passkey, person, options, { isVerified: false })
    assert.deepEqual(told(await check(browser, flowId, unverified)), refusal)
    await stile.api('PUT', path, sent)
    await stile.node.kernel.environments.poll()
  })

  test('L02: nobody signs on by a device that is blocked or gone, or who may not sign on', async () => {
    const refused = async (change: (person: Person, deviceId: string) => Promise<unknown>) => {
      const { person, passkey, deviceId } = await personWithPasskey()
      const { browser, flowId, options } = await ask()
      await change(person, deviceId)
      return told(await check(browser, flowId, sign(passkey, person, options)))
    }
    const block = { mediaType: 'application/vnd.pingidentity.device.block+json' }
    const ways: readonly ((person: Person, deviceId: string) => Promise<unknown>)[] = [
      ({ id }, deviceId) => stile.api('POST', `/users/${id}/devices/${deviceId}`, {}, block),
      ({ id }, deviceId) => stile.api('DELETE', `/users/${id}/devices/${deviceId}`),
      (person) => enable(stile, person, false),
      ({ id }) =>
        stile.api('POST', `/users/${id}`, {}, { mediaType: 'application/vnd.pingidentity.account.lock+json' }),
      ({ id }) => stile.api('DELETE', `/users/${id}`),
    ]
    for (const way of ways) assert.deepEqual(await refused(way), refusal)
  })

  test('K14, D6: unknown, wrong and barred take the same steps', async () => {
    const { person, passkey } = await personWithPasskey()
    const barred = await personWithPasskey()
    await enable(stile, barred.person, false)
    const steps = async (answer: (options: string) => string) => {
      const { browser, flowId, options } = await ask()
      const sent = answer(options)
      const watch = watchStorage(stile.node.kernel)
      assert.deepEqual(told(await check(browser, flowId, sent)), refusal)
      watch.stop()
      return [watch.reads, watch.commits]
    }
    const unknown = await steps((options) => sign(new SoftwareAuthenticator(), person, options))
    const forger = new SoftwareAuthenticator(passkey.credentialId)
    assert.deepEqual(await steps((options) => sign(forger, person, options)), unknown)
    assert.deepEqual(await steps((options) => sign(barred.passkey, barred.person, options)), unknown)
  })

  test('tries are counted for the owner of the credential, and for one that nobody has, across flows', async () => {
    const { person, passkey } = await personWithPasskey()
    const forger = new SoftwareAuthenticator(passkey.credentialId)
    const unknown = new SoftwareAuthenticator()
    const tried = async (by: SoftwareAuthenticator) => {
      const { browser, flowId, options } = await ask()
      const { status, json } = await check(browser, flowId, sign(by, person, options))
      return [status, json.details?.[0].code ?? json.status]
    }
    for (const by of [forger, unknown]) {
      for (const _ of [1, 2, 3]) assert.deepEqual(await tried(by), [400, 'INVALID_VALUE'])
      assert.deepEqual(await tried(by), [400, 'LIMIT_EXCEEDED'])
    }
    assert.deepEqual(await tried(passkey), [400, 'LIMIT_EXCEEDED'], 'the right one is not looked at')
    await wait(120_001)
    assert.deepEqual(await tried(passkey), [200, 'COMPLETED'])
    assert.deepEqual(await rows(stile, 'limits', "subject = $2 AND kind = 'passkey'", person.id), [])
  })

  test('K07: wrong passwords and passcodes shut nobody out who has one', async () => {
    const { person, passkey } = await personWithPasskey()
    const { browser, flowId, options } = await ask()
    for (let count = 0; count < 6; count++) {
      await browser.act(flowId, 'usernamePassword.check', { username: person.username, password: 'wrong' })
    }
    const right = await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    assert.equal(right.json.details[0].code, 'PASSWORD_LOCKED_OUT')
    assert.equal((await check(browser, flowId, sign(passkey, person, options))).json.status, 'COMPLETED')
  })

  test('once somebody is named it has to be theirs, and nobody can tell whether there is one', async () => {
    const { person, passkey } = await personWithPasskey()
    const other = await personWithPasskey()
    const named = async (username: string) => {
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'pi.flow', { client_id: clients.named })
      await browser.act(flowId, 'user.lookup', { username })
      return { browser, flowId, options: await optionsOf(browser, flowId) }
    }
    for (const username of [person.username, 'nobody']) {
      const { browser, flowId, options } = await named(username)
      assert.deepEqual(told(await check(browser, flowId, sign(other.passkey, other.person, options))), refusal)
    }
    const { browser, flowId, options } = await named(person.username)
    assert.equal((await check(browser, flowId, sign(passkey, person, options))).json.status, 'COMPLETED')

    const again = await begin(browser, 'pi.flow', { client_id: clients.login, max_age: '0' })
    const fresh = await optionsOf(browser, again)
    assert.equal((await stateOf(stile, again)).status, 'PASSWORD_REQUIRED')
    assert.deepEqual(told(await check(browser, again, sign(other.passkey, other.person, fresh))), refusal)
    assert.equal((await check(browser, again, sign(passkey, person, fresh))).json.status, 'COMPLETED')
  })

  test('a password that must be changed does not stand in its way; an address to be verified does (J20)', async () => {
    const { person, passkey } = await personWithPasskey({ forceChange: true })
    const first = await ask()
    assert.equal((await check(first.browser, first.flowId, sign(passkey, person, first.options))).status, 200)
    await stile.node.kernel.storage.commit({
      name: 'test.require-verification',
      *run() {
        yield* update('users', { environment_id: stile.environmentId, id: person.id }, { verification_required: 1 })
      },
    })
    const { browser, flowId, options } = await ask(clients.verifying)
    const waiting = await check(browser, flowId, sign(passkey, person, options))
    assert.equal(waiting.json.status, 'VERIFICATION_CODE_REQUIRED', waiting.text)
    assert.ok(!('publicKeyCredentialRequestOptions' in waiting.json))
    const verificationCode = await codeSentTo(stile, addressOf(person))
    assert.equal((await browser.act(flowId, 'user.verify', { verificationCode })).json.status, 'COMPLETED')
  })

  test('a page that does not offer one takes none', async () => {
    const { person, passkey } = await personWithPasskey()
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'redirect')
    const page = `/${stile.environmentId}/signon/?flowId=${flowId}`
    for (const view of ['', '&view=passkey']) assert.doesNotMatch((await browser.send(page + view)).text, /passkey/)
    const { options } = await ask()
    const form = { action: 'assertion.check', origin: stile.authUrl, assertion: sign(passkey, person, options) }
    const headers = { origin: stile.authUrl }
    const posted = await browser.send(page, { body: new URLSearchParams(form), headers })
    assert.equal(posted.status, 303)
    assert.equal((await stateOf(stile, flowId)).user, null)
  })
})

test('K08: wrong answers are counted for the network address with wrong passwords; right ones are not', async () => {
  const world = testWorld()
  const stile = await startStile({ world, environment: { STILE_ADDRESS_LIMIT_PASSWORD: '3/300' } })
  try {
    const client = await newApplication(stile)
    await assign(stile, client, await newPolicy(stile, { type: 'LOGIN', passkeys }))
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    const { passkey } = await addPasskey(stile, person)
    const tried = async (by: SoftwareAuthenticator) => {
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'pi.flow', { client_id: client })
      const { publicKeyCredentialRequestOptions } = (await browser.flow(flowId)).json
      const assertion = signature(stile, by, publicKeyCredentialRequestOptions, { userHandle: person.id })
      return browser.act(flowId, 'assertion.check', { origin: stile.authUrl, assertion })
    }
    for (let count = 0; count < 5; count++) assert.equal((await tried(passkey)).status, 200)
    for (let count = 0; count < 3; count++) assert.equal((await tried(new SoftwareAuthenticator())).status, 400)
    const limited = await tried(passkey)
    assert.deepEqual([limited.status, Number(limited.headers.get('retry-after')) > 0], [429, true])
    world.advance(300_001)
    await stile.node.kernel.environments.poll()
    assert.equal((await tried(passkey)).status, 200)
  } finally {
    await stile.close()
  }
})
