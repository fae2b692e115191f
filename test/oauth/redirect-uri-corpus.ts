/** Redirect URIs that must never work, row by row (security catalogue 1.A): one corpus for the pure rule and for HTTP. */

/** Addresses of one row. */
export interface RefusedUris {
  readonly row: string
  readonly title: string
  readonly uris: readonly string[]
}

/** For an application that registered exactly `https://app.test/cb`. */
export const refusedForWeb: readonly RefusedUris[] = [
  {
    row: 'A02',
    title: 'a registered prefix is not enough',
    uris: [
      'https://app.test.evil.test/cb',
      'https://app.testevil.test/cb',
      'https://evil.test/?https://app.test/cb',
      'https://app.test/cbx',
      'https://app.test/cb/x',
      'https://app.test',
      'https://evil.test/https://app.test/cb',
    ],
  },
  {
    row: 'A03',
    title: 'a path that resolves elsewhere, or back, is not the registered one',
    uris: [
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
    ],
  },
  {
    row: 'A04',
    title: 'user information never hides the host',
    uris: [
      'https://app.test@evil.test/cb',
      'https://app.test:x@y@evil.test/cb',
      'https://evil.test\\@app.test/cb',
      'https://app.test\\@evil.test/cb',
      'https://user@app.test/cb',
      'https://@app.test/cb',
    ],
  },
  {
    row: 'A05',
    title: 'scheme, host and path are compared with their case',
    uris: ['HTTPS://app.test/cb', 'https://APP.test/cb', 'https://app.test/CB', 'http://app.test/cb'],
  },
  {
    row: 'A06',
    title: 'no query that was not registered',
    uris: ['https://app.test/cb?a=b', 'https://app.test/cb?', 'https://app.test/cb&a=b'],
  },
  {
    row: 'A07',
    title: 'no fragment',
    uris: ['https://app.test/cb#f', 'https://app.test/cb#', 'https://app.test/cb%23f'],
  },
  {
    row: 'A08',
    title: 'a port is part of the address',
    uris: ['https://app.test:443/cb', 'https://app.test:8443/cb', 'https://app.test:/cb'],
  },
  {
    row: 'A09',
    title: 'what a parser would make equal is still different',
    uris: [
      'https://app.test/cb/',
      'https://app.test//cb',
      'https://app.test./cb',
      'https:app.test/cb',
      'https:///app.test/cb',
      'https:/app.test/cb',
      '//app.test/cb',
      'app.test/cb',
    ],
  },
  {
    row: 'A10',
    title: 'look-alike hosts',
    uris: [
      'https://\u0430pp.test/cb',
      'https://app\u3002test/cb',
      'https://a\u00adpp.test/cb',
      'https://\uff41pp.test/cb',
      'https://app.t\u200dest/cb',
      'https://xn--pp-7kc.test/cb',
    ],
  },
  {
    row: 'A11',
    title: 'white space, control characters and their encodings',
    uris: [
      'https://app.test/cb\t',
      'https://app.te\tst/cb',
      'https://app.test/cb\n',
      'https://app.test/cb\r\nset-cookie: a=b',
      ' https://app.test/cb',
      'https://app.test/cb ',
      'https://app.test/cb%0d%0a',
      'https://app.test/cb%00',
    ],
  },
]

/** For a native application that registered `http://127.0.0.1/cb` and `com.example.app:/cb`. */
export const refusedForNative: RefusedUris = {
  row: 'A13',
  title: 'any port of the registered loopback address of a native application, and nothing else',
  uris: [
    'http://127.0.0.1:51004/other',
    'http://127.0.0.1:51004/cx',
    'http://127.0.0.1:51004/CB',
    'http://127.0.0.1:51004.cb',
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
    'http://[::1]:5000/cb',
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
  ],
}

/** Schemes that run code or read files; no application may register them, and none may be used. */
export const dangerousUris: readonly string[] = [
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
