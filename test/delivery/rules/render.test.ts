/** Rendering: which content, and that nothing a variable brings in is more than text (rows of 1.W; K18). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { builtInContents } from '../../../src/delivery/rules/contents/built-in.ts'
import type { Notification } from '../../../src/delivery/notification.ts'
import { builtInFor, type MessageBy, renderNotification } from '../../../src/delivery/rules/render.ts'
import { spokenText } from '../../../src/delivery/rules/spoken.ts'
import { type TemplateContent, templateContent } from '../../../src/delivery/rules/template-content.ts'
import {
  type DeliveryMethod,
  deliveryMethods,
  type TemplateName,
  templates,
} from '../../../src/delivery/rules/templates.ts'

const notification = (more: Partial<Notification> = {}): Notification => ({
  template: 'recovery_code_template',
  to: 'ada@example.com',
  userId: 'id',
  locales: [],
  variables: { code: 'BCDF2345', 'user.username': 'ada', 'user.name': 'Ada' },
  ...more,
})

/** Renders what has to be a message of one delivery method. */
function render<M extends DeliveryMethod = 'Email'>(
  more: Partial<Notification> & { readonly deliveryMethod?: M } = {},
  stored: readonly TemplateContent[] = [],
): MessageBy<M> {
  const message = renderNotification(notification(more), stored)
  assert.equal(message?.deliveryMethod, more.deliveryMethod ?? 'Email')
  return message as MessageBy<M>
}

/** A content for e-mail, as an environment stores it. */
const stored = (body: string, more: object = {}): TemplateContent =>
  templateContent.parse({ deliveryMethod: 'Email', locale: 'en', subject: 'Own', body, ...more })

/** What somebody types who means harm. */
const typed = fc.string({
  unit: fc.oneof(fc.constantFrom('<', '>', '"', "'", '&', '$', '{', '}', '\r', '\n'), fc.string({ maxLength: 3 })),
})

suite('rendering', () => {
  test('the code stands on a line of its own, and the user is named', () => {
    const { subject, text, html } = render()
    assert.equal(subject, 'Your recovery code')
    assert.match(text, /^BCDF2345$/m)
    assert.match(text, /^Hello Ada,$/m)
    assert.match(html ?? '', /<p>BCDF2345<\/p>/)
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
    for (const [locales, subject] of rows) assert.equal(render({ locales }).subject, subject)
  })

  test('contents of the environment go before built-in ones, the exact language and the variant before others', () => {
    const own = [
      stored('b', { locale: 'fr', subject: 'fr' }),
      stored('b', { locale: 'fr-CA', subject: 'fr-CA' }),
      stored('b', { locale: 'de', subject: 'de, spring', variant: 'spring' }),
    ]
    const rows: readonly (readonly [readonly string[], string | undefined, string])[] = [
      [['fr-CA'], undefined, 'fr-CA'],
      [['fr-FR'], undefined, 'fr'],
      [['de'], undefined, 'Ihr Wiederherstellungscode'],
      [['de'], 'spring', 'de, spring'],
      [['fr'], 'spring', 'fr'],
      [['de'], 'autumn', 'Ihr Wiederherstellungscode'],
      [['xx'], undefined, 'Your recovery code'],
    ]
    for (const [locales, variant, subject] of rows) {
      assert.equal(render({ locales, ...(variant === undefined ? {} : { variant }) }, own).subject, subject)
    }
  })

  test('every template that has a text has it in every language and method alike, within its bounds', () => {
    for (const name of Object.keys(templates) as TemplateName[]) {
      for (const method of deliveryMethods) {
        const contents = builtInFor(name, method)
        assert.ok(contents.length === 0 || contents.length === builtInContents.size, `${name} by ${method}`)
        assert.ok(contents.length === 0 || (templates[name].deliveryMethods as readonly string[]).includes(method))
        for (const content of contents) {
          templateContent.parse(content)
          const { variables, allowDynamicVariables } = templates[name]
          for (const [, variable = ''] of JSON.stringify(content).matchAll(/\$\{([^}]*)\}/g)) {
            assert.ok(allowDynamicVariables || Object.hasOwn(variables, variable), `${name} names ${variable}`)
          }
        }
      }
    }
  })

  test('W05: nothing is evaluated; an unknown variable is empty', () => {
    const rows = [
      ['${7*7}', '${7*7}'],
      ['{{7*7}}', '{{7*7}}'],
      ["{{constructor.constructor('return process')()}}", "{{constructor.constructor('return process')()}}"],
      ['<%= 7*7 %>', '<%= 7*7 %>'],
      ['a${__proto__}b', 'ab'],
      ['a${constructor}b', 'ab'],
      ['a${toString}b', 'ab'],
      ['a${unknown}b', 'ab'],
      ['a${user.password}b', 'ab'],
      ['${code}${otp}', 'BCDF2345BCDF2345'],
      ['$${code}}', '$BCDF2345}'],
    ]
    for (const [body = '', expected] of rows) {
      assert.equal(render({}, [stored(body, { emailContentType: 'text/plain' })]).text, expected)
    }
  })

  test('a variable that the template does not name is not filled in, whatever the sender gives', () => {
    const variables = { code: 'BCDF2345', secret: 'hidden' }
    assert.equal(render({ variables }, [stored('a${secret}b', { emailContentType: 'text/plain' })]).text, 'ab')
    const general = stored('a${secret}b', { emailContentType: 'text/plain' })
    assert.equal(render({ template: 'general', variables }, [general]).text, 'ahiddenb')
  })

  test('a variable that is missing is left empty', () => {
    assert.doesNotMatch(render({ variables: {} }).text, /\$\{|undefined/)
  })

  test('W01: no value changes the markup, is looked at again, or begins another header', () => {
    fc.assert(
      fc.property(typed, fc.constantFrom('en', 'de'), (value, locale) => {
        const variables = { code: 'BCDF2345', 'user.username': value, 'user.name': `${value}\${code}` }
        const { subject, html = '' } = render({ locales: [locale], variables })
        assert.doesNotMatch(subject, /[\r\n]/)
        const plain = render({ locales: [locale] }).html ?? ''
        const tags = (page: string) => page.match(/<[^>]*>/g)
        assert.deepEqual(tags(html), tags(plain))
        assert.equal(html.match(/BCDF2345/g)?.length, 1, 'a code that a value names is not filled in')
      }),
    )
  })

  test('W01: a value in a subject or a name of the sender stays on its line', () => {
    const content = stored('b', { subject: 'To ${user.name}', from: { name: '${user.name}' }, replyTo: { name: 'x' } })
    fc.assert(
      fc.property(typed, (value) => {
        const { subject, from } = render({ variables: { 'user.name': `${value}\r\nBcc: evil@example.com` } }, [content])
        const given = { subject: `${value}\r\nBcc: evil@example.com`, message: 'm' }
        const general = render({ template: 'general', variables: given })
        for (const text of [subject, from?.name ?? '', general.subject])
          assert.doesNotMatch(text, /[\p{Cc}\u2028\u2029]/u)
      }),
    )
  })

  test('W07: a name is no link and turns no text around', () => {
    const { text, html } = render({
      variables: { code: 'X', 'user.username': 'ada@example.com', 'user.name': 'See https://evil.example/x \u202egnp' },
    })
    for (const body of [text, html ?? '']) {
      assert.doesNotMatch(body, /https:\/\/|evil\.example|\u202e/)
      assert.match(body, /ada@example\.com/, 'an identifier stays as it is')
    }
  })

  test('W06: the largest body with the most variables is rendered quickly and stays small', () => {
    const body = '${user.name}<'.repeat(8_000)
    const began = performance.now()
    const { html = '' } = render({ variables: { 'user.name': '<'.repeat(100_000) } }, [stored(body.slice(0, 100_000))])
    assert.ok(performance.now() - began < 100, 'within 100 ms')
    assert.ok(html.length <= 200_000, 'what is filled in has a bound')
  })

  test('SMS is text; calls spell the code, and no value is a mark of theirs', () => {
    const sms = render({ template: 'strong_authentication', deliveryMethod: 'SMS' })
    assert.match(sms.text, /BCDF2345/)
    const { parts } = render({ template: 'strong_authentication', deliveryMethod: 'Voice' })
    assert.match(spokenText(parts), /B, C, D, F, 2, 3, 4, 5/)
    assert.ok(parts.some(({ kind }) => kind === 'pause'))
    const own = templateContent.parse({
      deliveryMethod: 'Voice',
      locale: 'en',
      content: '${user.name}<repeatMessage val=2>x<pause1sec></repeatMessage>',
    })
    const voiced = render(
      { template: 'strong_authentication', deliveryMethod: 'Voice', variables: { 'user.name': '<pause1sec>' } },
      [own],
    )
    assert.deepEqual(
      voiced.parts.map((part) => (part.kind === 'pause' ? '-' : part.text)),
      ['<pause1sec>x', '-', 'x', '-'],
    )
  })

  test('a template without a content for the method is none', () => {
    assert.equal(renderNotification(notification({ template: 'credential_issued' }), []), undefined)
    assert.equal(renderNotification(notification({ deliveryMethod: 'Push' }), []), undefined)
  })
})

suite('contents', () => {
  test('W08: what would begin a header, or is too long, is refused', () => {
    const email = { deliveryMethod: 'Email', locale: 'en', subject: 's', body: 'b' }
    const rows: readonly object[] = [
      { ...email, subject: 'a\r\nBcc: x@example.com' },
      { ...email, subject: 'a\u2028b' },
      { ...email, subject: 'x'.repeat(257) },
      { ...email, body: 'x'.repeat(100_001) },
      { ...email, from: { name: 'a\nb', address: 'a@example.com' } },
      { ...email, from: { address: 'a@example.com, b@example.com' } },
      { ...email, from: { address: 'a@example.com\r\nBcc: b@example.com' } },
      { ...email, replyTo: { address: '<a@example.com>' } },
      { ...email, charset: 'UTF-7' },
      { ...email, emailContentType: 'text/html; charset=UTF-7' },
      { ...email, locale: '../en' },
      { ...email, variant: 'a\nb' },
      { deliveryMethod: 'SMS', locale: 'en', content: 'x'.repeat(154) },
      { deliveryMethod: 'SMS', locale: 'en', content: 'x', sender: 'x'.repeat(12) },
      { deliveryMethod: 'Voice', locale: 'en', content: 'x', voice: '"/><x' },
      { deliveryMethod: 'Push', locale: 'en', title: 'x'.repeat(201), body: 'x' },
      { deliveryMethod: 'WhatsApp', locale: 'en', content: 'x' },
    ]
    assert.ok(templateContent.safeParse(email).success)
    for (const row of rows)
      assert.equal(templateContent.safeParse(row).success, false, JSON.stringify(row).slice(0, 90))
  })
})
