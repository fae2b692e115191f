import assert from 'node:assert/strict'
import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { suite, test } from 'node:test'
import { schemeOf, signingAlgorithms } from '../../src/keys/algorithm.ts'
import { generateSigningKey, loadSigningKey, loadVerificationKey, type PublicJwk } from '../../src/keys/signing-key.ts'
import { realWorld, testWorld } from '../../src/world.ts'
import { sharedRsaKeyPair } from '../harness/rsa-key.ts'

const now = Date.UTC(2026, 10, 22)
const world = { ...testWorld(now), rsaKeyPair: sharedRsaKeyPair }

for (const algorithm of signingAlgorithms) {
  suite(`signing key ${algorithm}`, async () => {
    const { record, pkcs8 } = await generateSigningKey(world, algorithm)

    test('the record names kid, algorithm and validity', () => {
      assert.match(record.kid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.equal(record.algorithm, algorithm)
      assert.equal(record.createdAt, now)
      assert.equal(record.notAfter, now + 365 * 86_400_000)
    })

    test('F10: the JWK has public members only, with kid, alg, use and a certificate', () => {
      const own = { RSA: ['e', 'n'], EC: ['crv', 'x', 'y'], OKP: ['crv', 'x'] }[schemeOf(algorithm).kty]
      const expected = ['alg', 'kid', 'kty', 'use', 'x5c', 'x5t', ...own]
      assert.deepEqual(Object.keys(record.publicJwk).toSorted(), expected.toSorted())
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
      const other = await generateSigningKey(realWorld, algorithm)
      assert.throws(() => loadSigningKey(record, other.pkcs8), /do not belong together/)
      assert.throws(() => loadSigningKey({ ...record, kid: other.record.kid }, pkcs8), /disagree/)
    })
  })
}

test('the specification says what the certificate names, how long it holds, and how long an RSA key is', async () => {
  const subject = [
    ['C', 'US'],
    ['ST', 'Some state'],
    ['L', 'Somewhere'],
    ['O', 'Ping Identity'],
    ['CN', 'A policy'],
  ] as const
  const { record } = await generateSigningKey(realWorld, 'PS384', { validityDays: 30, rsaBits: 3072, subject })
  const certificate = new X509Certificate(Buffer.from(record.publicJwk.x5c[0], 'base64'))
  assert.equal(certificate.subject, 'C=US\nST=Some state\nL=Somewhere\nO=Ping Identity\nCN=A policy')
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 3072)
  assert.equal(record.notAfter - record.createdAt, 30 * 86_400_000)
})

suite('F06: a key is refused for an algorithm that it is not of', () => {
  const members = { use: 'sig', kid: 'k', x5c: ['AA'], x5t: 'AA' } as const
  const publics = {
    'RSA 1024': generateKeyPairSync('rsa', { modulusLength: 1024 }),
    RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
    secp256k1: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
    Ed25519: generateKeyPairSync('ed25519'),
    Ed448: generateKeyPairSync('ed448'),
  }
  for (const alg of signingAlgorithms) {
    const scheme = schemeOf(alg)
    const fitting = scheme.kty === 'RSA' ? 'RSA' : scheme.crv
    test(alg, () => {
      for (const [name, { publicKey }] of Object.entries(publics)) {
        const jwk = { ...publicKey.export({ format: 'jwk' }), alg, ...members } as unknown as PublicJwk
        if (name === fitting) assert.equal(loadVerificationKey(jwk).algorithm, alg)
        else assert.throws(() => loadVerificationKey(jwk), /not fit for/, name)
      }
    })
  }
})
