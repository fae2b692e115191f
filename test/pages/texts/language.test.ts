import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { chooseLanguage, defaultLanguage, languages, say } from '../../../src/pages/texts/language.ts'

suite('languages of the pages', () => {
  test('ui_locales comes before Accept-Language, and the best quality before the others', () => {
    const chosen = (uiLocales: string | null, acceptLanguage?: string) => chooseLanguage(uiLocales, acceptLanguage).tag
    assert.equal(chosen('de', 'en'), 'de')
    assert.equal(chosen('fr de en', 'en'), 'de')
    assert.equal(chosen('fr', 'de'), 'de')
    assert.equal(chosen(null, 'de-AT,de;q=0.9,en;q=0.8'), 'de')
    assert.equal(chosen(null, 'en;q=0.3, de;q=0.7'), 'de')
    assert.equal(chosen(null, 'de;q=0, en'), 'en')
    assert.equal(chosen('DE-ch-1996', undefined), 'de')
    assert.equal(chosen(null, 'fr-FR, *;q=0.1'), 'en')
    assert.equal(chosen(null, undefined), 'en')
    assert.equal(chosen('deutsch', 'd'), 'en')
  })

  test('whatever is asked for, a language there is answers', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (uiLocales, acceptLanguage) => {
        assert.ok(languages.includes(chooseLanguage(uiLocales, acceptLanguage)))
      }),
    )
  })

  test('A37: a path is no language, and nothing is kept of what was asked for', () => {
    const twenty = (at: number) => Array.from({ length: 20 }, (_, one) => `x${(at * 20 + one).toString(36)}`)
    for (const asked of ['../../etc/passwd', '/etc/passwd', '__proto__', 'constructor', 'en/../de', 'de\u0000'])
      assert.equal(chooseLanguage(asked, asked), defaultLanguage, asked)
    const before = process.memoryUsage().rss
    for (let at = 0; at < 5_000; at++)
      assert.equal(chooseLanguage(twenty(at).join(' '), twenty(-at).join(', ')), defaultLanguage)
    assert.ok(process.memoryUsage().rss - before < 100 * 1_048_576)
  })

  test('every language has the gaps of the English text, and no other', () => {
    const gaps = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([gap]) => gap).toSorted()
    for (const { tag, texts } of languages) {
      assert.doesNotThrow(() => Intl.getCanonicalLocales(tag))
      for (const [name, text] of Object.entries(defaultLanguage.texts)) {
        const translated = texts[name as keyof typeof texts]
        assert.deepEqual(gaps(translated), gaps(text), `${tag} ${name}`)
        assert.ok(translated.trim().length > 0, `${tag} ${name}`)
      }
    }
  })

  test('a gap takes its value literally, and one without a value stays', () => {
    assert.equal(
      say(defaultLanguage, 'completed.text', { application: '{x} $& $1' }),
      'You are being taken back to {x} $& $1.',
    )
    assert.equal(say(defaultLanguage, 'completed.text'), 'You are being taken back to {application}.')
    assert.equal(
      say(defaultLanguage, 'completed.text', Object.create({ application: 'x' }) as Record<string, string>),
      'You are being taken back to {application}.',
    )
  })
})
