import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { flowStatuses } from '../../src/flow/actions/index.ts'
import { icon } from '../../src/pages/icon.ts'
import { renderSignOnNotice } from '../../src/pages/sign-on-notice.ts'
import { signOnScript } from '../../src/pages/sign-on-script.ts'
import { type Aside, asides, renderSignOn, type SignOnView } from '../../src/pages/sign-on.ts'
import { styleSheet } from '../../src/pages/style.css.ts'
import { defaultLanguage, languages } from '../../src/pages/texts/language.ts'
import { samples, viewOf } from './samples.ts'
import { anyCharacter } from '../harness/any-character.ts'

const waiting = flowStatuses.filter((status) => status !== 'COMPLETED' && status !== 'FAILED')
const render = (view: SignOnView) => renderSignOn(view, defaultLanguage)

/** The tags of a page with their attributes' values left out: what hostile input must not change. */
function skeleton(page: string): string {
  return (page.match(/<[^>]*>/g) ?? []).map((tag) => tag.replace(/"[^"]*"/g, '""')).join('')
}

suite('sign-on pages', () => {
  test('every status in which a flow waits has a page with a form for each action it offers', () => {
    for (const status of waiting) {
      const view = viewOf(status)
      const page = render(view)
      assert.ok(view.offers.length > 0)
      for (const action of view.offers) {
        const isOwn = status === 'ASSERTION_REQUIRED'
        const aside = isOwn ? undefined : (Object.keys(asides) as Aside[]).find((each) => asides[each] === action)
        if (aside) assert.ok(page.includes(`view=${aside}"`), `${status} leads to ${aside}`)
        const shown = aside ? render({ ...view, aside }) : page
        assert.ok(shown.includes(`name="action" value="${action}"`), `${status} ${action}`)
      }
      assert.match(page, /<form method="post" action="\/[0-9a-f-]+\/signon\/\?flowId=/)
      assert.doesNotMatch(page, /undefined|\[object/)
    }
  })

  test('an action that is not offered has no form', () => {
    for (const status of waiting) assert.doesNotMatch(render(viewOf(status, { offers: [] })), /<form/)
  })

  test('labels, names and autocomplete are those that people and password managers know', () => {
    const page = render(viewOf('USERNAME_PASSWORD_REQUIRED', { offers: ['usernamePassword.check'] }))
    assert.match(
      page,
      /<label for="username">Username<\/label>\s*<input id="username" name="username" type="text" autocomplete="username"/,
    )
    assert.match(
      page,
      /<label for="password">Password<\/label>\s*<input id="password" name="password" type="password" autocomplete="current-password"/,
    )
    assert.match(page, /<button class="button">Sign On<\/button>/)
    const change = render(viewOf('MUST_CHANGE_PASSWORD'))
    assert.match(change, /name="currentPassword" type="password" autocomplete="current-password"/)
    assert.match(change, /name="newPassword" type="password" autocomplete="new-password"/)
  })

  test('where a passkey will do, it may be chosen where the name is typed, and nothing else is seen without scripts', () => {
    for (const status of ['USERNAME_PASSWORD_REQUIRED', 'SIGN_ON_REQUIRED'] as const) {
      assert.match(render(viewOf(status)), /name="username" type="text" autocomplete="username webauthn"/)
    }
    const page = render(viewOf('PASSWORD_REQUIRED'))
    assert.match(page, /name="password" type="password" autocomplete="current-password webauthn"/)
    assert.match(page, /<div class="others" id="passkey" data-options="[^"]+" hidden>/)
    const without = render(viewOf('PASSWORD_REQUIRED', { offers: ['usernamePassword.check'], aside: 'passkey' }))
    assert.doesNotMatch(without, /webauthn|passkey/)
    const alone = render(viewOf('PASSWORD_REQUIRED', { aside: 'passkey' }))
    assert.doesNotMatch(alone, /name="password"/)
    assert.match(alone, /flowId=[^"]*">Back to sign-on/)
  })

  test('where the user is known, password managers learn who it is, and the field is not sent', () => {
    for (const status of ['PASSWORD_REQUIRED', 'MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED'] as const) {
      assert.match(
        render(viewOf(status)),
        /<input type="text" autocomplete="username" value="ada\.byron" readonly hidden>/,
      )
    }
  })

  test('an error stands beside its field, is tied to it, and draws the focus', () => {
    const page = render(
      viewOf('USERNAME_PASSWORD_REQUIRED', { values: { username: 'ada' }, error: { field: 'password', text: 'No.' } }),
    )
    assert.match(
      page,
      /id="password"[^>]* aria-invalid="true" aria-describedby="password-error" autofocus>\s*<p class="error" id="password-error">No\.<\/p>/,
    )
    assert.equal(page.match(/autofocus/g)?.length, 1)
    assert.match(page, /<title>Error: /)
  })

  test('exactly one thing takes the focus, on every page that waits', () => {
    for (const [name, page] of Object.entries(samples())) {
      assert.ok((page.match(/ autofocus/g)?.length ?? 0) <= 1, name)
      if (page.includes('<form')) assert.match(page, / autofocus/, name)
    }
  })

  test('W01: nothing anybody chose changes the markup', () => {
    const text = fc.string({
      minLength: 1,
      unit: fc.oneof(
        fc.constantFrom('<', '>', '"', "'", '&', '=', '`', '/', '{', '}', 'x', ' '),
        fc.string({ unit: anyCharacter, minLength: 1, maxLength: 1 }),
      ),
    })
    const view = (status: SignOnView['status'], [name, username, given, family, error]: readonly string[]) =>
      render(
        viewOf(status, {
          applicationName: name ?? '',
          values: { username: username ?? '', email: given ?? '' },
          user: { username: username ?? '', name: { given, family } },
          error: { field: 'password', text: error ?? '' },
        }),
      )
    fc.assert(
      fc.property(fc.constantFrom(...waiting), fc.array(text, { minLength: 5, maxLength: 5 }), (status, texts) => {
        const hostile = view(status, texts)
        const harmless = view(status, ['x', 'x', 'x', 'x', 'x'])
        assert.equal(skeleton(hostile), skeleton(harmless))
      }),
      { numRuns: 300 },
    )
  })

  test('W01: neither do the names on a page without a form', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: anyCharacter }), (applicationName) => {
        for (const kind of ['completed', 'failed'] as const) {
          const page = (name: string) =>
            renderSignOnNotice(
              { kind, applicationName: name, resumeUrl: '/x/as/resume?flowId=1', failure: 'ACCOUNT_NOT_USABLE' },
              defaultLanguage,
            )
          assert.equal(skeleton(page(applicationName)), skeleton(page('x')))
        }
      }),
    )
  })

  test('a completed flow goes on by itself; a failed one waits for its reader; one that is gone leads nowhere', () => {
    const resumeUrl = '/e/as/resume?flowId=f'
    const common = { applicationName: 'Lantern', resumeUrl }
    const completed = renderSignOnNotice({ kind: 'completed', ...common }, defaultLanguage)
    assert.ok(completed.includes(`<meta http-equiv="refresh" content="0;url=${resumeUrl}">`))
    assert.ok(completed.includes(`href="${resumeUrl}">Continue</a>`))
    const failed = renderSignOnNotice({ kind: 'failed', ...common, failure: 'ACCOUNT_NOT_USABLE' }, defaultLanguage)
    assert.doesNotMatch(failed, /refresh/)
    assert.ok(failed.includes(`href="${resumeUrl}">Back to Lantern</a>`))
    assert.doesNotMatch(renderSignOnNotice({ kind: 'gone' }, defaultLanguage), /<a |<form|refresh/)
  })

  test('a page with all it loads weighs at most 30 KB', () => {
    const loaded = [styleSheet, icon, signOnScript].reduce((sum, { content }) => sum + Buffer.byteLength(content), 0)
    for (const language of languages) {
      for (const [name, page] of Object.entries(samples(language))) {
        const bytes = Buffer.byteLength(page) + loaded
        assert.ok(bytes <= 30_000, `${name}: ${bytes}`)
      }
    }
  })

  test('nothing is inline and nothing is of another host', () => {
    for (const [name, page] of Object.entries(samples())) {
      assert.doesNotMatch(page, /<style|style="|<script(?! type="module" src="\/assets\/)| on\w+="/, name)
      // Links in the text of an agreement are its author's, those to policies the application's; both open beside the page.
      const beside = /<a (?:class="link" )?href="[^"]*" target="_blank" rel="noopener noreferrer">/g
      // One more leads back after sign-off; to an application that nobody has vouched for, by a page about that.
      const back = /<a class="button" id="next" href="[^"]*">/g
      const onward = name.startsWith('return') ? /<a class="link" href="[^"]*" rel="noreferrer">/g : back
      const own = page.replaceAll(beside, '').replaceAll(back, '').replaceAll(onward, '')
      for (const [, address] of own.matchAll(/(?:src|href)="([^"]*)"/g)) assert.match(address ?? '', /^\/[^/]/, name)
    }
  })
})
