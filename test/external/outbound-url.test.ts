/** Which URLs the server may be told to ask, as text (rows G01, G02, G05, G06, G14, G15, G16). */
import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { outboundUrlProblem } from '../../src/external/outbound-url.ts'

const listed = new BlockList()
listed.addSubnet('10.0.0.0', 8, 'ipv4')

const refused: Readonly<Record<string, readonly string[]>> = {
  'G01: addresses that are not public': [
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://0.0.0.0/',
    'https://[::]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[fd00:ec2::254]/',
    'https://10.1.2.3/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://100.64.0.1/',
    'https://[fe80::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://localhost/',
    'https://localhost./',
    'https://a.localhost/',
  ],
  'G02: other spellings of addresses': [
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://0x7f.1/',
    'https://0x7f000001/',
    'https://127.1/',
    'https://127.0.0.1./',
    'https://①②⑦.0.0.1/',
    'https://１２７.0.0.1/',
    'https://127。0.0.1/',
    'https://user@idp.example/',
    'https://user:pass@idp.example/',
    'https://idp.example@127.0.0.1/',
    'https://127%2e0.0.1/',
    'https://%31%32%37.0.0.1/',
    'https://idp.example%00.evil.example/',
    'https:idp.example/',
    'https:///idp.example/',
    'https:\\\\idp.example\\',
    'https://idp.example\\@evil.example/',
  ],
  'G05: other schemes': [
    'file:///etc/passwd',
    'gopher://idp.example/',
    'ftp://idp.example/',
    'data:text/plain,x',
    'dict://idp.example/',
    'unix:/var/run/docker.sock',
    'http+unix://%2fvar%2frun/',
    'javascript:alert(1)',
    'ws://idp.example/',
    'http://idp.example/',
  ],
  'G06: ports of other services': [
    'https://idp.example:22/',
    'https://idp.example:25/',
    'https://idp.example:5432/',
    'https://idp.example:6379/',
    'https://idp.example:11211/',
  ],
  'G15: characters that split a request': [
    'https://idp.example/\r\nHost: evil',
    'https://idp.example/a b',
    'https://idp.example/%0d%0aX: y',
    'https://idp.example/\u0000',
    'https://idp.example/%00',
    ' https://idp.example/',
    'https://idp.exa\tmple/',
  ],
  'G16: placeholders': ['https://${user.host}/', 'https://{tenant}.example/', 'https://idp.example/<id>'],
  'not an address at all': ['', 'idp.example', '//idp.example/', 'https://', 'https://idp.example/#fragment'],
}

for (const [name, urls] of Object.entries(refused)) {
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
