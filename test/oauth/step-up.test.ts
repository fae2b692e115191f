/**
 * Step-up: a request that wants more than the browser's session shows asks for what is missing, and its tokens say so.
 * RFC 9470 section 4, OpenID Connect Core 3.1.2.1, authentication-api 2.3, 5.6; rows L07, L08, L09, A31, I02. And the two
 * ends of a session's life (decision D4). One node, whose clock the tests move.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt, type JWTPayload } from 'jose'
import { type TestWorld, testWorld } from '../../src/world.ts'
import {
  addEmailDevice,
  addressOf,
  assign,
  codeSentTo,
  enableMfa,
  newApplication,
  newPerson,
  newPolicy,
  type Person,
  type Policy,
} from '../flow-runtime/arrange.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'

suite('step-up', () => {
  let world: TestWorld
  let stile: Stile
  let clientId: string
  /** Asks for a password once a year. */
  let lasting: Policy
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    clientId = await newApplication(stile)
    const policies = (await stile.api('GET', '/signOnPolicies')).json._embedded.signOnPolicies as readonly Policy[]
    const bootstrapped = ['Single_Factor', 'Multi_Factor'].map((name) => {
      const policy = policies.find((candidate) => candidate.name === name)
      assert.ok(policy)
      return policy
    })
    lasting = await newPolicy(stile, {
      type: 'LOGIN',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: PingOne's own notation
      condition: { secondsSince: '${session.lastSignOn.withAuthenticator.pwd.at}', greater: 365 * 86_400 },
    })
    await assign(stile, clientId, ...bootstrapped, lasting)
  })
  after(() => stile.close())

  /** A person whose passcodes come by e-mail: an authenticator app would not follow the clock of the test. */
  async function newPersonWithDevice(): Promise<Person & { readonly deviceId: string }> {
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    return { ...person, deviceId: await addEmailDevice(stile, person) }
  }

  async function pass(seconds: number): Promise<void> {
    world.advance(seconds * 1000)
    await stile.node.kernel.environments.poll()
  }

  interface Asked {
    readonly answer: Answer
    readonly verifier: string
  }

  async function ask(browser: Browser, more: Readonly<Record<string, string>>): Promise<Asked> {
    const { verifier, challenge } = pkce()
    const request = { ...piFlowRequest(stile, challenge, more), client_id: clientId }
    return { answer: await browser.authorize(request), verifier }
  }

  async function claimsOf(code: string, verifier: string): Promise<{ id: JWTPayload; access: JWTPayload }> {
    const body = { grant_type: 'authorization_code', code, code_verifier: verifier, client_id: clientId }
    const answer = await stile.send(`/${stile.environmentId}/as/token`, { body: new URLSearchParams(body) })
    assert.equal(answer.status, 200, answer.text)
    return { id: decodeJwt(answer.json.id_token), access: decodeJwt(answer.json.access_token) }
  }

  async function finish(browser: Browser, { answer, verifier }: Asked) {
    const resumed = await browser.resume(answer.json.id)
    assert.equal(resumed.status, 200, resumed.text)
    return claimsOf(resumed.json.authorizeResponse.code, verifier)
  }

  const checkPassword = ({ username, password }: Person) => ({ username, password })

  /** A browser whose session shows a password and nothing else. */
  async function singleFactor(person: Person) {
    const browser = new Browser(stile)
    const asked = await ask(browser, { acr_values: 'Single_Factor' })
    const checked = await browser.act(asked.answer.json.id, 'usernamePassword.check', checkPassword(person))
    assert.equal(checked.json.status, 'COMPLETED', checked.text)
    return { browser, claims: await finish(browser, asked) }
  }

  test('L07, L08: acr_values over a session of one factor asks for the second alone, and the tokens say both', async () => {
    const person = await newPersonWithDevice()
    const { browser, claims: before } = await singleFactor(person)
    assert.deepEqual([before.id['acr'], before.id['amr']], ['Single_Factor', ['pwd']])
    const cookie = browser.cookie
    await pass(120)

    const silent = await ask(browser, { acr_values: 'Multi_Factor', prompt: 'none' })
    assert.equal(silent.answer.json.details[0].code, 'LOGIN_REQUIRED', silent.answer.text)

    const asked = await ask(browser, { acr_values: 'Multi_Factor' })
    assert.equal(asked.answer.json.status, 'OTP_REQUIRED', asked.answer.text)
    const otp = await codeSentTo(stile, addressOf(person))
    const early = await browser.resume(asked.answer.json.id)
    assert.equal(early.json.authorizeResponse, undefined, early.text)
    const checked = await browser.act(asked.answer.json.id, 'otp.check', { otp })
    assert.equal(checked.json.status, 'COMPLETED', checked.text)
    const { id, access } = await finish(browser, asked)
    assert.deepEqual([id['acr'], id['amr']], ['Multi_Factor', ['pwd', 'otp', 'mfa']])
    const now = Math.floor(world.now() / 1000)
    assert.deepEqual([id['auth_time'], access['auth_time'], access['acr']], [now, now, 'Multi_Factor'])
    assert.equal(id['sid'], before.id['sid'])
    assert.notEqual(browser.cookie, cookie, 'I02: the cookie is replaced at a step-up')

    const { json } = await stile.api('GET', `/users/${person.id}/sessions/${String(id['sid'])}`)
    assert.deepEqual(json.lastSignOn.authenticators, ['pwd', 'mfa'])
    const { pwd, mfa } = json.lastSignOn.withAuthenticator
    assert.equal(Date.parse(mfa.at) - Date.parse(pwd.at), 120_000)
  })

  test('L09: a step-up is not satisfied by the factor of somebody else', async () => {
    const [person, other] = [await newPersonWithDevice(), await newPersonWithDevice()]
    const { browser } = await singleFactor(person)
    const asked = await ask(browser, { acr_values: 'Multi_Factor' })
    const theirs = await ask((await singleFactor(other)).browser, { acr_values: 'Multi_Factor' })
    assert.equal(theirs.answer.json.status, 'OTP_REQUIRED')
    const otp = await codeSentTo(stile, addressOf(other))
    // Once in a million both are sent the same passcode, which then is the person's own.
    if (otp === (await codeSentTo(stile, addressOf(person)))) return
    const refused = await browser.act(asked.answer.json.id, 'otp.check', { otp })
    assert.equal(refused.status, 400, refused.text)
    const selected = await browser.act(asked.answer.json.id, 'device.select', { device: { id: other.deviceId } })
    assert.equal(selected.status, 400, selected.text)
    assert.equal((await browser.resume(asked.answer.json.id)).json.authorizeResponse, undefined)
  })

  test('A31: max_age over a sign-on that is too old asks for the password once more, and auth_time is fresh', async () => {
    const person = await newPersonWithDevice()
    const { browser, claims } = await singleFactor(person)
    await pass(600)
    const recent = await ask(browser, { acr_values: 'Single_Factor', max_age: '900' })
    assert.equal(recent.answer.json.status, 'COMPLETED', recent.answer.text)
    const old = await claimsOf(recent.answer.json.authorizeResponse.code, recent.verifier)
    assert.equal(old.id['auth_time'], claims.id['auth_time'])
    const asked = await ask(browser, { acr_values: 'Single_Factor', max_age: '300' })
    assert.equal(asked.answer.json.status, 'PASSWORD_REQUIRED', asked.answer.text)
    const checked = await browser.act(asked.answer.json.id, 'usernamePassword.check', checkPassword(person))
    assert.equal(checked.json.status, 'COMPLETED', checked.text)
    const { id } = await finish(browser, asked)
    assert.deepEqual([id['auth_time'], id['sid']], [Math.floor(world.now() / 1000), claims.id['sid']])
  })

  suite('the life of a session (D4)', () => {
    const day = 86_400
    const isSignedOn = async (browser: Browser) => {
      const { answer } = await ask(browser, { acr_values: lasting.name, prompt: 'none' })
      return answer.json.status === 'COMPLETED'
    }

    test('I19, D4: it ends after 30 days without use, and after 90 days however often it is used', async () => {
      const person = await newPerson(stile)
      const [{ browser: used }, { browser: idle }] = [await singleFactor(person), await singleFactor(person)]
      for (let days = 0; days < 75; days += 25) {
        await pass(25 * day)
        assert.equal(await isSignedOn(used), true, `after ${days + 25} days`)
        if (days === 25) assert.equal(await isSignedOn(idle), false)
      }
      await pass(15 * day - 60)
      assert.equal(await isSignedOn(used), true, 'a minute before its end')
      await pass(61)
      assert.equal(await isSignedOn(used), false)
    })
  })
})
