/**
 * A real Chromium with a virtual authenticator makes a passkey and signs on with it by the hosted pages; without JavaScript
 * the page says so and offers what is left. Web Authentication Level 3 section 11.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { CDPSession, Page } from 'playwright-core'
import { type Stile, startStile } from '../harness/stile.ts'
import { violationsOf } from './axe.ts'
import { browserSuite } from './chromium.ts'

/** A script that makes a credential, and answers with what the management API takes. */
function makingOf(options: string): string {
  return `(async () => {
    const options = ${options}
    const bytes = (numbers) => Uint8Array.from(numbers)
    const base64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    const { id, rawId, type, response } = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: [],
      },
    })
    return JSON.stringify({
      id,
      rawId: base64(rawId),
      type,
      response: {
        clientDataJSON: base64(response.clientDataJSON),
        attestationObject: base64(response.attestationObject),
      },
    })
  })()`
}

browserSuite('a passkey in Chromium', ({ withPage }) => {
  let stile: Stile
  /** Client ids of the applications that offer passkeys. */
  const offering = new Set<string>()

  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  async function api(method: string, path: string, body: object, mediaType = 'application/json') {
    const { status, text, json } = await stile.api(method, path, body, { mediaType })
    assert.ok(status < 300, text)
    return json as Record<string, string>
  }

  async function authenticator(
    page: Page,
  ): Promise<{ readonly session: CDPSession; readonly authenticatorId: string }> {
    const session = await page.context().newCDPSession(page)
    await session.send('WebAuthn.enable')
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    return { session, authenticatorId }
  }

  /** The demo application's policy asks for username and password, or a passkey. */
  async function offerPasskeys(nameFirst: boolean): Promise<string> {
    const { clientId } = nameFirst ? stile.webApp : stile.singlePageApp
    const application = `${stile.authUrl}/dev/app/${clientId}`
    if (offering.has(clientId)) return application
    offering.add(clientId)
    const { id } = await api('POST', '/signOnPolicies', { name: `Passkeys_${nameFirst}` })
    const actions = nameFirst ? ['IDENTIFIER_FIRST', 'LOGIN'] : ['LOGIN']
    for (const [at, type] of actions.entries()) {
      await api('POST', `/signOnPolicies/${id}/actions`, { type, priority: at + 1, passkeys: { enabled: true } })
    }
    const assignment = { priority: 1, signOnPolicy: { id } }
    await api('POST', `/applications/${clientId}/signOnPolicyAssignments`, assignment)
    return application
  }

  async function passPassword(page: Page): Promise<void> {
    await page.goto(`${stile.authUrl}/dev/app/${stile.mfaApp.clientId}`)
    await page.getByLabel('Password', { exact: true }).fill(stile.mfaUser.password)
    await page.getByRole('button', { name: 'Sign On' }).click()
    await page.getByRole('heading', { name: 'Enter your passcode' }).waitFor()
  }

  /** What a page of the server's own origin does to make a passkey. */
  async function enrol(page: Page, user: Stile['user'] = stile.mfaUser): Promise<string> {
    const devices = `/users/${user.id}/devices`
    await api('PUT', `/users/${user.id}/mfaEnabled`, { mfaEnabled: true })
    const device = await api('POST', devices, { type: 'FIDO2', nickname: 'This laptop' })
    const attestation = await page.evaluate<string>(makingOf(device['publicKeyCredentialCreationOptions'] ?? ''))
    const activation = { origin: stile.authUrl, attestation }
    const mediaType = 'application/vnd.pingidentity.device.activate+json'
    await api('POST', `${devices}/${device['id']}`, activation, mediaType)
    return device['id'] ?? ''
  }

  test('is made, and used: at once, and again after it failed', () =>
    withPage({}, async (page) => {
      const { session, authenticatorId } = await authenticator(page)
      await passPassword(page)
      await enrol(page)
      await page.reload()
      await page.getByRole('button', { name: 'This laptop' }).click()
      await page.waitForURL(/\/callback/)
      assert.match(await page.content(), /pop/)

      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
      await page.context().clearCookies()
      await passPassword(page)
      await page.getByRole('button', { name: 'This laptop' }).click()
      await page.getByRole('heading', { name: 'Use your passkey' }).waitFor()
      await page.getByRole('button', { name: 'Use passkey' }).click()
      await page.getByText('The passkey was not used').waitFor()
      assert.deepEqual(await violationsOf(page), [])
      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
      await page.getByRole('button', { name: 'Use passkey' }).click()
      await page.waitForURL(/\/callback/)
    }))

  test('signs on alone, filled in by the browser where the username is typed', () =>
    withPage({}, async (page) => {
      await authenticator(page)
      await page.goto(await offerPasskeys(false))
      assert.equal(await page.getByLabel('Username').getAttribute('autocomplete'), 'username webauthn')
      await enrol(page, stile.user)
      await page.reload()
      await page.waitForURL(/\/callback/)
      assert.match(await page.content(), /pop/)
      await page.context().clearCookies()
      await page.goto(await offerPasskeys(true))
      await page.waitForURL(/\/callback/)
    }))

  test('signs on alone by its button: again after it failed, and after the page has stood for long', () =>
    withPage({}, async (page) => {
      const { session, authenticatorId } = await authenticator(page)
      const verify = (isUserVerified: boolean) =>
        session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified })
      const application = await offerPasskeys(false)
      const button = page.getByRole('button', { name: 'Sign on with a passkey' })
      await page.goto(application)
      await enrol(page, stile.user)

      await verify(false)
      await page.reload()
      await button.click()
      await page.getByText('The passkey was not used').waitFor()
      assert.deepEqual(await violationsOf(page), [])
      await verify(true)
      await button.click()
      await page.waitForURL(/\/callback/)

      await page.context().clearCookies()
      await verify(false)
      await page.clock.install()
      await page.goto(application)
      await button.waitFor()
      await page.clock.fastForward(240_000)
      await verify(true)
      const fresh = page.waitForRequest(/view=passkey/)
      await button.click()
      await fresh
      await page.waitForURL(/\/callback/)
    }))

  test('that is blocked is refused on a page of its own, which leads back', () =>
    withPage({}, async (page) => {
      await authenticator(page)
      await page.goto(await offerPasskeys(false))
      const deviceId = await enrol(page, stile.user)
      const mediaType = 'application/vnd.pingidentity.device.block+json'
      await api('POST', `/users/${stile.user.id}/devices/${deviceId}`, {}, mediaType)
      await page.reload()
      await page.getByText('This passkey could not be accepted').waitFor()
      assert.deepEqual(await violationsOf(page), [])
      await page.getByRole('link', { name: 'Back to sign-on' }).waitFor()
    }))

  test('without JavaScript nothing is seen of the offer', () =>
    withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(await offerPasskeys(false))
      await page.getByRole('button', { name: 'Sign On', exact: true }).waitFor()
      assert.equal(await page.getByRole('button').count(), 1)
      assert.equal(await page.getByText('passkey').filter({ visible: true }).count(), 0)
    }))

  test('without JavaScript the page says so, and a passcode will do', () =>
    withPage({ javaScriptEnabled: false }, async (page) => {
      await passPassword(page)
      await page.getByRole('button', { name: 'This laptop' }).click()
      await page.getByText('This browser cannot use passkeys').waitFor()
      assert.equal(await page.getByRole('button', { name: 'Use passkey' }).isVisible(), false)
      await page.getByRole('button', { name: 'Authenticator app' }).click()
      await page.getByRole('heading', { name: 'Enter your passcode' }).waitFor()
    }))
})
