/** The claims of upstream ID tokens (rows M03, M04, M11). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Claims, idTokenProblem, subjectFrom } from '../../src/external/id-token-claims.ts'

const now = 1_800_000_000_000
const seconds = now / 1000
const expected = { issuer: 'https://idp.example', clientId: 'stile', nonce: 'n-1', now }
const good: Claims = {
  iss: 'https://idp.example',
  aud: 'stile',
  nonce: 'n-1',
  exp: seconds + 300,
  iat: seconds,
  sub: 'a',
}
const judged = (changes: Claims) => idTokenProblem({ ...good, ...changes }, expected)

test('good claims are good', () => {
  for (const changes of [
    {},
    { aud: ['stile'] },
    { aud: ['other', 'stile'], azp: 'stile' },
    { azp: 'stile' },
    { exp: seconds - 59 },
    { iat: seconds + 60 },
    { iat: seconds - 600 },
    { nbf: seconds },
  ]) {
    assert.equal(judged(changes), undefined, JSON.stringify(changes))
  }
})

const bad: readonly [string, Claims, string][] = [
  ['M04: iss', { iss: 'https://evil.example' }, 'id-token-issuer'],
  ['M04: iss with a slash more', { iss: 'https://idp.example/' }, 'id-token-issuer'],
  ['M04: no iss', { iss: undefined }, 'id-token-issuer'],
  ['M04: iss as a list', { iss: ['https://idp.example'] }, 'id-token-issuer'],
  ['M04: aud', { aud: 'other' }, 'id-token-audience'],
  ['M04: no aud', { aud: undefined }, 'id-token-audience'],
  ['M04: empty aud', { aud: [] }, 'id-token-audience'],
  ['M04: aud without us', { aud: ['other', 'more'] }, 'id-token-audience'],
  ['M04: several aud without azp', { aud: ['stile', 'other'] }, 'id-token-audience'],
  ['M04: azp of another', { aud: ['stile', 'other'], azp: 'other' }, 'id-token-audience'],
  ['M04: azp of another beside one aud', { azp: 'other' }, 'id-token-audience'],
  ['M04: aud with an object', { aud: ['stile', { a: 1 }], azp: 'stile' }, 'id-token-audience'],
  ['M04: expired', { exp: seconds - 60 }, 'id-token-time'],
  ['M04: no exp', { exp: undefined }, 'id-token-time'],
  ['M04: exp as text', { exp: String(seconds + 300) }, 'id-token-time'],
  ['M04: exp infinite', { exp: Number.POSITIVE_INFINITY }, 'id-token-time'],
  ['M04: no iat', { iat: undefined }, 'id-token-time'],
  ['M04: iat old', { iat: seconds - 601 }, 'id-token-time'],
  ['M04: iat of the future', { iat: seconds + 61 }, 'id-token-time'],
  ['M04: nbf of the future', { nbf: seconds + 61 }, 'id-token-time'],
  ['M03: no nonce', { nonce: undefined }, 'id-token-nonce'],
  ['M03: empty nonce', { nonce: '' }, 'id-token-nonce'],
  ['M03: wrong nonce', { nonce: 'n-2' }, 'id-token-nonce'],
  ['M03: nonce as a list', { nonce: ['n-1'] }, 'id-token-nonce'],
  ['M03: null', { nonce: null }, 'id-token-nonce'],
]
for (const [name, changes, reason] of bad) {
  test(`${name} is refused`, () => assert.equal(judged(changes), reason))
}

test('M11: a subject is a text that can name somebody, taken exactly', () => {
  for (const value of ['a', 'Alice', 'auth0|123', 'x'.repeat(255), '0', 'CN=Alice Smith']) {
    assert.equal(subjectFrom(value, false), value)
  }
  for (const value of [
    null,
    undefined,
    '',
    ' ',
    '\t',
    ' a',
    'a ',
    'a\n',
    'null',
    'NULL',
    'undefined',
    7,
    true,
    {},
    ['a'],
    'x'.repeat(256),
    'é',
    'a\u0000',
  ]) {
    assert.equal(subjectFrom(value, false), undefined, JSON.stringify(value))
  }
})

test('M11: a counted account is a positive integer', () => {
  assert.equal(subjectFrom(583231, true), '583231')
  for (const value of ['583231', 0, -1, 1.5, 2 ** 53, null, Number.NaN])
    assert.equal(subjectFrom(value, true), undefined)
})

test('claims of any shape are judged without an exception', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('iss', 'aud', 'azp', 'nonce', 'exp', 'iat', 'nbf'), fc.anything()),
      (claims) => {
        assert.notEqual(idTokenProblem(claims, expected), undefined)
      },
    ),
  )
})
