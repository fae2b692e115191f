/**
 * A real Chromium with a virtual authenticator makes a passkey and signs on with it by the hosted pages; without JavaScript
 * the page says so and offers what is left. Web Authentication Level 3 section 11.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { AxeBuilder } from '@axe-core/playwright'
import type { CDPSession, Page } from 'playwright-core'
import { type Quickstart, quickstartSchema } from '../../src/dev/quickstart.ts'
import { type Running, runStile } from '../harness/process.ts'
import { basic } from '../harness/stile.ts'
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
  let directory: string
  let running: Running
  let facts: Quickstart

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stile-browser-'))
    running = runStile(['dev', '--data', directory, '--port', '0', '--json'])
    facts = quickstartSchema.parse(JSON.parse(await running.firstLine))
  })
  after(async () => {
    await running.stop()
    await rm(directory, { recursive: true, force: true })
  })

  async function api(method: string, path: string, body: object, mediaType = 'application/json') {
    const { clientId, clientSecret } = facts.worker
    const token = await fetch(`${facts.authUrl}/${facts.environmentId}/as/token`, {
      method: 'POST',
      headers: { authorization: basic(clientId, clientSecret) },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    const { access_token } = (await token.json()) as { readonly access_token: string }
    const answer = await fetch(`${facts.apiUrl}/v1/environments/${facts.environmentId}${path}`, {
      method,
      headers: { authorization: `Bearer ${access_token}`, 'content-type': mediaType },
      body: JSON.stringify(body),
    })
    const json = (await answer.json()) as Record<string, string>
    assert.ok(answer.ok, JSON.stringify(json))
    return json
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

  async function passPassword(page: Page): Promise<void> {
    await page.goto(`${facts.authUrl}/dev/app/${facts.mfaApp.clientId}`)
    await page.getByLabel('Password', { exact: true }).fill(facts.mfaUser.password)
    await page.getByRole('button', { name: 'Sign On' }).click()
    await page.getByRole('heading', { name: 'Enter your passcode' }).waitFor()
  }

  /** What a page of the server's own origin does to make a passkey. */
  async function enrol(page: Page): Promise<string> {
    const devices = `/users/${facts.mfaUser.id}/devices`
    const device = await api('POST', devices, { type: 'FIDO2', nickname: 'This laptop' })
    const attestation = await page.evaluate<string>(makingOf(device['publicKeyCredentialCreationOptions'] ?? ''))
    const activation = { origin: facts.authUrl, attestation }
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
      assert.deepEqual((await new AxeBuilder({ page }).analyze()).violations, [])
      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
      await page.getByRole('button', { name: 'Use passkey' }).click()
      await page.waitForURL(/\/callback/)
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
