import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { formPostPage } from '../../src/pages/form-post.ts'

const formAction = (redirectUri: string) =>
  / (form-action [^;]*);/.exec(formPostPage(redirectUri, {}).headers['content-security-policy'] ?? '')?.[1]

suite('form_post page', () => {
  test('C05: the form may go to the origin of the redirect URI and nowhere else', () => {
    assert.equal(formAction('https://app.example.com/callback?a=b;c'), 'form-action https://app.example.com')
    assert.equal(formAction('http://localhost:3000/callback'), 'form-action http://localhost:3000')
    assert.equal(formAction('com.example.app:/callback'), 'form-action com.example.app:')
  })

  test('an origin that no policy can name is named by its scheme', () => {
    assert.equal(formAction('http://[::1]:3000/callback'), 'form-action http:')
    assert.equal(formAction('https://[2001:db8::1]/callback'), 'form-action https:')
    assert.equal(formAction('https://a;b_c.example/callback'), 'form-action https:')
  })

  test('C05: address and parameters are attributes, whatever is in them', () => {
    const hostile = `"><script>alert(1)</script>'&`
    const { html } = formPostPage('https://app.example.com/?x="><b>', { state: hostile, [hostile]: 'x' })
    assert.doesNotMatch(html, /<script>|<b>/)
    assert.ok(html.includes('value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;"'))
  })

  test('an address that would run as a script is refused', () => {
    assert.throws(() => formPostPage('javascript:alert(1)', {}))
    assert.throws(() => formPostPage('data:text/html,x', {}))
  })
})
