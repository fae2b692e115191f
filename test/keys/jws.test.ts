import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify, SignJWT } from 'jose'
import { hmacAlgorithms, signingAlgorithms } from '../../src/keys/algorithm.ts'
import { hmacKey } from '../../src/keys/hmac-key.ts'
import { signJwt } from '../../src/keys/jws.ts'
import { verifyJwt } from '../../src/keys/verify-jwt.ts'
import { newKey } from './every-algorithm.ts'

const exp = Math.floor(Date.now() / 1000) + 60
const claims = { iss: 'https://auth.test/e/as', sub: 'u', exp, aud: ['a'], note: 'ü', left: undefined }

suite('signing', () => {
  for (const algorithm of signingAlgorithms) {
    test(`${algorithm}: another implementation verifies what we sign`, async () => {
      const key = await newKey(algorithm)
      const token = await signJwt(key, claims, { typ: 'at+jwt' })
      const published = await importJWK({ ...key.jwk, x5c: [...key.jwk.x5c] }, algorithm)
      const { payload, protectedHeader } = await jwtVerify(token, published, { typ: 'at+jwt', algorithms: [algorithm] })
      assert.deepEqual(protectedHeader, { kid: key.kid, alg: algorithm, typ: 'at+jwt' })
      assert.deepEqual(payload, { iss: 'https://auth.test/e/as', sub: 'u', exp, aud: ['a'], note: 'ü' })
    })

    test(`${algorithm}: we verify what another implementation signs`, async () => {
      const key = await newKey(algorithm)
      const token = await new SignJWT({ sub: 'u', exp })
        .setProtectedHeader({ alg: algorithm, kid: key.kid })
        .sign(key.privateKey)
      const verdict = verifyJwt(token, {
        key: (kid) => (kid === key.kid ? key : undefined),
        algorithms: [algorithm],
        typ: [undefined],
        now: Date.now(),
      })
      assert.deepEqual(verdict, { ok: true, kid: key.kid, claims: { sub: 'u', exp } })
    })
  }

  for (const algorithm of hmacAlgorithms) {
    test(`${algorithm}: both ways, without kid`, async () => {
      const secret = 'CANARY'.repeat(11)
      const key = hmacKey(secret, algorithm)
      const token = await signJwt(key, claims)
      const { protectedHeader } = await jwtVerify(token, Buffer.from(secret))
      assert.deepEqual(protectedHeader, { alg: algorithm })
      const theirs = await new SignJWT({ exp }).setProtectedHeader({ alg: algorithm }).sign(Buffer.from(secret))
      const verdict = verifyJwt(theirs, { key: () => key, algorithms: [algorithm], typ: [undefined], now: Date.now() })
      assert.deepEqual(verdict, { ok: true, claims: { exp } })
    })
  }

  test('F03: a secret that is empty, or shorter than the hash, is refused', () => {
    for (const [algorithm, least] of [
      ['HS256', 32],
      ['HS384', 48],
      ['HS512', 64],
    ] as const) {
      for (const length of [0, 5, least - 1]) {
        assert.throws(() => hmacKey('x'.repeat(length), algorithm), RangeError)
      }
      assert.equal(hmacKey('x'.repeat(least), algorithm).secret.symmetricKeySize, least)
    }
  })

  test('the header is kid and alg alone unless typ and x5t are asked for, and variants do not mix', async () => {
    const key = await newKey('ES256')
    const header = async (options: Parameters<typeof signJwt>[2]) =>
      decodeProtectedHeader(await signJwt(key, {}, options))
    const plain = { kid: key.kid, alg: 'ES256' }
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(await header({}), plain)
      assert.deepEqual(await header({ typ: 'at+jwt' }), { ...plain, typ: 'at+jwt' })
      assert.deepEqual(await header({ includeX5t: true }), { ...plain, x5t: key.jwk.x5t })
      assert.deepEqual(await header({ includeX5t: true, typ: 'JWT' }), { ...plain, x5t: key.jwk.x5t, typ: 'JWT' })
    }
  })

  test('the published JWK is one that other implementations take for a key', async () => {
    const key = await newKey('RS256')
    assert.match(await calculateJwkThumbprint({ ...key.jwk, x5c: [...key.jwk.x5c] }), /^[\w-]{43}$/)
  })

  test('a shared secret signs at once, a key pair later, with a promise', async () => {
    assert.equal(typeof signJwt(hmacKey('x'.repeat(32)), {}), 'string')
    for (const algorithm of signingAlgorithms) {
      const signed = signJwt(await newKey(algorithm), {})
      assert.ok(signed instanceof Promise, algorithm)
      await signed
    }
  })
})
