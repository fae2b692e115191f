import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { base32, fromBase32, hotp, keyUri, matchTotp, stepAt } from '../../src/directory/totp.ts'

/** The seed of the test vectors: RFC 4226 appendix D, RFC 6238 appendix B. */
const seed = Buffer.from('12345678901234567890')
const halfMinute = 30_000

suite('time-based one-time passwords', () => {
  test('RFC 4226 appendix D', () => {
    const expected = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' ')
    assert.deepEqual(
      expected.map((_, counter) => hotp(seed, counter)),
      expected,
    )
  })

  test('RFC 6238 appendix B, the last six digits', () => {
    const vectors = [
      [59, '94287082'],
      [1_111_111_109, '07081804'],
      [1_111_111_111, '14050471'],
      [1_234_567_890, '89005924'],
      [2_000_000_000, '69279037'],
      [20_000_000_000, '65353130'],
    ] as const
    for (const [seconds, digits] of vectors) assert.equal(hotp(seed, stepAt(seconds * 1000)), digits.slice(2))
  })

  test('L18: of the codes from T-2 to T+2 those from T-1 to T+1 are taken', () => {
    const now = 1_764_150_000_000
    const taken = [-2, -1, 0, 1, 2].filter(
      (steps) => matchTotp(seed, hotp(seed, stepAt(now) + steps), null, now) !== undefined,
    )
    assert.deepEqual(taken, [-1, 0, 1])
  })

  test('L17: none that was used, and none before one that was used', () => {
    const now = 1_764_150_000_000
    const present = stepAt(now)
    const at = (steps: number, lastStep: number) => matchTotp(seed, hotp(seed, present + steps), lastStep, now)
    assert.deepEqual([at(0, present), at(-1, present), at(1, present)], [undefined, undefined, present + 1])
    assert.equal(at(0, present - 1), present)
  })

  test('nothing but six ASCII digits is looked at as a code', () => {
    const now = 1_764_150_000_000
    const code = hotp(seed, stepAt(now))
    const wide = [...code].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join('')
    for (const typed of ['', code.slice(1), `${code}0`, ` ${code}`, wide, `${Number(code)}.0`]) {
      assert.equal(matchTotp(seed, typed, null, now), undefined, typed)
    }
    assert.equal(matchTotp(seed, hotp(seed, stepAt(now + halfMinute)), null, now), stepAt(now) + 1)
  })

  test('base32 is what RFC 4648 section 10 says, without padding, and an app reads it back', () => {
    const vectors = {
      '': '',
      f: 'MY',
      fo: 'MZXQ',
      foo: 'MZXW6',
      foob: 'MZXW6YQ',
      fooba: 'MZXW6YTB',
      foobar: 'MZXW6YTBOI',
    }
    for (const [text, encoded] of Object.entries(vectors)) assert.equal(base32(Buffer.from(text)), encoded)
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => fromBase32(base32(bytes)).equals(bytes)))
  })

  test('a key URI holds whatever an environment and a user may be called', () => {
    const uri = new URL(keyUri('A & B: C', 'ada+1@example.com', seed))
    assert.equal(uri.protocol, 'otpauth:')
    assert.equal(decodeURIComponent(uri.pathname.replace(/^\/(\/totp\/)?/, '')), 'A & B: C:ada+1@example.com')
    assert.deepEqual(Object.fromEntries(uri.searchParams), {
      secret: base32(seed),
      issuer: 'A & B: C',
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    })
  })
})
