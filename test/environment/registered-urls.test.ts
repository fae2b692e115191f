/** What an application may register, as tables: rows A07, A12, A15, A18; decision D13. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  originProblem,
  redirectUriProblem,
  webAddressProblem,
  wildcardsNotAllowed,
} from '../../src/environment/registered-urls.ts'

const web = { native: false, wildcards: false }
const native = { native: true, wildcards: false }
const wild = { native: false, wildcards: true }

const dangerous = [
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\tscript:alert(1)',
  'java\nscript:alert(1)',
  ' javascript:alert(1)',
  '\u0001javascript:alert(1)',
  'javascript://app.test/%0aalert(1)',
  'data:text/html,<script>alert(1)</script>',
  'data:text/html;base64,PHNjcmlwdD4=',
  'vbscript:msgbox(1)',
  'blob:https://app.test/0f0d1e2c',
  'file:///etc/passwd',
  'about:blank',
  'view-source:https://app.test/',
  'filesystem:https://app.test/temporary/x',
]

suite('redirect URIs', () => {
  test('A12: no scheme that runs or reads something, however it is written, for any kind of application', () => {
    for (const uri of dangerous) {
      for (const registrant of [web, native, wild]) assert.ok(redirectUriProblem(uri, registrant), JSON.stringify(uri))
    }
  })

  const accepted: readonly (readonly [string, typeof web])[] = [
    ['https://app.test/cb', web],
    ['https://app.test', web],
    ['https://app.test:8443/cb?x=1&y=%20', web],
    ['HTTPS://APP.test/CB', web],
    ['https://app.test/a//b;v=1/~x', web],
    ['https://xn--fsq.test/cb', web],
    ['https://[2001:db8::1]:8443/cb', web],
    ['http://localhost:3000/cb', web],
    ['http://app.localhost/cb', web],
    ['http://127.0.0.1:3000/cb', web],
    ['http://[::1]/cb', web],
    ['com.example.app:/cb', native],
    ['com.example.app://callback/x', native],
    ['https://app.test/*', wild],
    ['https://app.test/*/cb', wild],
    ['http://localhost/a/*/b', wild],
  ]
  for (const [uri, registrant] of accepted) {
    test(`accepts ${uri}`, () => assert.equal(redirectUriProblem(uri, registrant), undefined))
  }

  const refused: Readonly<Record<string, readonly (readonly [string, typeof web])[]>> = {
    'A07: a fragment': [
      ['https://app.test/cb#', web],
      ['https://app.test/cb#f', web],
      ['com.example.app:/cb#f', native],
    ],
    'A15: a private-use scheme without a dot, or of an application that is not native': [
      ['myapp:/cb', native],
      ['myapp://callback', native],
      ['com.example.app:/cb', web],
    ],
    'plain http away from the own machine': [
      ['http://app.test/cb', web],
      ['http://app.test/cb', native],
      ['http://127.0.0.1.evil.test/cb', native],
      ['http://localhost.evil.test/cb', web],
      ['http://notlocalhost/cb', web],
      ['http://127.0.0.2/cb', web],
    ],
    'a host that browsers would write differently': [
      ['https://127.1/cb', web],
      ['https://2130706433/cb', web],
      ['https://0x7f.0.0.1/cb', web],
      ['https://app%2etest/cb', web],
      ['https://аpp.test/cb', web],
      ['https://app。test/cb', web],
      ['https://[0:0:0:0:0:0:0:1]/cb', web],
    ],
    'credentials, or a host that only looks like one': [
      ['https://app.test@evil.test/cb', web],
      ['https://app.test:x@evil.test/cb', web],
      ['https://evil.test\\@app.test/cb', web],
      ['https://app.test\\@evil.test/cb', web],
      ['https:app.test/cb', web],
      ['https:///app.test/cb', web],
      ['https://?x', web],
      ['//app.test/cb', web],
      ['/cb', web],
      ['', web],
    ],
    'segments that a browser resolves away': [
      ['https://app.test/cb/../evil', web],
      ['https://app.test/cb/.', web],
      ['https://app.test/%2e%2E/x', web],
    ],
    'characters that have no place in a URI': [
      ['https://app.test/c b', web],
      [' https://app.test/cb', web],
      ['https://app.test/cb\n', web],
      ['https://app.test/cb\u0000', web],
      ['https://app.test/%0d%0aSet-Cookie:x', web],
      ['https://app.test/%00', web],
      ['https://app.test/%zz', web],
      ['https://app.test/<script>', web],
      ['https://app.test/"', web],
      ['https://app.test/ü', web],
      [`https://app.test/${'x'.repeat(2048)}`, web],
    ],
    'A18: wildcards, even with the switch, anywhere but as a whole segment of a path': [
      ['*', wild],
      ['https://*', wild],
      ['https://*/cb', wild],
      ['https://*.app.test/cb', wild],
      ['https://app.test*', wild],
      ['https://app.test:*/cb', wild],
      ['https://app.test/cb*', wild],
      ['https://app.test/a*b/cb', wild],
      ['https://app.test/**', wild],
      ['https://app.test/cb?x=*', wild],
      ['https://app.test/*/../cb', wild],
      ['com.example.app:/*', { native: true, wildcards: true }],
    ],
  }
  for (const [rule, rows] of Object.entries(refused)) {
    test(`refuses ${rule}`, () => {
      for (const [uri, registrant] of rows) assert.ok(redirectUriProblem(uri, registrant), JSON.stringify(uri))
    })
  }

  test('A18: without the switch a wildcard is refused in the words clients look for', () => {
    for (const uri of ['*', 'https://*', 'https://*.app.test/cb', 'https://app.test/*', 'https://app.test*']) {
      assert.equal(redirectUriProblem(uri, web), wildcardsNotAllowed)
    }
    assert.equal(wildcardsNotAllowed, 'Wildcards are not allowed in redirect URIs.')
  })

  test('A19: a huge address costs nothing', () => {
    const started = performance.now()
    for (const part of ['/', '*', '/*', '%2e/', 'a.', ':', '@']) {
      assert.ok(redirectUriProblem(`https://app.test/${part.repeat(500_000)}`, wild))
      assert.ok(redirectUriProblem(`https://${part.repeat(500_000)}`, wild))
    }
    assert.ok(performance.now() - started < 500)
  })
})

suite('web addresses', () => {
  test('A12: no scheme that runs or reads something', () => {
    for (const address of dangerous) {
      assert.ok(webAddressProblem(address, true), JSON.stringify(address))
      assert.ok(webAddressProblem(address, false), JSON.stringify(address))
    }
    assert.ok(webAddressProblem('com.example.app:/cb', false))
  })

  test('a page may have a fragment; where a browser is sent in a sign-on, it has to be https', () => {
    assert.equal(webAddressProblem('https://app.test/#/home', true), undefined)
    assert.equal(webAddressProblem('http://localhost:3000/login', true), undefined)
    assert.equal(webAddressProblem('http://intranet.test/home', false), undefined)
    assert.ok(webAddressProblem('http://intranet.test/login', true))
  })
})

suite('origins', () => {
  test('are written as browsers send them', () => {
    for (const origin of ['https://app.test', 'http://localhost:3000', 'https://app.test:8443', 'https://[::1]']) {
      assert.equal(originProblem(origin), undefined, origin)
    }
    const wrong = [
      '*',
      'null',
      '',
      'https://*.app.test',
      'https://app.test/',
      'https://app.test/path',
      'https://app.test:443',
      'https://App.test',
      'https://user@app.test',
      'app.test',
      'ftp://app.test',
      'https://app.test,https://evil.test',
      'javascript:alert(1)',
    ]
    for (const origin of wrong) assert.ok(originProblem(origin), origin)
  })
})
