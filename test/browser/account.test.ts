/**
 * A real Chromium creates an account, accepts an invitation and recovers a password by the hosted pages, with JavaScript on
 * and off; the codes are read from the inbox of dev, as a person would.
 */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { type Stile, startStile } from '../harness/stile.ts'
import { violationsOf } from './axe.ts'
import { browserSuite } from './chromium.ts'

browserSuite('accounts in Chromium', ({ withPage }) => {
  let stile: Stile
  /** Posts to the management API. */
  async function api(path: string, body: object, mediaType = 'application/json'): Promise<{ readonly id: string }> {
    const { status, text, json } = await stile.api('POST', path, body, { mediaType })
    assert.ok(status < 300, `${path}: ${text}`)
    return json
  }

  before(async () => {
    stile = await startStile()
    const offering = { recovery: { enabled: true }, registration: { enabled: true } }
    const policy = await api('/signOnPolicies', { name: 'Accounts' })
    await api(`/signOnPolicies/${policy.id}/actions`, { type: 'IDENTIFIER_FIRST', priority: 1, ...offering })
    await api(`/signOnPolicies/${policy.id}/actions`, { type: 'LOGIN', priority: 2, ...offering })
    await api(`/applications/${stile.webApp.clientId}/signOnPolicyAssignments`, {
      priority: 1,
      signOnPolicy: { id: policy.id },
    })
  })
  after(() => stile.close())

  const open = (page: Page) => page.goto(`${stile.authUrl}/dev/app/${stile.webApp.clientId}`)

  /** The code of the newest message to an address, or whatever else of it is wanted. */
  async function codeTo(address: string, template: string, wanted = /^[0-9A-Z]{8}$/m): Promise<string> {
    for (let waited = 0; waited < 5000; waited += 20) {
      const answer = await fetch(`${stile.authUrl}/dev/inbox.json`)
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
        const population = { id: stile.populationId }
        const { id } = await api('/users', { username: invited, email, population, name: { given: 'Ada' } })
        const application = { id: stile.webApp.clientId }
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
      await page.getByLabel('Username').fill(stile.user.username)
      await press(page, 'Next')
      await page.getByLabel('Password', { exact: true }).fill(stile.user.password)
      await press(page, 'Sign On')
      await untilApplication(page)
    }))
})
