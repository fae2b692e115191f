/** Which URLs the server may be told to ask, as text (rows G01, G02, G05, G06, G14, G15, G16). */
import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { outboundUrlProblem } from '../../src/external/outbound-url.ts'
import { refusedUrls } from './refused-urls.ts'

const listed = new BlockList()
listed.addSubnet('10.0.0.0', 8, 'ipv4')

for (const [name, urls] of Object.entries(refusedUrls)) {
  test(`${name} are refused`, () => {
    for (const url of urls) assert.notEqual(outboundUrlProblem(url, undefined), undefined, JSON.stringify(url))
  })
}

test('https addresses of public hosts are accepted as they are', () => {
  for (const url of [
    'https://accounts.google.com/.well-known/openid-configuration',
    'https://idp.example:8443/token?x=1',
    'https://xn--bcher-kva.example/',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
  ]) {
    assert.equal(outboundUrlProblem(url, undefined), undefined, url)
  }
})

test('G14: what the operator lists is accepted with http and any port, the rest of the private world is not', () => {
  assert.equal(outboundUrlProblem('http://10.0.0.5:5000/', listed), undefined)
  assert.equal(outboundUrlProblem('http://idp.corp.example/', listed), undefined, 'judged when it resolves')
  assert.notEqual(outboundUrlProblem('http://192.168.0.1/', listed), undefined)
  assert.notEqual(outboundUrlProblem('https://localhost/', listed), undefined)
  assert.notEqual(outboundUrlProblem('http://8.8.8.8/', listed), undefined)
})

test('no text gets through that a URL parser reads as another host', () => {
  const part = fc.constantFrom(
    'https',
    ':',
    '/',
    '//',
    '\\',
    '@',
    '127.0.0.1',
    'idp.example',
    '[',
    '::1',
    ']',
    '?',
    '%2f',
    '.',
    '\t',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
      const text = parts.join('')
      if (outboundUrlProblem(text, undefined) !== undefined) return
      const { protocol, hostname, username, password } = new URL(text)
      assert.equal(protocol, 'https:')
      assert.equal(username + password, '')
      assert.ok(text.toLowerCase().startsWith(`https://${hostname}`), text)
      assert.doesNotMatch(hostname, /^127\.|::1/)
    }),
    { numRuns: 2000 },
  )
})
