/** PURE: which redirect URI a request may name. Rows A01-A11, A13, A14, A18; decision D13. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { type RedirectRegistration, redirectUriAllowed } from '../../src/oauth/rules/redirect-uri.ts'

const web: RedirectRegistration = { redirectUris: ['https://app.test/cb'], native: false, wildcards: false }
const webWithQuery: RedirectRegistration = { ...web, redirectUris: ['https://app.test/cb?x=1'] }
const native: RedirectRegistration = {
  redirectUris: ['http://127.0.0.1/cb', 'http://[::1]/cb', 'com.example.app:/cb'],
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

  test('A02: a registered prefix is not enough', () => {
    refuses(web, [
      'https://app.test.evil.test/cb',
      'https://app.testevil.test/cb',
      'https://evil.test/?https://app.test/cb',
      'https://app.test/cbx',
      'https://app.test/cb/x',
      'https://app.test',
      'https://evil.test/https://app.test/cb',
    ])
  })

  test('A03: a path that resolves elsewhere, or back, is not the registered one', () => {
    refuses(web, [
      'https://app.test/cb/../evil',
      'https://app.test/cb/..%2f',
      'https://app.test/cb%2f..%2f',
      'https://app.test/cb/..;/x',
      'https://app.test/cb/%252e%252e/',
      'https://app.test/cb\\..\\x',
      'https://app.test/cb/.',
      'https://app.test/x/../cb',
      'https://app.test/./cb',
      'https://app.test/%63b',
    ])
  })

  test('A04: user information never hides the host', () => {
    refuses(web, [
      'https://app.test@evil.test/cb',
      'https://app.test:x@y@evil.test/cb',
      'https://evil.test\\@app.test/cb',
      'https://app.test\\@evil.test/cb',
      'https://user@app.test/cb',
      'https://@app.test/cb',
    ])
  })

  test('A05: scheme, host and path are compared with their case', () => {
    refuses(web, ['HTTPS://app.test/cb', 'https://APP.test/cb', 'https://app.test/CB', 'http://app.test/cb'])
  })

  test('A06: the query belongs to the URI', () => {
    refuses(web, ['https://app.test/cb?a=b', 'https://app.test/cb?', 'https://app.test/cb&a=b'])
    refuses(webWithQuery, [
      'https://app.test/cb',
      'https://app.test/cb?x=1&a=b',
      'https://app.test/cb?a=b&x=1',
      'https://app.test/cb?x=2',
      'https://app.test/cb?x=%31',
    ])
    const two: RedirectRegistration = { ...web, redirectUris: ['https://app.test/cb?a=1&b=2'] }
    refuses(two, ['https://app.test/cb?b=2&a=1'])
  })

  test('A07: no fragment, not even where one got registered', () => {
    refuses(web, ['https://app.test/cb#f', 'https://app.test/cb#', 'https://app.test/cb%23f'])
    refuses({ ...web, redirectUris: ['https://app.test/cb#f'] }, ['https://app.test/cb#f'])
  })

  test('A08: a port is part of the URI', () => {
    refuses(web, ['https://app.test:443/cb', 'https://app.test:8443/cb', 'https://app.test:/cb'])
  })

  test('A09: what a parser would make equal is still different', () => {
    refuses(web, [
      'https://app.test/cb/',
      'https://app.test//cb',
      'https://app.test./cb',
      'https:app.test/cb',
      'https:///app.test/cb',
      'https:/app.test/cb',
      '//app.test/cb',
      'app.test/cb',
    ])
  })

  test('A10: look-alike hosts', () => {
    refuses(web, [
      'https://\u0430pp.test/cb',
      'https://app\u3002test/cb',
      'https://a\u00adpp.test/cb',
      'https://\uff41pp.test/cb',
      'https://app.t\u200dest/cb',
      'https://xn--pp-7kc.test/cb',
    ])
  })

  test('A11: white space, control characters and their encodings', () => {
    refuses(web, [
      'https://app.test/cb\t',
      'https://app.te\tst/cb',
      'https://app.test/cb\n',
      'https://app.test/cb\r\nset-cookie: a=b',
      ' https://app.test/cb',
      'https://app.test/cb ',
      'https://app.test/cb%0d%0a',
      'https://app.test/cb%00',
      'https://app.test/cb\u0000',
    ])
  })

  test('A12: a scheme that runs code is refused even where it got registered', () => {
    const schemes = [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      'java\tscript:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'blob:https://app.test/1',
      'file:///etc/passwd',
      'about:blank',
      'view-source:https://app.test/cb',
      'filesystem:https://app.test/x',
    ]
    refuses({ redirectUris: schemes, native: true, wildcards: true }, schemes)
  })

  test('A13: any port of the registered loopback address of a native application, and nothing else', () => {
    admits(native, [
      'http://127.0.0.1:51004/cb',
      'http://[::1]:5000/cb',
      'http://127.0.0.1:1/cb',
      'http://127.0.0.1:65535/cb',
    ])
    refuses(native, [
      'http://127.0.0.1:51004/other',
      'http://127.0.0.1:51004/cb/',
      'http://127.0.0.1:51004/cb?x=1',
      'http://127.0.0.1:51004//cb',
      'http://localhost:51004/cb',
      'http://127.0.0.1.evil.test/cb',
      'http://127.0.0.1.evil.test:80/cb',
      'http://127.1:80/cb',
      'http://2130706433/cb',
      'http://2130706433:80/cb',
      'http://0177.0.0.1:80/cb',
      'https://127.0.0.1:51004/cb',
      'http://127.0.0.1:/cb',
      'http://127.0.0.1:0/cb',
      'http://127.0.0.1:080/cb',
      'http://127.0.0.1:65536/cb',
      'http://127.0.0.1:+80/cb',
      'http://127.0.0.1:80@evil.test/cb',
      'http://127.0.0.1:80:81/cb',
      'com.example.app:80/cb',
      'com.example.app://cb',
    ])
    const onlyIpv4: RedirectRegistration = { ...native, redirectUris: ['http://127.0.0.1/cb'] }
    refuses(onlyIpv4, ['http://[::1]:5000/cb'])
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
    refuses({ ...web, redirectUris: ['https://app.te.t/cb'], wildcards: true }, [
      'https://appXteYt/cb',
      'https://app.te.tt/cb',
    ])
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
  const registered = fc.constantFrom(
    'https://app.test/cb',
    'https://app.test/cb?x=1',
    'com.example.app:/cb',
    'http://127.0.0.1:3000/cb',
  )

  test('without wildcards and outside loopback, admitted means equal', () => {
    const near = fc
      .tuple(registered, fc.nat(30), fc.string({ maxLength: 3, unit: 'grapheme' }), fc.nat(3))
      .map(([uri, at, put, cut]) => uri.slice(0, at) + put + uri.slice(at + cut))
    fc.assert(
      fc.property(registered, fc.oneof(near, fc.string(), fc.webUrl()), fc.boolean(), (uri, given, native) => {
        const allowed = redirectUriAllowed({ redirectUris: [uri], native, wildcards: false }, given, true)
        assert.equal(allowed, given === uri)
      }),
      { numRuns: 3000 },
    )
  })

  test('whatever is admitted by the loopback rule has the registered host and path', () => {
    const authority = fc.oneof(fc.nat(70_000).map(String), fc.string({ maxLength: 12 }))
    fc.assert(
      fc.property(authority, fc.string({ maxLength: 6 }), (port, rest) => {
        const given = `http://127.0.0.1:${port}/cb${rest}`
        if (!redirectUriAllowed({ ...native, redirectUris: ['http://127.0.0.1/cb'] }, given, true)) return
        const { hostname, pathname, search, hash, username } = new URL(given)
        assert.deepEqual(
          { hostname, pathname, search, hash, username },
          {
            hostname: '127.0.0.1',
            pathname: '/cb',
            search: '',
            hash: '',
            username: '',
          },
        )
      }),
      { numRuns: 3000 },
    )
  })

  test('whatever a wildcard admits stays on its origin and at its depth, also after parsing', () => {
    const wildcard: RedirectRegistration = { ...web, redirectUris: ['https://app.test/*/cb'], wildcards: true }
    const segment = fc.oneof(
      fc.string({ maxLength: 10 }),
      fc
        .array(fc.constantFrom('.', '..', '%2e', '%2f', '\\', '/', '@', '?', '#', 'a', '*'), { maxLength: 5 })
        .map((parts) => parts.join('')),
    )
    let admitted = 0
    fc.assert(
      fc.property(segment, (part) => {
        const given = `https://app.test/${part}/cb`
        if (!redirectUriAllowed(wildcard, given, true)) return
        admitted += 1
        assert.equal(new URL(given).href, given)
        assert.equal(new URL(given).origin, 'https://app.test')
        assert.equal(new URL(given).pathname.split('/').length, 3)
      }),
      { numRuns: 3000 },
    )
    assert.ok(admitted > 50, `the generator reached the rule ${admitted} times`)
  })
})
