/** A real Chromium is asked what an application may do, with JavaScript on and off: allowed once, denied the other time. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { type Stile, startStile } from '../harness/stile.ts'
import { violationsOf } from './axe.ts'
import { browserSuite } from './chromium.ts'

browserSuite('consent in Chromium', ({ withPage }) => {
  let stile: Stile

  before(async () => {
    stile = await startStile()
    const path = `/applications/${stile.webApp.clientId}`
    const { json: application } = await stile.api('GET', path)
    assert.equal((await stile.api('PUT', path, { ...application, requireConsent: true })).status, 200)
  })
  after(() => stile.close())

  async function comeToTheQuestion(page: Page): Promise<void> {
    await page.goto(`${stile.authUrl}/dev/app/${stile.webApp.clientId}`)
    await page.getByLabel('Username').fill(stile.user.username)
    await page.getByLabel('Password', { exact: true }).fill(stile.user.password)
    await page.getByRole('button', { name: 'Sign On' }).click()
    await page.getByRole('heading', { name: 'Do you allow this?' }).waitFor()
  }

  for (const javaScriptEnabled of [true, false]) {
    const script = `JavaScript ${javaScriptEnabled ? 'on' : 'off'}`

    test(`denied, ${script}`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        await comeToTheQuestion(page)
        await page.getByText('See your e-mail address').waitFor()
        if (javaScriptEnabled) assert.deepEqual(await violationsOf(page), [])
        await page.getByRole('button', { name: 'Do not allow' }).click()
        await page.getByText('You did not allow').waitFor()
        await page.getByRole('link', { name: 'Back to' }).click()
        await page.waitForURL(/\/callback\?(.*&)?error=access_denied/)
      }))

    test(`allowed, remembered, and withdrawn, ${script}`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        await comeToTheQuestion(page)
        await page.getByRole('button', { name: 'Allow', exact: true }).click()
        await page.waitForURL(/\/callback\?(.*&)?code=/)
        await page.goto(`${stile.authUrl}/dev/app/${stile.webApp.clientId}`)
        await page.waitForURL(/\/callback\?(.*&)?code=/)
        const consents = `/users/${stile.user.id}/oauthConsents`
        const { json } = await stile.api('GET', consents)
        const [consent] = json._embedded.oauthConsents
        assert.equal((await stile.api('DELETE', `${consents}/${consent.id}`)).status, 204)
        await page.goto(`${stile.authUrl}/dev/app/${stile.webApp.clientId}`)
        await page.getByRole('heading', { name: 'Do you allow this?' }).waitFor()
      }))
  }
})
