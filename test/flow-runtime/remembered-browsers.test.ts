/** Remembered browsers: a second factor is spared where a user has proved one before. Rows J25, L34. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { testWorld, type TestWorld } from '../../src/world.ts'
import { Browser, piFlowRequest, pkce, redeem } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  addEmailDevice,
  addPasskey,
  addressOf,
  assign,
  begin,
  bodyOf,
  codeSentTo,
  enableMfa,
  newApplication,
  newDevicePolicy,
  newPerson,
  newPolicy,
  type Person,
  rows,
  setPassword,
  signature,
  stateOf,
} from './arrange.ts'

/** A browser that keeps the cookie of a remembered browser as well. */
class RememberedBrowser extends Browser {
  remembered: string | undefined

  override async send(path: string, call: Parameters<Browser['send']>[1] = {}): Promise<Answer> {
    const cookie = [this.cookie, this.remembered].filter((each) => each !== undefined).join('; ')
    const answer = await this.stile.send(path, { ...call, headers: { ...(cookie ? { cookie } : {}), ...call.headers } })
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      if (pair.startsWith('ST=')) this.cookie = pair
      if (pair.startsWith('REMEMBERED=')) this.remembered = pair
    }
    return answer
  }

  /** The same browser after its sessions have ended. */
  again(): RememberedBrowser {
    const later = new RememberedBrowser(this.stile)
    later.remembered = this.remembered
    return later
  }
}

suite('J25, L34: a remembered browser', () => {
  let stile: Stile
  let world: TestWorld
  let client: string
  let plain: string
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    const web = { enabled: true, lifeTime: { duration: 30, timeUnit: 'MINUTES' } }
    client = await applicationWith({ rememberMe: { web } })
    plain = await applicationWith({})
  })
  after(() => stile.close())

  async function applicationWith(properties: object): Promise<string> {
    const deviceAuthenticationPolicy = { id: await newDevicePolicy(stile, properties) }
    const id = await newApplication(stile)
    const second = { type: 'MULTI_FACTOR_AUTHENTICATION', deviceAuthenticationPolicy }
    await assign(stile, id, await newPolicy(stile, { type: 'LOGIN' }, second))
    return id
  }

  async function wait(seconds: number): Promise<void> {
    world.advance(seconds * 1000)
    await stile.node.kernel.environments.poll()
  }

  async function personWithDevice(): Promise<Person & { readonly deviceId: string }> {
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    return { ...person, deviceId: await addEmailDevice(stile, person) }
  }

  async function pass(person: Person, browser = new RememberedBrowser(stile), clientId = client) {
    const flowId = await begin(browser, 'pi.flow', { client_id: clientId })
    const answer = await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    return { browser, flowId, answer, status: answer.json.status }
  }

  /** Signs on with both factors, and has the browser remembered. */
  async function remembered(person: Person) {
    const { browser, flowId, answer } = await pass(person)
    assert.deepEqual(answer.json.rememberMe, { lifeTime: { duration: 30, timeUnit: 'MINUTES' } })
    const otp = await codeSentTo(stile, addressOf(person))
    const done = await browser.act(flowId, 'otp.check', { otp, rememberMe: true })
    assert.equal(done.json.status, 'COMPLETED', done.text)
    assert.match(browser.remembered ?? '', /^REMEMBERED=[\w-]{43}$/)
    const set = done.headers.getSetCookie().find((line) => line.startsWith('REMEMBERED=')) ?? ''
    assert.match(set, new RegExp(`; Path=/${stile.environmentId}; Max-Age=34560000; HttpOnly; SameSite=Lax$`))
    return browser
  }

  test('asks for the password alone, for as long as the policy says; the tokens do not claim a second factor', async () => {
    const person = await personWithDevice()
    const browser = (await remembered(person)).again()
    const { verifier, challenge } = pkce()
    const redirect = 'https://app.example.com/callback'
    const started = await browser.authorize(
      piFlowRequest(stile, challenge, { client_id: client, redirect_uri: redirect }),
    )
    const flowId = started.json.id
    const done = await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    assert.equal(done.json.status, 'COMPLETED', done.text)
    assert.ok((await stateOf(stile, flowId)).trace.some(({ reason }) => reason === 'browser-remembered'))
    const { code } = (await browser.resume(flowId)).json.authorizeResponse
    const tokens = await redeem(stile, code, verifier, client, redirect)
    assert.deepEqual(decodeJwt(tokens.json.id_token).amr, ['pwd'])
    const [stored] = await rows<{ token_hash: string }>(stile, 'remembered_browsers', 'user_id = $2', person.id)
    assert.ok(stored && !browser.remembered?.includes(stored.token_hash))

    await wait(1800 - 10)
    assert.equal((await pass(person, browser.again())).status, 'COMPLETED')
    await wait(11)
    assert.equal((await pass(person, browser.again())).status, 'OTP_REQUIRED')
  })

  test('is not remembered unasked, nor by a wrong passcode, nor where the policy says no more of it', async () => {
    const person = await personWithDevice()
    const { browser, flowId } = await pass(person)
    assert.equal((await browser.act(flowId, 'otp.check', { otp: '000000x', rememberMe: true })).status, 400)
    const otp = await codeSentTo(stile, addressOf(person))
    assert.equal((await browser.act(flowId, 'otp.check', { otp })).json.status, 'COMPLETED')
    assert.equal(browser.remembered, undefined)
    assert.deepEqual(await rows(stile, 'remembered_browsers', 'user_id = $2', person.id), [])

    const elsewhere = await pass(person, new RememberedBrowser(stile), plain)
    assert.equal(elsewhere.answer.json.rememberMe, undefined)
    const sent = await codeSentTo(stile, addressOf(person))
    await elsewhere.browser.act(elsewhere.flowId, 'otp.check', { otp: sent, rememberMe: true })
    assert.equal(elsewhere.browser.remembered, undefined)

    const known = await remembered(person)
    assert.equal((await pass(person, known.again(), plain)).status, 'OTP_REQUIRED')
  })

  test('is of one user, though it may be remembered for several', async () => {
    const [one, two] = [await personWithDevice(), await personWithDevice()]
    const browser = await remembered(one)
    const second = await pass(two, browser.again())
    assert.equal(second.status, 'OTP_REQUIRED')
    const token = browser.remembered
    const otp = await codeSentTo(stile, addressOf(two))
    await second.browser.act(second.flowId, 'otp.check', { otp, rememberMe: true })
    assert.equal(second.browser.remembered, token)
    for (const person of [one, two]) assert.equal((await pass(person, second.browser.again())).status, 'COMPLETED')
  })

  test('counts for nothing with another cookie, with two, or with its hash', async () => {
    const person = await personWithDevice()
    const browser = await remembered(person)
    const [stored] = await rows<{ token_hash: string }>(stile, 'remembered_browsers', 'user_id = $2', person.id)
    const forged = [
      `REMEMBERED=${Buffer.alloc(32).toString('base64url')}`,
      `REMEMBERED=${stored?.token_hash}`,
      `${browser.remembered}; ${browser.remembered}`,
      `${browser.remembered}A`,
    ]
    for (const cookie of forged) {
      const other = browser.again()
      other.remembered = cookie
      assert.equal((await pass(person, other)).status, 'OTP_REQUIRED', cookie)
    }
  })

  test('I19, D20: what was spared by it is asked for after all, once the policy has stopped remembering', async () => {
    const person = await personWithDevice()
    const remember = { web: { enabled: true, lifeTime: { duration: 30, timeUnit: 'MINUTES' } } }
    const deviceAuthenticationPolicy = { id: await newDevicePolicy(stile, { rememberMe: remember }) }
    const clientId = await newApplication(stile)
    await assign(
      stile,
      clientId,
      await newPolicy(
        stile,
        { type: 'LOGIN' },
        { type: 'MULTI_FACTOR_AUTHENTICATION', deviceAuthenticationPolicy },
        {
          type: 'PROGRESSIVE_PROFILING',
          attributes: [{ name: 'nickname', required: true }],
          preventMultiplePromptsPerFlow: true,
          promptIntervalSeconds: 3600,
          promptText: 'Tell us.',
        },
      ),
    )
    const known = (await remembered(person)).again()
    const spared = await pass(person, known.again(), clientId)
    assert.ok((await stateOf(stile, spared.flowId)).trace.some(({ reason }) => reason === 'browser-remembered'))
    const path = `/deviceAuthenticationPolicies/${deviceAuthenticationPolicy.id}`
    const { json: policy } = await stile.api('GET', path)
    const stopped = await stile.api('PUT', path, {
      ...policy,
      rememberMe: { web: { ...remember.web, enabled: false } },
    })
    assert.equal(stopped.status, 200, stopped.text)
    await stile.node.kernel.environments.poll()
    const answer = await spared.browser.act(spared.flowId, 'user.update', bodyOf('user.update', person))
    assert.equal(answer.json.status, 'OTP_REQUIRED', answer.text)
    const otp = await codeSentTo(stile, addressOf(person))
    assert.equal((await spared.browser.act(spared.flowId, 'otp.check', { otp })).json.status, 'COMPLETED')
  })

  test('needs the password all the same: a name alone is asked for a passcode', async () => {
    const person = await personWithDevice()
    const browser = (await remembered(person)).again()
    const named = await newApplication(stile)
    const web = { enabled: true, lifeTime: { duration: 30, timeUnit: 'MINUTES' } }
    const deviceAuthenticationPolicy = { id: await newDevicePolicy(stile, { rememberMe: { web } }) }
    const second = { type: 'MULTI_FACTOR_AUTHENTICATION', deviceAuthenticationPolicy }
    await assign(stile, named, await newPolicy(stile, { type: 'IDENTIFIER_FIRST' }, second))
    const flowId = await begin(browser, 'pi.flow', { client_id: named })
    const answer = await browser.act(flowId, 'user.lookup', { username: person.username })
    assert.equal(answer.json.status, 'OTP_REQUIRED', answer.text)
  })

  const vendor = (name: string) => ({ mediaType: `application/vnd.pingidentity.${name}+json` })
  const changes: Readonly<Record<string, (person: Person & { readonly deviceId: string }) => Promise<unknown>>> = {
    'the password was set': (person) => setPassword(stile, person, { forceChange: false }),
    'a device was removed': async (person) => {
      await addPasskey(stile, person)
      await stile.api('DELETE', `/users/${person.id}/devices/${person.deviceId}`)
    },
    'a device was blocked': async (person) => {
      await addPasskey(stile, person)
      await stile.api('POST', `/users/${person.id}/devices/${person.deviceId}`, {}, vendor('device.block'))
    },
    'MFA was switched off and on': async (person) => {
      await stile.api('PUT', `/users/${person.id}/mfaEnabled`, { mfaEnabled: false })
      await enableMfa(stile, person)
    },
  }
  for (const [what, change] of Object.entries(changes)) {
    test(`is forgotten once ${what}`, async () => {
      const person = await personWithDevice()
      const browser = await remembered(person)
      await change(person)
      const { status } = await pass(person, browser.again())
      assert.ok(['OTP_REQUIRED', 'ASSERTION_REQUIRED'].includes(status), status)
      assert.deepEqual(await rows(stile, 'remembered_browsers', 'user_id = $2', person.id), [])
    })
  }

  test('is remembered by a passkey as well, and by the form of the page', async () => {
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    const { passkey } = await addPasskey(stile, person)
    const { browser, flowId, answer } = await pass(person)
    const assertion = signature(stile, passkey, answer.json.publicKeyCredentialRequestOptions)
    const page = `/${stile.environmentId}/signon/?flowId=${flowId}`
    assert.match((await browser.send(page)).text, /name="rememberMe" value="true"/)
    const fields = { action: 'assertion.check', origin: stile.authUrl, assertion, rememberMe: 'true' }
    const sent = await browser.send(page, { body: new URLSearchParams(fields), headers: { origin: stile.authUrl } })
    assert.equal(sent.status, 303, sent.text)
    assert.equal((await pass(person, browser.again())).status, 'COMPLETED')
  })
})
