/** PURE: PKCE. RFC 7636; rows B10-B16; decision D14. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { type CodeChallenge, type PkceEnforcement, readChallenge, verifierProves } from '../../src/oauth/rules/pkce.ts'

const sha256 = (text: string) => createHash('sha256').update(text, 'ascii').digest('base64url')
/** RFC 7636 appendix B. */
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const s256: CodeChallenge = { value: challenge, method: 'S256' }
const plain: CodeChallenge = { value: verifier, method: 'plain' }
const everyEnforcement: readonly PkceEnforcement[] = ['OPTIONAL', 'REQUIRED', 'S256_REQUIRED']

const accepts = (enforcement: PkceEnforcement, value: string | undefined, method: string | undefined) =>
  'challenge' in readChallenge(enforcement, value, method)

suite('challenges at the authorization endpoint', () => {
  test('B10: none is accepted only where PKCE is optional', () => {
    assert.deepEqual(readChallenge('OPTIONAL', undefined, undefined), { challenge: null })
    assert.equal(accepts('REQUIRED', undefined, undefined), false)
    assert.equal(accepts('S256_REQUIRED', undefined, undefined), false)
  })

  test('B13: which method each enforcement admits', () => {
    // method: OPTIONAL, REQUIRED, S256_REQUIRED
    const table: readonly [string | undefined, boolean, boolean, boolean][] = [
      ['S256', true, true, true],
      ['plain', true, true, false],
      [undefined, true, true, false],
      ['s256', false, false, false],
      ['S512', false, false, false],
      ['PLAIN', false, false, false],
      ['none', false, false, false],
      ['', false, false, false],
      ['S256 plain', false, false, false],
    ]
    for (const [method, ...expected] of table) {
      assert.deepEqual(
        everyEnforcement.map((enforcement) => accepts(enforcement, challenge, method)),
        expected,
        `${method}`,
      )
    }
  })

  test('B13: a method without a challenge is refused everywhere', () => {
    for (const enforcement of everyEnforcement) assert.equal(accepts(enforcement, undefined, 'S256'), false)
  })

  test('B15: an S256 challenge is 32 bytes in canonical base64url', () => {
    assert.equal(accepts('OPTIONAL', challenge, 'S256'), true)
    const malformed = [
      '',
      challenge.slice(0, -1),
      `${challenge}A`,
      `${challenge}=`,
      `${challenge.slice(0, -1)}=`,
      challenge.replace('-', '+'),
      `/${challenge.slice(1)}`,
      `${challenge.slice(0, -1)}N`,
      ` ${challenge.slice(1)}`,
      `${challenge}\n`,
      createHash('sha256').update(verifier).digest('hex'),
    ]
    for (const value of malformed) assert.equal(accepts('OPTIONAL', value, 'S256'), false, JSON.stringify(value))
  })

  test('B14: a plain challenge has the form of a verifier', () => {
    for (const [length, fits] of [
      [1, false],
      [42, false],
      [43, true],
      [128, true],
      [129, false],
    ] as const) {
      assert.equal(accepts('OPTIONAL', 'a'.repeat(length), 'plain'), fits, `${length}`)
    }
    assert.equal(accepts('OPTIONAL', `${'a'.repeat(43)}=`, 'plain'), false)
    assert.equal(accepts('OPTIONAL', `${'a'.repeat(43)}ü`, 'plain'), false)
  })

  test('B15, B16: every hash of a verifier is accepted, and no other spelling of it', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.constantFrom(...'BCDFGHJKLNOPRSTVWXZ'),
        (bytes, last) => {
          const value = Buffer.from(bytes).toString('base64url')
          assert.equal(accepts('S256_REQUIRED', value, 'S256'), true)
          // The last character carries four bits of six: the other spellings of the same bytes must not pass.
          assert.equal(accepts('S256_REQUIRED', value.slice(0, -1) + last, 'S256'), false)
        },
      ),
    )
  })
})

suite('verifiers at the token endpoint', () => {
  test('the verifier of the challenge proves it', () => {
    assert.equal(verifierProves(s256, verifier, sha256), true)
    assert.equal(verifierProves(plain, verifier, sha256), true)
  })

  test('B11: none, and an empty one, prove nothing', () => {
    for (const stored of [s256, plain]) {
      assert.equal(verifierProves(stored, undefined, sha256), false)
      assert.equal(verifierProves(stored, '', sha256), false)
    }
  })

  test('B12: a verifier where no challenge was sent is refused', () => {
    assert.equal(verifierProves(null, undefined, sha256), true)
    assert.equal(verifierProves(null, verifier, sha256), false)
    assert.equal(verifierProves(null, '', sha256), false)
  })

  test('B14: the form of a verifier is checked even where its hash would fit', () => {
    const malformed = [
      'a',
      'a'.repeat(42),
      'a'.repeat(129),
      `${'a'.repeat(42)}+`,
      `${'a'.repeat(42)}/`,
      `${'a'.repeat(43)}=`,
      `${'a'.repeat(43)} `,
      `${'a'.repeat(42)}ü`,
    ]
    for (const given of malformed) {
      assert.equal(verifierProves({ value: sha256(given), method: 'S256' }, given, sha256), false, given)
      assert.equal(verifierProves({ value: given, method: 'plain' }, given, sha256), false, given)
    }
    for (const given of ['a'.repeat(43), 'a'.repeat(128), `${'a'.repeat(40)}-._~`]) {
      assert.equal(verifierProves({ value: sha256(given), method: 'S256' }, given, sha256), true, given)
    }
  })

  test('B13: the challenge itself is no verifier of an S256 challenge, and the verifier no hash of a plain one', () => {
    assert.equal(verifierProves(s256, challenge, sha256), false)
    assert.equal(verifierProves({ value: challenge, method: 'plain' }, verifier, sha256), false)
  })

  test('exactly one verifier proves a challenge', () => {
    const verifiers = fc.string({ minLength: 43, maxLength: 128, unit: fc.constantFrom(...'ABCabc019-._~') })
    fc.assert(
      fc.property(verifiers, verifiers, fc.constantFrom('S256', 'plain'), (mine, other, method) => {
        const read = readChallenge('OPTIONAL', method === 'S256' ? sha256(mine) : mine, method)
        assert.ok('challenge' in read)
        assert.equal(verifierProves(read.challenge, mine, sha256), true)
        assert.equal(verifierProves(read.challenge, other, sha256), other === mine)
      }),
    )
  })
})
