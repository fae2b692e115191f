import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { catalog, type CatalogKey } from '../../src/errors/catalog.ts'
import { problem } from '../../src/errors/problem.ts'
import { errorPage } from '../../src/pages/error.ts'
import { languages } from '../../src/pages/texts/language.ts'

const correlationId = '72df1cd2-3b99-4225-a1fa-6dc9ec0f78fc'

suite('error page', () => {
  test('every error has a heading, an advice and its correlation id, in every language', () => {
    for (const key of Object.keys(catalog) as CatalogKey[]) {
      for (const language of languages) {
        const page = errorPage(problem(key), correlationId, language)
        assert.match(page, /<h1>[^<]+<\/h1>\s*<p>[^<]+<\/p>\s*<p>[^<]+<\/p>/, key)
        assert.ok(page.includes(correlationId))
        assert.ok(page.includes(`<code>${key}</code>`))
        assert.doesNotMatch(page, /undefined|\{\w+\}|`/, key)
      }
    }
  })

  test('A20, A21: it leads nowhere', () => {
    const page = errorPage(problem('redirect_uri_rejected'), correlationId)
    assert.doesNotMatch(page, /<a |<form|http-equiv|location/)
  })

  test('W02: what a problem says is text', () => {
    const page = errorPage(
      problem('invalid_request', {
        description: '<script>alert(1)</script>',
        details: [{ code: 'INVALID_VALUE', target: '"><img src=x>', message: '<b>' }],
      }),
      '<i>',
    )
    assert.doesNotMatch(page, /<script>|<img|<b>|<i>/)
    assert.match(page, /&lt;script&gt;/)
  })
})
