import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { normalAddress, proofClaimsProblem, proofHeaderProblem } from '../../../src/oauth/rules/dpop-proof.ts'

const now = 1_800_000_000_000
const seconds = now / 1000
const own = 'https://op.test/e/as/token'
const expectations = { method: 'POST', addresses: [own], accessTokenHash: undefined, now }
const good = { jti: 'a', htm: 'POST', htu: own, iat: seconds }
const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }

suite('D23: what a DPoP proof has to say', () => {
  const accepted: Readonly<Record<string, object>> = {
    'the least there is': good,
    'a query and a fragment, which do not count': { ...good, htu: `${own}?a=b#c` },
    'scheme and host in capitals, and the port that goes without saying': {
      ...good,
      htu: 'HTTPS://OP.TEST:443/e/as/token',
    },
    'a path that is encoded without need': { ...good, htu: 'https://op.test/e/a%73/%74oken' },
    'a clock that is behind': { ...good, iat: seconds - 60 },
    'a clock that is ahead': { ...good, iat: seconds + 60 },
    'a fraction of a second': { ...good, iat: seconds - 0.5 },
    'a hash of a token that nobody asked for': { ...good, ath: 'x' },
    'a beginning and an end': { ...good, nbf: seconds, exp: seconds + 300 },
  }
  for (const [name, claims] of Object.entries(accepted)) {
    test(name, () => assert.equal(proofClaimsProblem({ ...claims }, expectations), undefined))
  }

  const refused: Readonly<Record<string, readonly [object, RegExp]>> = {
    'no identifier': [{ ...good, jti: undefined }, /jti/],
    'an identifier that is empty': [{ ...good, jti: '' }, /jti/],
    'an identifier that is a number': [{ ...good, jti: 1 }, /jti/],
    'another method': [{ ...good, htm: 'GET' }, /htm/],
    'the method in another spelling': [{ ...good, htm: 'post' }, /htm/],
    'no method': [{ ...good, htm: undefined }, /htm/],
    'another path': [{ ...good, htu: 'https://op.test/e/as/par' }, /htu/],
    'another host': [{ ...good, htu: 'https://evil.test/e/as/token' }, /htu/],
    'another scheme': [{ ...good, htu: 'http://op.test/e/as/token' }, /htu/],
    'another port': [{ ...good, htu: 'https://op.test:8443/e/as/token' }, /htu/],
    'a slash more': [{ ...good, htu: `${own}/` }, /htu/],
    'a path in capitals': [{ ...good, htu: 'https://op.test/E/as/token' }, /htu/],
    'a slash that is encoded': [{ ...good, htu: 'https://op.test/e%2Fas/token' }, /htu/],
    'a host behind a name': [{ ...good, htu: 'https://op.test@evil.test/e/as/token' }, /htu/],
    'a name before the host': [{ ...good, htu: 'https://user@op.test/e/as/token' }, /htu/],
    'a path alone': [{ ...good, htu: '/e/as/token' }, /htu/],
    'no address': [{ ...good, htu: undefined }, /htu/],
    'no time': [{ ...good, iat: undefined }, /iat/],
    'a time that is a text': [{ ...good, iat: String(seconds) }, /iat/],
    'long ago': [{ ...good, iat: seconds - 61 }, /too far/],
    'far ahead': [{ ...good, iat: seconds + 61 }, /too far/],
    'an end that is over': [{ ...good, exp: seconds - 60 }, /not valid now/],
    'an end that is no time': [{ ...good, exp: 'x' }, /malformed/],
    'a beginning far ahead': [{ ...good, nbf: seconds + 61 }, /not valid now/],
  }
  for (const [name, [claims, problem]] of Object.entries(refused)) {
    test(`refused: ${name}`, () => assert.match(proofClaimsProblem({ ...claims }, expectations) ?? '', problem))
  }

  test('the hash of the access token, where one is presented', () => {
    const bound = { ...expectations, accessTokenHash: 'h' }
    assert.equal(proofClaimsProblem({ ...good, ath: 'h' }, bound), undefined)
    for (const ath of [undefined, 'x', 1]) assert.match(proofClaimsProblem({ ...good, ath }, bound) ?? '', /ath/)
  })

  test('the header', () => {
    const header = { typ: 'dpop+jwt', alg: 'ES256', jwk }
    assert.equal(proofHeaderProblem(header), undefined)
    const headers: readonly (readonly [object, RegExp])[] = [
      [{ ...header, typ: undefined }, /typ/],
      [{ ...header, typ: 'JWT' }, /typ/],
      ...['none', 'None', 'HS256', '', undefined, ['ES256'], 'ES256K'].map(
        (alg) => [{ ...header, alg }, /alg/] as const,
      ),
      ...[undefined, null, 'x', [jwk], { ...jwk, d: 'x' }, { kty: 'oct', k: 'x' }, { kty: 'oct' }, {}].map(
        (key) => [{ ...header, jwk: key }, /jwk/] as const,
      ),
    ]
    for (const [other, problem] of headers) assert.match(proofHeaderProblem({ ...other }) ?? '', problem)
  })

  test('an address is its own normal form once it is normal, and query and fragment never count', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (address) => {
        const normal = normalAddress(address)
        assert.ok(normal !== undefined && !/[?#]/.test(normal))
        assert.equal(normalAddress(normal), normal)
      }),
    )
  })
})
