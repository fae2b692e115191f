/**
 * Authorization codes over HTTP: single use, binding, PKCE. Security catalogue 1.B. The
 * races (B03, B14) and the endings (B20) have files of their own.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import type { EventAction } from '../../src/events/catalog.ts'
import { insert } from '../../src/storage/operations.ts'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  authorizeBySignOnPage,
  codeRequest,
  codeRequestWithPkce,
  expectRefusal,
  isLive,
  obtainCode,
  redeemCode,
  told,
} from './journeys.ts'
import { expectStatus, otherEnvironment, person, type Registered, register, spa, web } from './registrations.ts'

suite('authorization codes', () => {
  let world: TestWorld
  let stile: Stile
  let app: Registered
  let evil: Registered
  let singlePage: Registered
  let browser: Browser
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    app = await register(stile, { ...web, redirectUris: ['https://app.test/cb', 'https://app.test/other'] })
    evil = await register(stile)
    singlePage = await register(stile, { ...spa, redirectUris: ['https://spa.test/cb'] })
    browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(app))
  })
  after(() => stile.close())

  async function pass(seconds: number): Promise<void> {
    world.advance(seconds * 1000)
    await stile.node.kernel.environments.poll()
  }

  const codeFor = (client: Registered, more: Readonly<Record<string, string>> = {}) =>
    obtainCode(browser, codeRequest(client, more))
  const withPkce = async (client: Registered, more: Readonly<Record<string, string>> = {}) => {
    const { request, verifier } = codeRequestWithPkce(client, more)
    return { code: await obtainCode(browser, request), verifier }
  }
  const tokensOf = (answer: Answer): { access_token: string; id_token: string } => expectStatus(answer, 200)

  /** The events of one kind that were recorded. */
  const recorded = (action: EventAction, environmentId = stile.environmentId) => {
    const text = 'SELECT result FROM events WHERE environment_id = $1 AND action = $2'
    return stile.node.kernel.storage.read({ text, values: [environmentId, action] })
  }
  const replays = (environmentId?: string) => recorded('AUTHORIZATION_CODE.REPLAYED', environmentId)

  suite('single use', () => {
    test('B01: a second exchange is refused and revokes what the first was given', async () => {
      const code = await codeFor(app)
      const { access_token } = tokensOf(await redeemCode(stile, app, code))
      assert.equal(await isLive(stile, access_token), true)
      expectRefusal(await redeemCode(stile, app, code), 'invalid_grant')
      assert.equal(await isLive(stile, access_token), false)
      assert.deepEqual(await replays(), [{ result: 'FAILED' }])
      expectRefusal(await redeemCode(stile, app, code), 'invalid_grant')
    })

    test('B01: also after the code would have expired', async () => {
      const code = await codeFor(app)
      const { access_token } = tokensOf(await redeemCode(stile, app, code))
      await pass(120)
      expectRefusal(await redeemCode(stile, app, code), 'invalid_grant')
      assert.equal(await isLive(stile, access_token), false)
    })

    test('B02: a replay that could not have redeemed it leaves the first tokens alone', async () => {
      const { code, verifier } = await withPkce(app)
      const { access_token } = tokensOf(await redeemCode(stile, app, code, { code_verifier: verifier }))
      expectRefusal(await redeemCode(stile, app, code, { code_verifier: pkce().verifier }), 'invalid_grant')
      expectRefusal(await redeemCode(stile, app, code), 'invalid_grant')
      expectRefusal(await redeemCode(stile, evil, code, { code_verifier: verifier }), 'invalid_grant')
      const wrongSecret = { ...app, clientSecret: 'wrong' }
      expectRefusal(await redeemCode(stile, wrongSecret, code, { code_verifier: verifier }), 'invalid_client')
      const elsewhere = { code_verifier: verifier, redirect_uri: 'https://app.test/other' }
      expectRefusal(await redeemCode(stile, app, code, elsewhere), 'invalid_grant')
      assert.equal(await isLive(stile, access_token), true)
    })

    test('a failed exchange does not use the code up', async () => {
      const { code, verifier } = await withPkce(app)
      expectRefusal(await redeemCode(stile, app, code, { code_verifier: pkce().verifier }), 'invalid_grant')
      tokensOf(await redeemCode(stile, app, code, { code_verifier: verifier }))
    })

    test('B04: a code lives as long as the setting says, 60 seconds by default', async () => {
      const replaysBefore = await replays()
      const [inTime, late] = [await codeFor(app), await codeFor(app)]
      await pass(59)
      tokensOf(await redeemCode(stile, app, inTime))
      await pass(1)
      expectRefusal(await redeemCode(stile, app, late), 'invalid_grant')
      const settings = { signingAlgorithm: 'ES256', authorizationCodeSeconds: 10 }
      expectStatus(await stile.api('PUT', '/settings', settings), 200)
      const short = await codeFor(app)
      await pass(10)
      expectRefusal(await redeemCode(stile, app, short), 'invalid_grant')
      assert.deepEqual(await replays(), replaysBefore, 'to come late is no replay')
      expectStatus(await stile.api('PUT', '/settings', { signingAlgorithm: 'ES256' }), 200)
    })

    test('B09, authentication-api 2.4: codes are random UUIDs, none like another, and not in order', async () => {
      const codes: string[] = []
      for (let at = 0; at < 200; at++) codes.push(await codeFor(app))
      assert.equal(new Set(codes).size, codes.length)
      for (const code of codes)
        assert.match(code, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      const ascents = codes.filter((code, at) => at > 0 && code > (codes[at - 1] ?? '')).length
      assert.ok(ascents > 60 && ascents < 140, `${ascents} of 199 are greater than the one before`)
    })
  })

  suite('bound to what asked for it', () => {
    test('B05: another client cannot redeem it with its own credentials; the owner still can', async () => {
      const code = await codeFor(app)
      expectRefusal(await redeemCode(stile, evil, code), 'invalid_grant')
      expectRefusal(await redeemCode(stile, singlePage, code, { redirect_uri: app.redirectUri }), 'invalid_grant')
      tokensOf(await redeemCode(stile, app, code))
    })

    test('B06: redirect_uri has to be the one of the request', async () => {
      const code = await codeFor(app)
      const others = [
        '',
        'https://app.test/other',
        'https://app.test/cb?',
        'HTTPS://app.test/cb',
        'https://evil.test/cb',
      ]
      for (const redirect_uri of others)
        expectRefusal(await redeemCode(stile, app, code, { redirect_uri }), 'invalid_grant')
      tokensOf(await redeemCode(stile, app, code))

      const { redirect_uri: _, ...bare } = codeRequest(app, { response_mode: 'pi.flow' })
      const withoutUri = expectStatus(await browser.authorize(bare), 200).authorizeResponse.code
      expectRefusal(await redeemCode(stile, app, withoutUri), 'invalid_grant')
      tokensOf(await redeemCode(stile, app, withoutUri, { redirect_uri: '' }))
    })

    test('B07: a code of one environment is worth nothing in another, for a client of the same id and secret', async () => {
      const elsewhere = await otherEnvironment(stile)
      await copyApplication(app.clientId, elsewhere)
      const code = await codeFor(app)
      expectRefusal(await redeemCode(stile, app, code, {}, elsewhere.environmentId), 'invalid_grant')
      assert.deepEqual(await replays(elsewhere.environmentId), [], 'it is unknown there, not replayed')
      tokensOf(await redeemCode(stile, app, code))
    })

    /** Puts an application with its secret into another environment, past the API, which never makes an id twice. */
    async function copyApplication(clientId: string, { environmentId }: Stile): Promise<void> {
      const { storage } = stile.node.kernel
      const values = [stile.environmentId, clientId]
      const [row] = await storage.read({
        text: 'SELECT * FROM applications WHERE environment_id = $1 AND id = $2',
        values,
      })
      const secret = 'SELECT * FROM application_secrets WHERE environment_id = $1 AND application_id = $2'
      const [secretRow] = await storage.read({ text: secret, values })
      await storage.commit({
        name: 'test.copy-application',
        *run() {
          yield* insert('applications', { ...row, environment_id: environmentId })
          yield* insert('application_secrets', { ...secretRow, environment_id: environmentId })
        },
      })
    }

    test('B08: nothing that is nearly a code is one', async () => {
      const [code, other] = [await codeFor(app), await codeFor(app)]
      const flipped = code.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
      const near = [
        flipped,
        code.slice(0, -1),
        `${code}0`,
        `${code} `,
        ` ${code}`,
        code.slice(0, 18) + other.slice(18),
        code.toUpperCase(),
        code.replaceAll('-', ''),
        `${code}\n`,
        'x'.repeat(512),
      ]
      for (const given of near) {
        expectRefusal(await redeemCode(stile, app, given), 'invalid_grant')
      }
      expectRefusal(await redeemCode(stile, app, 'x'.repeat(513)), 'invalid_request')
      expectRefusal(await redeemCode(stile, app, ''), 'invalid_request')
      tokensOf(await redeemCode(stile, app, code))
    })
  })

  suite('PKCE', () => {
    const refusedAtAuthorize = async (client: Registered, parameters: Readonly<Record<string, string>>) => {
      const answer = await browser.authorize(codeRequest(client, parameters))
      assert.equal(told(answer).get('error'), 'invalid_request', JSON.stringify(parameters))
    }

    test('B10: an application that has to use it cannot leave it out', () => refusedAtAuthorize(singlePage, {}))

    test('B13: methods', async () => {
      const { challenge, verifier } = pkce()
      for (const code_challenge_method of ['plain', '', 's256', 'S512', 'S256 plain']) {
        await refusedAtAuthorize(singlePage, { code_challenge: challenge, code_challenge_method })
      }
      for (const code_challenge_method of ['s256', 'S512']) {
        await refusedAtAuthorize(app, { code_challenge: challenge, code_challenge_method })
      }
      await refusedAtAuthorize(app, { code_challenge_method: 'S256' })
      for (const method of ['plain', '']) {
        const code = await codeFor(app, { code_challenge: verifier, code_challenge_method: method })
        expectRefusal(await redeemCode(stile, app, code, { code_verifier: challenge }), 'invalid_grant')
        tokensOf(await redeemCode(stile, app, code, { code_verifier: verifier }))
      }
    })

    test('B15, B16: a challenge is 43 canonical base64url characters', async () => {
      const { challenge } = pkce()
      const malformed = [
        challenge.slice(1),
        `${challenge}A`,
        `${challenge.slice(1)}=`,
        `+${challenge.slice(1)}`,
        `${challenge.slice(0, -1)}B`,
      ]
      for (const code_challenge of malformed)
        await refusedAtAuthorize(singlePage, { code_challenge, code_challenge_method: 'S256' })
    })

    test('B11: without a verifier, with an empty or another one', async () => {
      const { code, verifier } = await withPkce(singlePage)
      for (const given of [
        {},
        { code_verifier: '' },
        { code_verifier: pkce().verifier },
        { code_verifier: `${verifier}a` },
      ]) {
        expectRefusal(await redeemCode(stile, singlePage, code, given), 'invalid_grant')
      }
      tokensOf(await redeemCode(stile, singlePage, code, { code_verifier: verifier }))
    })

    test('B12: a verifier where no challenge was sent is a downgrade', async () => {
      const code = await codeFor(app)
      expectRefusal(await redeemCode(stile, app, code, { code_verifier: pkce().verifier }), 'invalid_grant')
    })

    test('B14: the form of a verifier', async () => {
      const { code, verifier } = await withPkce(singlePage)
      for (const code_verifier of ['a', 'a'.repeat(42), 'a'.repeat(129), `${verifier}=`, `+/${verifier.slice(2)}`]) {
        expectRefusal(await redeemCode(stile, singlePage, code, { code_verifier }), 'invalid_grant')
      }
      tokensOf(await redeemCode(stile, singlePage, code, { code_verifier: verifier }))
    })

    test('B14: the fifth wrong verifier uses the code up', async () => {
      const guess = async (code: string) =>
        expectRefusal(await redeemCode(stile, singlePage, code, { code_verifier: pkce().verifier }), 'invalid_grant')
      const [four, five] = [await withPkce(singlePage), await withPkce(singlePage)]
      for (let at = 0; at < 4; at++) await guess(four.code)
      tokensOf(await redeemCode(stile, singlePage, four.code, { code_verifier: four.verifier }))

      for (let at = 0; at < 5; at++) await guess(five.code)
      expectRefusal(await redeemCode(stile, singlePage, five.code, { code_verifier: five.verifier }), 'invalid_grant')
      await guess(five.code)
      assert.deepEqual(await recorded('AUTHORIZATION_CODE.BURNT'), [{ result: 'FAILED' }])
    })

    test('B14: only who could redeem the code otherwise can use it up', async () => {
      const { code, verifier } = await withPkce(app)
      const guesses: readonly [Registered, Readonly<Record<string, string>>][] = [
        [evil, {}],
        [{ ...app, clientSecret: 'wrong' }, {}],
        [app, { redirect_uri: 'https://app.test/other' }],
        [app, { code_verifier: '' }],
        [app, { code_verifier: 'a'.repeat(42) }],
      ]
      for (const [client, more] of guesses) {
        for (let at = 0; at < 6; at++) {
          const { status } = await redeemCode(stile, client, code, { code_verifier: pkce().verifier, ...more })
          assert.ok(status === 400 || status === 401)
        }
      }
      tokensOf(await redeemCode(stile, app, code, { code_verifier: verifier }))
    })

    test("B17: a code injected into another browser's callback fails there, and its nonce tells on it", async () => {
      const attacker = new Browser(stile)
      const injected = codeRequestWithPkce(singlePage, { nonce: 'of-the-attacker' })
      const code = await obtainCode(attacker, injected.request, await person(stile))
      const victim = codeRequestWithPkce(singlePage, { nonce: 'of-the-victim' })
      expectRefusal(await redeemCode(stile, singlePage, code, { code_verifier: victim.verifier }), 'invalid_grant')
      const { id_token } = tokensOf(await redeemCode(stile, singlePage, code, { code_verifier: injected.verifier }))
      assert.equal(decodeJwt(id_token)['nonce'], 'of-the-attacker')
    })
  })
})
