/**
 * A real Chromium waits for the app on a device, with JavaScript and without: the page goes on by itself once the app has
 * answered, and says what to do when it has not. authentication-api 3.3; docs/reference/mobile-devices.md.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { MobileApp, type ShownRequest } from '../harness/mobile-app.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { violationsOf } from './axe.ts'
import { browserSuite } from './chromium.ts'

browserSuite('an app and Chromium', ({ withPage }) => {
  let stile: Stile
  let app: MobileApp

  before(async () => {
    stile = await startStile()
    app = await pairedApp()
  })
  after(() => stile.close())

  async function api(method: string, path: string, body?: object): Promise<Answer['json']> {
    const { status, text, json } = await stile.api(method, path, body)
    assert.ok(status < 300, text)
    return json
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
    const { id } = stile.mfaUser
    const { code } = await api('POST', `/users/${id}/pairingKeys`, { applications: [{ id: applicationId }] })
    const paired = new MobileApp(stile, () => Date.now())
    await paired.pair(code, applicationId, { nickname: 'My phone' })
    return paired
  }

  async function startWaiting(page: Page): Promise<ShownRequest> {
    await page.goto(`${stile.authUrl}/dev/app/${stile.mfaApp.clientId}`)
    await page.getByLabel('Password', { exact: true }).fill(stile.mfaUser.password)
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
      const refused = await app.answer(request, 'APPROVE', wrong)
      assert.equal(refused.status, 400)
      assert.match(refused.text, /answer\.number/)
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
