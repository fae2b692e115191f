/**
 * A real Chromium creates an account, accepts an invitation and recovers a password by the hosted pages, with JavaScript on
 * and off; the codes are read from the inbox of dev, as a person would.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { type Quickstart, quickstartSchema } from '../../src/dev/quickstart.ts'
import { type Running, runStile } from '../harness/process.ts'
import { basic } from '../harness/stile.ts'
import { violationsOf } from './axe.ts'
import { browserSuite } from './chromium.ts'

browserSuite('accounts in Chromium', ({ withPage }) => {
  let directory: string
  let running: Running
  let facts: Quickstart
  /** Posts to the management API. */
  let api: (path: string, body: object, contentType?: string) => Promise<{ readonly id: string }>

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stile-browser-'))
    running = runStile(['dev', '--data', directory, '--port', '0', '--json'])
    facts = quickstartSchema.parse(JSON.parse(await running.firstLine))
    const token = await fetch(`${facts.issuer}/token`, {
      method: 'POST',
      headers: { authorization: basic(facts.worker.clientId, facts.worker.clientSecret) },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    const { access_token } = (await token.json()) as { readonly access_token: string }
    api = async (path, body, contentType = 'application/json') => {
      const answer = await fetch(`${facts.apiUrl}/v1/environments/${facts.environmentId}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${access_token}`, 'content-type': contentType },
        body: JSON.stringify(body),
      })
      assert.ok(answer.ok, `${path}: ${answer.status}`)
      return (await answer.json()) as { readonly id: string }
    }
    const offering = { recovery: { enabled: true }, registration: { enabled: true } }
    const policy = await api('/signOnPolicies', { name: 'Accounts' })
    await api(`/signOnPolicies/${policy.id}/actions`, { type: 'IDENTIFIER_FIRST', priority: 1, ...offering })
    await api(`/signOnPolicies/${policy.id}/actions`, { type: 'LOGIN', priority: 2, ...offering })
    await api(`/applications/${facts.webApp.clientId}/signOnPolicyAssignments`, {
      priority: 1,
      signOnPolicy: { id: policy.id },
    })
  })
  after(async () => {
    await running.stop()
    await rm(directory, { recursive: true, force: true })
  })

  const open = (page: Page) => page.goto(`${facts.authUrl}/dev/app/${facts.webApp.clientId}`)

  /** The code of the newest message to an address, or whatever else of it is wanted. */
  async function codeTo(address: string, template: string, wanted = /^[0-9A-Z]{8}$/m): Promise<string> {
    for (let waited = 0; waited < 5000; waited += 20) {
      const answer = await fetch(`${facts.authUrl}/dev/inbox.json`)
      const { messages } = (await answer.json()) as {
        readonly messages: readonly { readonly to: string; readonly template: string; readonly text: string }[]
      }
      const message = messages.find((one) => one.to === address && one.template === template)
      const [code] = wanted.exec(message?.text ?? '') ?? []
      if (code) return code
      await pause(20)
    }
    return assert.fail(`no ${template} came to ${address}`)
  }

  async function scan(page: Page): Promise<void> {
    assert.deepEqual(await violationsOf(page), [])
  }

  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
  const untilApplication = (page: Page) =>
    page.waitForURL((url) => url.pathname.startsWith('/dev/app/'), { timeout: 10_000 })

  for (const javaScriptEnabled of [true, false]) {
    const script = `JavaScript ${javaScriptEnabled ? 'on' : 'off'}`
    const username = `newcomer-${javaScriptEnabled ? 'on' : 'off'}`
    const address = `${username}@example.com`

    test(`${script}: an account is created, its address confirmed, and its owner signed on`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        await open(page)
        await page.getByRole('link', { name: 'Create account' }).click()
        if (javaScriptEnabled) await scan(page)
        await page.getByLabel('Username').fill(username)
        await page.getByLabel('E-mail address').fill(address)
        await page.getByLabel('Password', { exact: true }).fill('short')
        await press(page, 'Create account')
        await page.getByText('does not meet all requirements').waitFor()
        assert.equal(await page.getByLabel('E-mail address').inputValue(), address, 'what was typed stays')
        await page.getByLabel('Password', { exact: true }).fill('Lantern-Walk-19')
        await press(page, 'Create account')
        await page.getByRole('heading', { name: 'Confirm your e-mail address' }).waitFor()
        if (javaScriptEnabled) await scan(page)
        await page.getByLabel('Verification code').fill('AAAAAAAA')
        await press(page, 'Confirm')
        await page.getByText('not right, or no longer good').waitFor()
        await page.getByLabel('Verification code').fill(await codeTo(address, 'email_verification_user'))
        await press(page, 'Confirm')
        await untilApplication(page)
        await page.getByText(username).first().waitFor()
      }))

    test(`${script}: an invitation is declined, followed once more and accepted, and is over then`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        const invited = `invited-${javaScriptEnabled ? 'on' : 'off'}`
        const email = `${invited}@example.com`
        const population = { id: facts.populationId }
        const { id } = await api('/users', { username: invited, email, population, name: { given: 'Ada' } })
        const application = { id: facts.webApp.clientId }
        await api(`/users/${id}`, { application }, 'application/vnd.pingidentity.user.invite+json')
        const link = await codeTo(email, 'user_invitation', /http\S+/)
        await page.goto(link)
        await press(page, 'Do not accept')
        await page.getByText('You did not accept the invitation').waitFor()
        await page.goto(link)
        await page.getByRole('heading', { name: 'Choose a password' }).waitFor()
        await page.getByText(invited).waitFor()
        if (javaScriptEnabled) await scan(page)
        await page.getByLabel('Password', { exact: true }).fill('short')
        await press(page, 'Accept the invitation')
        await page.getByText('does not meet all requirements').waitFor()
        if (javaScriptEnabled) await scan(page)
        await page.getByLabel('Password', { exact: true }).fill('Lantern-Walk-19')
        await press(page, 'Accept the invitation')
        await page.getByRole('heading', { name: 'Your account is ready' }).waitFor()
        if (javaScriptEnabled) await scan(page)
        await open(page)
        await page.getByText(invited).waitFor()
        await page.getByLabel('Password', { exact: true }).fill('Lantern-Walk-19')
        await press(page, 'Sign On')
        await untilApplication(page)
        await page.getByText(invited).first().waitFor()
        await page.goto(link)
        await page.getByRole('heading', { name: 'This invitation is over' }).waitFor()
        if (javaScriptEnabled) await scan(page)
      }))

    test(`${script}: a forgotten password is replaced, by name first`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        await open(page)
        await page.getByLabel('Username').fill(username)
        await press(page, 'Next')
        await page.getByLabel('Password', { exact: true }).waitFor()
        await page.getByText(username).waitFor()
        await page.getByRole('link', { name: 'Forgot password?' }).click()
        await press(page, 'Send code')
        await page.getByRole('heading', { name: 'Choose a new password' }).waitFor()
        if (javaScriptEnabled) await scan(page)
        await page.getByLabel('Recovery code').fill(await codeTo(address, 'recovery_code_template'))
        await page.getByLabel('New password', { exact: true }).fill('Harbour-Stone-73')
        await press(page, 'Save and continue')
        await untilApplication(page)
        await page.getByText(username).first().waitFor()
      }))
  }

  test('whoever is not meant can say so and give another name', () =>
    withPage({}, async (page) => {
      await open(page)
      await page.getByLabel('Username').fill('somebody-else')
      await press(page, 'Next')
      await press(page, 'Not you?')
      await page.getByLabel('Username').fill(facts.user.username)
      await press(page, 'Next')
      await page.getByLabel('Password', { exact: true }).fill(facts.user.password)
      await press(page, 'Sign On')
      await untilApplication(page)
    }))
})
