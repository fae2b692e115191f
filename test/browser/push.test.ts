/**
 * A real Chromium waits for the app on a device, with JavaScript and without: the page goes on by itself once the app has
 * answered, and says what to do when it has not. authentication-api 3.3; docs/reference/mobile-devices.md.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { type Quickstart, quickstartSchema } from '../../src/dev/quickstart.ts'
import { MobileApp, type ShownRequest } from '../harness/mobile-app.ts'
import { type Running, runStile } from '../harness/process.ts'
import { type Answer, basic, type Call } from '../harness/stile.ts'
import { violationsOf } from './axe.ts'
import { browserSuite } from './chromium.ts'

browserSuite('an app and Chromium', ({ withPage }) => {
  let directory: string
  let running: Running
  let facts: Quickstart
  let app: MobileApp

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stile-browser-'))
    running = runStile(['dev', '--data', directory, '--port', '0', '--json'])
    facts = quickstartSchema.parse(JSON.parse(await running.firstLine))
    app = await pairedApp()
  })
  after(async () => {
    await running.stop()
    await rm(directory, { recursive: true, force: true })
  })

  async function send(path: string, { method, body, token }: Call = {}): Promise<Answer> {
    const response = await fetch(path.startsWith('http') ? path : facts.authUrl + path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    assert.ok(response.ok, text)
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: text === '' ? undefined : JSON.parse(text),
    }
  }

  async function api(method: string, path: string, body?: object): Promise<Answer['json']> {
    const { clientId, clientSecret } = facts.worker
    const token = await fetch(`${facts.authUrl}/${facts.environmentId}/as/token`, {
      method: 'POST',
      headers: { authorization: basic(clientId, clientSecret) },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    const { access_token } = (await token.json()) as { readonly access_token: string }
    const address = `${facts.apiUrl}/v1/environments/${facts.environmentId}${path}`
    return (await send(address, { method, token: access_token, ...(body ? { body } : {}) })).json
  }

  /** The app of the demo user, before their other devices. */
  async function pairedApp(): Promise<MobileApp> {
    const { id: applicationId } = await api('POST', '/applications', {
      name: 'Lantern for phones',
      enabled: true,
      type: 'NATIVE_APP',
      protocol: 'OPENID_CONNECT',
      responseTypes: ['CODE'],
      grantTypes: ['AUTHORIZATION_CODE'],
      tokenEndpointAuthMethod: 'NONE',
      redirectUris: ['https://app.example.com/callback'],
    })
    const { _embedded } = await api('GET', '/deviceAuthenticationPolicies')
    const [policy] = _embedded.deviceAuthenticationPolicies
    const mobile = { ...policy.mobile, enabled: true, applications: [{ id: applicationId, push: { enabled: true } }] }
    await api('PUT', `/deviceAuthenticationPolicies/${policy.id}`, { ...policy, mobile })
    const { id } = facts.mfaUser
    const { code } = await api('POST', `/users/${id}/pairingKeys`, { applications: [{ id: applicationId }] })
    const paired = new MobileApp({ ...facts, send }, () => Date.now())
    await paired.pair(code, applicationId, { nickname: 'My phone' })
    return paired
  }

  async function startWaiting(page: Page): Promise<ShownRequest> {
    await page.goto(`${facts.authUrl}/dev/app/${facts.mfaApp.clientId}`)
    await page.getByLabel('Password', { exact: true }).fill(facts.mfaUser.password)
    await page.getByRole('button', { name: 'Sign On' }).click()
    await page.getByRole('heading', { name: 'Enter your passcode' }).waitFor()
    await page.getByRole('button', { name: 'My phone' }).click()
    await page.getByRole('heading', { name: 'Approve in your app' }).waitFor()
    const [request] = await app.requests()
    assert.ok(request)
    return request
  }

  const numberOn = async (page: Page) => (await page.locator('.number').textContent()) ?? ''

  test('the page goes on by itself once the app has approved', () =>
    withPage({}, async (page) => {
      const request = await startWaiting(page)
      assert.deepEqual(await violationsOf(page), [])
      await app.answer(request, 'APPROVE', await numberOn(page))
      await page.waitForURL(/\/callback/)
      assert.match(await page.content(), /pop/)
    }))

  test('without JavaScript as well', () =>
    withPage({ javaScriptEnabled: false }, async (page) => {
      const request = await startWaiting(page)
      await page.getByRole('link', { name: 'I have answered' }).click()
      await page.getByRole('heading', { name: 'Approve in your app' }).waitFor()
      await app.answer(request, 'APPROVE', await numberOn(page))
      await page.waitForURL(/\/callback/)
    }))

  test('another number ends the request; a denial ends the sign-on', () =>
    withPage({}, async (page) => {
      const request = await startWaiting(page)
      const wrong = (await numberOn(page)) === '11' ? '12' : '11'
      await assert.rejects(app.answer(request, 'APPROVE', wrong), /answer\.number/)
      await page.getByRole('heading', { name: 'Your app has not approved this' }).waitFor()
      assert.deepEqual(await violationsOf(page), [])
      await page.getByRole('button', { name: 'Ask again' }).click()
      await page.getByRole('heading', { name: 'Approve in your app' }).waitFor()
      const [again] = await app.requests()
      assert.ok(again)
      await app.answer(again, 'DENY')
      await page.getByText('The sign-on was denied in the app').waitFor()
    }))
})
