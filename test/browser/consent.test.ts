/** A real Chromium is asked what an application may do, with JavaScript on and off: allowed once, denied the other time. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { type Quickstart, quickstartSchema } from '../../src/dev/quickstart.ts'
import { type Running, runStile } from '../harness/process.ts'
import { basic } from '../harness/stile.ts'
import { violationsOf } from './axe.ts'
import { browserSuite } from './chromium.ts'

browserSuite('consent in Chromium', ({ withPage }) => {
  let directory: string
  let running: Running
  let facts: Quickstart
  let api: (method: string, path: string, body?: object) => Promise<Response>

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stile-browser-'))
    running = runStile(['dev', '--data', directory, '--port', '0', '--json'])
    facts = quickstartSchema.parse(JSON.parse(await running.firstLine))
    const answer = await fetch(`${facts.issuer}/token`, {
      method: 'POST',
      headers: { authorization: basic(facts.worker.clientId, facts.worker.clientSecret) },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    const { access_token } = (await answer.json()) as { readonly access_token: string }
    const headers = { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' }
    api = (method, path, body) =>
      fetch(`${facts.apiUrl}/v1/environments/${facts.environmentId}${path}`, {
        method,
        headers,
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
    const path = `/applications/${facts.webApp.clientId}`
    const application = (await (await api('GET', path)).json()) as object
    assert.equal((await api('PUT', path, { ...application, requireConsent: true })).status, 200)
  })
  after(async () => {
    await running.stop()
    await rm(directory, { recursive: true, force: true })
  })

  async function comeToTheQuestion(page: Page): Promise<void> {
    await page.goto(`${facts.authUrl}/dev/app/${facts.webApp.clientId}`)
    await page.getByLabel('Username').fill(facts.user.username)
    await page.getByLabel('Password', { exact: true }).fill(facts.user.password)
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
        await page.goto(`${facts.authUrl}/dev/app/${facts.webApp.clientId}`)
        await page.waitForURL(/\/callback\?(.*&)?code=/)
        const consents = `/users/${facts.user.id}/oauthConsents`
        const { _embedded } = (await (await api('GET', consents)).json()) as {
          readonly _embedded: { readonly oauthConsents: readonly { readonly id: string }[] }
        }
        assert.equal((await api('DELETE', `${consents}/${_embedded.oauthConsents[0]?.id}`)).status, 204)
        await page.goto(`${facts.authUrl}/dev/app/${facts.webApp.clientId}`)
        await page.getByRole('heading', { name: 'Do you allow this?' }).waitFor()
      }))
  }
})
