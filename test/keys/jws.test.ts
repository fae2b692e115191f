import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify, SignJWT } from 'jose'
import { hmacKey } from '../../src/keys/hmac-key.ts'
import { signJwt } from '../../src/keys/jws.ts'
import { generateSigningKey, loadSigningKey, type SigningAlgorithm } from '../../src/keys/signing-key.ts'
import { verifyJwt } from '../../src/keys/verify-jwt.ts'
import { realWorld } from '../../src/world.ts'

const exp = Math.floor(Date.now() / 1000) + 60
const claims = { iss: 'https://auth.test/e/as', sub: 'u', exp, aud: ['a'], note: 'ü', left: undefined }

async function newKey(algorithm: SigningAlgorithm) {
  const { record, pkcs8 } = await generateSigningKey(realWorld, algorithm)
  return loadSigningKey(record, pkcs8)
}

suite('signing', () => {
  for (const algorithm of ['RS256', 'ES256'] as const) {
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

  test('HS256: both ways, without kid', async () => {
    const secret = 'CANARY'.repeat(8)
    const key = hmacKey(secret)
    const token = await signJwt(key, claims)
    const { protectedHeader } = await jwtVerify(token, Buffer.from(secret))
    assert.deepEqual(protectedHeader, { alg: 'HS256' })
    const theirs = await new SignJWT({ exp }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret))
    const verdict = verifyJwt(theirs, { key: () => key, algorithms: ['HS256'], typ: [undefined], now: Date.now() })
    assert.deepEqual(verdict, { ok: true, claims: { exp } })
  })

  test('F03: an HS256 secret that is empty or short is refused', () => {
    for (const secret of ['', 'short', 'x'.repeat(31)]) assert.throws(() => hmacKey(secret), RangeError)
    assert.equal(hmacKey('x'.repeat(32)).secret.symmetricKeySize, 32)
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

  test('RS256 signs in the thread pool: ES256 and HS256 answer at once, RS256 with a promise', async () => {
    assert.equal(typeof signJwt(await newKey('ES256'), {}), 'string')
    assert.equal(typeof signJwt(hmacKey('x'.repeat(32)), {}), 'string')
    assert.ok(signJwt(await newKey('RS256'), {}) instanceof Promise)
  })
})
