/** Templates: which language, and that nothing a variable brings in is more than text (rows of 1.W). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { Notification } from '../../src/delivery/notification.ts'
import { renderNotification } from '../../src/delivery/templates.ts'

const notification = (more: Partial<Notification> = {}): Notification => ({
  template: 'recovery_code_template',
  to: 'ada@example.com',
  userId: 'id',
  locales: [],
  variables: { code: 'BCDF2345', 'user.username': 'ada', 'user.name': 'Ada' },
  ...more,
})

suite('templates', () => {
  test('the code stands on a line of its own, and the user is named', () => {
    const { subject, text, html } = renderNotification(notification())
    assert.equal(subject, 'Your recovery code')
    assert.match(text, /^BCDF2345$/m)
    assert.match(text, /^Hello Ada,$/m)
    assert.match(html, /<p>BCDF2345<\/p>/)
  })

  test('the first language there is, by its first part; English otherwise', () => {
    const rows: readonly (readonly [readonly string[], string])[] = [
      [['de'], 'Ihr Wiederherstellungscode'],
      [['de-AT', 'en'], 'Ihr Wiederherstellungscode'],
      [['xx', 'DE-ch'], 'Ihr Wiederherstellungscode'],
      [['en', 'de'], 'Your recovery code'],
      [['xx', '__proto__', 'constructor'], 'Your recovery code'],
      [[], 'Your recovery code'],
    ]
    for (const [locales, subject] of rows) {
      assert.equal(renderNotification(notification({ locales })).subject, subject)
    }
  })

  test('a variable that is missing is left empty', () => {
    const { text } = renderNotification(notification({ variables: {} }))
    assert.doesNotMatch(text, /\$\{|undefined/)
  })

  test('W: no value changes the markup, is looked at again, or begins another header', () => {
    const value = fc.string({
      unit: fc.oneof(fc.constantFrom('<', '>', '"', "'", '&', '$', '{', '}', '\r', '\n'), fc.string({ maxLength: 3 })),
    })
    fc.assert(
      fc.property(value, fc.constantFrom('en', 'de'), (typed, locale) => {
        const variables = { code: 'BCDF2345', 'user.username': typed, 'user.name': `${typed}\${code}` }
        const { subject, html } = renderNotification(notification({ locales: [locale], variables }))
        assert.doesNotMatch(subject, /[\r\n]/)
        const plain = renderNotification(notification({ locales: [locale] })).html
        const tags = (page: string) => page.match(/<[^>]*>/g)
        assert.deepEqual(tags(html), tags(plain))
        assert.equal(html.match(/BCDF2345/g)?.length, 1, 'a code that a value names is not filled in')
      }),
    )
  })
})
