/**
 * A real Chromium signs on with a second factor by the hosted pages, with JavaScript on and off: the passcode by e-mail is
 * read from the inbox of dev, that of the authenticator app from what quickstart.json tells of it.
 */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { passcodeShown } from '../harness/authenticator-app.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { violationsOf } from './axe.ts'
import { browserSuite } from './chromium.ts'

browserSuite('a second factor in Chromium', ({ withPage }) => {
  let stile: Stile

  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  async function passPassword(page: Page): Promise<void> {
    await page.goto(`${stile.authUrl}/dev/app/${stile.mfaApp.clientId}`)
    assert.equal(await page.getByLabel('Username').inputValue(), stile.mfaUser.username)
    await page.getByLabel('Password', { exact: true }).fill(stile.mfaUser.password)
    await page.getByRole('button', { name: 'Sign On' }).click()
    await page.getByRole('heading', { name: 'Enter your passcode' }).waitFor()
  }

  /** The newest passcode in the inbox; one that was used before does not count. */
  async function newPasscode(used: readonly string[]): Promise<string> {
    for (let waited = 0; waited < 5000; waited += 20) {
      const answer = await fetch(`${stile.authUrl}/dev/inbox.json`)
      const { messages } = (await answer.json()) as { readonly messages: readonly { readonly text: string }[] }
      const codes = messages.flatMap(({ text }) => /^[0-9]{6}$/m.exec(text) ?? [])
      const code = codes.find((each) => !used.includes(each))
      if (code) return code
      await pause(20)
    }
    throw new Error('no passcode came')
  }

  const used: string[] = []
  for (const javaScriptEnabled of [true, false]) {
    const script = `JavaScript ${javaScriptEnabled ? 'on' : 'off'}`

    test(`a passcode by e-mail, ${script}`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        await passPassword(page)
        await page.getByLabel('Passcode').fill('000000')
        await page.getByRole('button', { name: 'Continue' }).click()
        await page.getByText('The code is not right').waitFor()
        if (javaScriptEnabled) assert.deepEqual(await violationsOf(page), [])
        const passcode = await newPasscode(used)
        used.push(passcode)
        await page.getByLabel('Passcode').fill(passcode)
        await page.getByRole('button', { name: 'Continue' }).click()
        await page.waitForURL(/\/callback/)
        assert.match(await page.content(), /mfa/)
      }))

    test(`a passcode of the authenticator app instead, ${script}`, () =>
      withPage({ javaScriptEnabled }, async (page) => {
        await passPassword(page)
        used.push(await newPasscode(used))
        await page.getByRole('button', { name: 'Authenticator app' }).click()
        await page.getByText('Your authenticator app shows it').waitFor()
        // One passcode is good once: the second run takes that of the next half minute.
        await page.getByLabel('Passcode').fill(passcodeShown(stile.mfaUser.totpSecret, javaScriptEnabled ? 0 : 1))
        await page.getByRole('button', { name: 'Continue' }).click()
        await page.waitForURL(/\/callback/)
      }))
  }
})
