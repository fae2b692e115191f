import assert from 'node:assert/strict'
import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { suite, test } from 'node:test'
import {
  generateSigningKey,
  loadSigningKey,
  loadVerificationKey,
  type PublicJwk,
  type SigningAlgorithm,
} from '../../src/keys/signing-key.ts'
import { testWorld } from '../../src/world.ts'

const now = Date.UTC(2026, 10, 22)
const world = testWorld(now)

for (const algorithm of ['RS256', 'ES256'] as const satisfies readonly SigningAlgorithm[]) {
  suite(`signing key ${algorithm}`, async () => {
    const { record, pkcs8 } = await generateSigningKey(world, algorithm)

    test('the record names kid, algorithm and validity', () => {
      assert.match(record.kid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.equal(record.algorithm, algorithm)
      assert.equal(record.createdAt, now)
      assert.equal(record.notAfter, now + 365 * 86_400_000)
    })

    test('F10: the JWK has public members only, with kid, alg, use and a certificate', () => {
      const expected =
        algorithm === 'RS256'
          ? ['alg', 'e', 'kid', 'kty', 'n', 'use', 'x5c', 'x5t']
          : ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'x5c', 'x5t', 'y']
      assert.deepEqual(Object.keys(record.publicJwk).toSorted(), expected)
      assert.equal(record.publicJwk.kid, record.kid)
      assert.equal(record.publicJwk.alg, algorithm)
      assert.equal(record.publicJwk.use, 'sig')
      assert.ok(
        !JSON.stringify(record).includes(
          createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' }).d ?? '?',
        ),
      )
    })

    test('x5c holds the certificate of this very key, x5t its thumbprint', () => {
      const der = Buffer.from(record.publicJwk.x5c[0], 'base64')
      const certificate = new X509Certificate(der)
      assert.equal(certificate.subject, `C=US\nO=Stile\nOU=Stile\nCN=${record.kid}`)
      assert.ok(certificate.publicKey.equals(loadVerificationKey(record.publicJwk).publicKey))
      assert.ok(certificate.verify(certificate.publicKey))
      assert.equal(record.publicJwk.x5t, createHash('sha1').update(der).digest('base64url'))
      const serial = BigInt(`0x${certificate.serialNumber}`)
      assert.ok(serial > 0n && serial < 2n ** 63n, 'the serial number fits a signed 64-bit integer')
    })

    test('loads from what was stored, and only together', async () => {
      const key = loadSigningKey(JSON.parse(JSON.stringify(record)), pkcs8)
      assert.equal(key.kid, record.kid)
      assert.deepEqual(key.jwk, record.publicJwk)
      const other = await generateSigningKey(world, algorithm)
      assert.throws(() => loadSigningKey(record, other.pkcs8), /do not belong together/)
      assert.throws(() => loadSigningKey({ ...record, kid: other.record.kid }, pkcs8), /disagree/)
    })
  })
}

test('F06: an RSA key of 1024 bits and an EC key of another curve are refused', () => {
  const members = { use: 'sig', kid: 'k', x5c: ['AA'], x5t: 'AA' } as const
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  const small: PublicJwk = { kty: 'RSA', alg: 'RS256', n: rsa.n ?? '', e: rsa.e ?? '', ...members }
  assert.throws(() => loadVerificationKey(small), /not fit for RS256/)

  const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })
  const curve = { kty: 'EC', alg: 'ES256', crv: 'P-384', x: ec.x ?? '', y: ec.y ?? '', ...members }
  assert.throws(() => loadVerificationKey(curve as unknown as PublicJwk), /not fit for ES256/)
})
