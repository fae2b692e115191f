/**
 * FIDO2 devices over HTTP: made, activated, used as a second factor. platform-api 3.14.4, 3.14.5, authentication-api 3.4,
 * 4.2 `assertion.check`; rows J26, L02, L22, L23, L27-L29. What an answer has to prove is in directory/fido2.test.ts.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { sentMembers } from '../platform/members.ts'
import { testWorld, type TestWorld } from '../../src/world.ts'
import { SoftwareAuthenticator } from '../harness/software-authenticator.ts'
import { Browser, piFlowRequest, pkce, redeem } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import {
  activate,
  addEmailDevice,
  addPasskey,
  addTotpDevice,
  assign,
  begin,
  bodyOf,
  enableMfa,
  newApplication,
  newDevicePolicy,
  newPerson,
  newPolicy,
  type Person,
  rows,
  saidTo,
  signature,
  stateOf,
} from './arrange.ts'

suite('a passkey', () => {
  let stile: Stile
  let world: TestWorld
  let client: string
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    client = await newApplication(stile)
    await assign(stile, client, await newPolicy(stile, { type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }))
  })
  after(() => stile.close())

  async function personWithPasskey() {
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    return { person, ...(await addPasskey(stile, person)) }
  }

  async function wait(milliseconds: number): Promise<void> {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }

  /** Signs a person on with their password. */
  async function pass(person: Person, more: Readonly<Record<string, string>> = { client_id: client }) {
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', more)
    const answer = await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    assert.equal(answer.status, 200, answer.text)
    return { browser, flowId, answer }
  }

  const check = (browser: Browser, flowId: string, assertion: string, origin = stile.authUrl) =>
    browser.act(flowId, 'assertion.check', { origin, assertion, compatibility: 'FULL' })

  test('completes the flow; session and tokens say what happened', async () => {
    const { person, passkey, deviceId } = await personWithPasskey()
    const { verifier, challenge } = pkce()
    const redirect = 'https://app.example.com/callback'
    const request = piFlowRequest(stile, challenge, { client_id: client, redirect_uri: redirect })
    const { browser, flowId, answer } = await pass(person, request)
    assert.deepEqual(
      [answer.json.status, answer.json.selectedDevice.id, answer.json._embedded.devices[0].type],
      ['ASSERTION_REQUIRED', deviceId, 'FIDO2'],
    )
    const options = JSON.parse(answer.json.publicKeyCredentialRequestOptions)
    assert.deepEqual(Object.keys(options), ['challenge', 'timeout', 'rpId', 'allowCredentials', 'userVerification'])
    assert.deepEqual([options.rpId, options.userVerification], ['localhost', 'required'])
    const allowed = options.allowCredentials.map(({ id }: { readonly id: number[] }) => Buffer.from(id))
    assert.deepEqual(allowed, [passkey.credentialId])

    const done = await check(browser, flowId, signature(stile, passkey, answer.json.publicKeyCredentialRequestOptions))
    assert.equal(done.json.status, 'COMPLETED', done.text)
    const { code } = (await browser.resume(flowId)).json.authorizeResponse
    const tokens = await redeem(stile, code, verifier, client, redirect)
    assert.deepEqual(decodeJwt(tokens.json.id_token).amr, ['pwd', 'pop', 'mfa'])
    const [session] = await rows<{ document: string }>(stile, 'sessions', 'user_id = $2', person.id)
    assert.deepEqual(Object.keys(JSON.parse(session?.document ?? '{}').lastSignOn.withAuthenticator), ['pwd', 'mfa'])
  })

  test('any of the user signs, whichever was chosen', async () => {
    const { person } = await personWithPasskey()
    const { passkey } = await addPasskey(stile, person)
    const { browser, flowId, answer } = await pass(person)
    const { allowCredentials } = JSON.parse(answer.json.publicKeyCredentialRequestOptions)
    assert.equal(allowCredentials.length, 2)
    const done = await check(browser, flowId, signature(stile, passkey, answer.json.publicKeyCredentialRequestOptions))
    assert.equal(done.json.status, 'COMPLETED', done.text)
  })

  test('L22: an answer is good for its own flow, once, within five minutes, and until another one is asked for', async () => {
    const { person, passkey, deviceId } = await personWithPasskey()
    const one = await pass(person)
    const other = await pass(person)
    const options = one.answer.json.publicKeyCredentialRequestOptions
    const refused = await check(other.browser, other.flowId, signature(stile, passkey, options))
    assert.deepEqual([refused.status, refused.json.details[0].target], [400, 'assertion'])
    assert.equal((await stateOf(stile, other.flowId)).status, 'ASSERTION_REQUIRED')

    await wait(1)
    const again = await one.browser.act(one.flowId, 'device.select', { device: { id: deviceId } })
    const fresh = again.json.publicKeyCredentialRequestOptions
    assert.notEqual(fresh, options)
    assert.equal((await check(one.browser, one.flowId, signature(stile, passkey, options))).status, 400)
    await wait(300_001)
    assert.equal((await check(one.browser, one.flowId, signature(stile, passkey, fresh))).status, 400)

    const last = await one.browser.act(one.flowId, 'device.select', { device: { id: deviceId } })
    const answer = signature(stile, passkey, last.json.publicKeyCredentialRequestOptions)
    const done = await Promise.all(
      Array.from({ length: 20 }, () =>
        check(Object.assign(new Browser(stile), { cookie: one.browser.cookie }), one.flowId, answer),
      ),
    )
    assert.equal(done.filter(({ status }) => status === 200).length, 1)
  })

  test('L22, L23: a made-up challenge, another page, an attestation in its place are refused', async () => {
    const { person, passkey } = await personWithPasskey()
    const lies = [
      { challenge: Buffer.alloc(32).toString('base64url') },
      { origin: 'https://evil.example' },
      { rpId: 'evil.example' },
    ]
    for (const lie of lies) {
      const { browser, flowId, answer } = await pass(person)
      const said = saidTo(stile, answer.json.publicKeyCredentialRequestOptions)
      assert.equal((await check(browser, flowId, passkey.assert({ ...said, ...lie }))).status, 400)
      // Three tries are what the policy gives: each lie has a flow, and the last of them is told the truth.
      assert.equal((await check(browser, flowId, passkey.attest(said))).status, 400)
      const truth = await check(browser, flowId, passkey.assert(said))
      assert.equal(truth.json.status, 'COMPLETED', truth.text)
    }
    const { browser, flowId, answer } = await pass(person)
    const right = signature(stile, passkey, answer.json.publicKeyCredentialRequestOptions)
    assert.equal((await check(browser, flowId, right, 'https://evil.example')).status, 400)
  })

  test('tries are counted with those at passcodes, and held up after as many as the policy says', async () => {
    const { person, passkey } = await personWithPasskey()
    const { browser, flowId, answer } = await pass(person)
    const options = answer.json.publicKeyCredentialRequestOptions
    for (const _ of [1, 2, 3]) await check(browser, flowId, new SoftwareAuthenticator().assert(saidTo(stile, options)))
    const held = await check(browser, flowId, signature(stile, passkey, options))
    assert.deepEqual([held.status, held.json.details[0].code], [400, 'LIMIT_EXCEEDED'])
    await wait(120_001)
    assert.equal((await check(browser, flowId, signature(stile, passkey, options))).json.status, 'COMPLETED')
  })

  test('L27: a counter that went back is a copy, and refused', async () => {
    const { person, passkey } = await personWithPasskey()
    const first = await pass(person)
    const said = saidTo(stile, first.answer.json.publicKeyCredentialRequestOptions)
    assert.equal((await check(first.browser, first.flowId, passkey.assert({ ...said, counter: 10 }))).status, 200)
    const next = await pass(person)
    const asked = saidTo(stile, next.answer.json.publicKeyCredentialRequestOptions)
    assert.equal((await check(next.browser, next.flowId, passkey.assert({ ...asked, counter: 10 }))).status, 400)
    assert.equal((await check(next.browser, next.flowId, passkey.assert({ ...asked, counter: 11 }))).status, 200)
  })

  test('L27: of copies that sign at once, one is taken', async () => {
    const { person, passkey } = await personWithPasskey()
    const flows = [await pass(person), await pass(person), await pass(person)]
    const answers = await Promise.all(
      flows.map(({ browser, flowId, answer }) => {
        const said = saidTo(stile, answer.json.publicKeyCredentialRequestOptions)
        return check(browser, flowId, passkey.assert({ ...said, counter: 7 }))
      }),
    )
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 400, 400])
  })

  test("L28: somebody else's passkey is refused", async () => {
    const { person } = await personWithPasskey()
    const other = await personWithPasskey()
    const { browser, flowId, answer } = await pass(person)
    const options = answer.json.publicKeyCredentialRequestOptions
    assert.equal((await check(browser, flowId, signature(stile, other.passkey, options))).status, 400)
    const named = other.passkey.assert({ ...saidTo(stile, options), userHandle: person.id })
    assert.equal((await check(browser, flowId, named)).status, 400)
  })

  test('L02: one that was blocked or removed since the challenge was made proves nothing', async () => {
    const { person, passkey, deviceId } = await personWithPasskey()
    const second = await addPasskey(stile, person)
    const { browser, flowId, answer } = await pass(person)
    const options = answer.json.publicKeyCredentialRequestOptions
    const block = { mediaType: 'application/vnd.pingidentity.device.block+json' }
    await stile.api('POST', `/users/${person.id}/devices/${deviceId}`, {}, block)
    assert.equal((await check(browser, flowId, signature(stile, passkey, options))).status, 400)
    await stile.api('DELETE', `/users/${person.id}/devices/${second.deviceId}`)
    assert.equal((await check(browser, flowId, signature(stile, second.passkey, options))).status, 400)
    assert.equal((await rows(stile, 'fido2_credentials', 'user_id = $2', person.id)).length, 1)
  })

  test('J26: whoever only named somebody is told nothing of their passkeys', async () => {
    const { person } = await personWithPasskey()
    const app = await newApplication(stile)
    await assign(
      stile,
      app,
      await newPolicy(stile, { type: 'IDENTIFIER_FIRST' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }),
    )
    const shown = async (username: string) => {
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'pi.flow', { client_id: app })
      const { json } = await browser.act(flowId, 'user.lookup', { username })
      return [json.status, Object.keys(json), json._embedded.devices]
    }
    assert.deepEqual(await shown(person.username), await shown('nobody'))
  })

  test('a device is made in two steps, of which the first tells the browser what to make', async () => {
    const person = await newPerson(stile, { name: { given: 'Ada', family: 'Byron' } })
    await addTotpDevice(stile, person)
    const path = `/users/${person.id}/devices`
    const created = await stile.api('POST', path, {
      type: 'FIDO2',
      rp: { id: 'localhost', name: 'x' },
      nickname: 'Key',
    })
    assert.equal(created.status, 201, created.text)
    const { id, status, nickname, publicKeyCredentialCreationOptions } = created.json
    assert.deepEqual([status, nickname], ['ACTIVATION_REQUIRED', 'Key'])
    const options = JSON.parse(publicKeyCredentialCreationOptions)
    assert.deepEqual(options.rp, { id: 'localhost', name: 'Demo' })
    assert.equal(Buffer.from(options.user.id).toString(), person.id)
    assert.deepEqual(options.authenticatorSelection, {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    })
    assert.ok(!(await stile.api('GET', `${path}/${id}`)).text.includes('publicKeyCredentialCreationOptions'))

    const passkey = new SoftwareAuthenticator()
    const said = saidTo(stile, publicKeyCredentialCreationOptions)
    const device = { id: person.id, deviceId: id }
    const refused = [
      await activate(stile, device, passkey.attest(said), 'https://evil.example'),
      await activate(stile, device, passkey.attest({ ...said, origin: 'https://evil.example' })),
      await activate(stile, device, passkey.attest({ ...said, challenge: 'AAAA' })),
      await activate(stile, device, passkey.assert(said)),
      await activate(stile, device, '{}'),
    ]
    for (const { status: code, json } of refused) {
      assert.deepEqual([code, json.details[0].target], [400, 'attestation'])
    }
    const mediaType = 'application/vnd.pingidentity.device.activate+json'
    const byPasscode = await stile.api('POST', `${path}/${id}`, { otp: '123456' }, { mediaType })
    assert.deepEqual([byPasscode.status, byPasscode.json.details[0].target], [400, 'attestation'])
    const activated = await activate(stile, device, passkey.attest(said))
    assert.equal(activated.json.status, 'ACTIVE', activated.text)
    const second = await activate(stile, device, new SoftwareAuthenticator().attest(said))
    assert.equal(second.status, 400, 'L22: a challenge is used up')

    const next = await stile.api('POST', path, { type: 'FIDO2' })
    const { excludeCredentials } = JSON.parse(next.json.publicKeyCredentialCreationOptions)
    assert.deepEqual(Buffer.from(excludeCredentials[0].id), passkey.credentialId)
    await wait(300_001)
    const late = saidTo(stile, next.json.publicKeyCredentialCreationOptions)
    const answer = await activate(
      stile,
      { id: person.id, deviceId: next.json.id },
      new SoftwareAuthenticator().attest(late),
    )
    assert.equal(answer.status, 400, 'L22: after five minutes')
    const elsewhere = await stile.api('POST', path, { type: 'FIDO2', rp: { id: 'evil.example' } })
    assert.deepEqual([elsewhere.status, elsewhere.json.details[0].target], [400, 'rp.id'])
  })

  test('L29: a credential is of one account, though many ask at once', async () => {
    const passkey = new SoftwareAuthenticator()
    const made = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const { id } = await newPerson(stile)
        const { json } = await stile.api('POST', `/users/${id}/devices`, { type: 'FIDO2' })
        return { device: { id, deviceId: json.id }, said: saidTo(stile, json.publicKeyCredentialCreationOptions) }
      }),
    )
    const answers = await Promise.all(made.map(({ device, said }) => activate(stile, device, passkey.attest(said))))
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 400, 400, 400, 400, 400, 400, 400])
    assert.equal(
      (
        await rows(
          stile,
          'devices',
          "type = 'FIDO2' AND status = 'ACTIVE' AND user_id IN ($2, $3, $4, $5, $6, $7, $8, $9)",
          ...made.map(({ device }) => device.id),
        )
      ).length,
      1,
    )
  })

  test('L06: is refused where the policy does not take passkeys, and asks for nothing then', async () => {
    const { person } = await personWithPasskey()
    await addEmailDevice(stile, person)
    const policy = await newDevicePolicy(stile, { fido2: { enabled: false } })
    const app = await newApplication(stile)
    const action = { type: 'MULTI_FACTOR_AUTHENTICATION', deviceAuthenticationPolicy: { id: policy } }
    await assign(stile, app, await newPolicy(stile, { type: 'LOGIN' }, action))
    const { answer } = await pass(person, { client_id: app })
    assert.deepEqual(
      [answer.json.status, answer.json._embedded.devices.map(({ type }: { readonly type: string }) => type)],
      ['OTP_REQUIRED', ['EMAIL']],
    )
    const created = await stile.api('POST', `/users/${person.id}/devices`, { type: 'FIDO2', policy: { id: policy } })
    assert.deepEqual([created.status, created.json.details[0].target], [400, 'type'])
  })

  suite('FIDO2 policies', () => {
    const collection = '/fido2Policies'
    const named = async (name: string) => {
      const { fido2Policies } = (await stile.api('GET', collection)).json._embedded
      return fido2Policies.find((policy: { readonly name: string }) => policy.name === name)
    }

    test('two come with the environment, of which Passkeys is the default', async () => {
      const both = [await named('Passkeys'), await named('Security Keys')]
      assert.deepEqual(
        both.map((policy) => [policy.default, policy.relyingPartyId]),
        [
          [true, 'localhost'],
          [false, 'localhost'],
        ],
      )
    })

    test('what one says is what browsers are asked for', async () => {
      const [passkeys, securityKeys] = [await named('Passkeys'), await named('Security Keys')]
      const sent = sentMembers({ ...securityKeys, deviceAuthenticationPolicies: undefined })
      const created = await stile.api('POST', collection, {
        ...sent,
        name: 'Own',
        description: 'Ours',
        publicKeyCredentialHints: ['SECURITY_KEY'],
        userPresenceTimeout: { duration: 30, timeUnit: 'SECONDS' },
        userDisplayNameAttributes: { attributes: [{ name: 'name', subAttributes: [{ name: 'given' }] }] },
      })
      assert.equal(created.status, 201, created.text)
      const devices = await newDevicePolicy(stile, { fido2: { enabled: true, fido2PolicyId: created.json.id } })
      const read = await stile.api('GET', `${collection}/${created.json.id}`)
      assert.deepEqual(read.json.deviceAuthenticationPolicies, [devices])

      const person = await newPerson(stile, { name: { given: 'Ada', family: 'Byron' } })
      const device = { type: 'FIDO2', policy: { id: devices } }
      const { json } = await stile.api('POST', `/users/${person.id}/devices`, device)
      const options = JSON.parse(json.publicKeyCredentialCreationOptions)
      assert.deepEqual(
        [options.timeout, options.hints, options.user.displayName, options.authenticatorSelection],
        [
          30_000,
          ['security-key'],
          'Ada',
          {
            authenticatorAttachment: 'cross-platform',
            residentKey: 'discouraged',
            requireResidentKey: false,
            userVerification: 'preferred',
          },
        ],
      )

      const inUse = await stile.api('DELETE', `${collection}/${created.json.id}`)
      assert.deepEqual([inUse.status, inUse.json.code], [400, 'REQUEST_FAILED'])
      assert.equal((await stile.api('DELETE', `${collection}/${passkeys.id}`)).status, 400)
      await stile.api('DELETE', `/deviceAuthenticationPolicies/${devices}`)
      assert.equal((await stile.api('DELETE', `${collection}/${created.json.id}`)).status, 204)
    })

    test('what cannot be kept is refused and named', async () => {
      const passkeys = sentMembers({ ...(await named('Passkeys')), deviceAuthenticationPolicies: undefined })
      const refused = async (change: object) => {
        const { status, json } = await stile.api('POST', collection, {
          ...passkeys,
          default: false,
          name: 'No',
          ...change,
        })
        return [status, json.details?.[0]?.target]
      }
      assert.deepEqual(await refused({ attestationRoots: 'none' }), [400, 'attestationRoots'])
      assert.deepEqual(await refused({ relyingPartyId: 'evil.example' }), [400, 'relyingPartyId'])
      assert.deepEqual(await refused({ relyingPartyId: null }), [400, 'relyingPartyId'])
      const mds = { mdsAuthenticatorsRequirements: { enforceDuringAuthentication: true, option: 'GLOBAL' } }
      assert.deepEqual(await refused(mds), [400, 'mdsAuthenticatorsRequirements.option'])
      const unknown = { fido2: { enabled: true, fido2PolicyId: 'e1d7b3ae-98a0-4a39-9c38-2a7a39b7a111' } }
      const [standard] = (await stile.api('GET', '/deviceAuthenticationPolicies')).json._embedded
        .deviceAuthenticationPolicies
      const answer = await stile.api('POST', '/deviceAuthenticationPolicies', {
        ...standard,
        ...unknown,
        name: 'No',
        default: false,
      })
      assert.deepEqual([answer.status, answer.json.details[0].target], [400, 'fido2.fido2PolicyId'])
    })
  })
})
