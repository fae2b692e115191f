/** A real Chromium connects a device, with JavaScript on and off: by the code of the address once, typed the other time. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { type Stile, startStile } from '../harness/stile.ts'
import { tv } from '../oauth/device-journeys.ts'
import { violationsOf } from './axe.ts'
import { browserSuite } from './chromium.ts'

interface Device {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
}

browserSuite('a device in Chromium', ({ withPage }) => {
  let stile: Stile
  let clientId: string

  before(async () => {
    stile = await startStile()
    const made = await stile.api('POST', '/applications', { ...tv, name: 'Lantern TV' })
    assert.equal(made.status, 201)
    clientId = made.json.id
  })
  after(() => stile.close())

  /** A form to the token endpoint, or another one. */
  async function post(
    form: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
    path = 'token',
  ): Promise<Readonly<Record<string, string>>> {
    const answer = await fetch(`${stile.issuer}/${path}`, { method: 'POST', headers, body: new URLSearchParams(form) })
    return (await answer.json()) as Readonly<Record<string, string>>
  }

  const newDevice = async () =>
    (await post({ client_id: clientId, scope: 'openid' }, {}, 'device_authorization')) as unknown as Device
  const poll = ({ device_code }: Device) =>
    post({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id: clientId, device_code })

  async function signOn(page: Page): Promise<void> {
    await page.getByLabel('Username').fill(stile.user.username)
    await page.getByLabel('Password', { exact: true }).fill(stile.user.password)
    await page.getByRole('button', { name: 'Sign On' }).click()
    await page.getByRole('heading', { name: 'Connect a device' }).waitFor()
  }

  for (const javaScriptEnabled of [true, false]) {
    const script = `JavaScript ${javaScriptEnabled ? 'on' : 'off'}`
    const judge = async (page: Page) => {
      if (javaScriptEnabled) assert.deepEqual(await violationsOf(page), [])
    }

    test(`by the address with the code, which is compared: connected, ${script}`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        const device = await newDevice()
        await page.goto(device.verification_uri_complete)
        await signOn(page)
        assert.equal(await page.getByLabel('Code').inputValue(), device.user_code)
        await judge(page)
        await page.getByRole('button', { name: 'Continue' }).click()
        await page.getByRole('heading', { name: 'Connect this device?' }).waitFor()
        await page.getByText('Lantern TV on a device asks').waitFor()
        await page.getByText(device.user_code).waitFor()
        await judge(page)
        assert.equal((await poll(device))['error'], 'authorization_pending')
        await page.getByRole('button', { name: 'Connect the device' }).click()
        await page.getByText('Lantern TV goes on on your device').waitFor()
        await judge(page)
        assert.ok((await poll(device))['access_token'])
        await page.reload()
        await page.getByText('Lantern TV goes on on your device').waitFor()
      }))

    test(`by a code that is typed: wrong once, then not connected, ${script}`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        const device = await newDevice()
        await page.goto(device.verification_uri)
        await signOn(page)
        await page.getByLabel('Code').fill('BBBB-2222')
        await page.getByRole('button', { name: 'Continue' }).click()
        await page.getByText('The code is not right').waitFor()
        await page.getByLabel('Code').fill(device.user_code.toLowerCase())
        await page.getByRole('button', { name: 'Continue' }).click()
        await page.getByRole('button', { name: 'Do not connect' }).click()
        await page.getByRole('heading', { name: 'Nothing was allowed' }).waitFor()
        assert.equal((await poll(device))['error'], 'access_denied')
      }))
  }
})
