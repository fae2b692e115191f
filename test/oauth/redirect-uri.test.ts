/** PURE: which redirect URI a request may name. Rows A01-A14, A18; decision D13. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { type RedirectRegistration, redirectUriAllowed } from '../../src/oauth/rules/redirect-uri.ts'
import { dangerousUris, refusedForNative, refusedForWeb } from './redirect-uri-corpus.ts'

const web: RedirectRegistration = { redirectUris: ['https://app.test/cb'], native: false, wildcards: false }
const webWithQuery: RedirectRegistration = { ...web, redirectUris: ['https://app.test/cb?x=1'] }
const native: RedirectRegistration = {
  redirectUris: ['http://127.0.0.1/cb', 'com.example.app:/cb'],
  native: true,
  wildcards: false,
}

function refuses(registration: RedirectRegistration, given: readonly string[], codeWithPkce = true): void {
  for (const uri of given) assert.equal(redirectUriAllowed(registration, uri, codeWithPkce), false, JSON.stringify(uri))
}

function admits(registration: RedirectRegistration, given: readonly string[], codeWithPkce = true): void {
  for (const uri of given) assert.equal(redirectUriAllowed(registration, uri, codeWithPkce), true, JSON.stringify(uri))
}

suite('redirect URI corpus', () => {
  test('A01: what is registered is admitted, whatever the request is for', () => {
    admits(web, ['https://app.test/cb'])
    admits(web, ['https://app.test/cb'], false)
    admits(webWithQuery, ['https://app.test/cb?x=1'])
    admits(native, native.redirectUris, false)
  })

  for (const { row, title, uris } of refusedForWeb) {
    test(`${row}: ${title}`, () => {
      refuses(web, uris)
      refuses({ ...web, native: true, wildcards: true }, uris)
    })
  }

  test('A06: the query that was registered, and that alone', () => {
    refuses(webWithQuery, [
      'https://app.test/cb',
      'https://app.test/cb?x=1&a=b',
      'https://app.test/cb?a=b&x=1',
      'https://app.test/cb?x=2',
      'https://app.test/cb?x=%31',
    ])
    refuses({ ...web, redirectUris: ['https://app.test/cb?a=1&b=2'] }, ['https://app.test/cb?b=2&a=1'])
  })

  test('A07, A11: a fragment or a control character is refused even where it got registered', () => {
    const stored = [
      'https://app.test/cb#f',
      'https://app.test/cb\n',
      'https://app.test/cb\u0000',
      'https://app.test/c b',
    ]
    refuses({ ...web, redirectUris: stored }, stored)
  })

  test('A13: localhost, where it was registered without a port, has any; it stands for no address, and none for it', () => {
    const tool: RedirectRegistration = { redirectUris: ['http://localhost/cb'], native: true, wildcards: false }
    admits(tool, ['http://localhost/cb', 'http://localhost:51004/cb'])
    refuses(tool, [
      'http://127.0.0.1:51004/cb',
      'http://[::1]:51004/cb',
      'http://localhost.evil.test:51004/cb',
      'http://localhost:51004@evil.test/cb',
      'http://a.localhost:51004/cb',
      'http://localhost:51004/other',
      'http://localhost:0/cb',
      'http://localhost:65536/cb',
      'https://localhost:51004/cb',
    ])
    refuses({ ...tool, native: false }, ['http://localhost:51004/cb'])
    refuses({ ...tool, redirectUris: ['http://a.localhost/cb'] }, ['http://a.localhost:51004/cb'])
    refuses({ ...tool, redirectUris: ['http://localhost:3000/cb'] }, ['http://localhost:51004/cb'])
  })

  test('A12: a scheme that runs code is refused even where it got registered', () => {
    refuses({ redirectUris: dangerousUris, native: true, wildcards: true }, dangerousUris)
  })

  test(`${refusedForNative.row}: ${refusedForNative.title}`, () => {
    admits(native, ['http://127.0.0.1:51004/cb', 'http://127.0.0.1:1/cb', 'http://127.0.0.1:65535/cb'])
    admits({ ...native, redirectUris: ['http://[::1]/cb'] }, ['http://[::1]:5000/cb'])
    admits({ ...native, redirectUris: ['http://127.0.0.1'] }, ['http://127.0.0.1:5000'])
    refuses(native, refusedForNative.uris)
  })

  test('A13: a loopback address that was registered with a port keeps it', () => {
    refuses({ ...native, redirectUris: ['http://127.0.0.1:3000/cb'] }, [
      'http://127.0.0.1:3001/cb',
      'http://127.0.0.1/cb',
    ])
  })

  test('A14: the port rule is for native applications alone', () => {
    for (const uri of ['http://127.0.0.1:3000/cb', 'http://127.0.0.1/cb']) {
      refuses({ ...web, redirectUris: [uri] }, ['http://127.0.0.1:3001/cb', 'http://127.0.0.1:51004/cb'])
    }
  })

  test('A18, D13: an asterisk is a character like any other while the switch is off', () => {
    refuses({ ...web, redirectUris: ['https://app.test/*', 'https://*', '*'] }, [
      'https://app.test/a',
      'https://evil.test',
    ])
  })

  test('A18: a dot of the registered URI stands for a dot', () => {
    const dotted: RedirectRegistration = { ...web, redirectUris: ['https://app.te.t/cb'], wildcards: true }
    refuses(dotted, ['https://appXteYt/cb', 'https://app.te.tt/cb'])
  })

  test('A18, D13: with the switch, an asterisk is one segment of the path, for codes with PKCE', () => {
    const wildcard: RedirectRegistration = { ...web, redirectUris: ['https://app.test/*/cb'], wildcards: true }
    admits(wildcard, ['https://app.test/a/cb', 'https://app.test/a-1_~.b/cb'])
    refuses(wildcard, ['https://app.test/a/cb'], false)
    refuses(wildcard, [
      'https://app.test//cb',
      'https://app.test/a/b/cb',
      'https://app.test/../cb',
      'https://app.test/./cb',
      'https://app.test/%2e%2e/cb',
      'https://app.test/a%2fb/cb',
      'https://app.test/a?b=/cb',
      'https://app.test/a#b/cb',
      'https://app.test/a;b/cb',
      'https://app.test/a@evil.test/cb',
      'https://app.test/a/cb?x=1',
      'https://evil.test/a/cb',
    ])
  })

  test('A18, D13: an asterisk never stands for a host, a part of one, or a part of a segment', () => {
    const everywhere = [
      '*',
      'https://*',
      'https://*/cb',
      'https://*.app.test/cb',
      'https://app.test*',
      'https://app.test/c*',
    ]
    refuses({ ...web, redirectUris: everywhere, wildcards: true }, [
      'https://evil.test',
      'https://evil.test/cb',
      'https://a.app.test/cb',
      'https://app.test.evil.test',
      'https://app.test/cb',
    ])
  })
})

suite('redirect URI properties', () => {
  const uris = ['https://app.test/cb', 'https://app.test/cb?x=1', 'com.example.app:/cb', 'http://127.0.0.1:3000/cb']

  test('without wildcards and outside loopback, admitted means equal', () => {
    const registered = fc.constantFrom(...uris)
    const near = fc
      .tuple(registered, fc.nat(30), fc.string({ maxLength: 3 }), fc.nat(3))
      .map(([uri, at, put, cut]) => uri.slice(0, at) + put + uri.slice(at + cut))
    fc.assert(
      fc.property(registered, fc.oneof(near, fc.string()), fc.boolean(), (uri, given, isNative) => {
        const allowed = redirectUriAllowed({ redirectUris: [uri], native: isNative, wildcards: false }, given, true)
        assert.equal(allowed, given === uri)
      }),
      { numRuns: 3000 },
    )
  })

  test('whatever the loopback rule admits has the registered host and path, also after parsing', () => {
    const authority = fc.oneof(fc.nat(70_000).map(String), fc.string({ maxLength: 12 }))
    let admitted = 0
    fc.assert(
      fc.property(authority, fc.string({ maxLength: 2 }), (port, rest) => {
        const given = `http://127.0.0.1:${port}/cb${rest}`
        if (!redirectUriAllowed(native, given, true)) return
        admitted += 1
        const { hostname, pathname, search, hash, username } = new URL(given)
        assert.deepEqual([hostname, pathname, search, hash, username], ['127.0.0.1', '/cb', '', '', ''])
      }),
      { numRuns: 3000 },
    )
    assert.ok(admitted > 50, `the generator reached the rule ${admitted} times`)
  })

  test('whatever a wildcard admits stays on its origin and at its depth, also after parsing', () => {
    const wildcard: RedirectRegistration = { ...web, redirectUris: ['https://app.test/*/cb'], wildcards: true }
    const sharp = fc.constantFrom('.', '..', '%2e', '%2f', '\\', '/', '@', '?', '#', 'a', '*')
    const segment = fc.oneof(
      fc.string({ maxLength: 10 }),
      fc.array(sharp, { maxLength: 5 }).map((parts) => parts.join('')),
    )
    let admitted = 0
    fc.assert(
      fc.property(segment, (part) => {
        const given = `https://app.test/${part}/cb`
        if (!redirectUriAllowed(wildcard, given, true)) return
        admitted += 1
        const { href, origin, pathname } = new URL(given)
        assert.deepEqual([href, origin, pathname.split('/').length], [given, 'https://app.test', 3])
      }),
      { numRuns: 3000 },
    )
    assert.ok(admitted > 50, `the generator reached the rule ${admitted} times`)
  })
})
