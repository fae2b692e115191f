import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { pageHeaders } from '../../src/pages/headers.ts'

suite('page headers', () => {
  test('I16, I17: nothing inline, no frame, no base, forms only where the page says', () => {
    const policy = pageHeaders({ formActions: ["'self'"] })['content-security-policy'] ?? ''
    assert.doesNotMatch(policy, /unsafe|\*|nonce/)
    const directives = new Map(
      policy.split('; ').map((directive) => {
        const [name = '', ...sources] = directive.split(' ')
        return [name, sources.join(' ')]
      }),
    )
    assert.equal(directives.get('default-src'), "'none'")
    assert.equal(directives.get('script-src'), "'self'")
    assert.equal(directives.get('style-src'), "'self'")
    assert.equal(directives.get('form-action'), "'self'")
    assert.equal(directives.get('frame-ancestors'), "'none'")
    assert.equal(directives.get('base-uri'), "'none'")
    assert.equal(directives.get('object-src'), "'none'")
    assert.equal(directives.get('require-trusted-types-for'), "'script'")
  })

  test('I18, A25: opener, resource, permissions and referrer policy are there', () => {
    const headers = pageHeaders({ formActions: [] })
    assert.match(headers['content-security-policy'] ?? '', /form-action 'none'/)
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin')
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
    assert.equal(headers['referrer-policy'], 'same-origin')
    assert.match(headers['permissions-policy'] ?? '', /camera=\(\).*publickey-credentials-get=\(self\)/)
  })

  test('a source that could widen the policy is refused', () => {
    for (const source of [
      'https://a.example; script-src *',
      'https://a.example, default-src *',
      'https://a.example/path',
      'https://*',
      '*',
      "'unsafe-inline'",
      'https:// a',
      'http://[::1]:3000',
      'https://a.example\n',
      '',
    ]) {
      assert.throws(() => pageHeaders({ formActions: [source] }), /source/, source)
    }
    for (const source of ['https://a.example:8443', 'http://127.0.0.1:4000', 'com.example.app:']) {
      assert.doesNotThrow(() => pageHeaders({ formActions: [source] }), source)
    }
  })
})
