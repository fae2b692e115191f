import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { suite, test } from 'node:test'
// toLegacyObject() breaks node:tls for the whole process where it is not loaded yet (Node 24.21).
import 'node:tls'
import { promisify } from 'node:util'
import { type SigningAlgorithm, signingAlgorithms } from '../../src/keys/algorithm.ts'
import { type CertificateContent, selfSignedCertificate } from '../../src/keys/certificate.ts'

const run = promisify(execFile)

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pairs = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  EdDSA: generateKeyPairSync('ed25519'),
} as const

function content(algorithm: SigningAlgorithm, change: Partial<CertificateContent> = {}): CertificateContent {
  return {
    subject: [
      ['C', 'US'],
      ['O', 'Stile'],
      ['OU', 'Größe'],
      ['CN', 'a-key'],
    ],
    serialNumber: Buffer.from('40ff00000000007f', 'hex'),
    notBefore: Date.UTC(2026, 0, 2, 3, 4, 5),
    notAfter: Date.UTC(2027, 0, 2, 3, 4, 5),
    algorithm,
    ...pairs[algorithm],
    ...change,
  }
}

suite('self-signed certificate', () => {
  for (const algorithm of signingAlgorithms) {
    test(`${algorithm}: OpenSSL reads it, and its signature holds`, async () => {
      const certificate = new X509Certificate(await selfSignedCertificate(content(algorithm)))
      assert.ok(certificate.verify(pairs[algorithm].publicKey))
      assert.ok(certificate.publicKey.equals(pairs[algorithm].publicKey))
      assert.equal(certificate.subject, 'C=US\nO=Stile\nOU=Größe\nCN=a-key')
      assert.equal(certificate.issuer, certificate.subject)
      assert.equal(certificate.serialNumber, '40FF00000000007F')
      assert.equal(certificate.validFromDate.toISOString(), '2026-01-02T03:04:05.000Z')
      assert.equal(certificate.validToDate.toISOString(), '2027-01-02T03:04:05.000Z')
      assert.equal(certificate.ca, false)
    })
  }

  test('a validity beyond 2049 is written as GeneralizedTime, without fractions of a second', async () => {
    const notAfter = Date.UTC(2051, 11, 31, 23, 59, 59)
    const der = await selfSignedCertificate(content('ES256', { notAfter: notAfter + 987 }))
    assert.equal(new X509Certificate(der).validToDate.getTime(), notAfter)
    assert.ok(der.includes(Buffer.from('20511231235959Z')))
  })

  test('the country is a PrintableString, and what looks like notation in a name is text', async () => {
    const organization = '#30, "a" \\ b+CN=c'
    const subject = [
      ['C', 'US'],
      ['O', organization],
    ] as const
    const der = await selfSignedCertificate(content('ES256', { subject }))
    assert.ok(der.includes(Buffer.from('06035504061302', 'hex')))
    assert.equal(new X509Certificate(der).toLegacyObject().subject['O'], organization)
  })

  test('the key is for digital signatures alone, and the extension that says so is critical', async () => {
    const der = await selfSignedCertificate(content('RS256'))
    assert.ok(der.includes(Buffer.from('0603551d0f0101ff040403020780', 'hex')))
  })

  test('a key of the other algorithm makes no certificate', async () => {
    await assert.rejects(selfSignedCertificate(content('ES256', pairs.RS256)), { message: 'Invalid key type' })
  })

  test('the signature of another key does not hold', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const certificate = new X509Certificate(await selfSignedCertificate(content('ES256')))
    assert.equal(certificate.verify(other.publicKey), false)
  })

  test('only a process that makes a key loads the X.509 library', async () => {
    const script = `
      const { createRequire } = await import('node:module')
      const { generateSigningKey } = await import('./signing-key.ts')
      const { realWorld } = await import('../world.ts')
      const loaded = () => Object.keys(createRequire(process.cwd()).cache).some((path) => path.includes('@peculiar'))
      const before = loaded()
      await generateSigningKey(realWorld, 'ES256')
      console.log(before, loaded())`
    const cwd = join(import.meta.dirname, '../../src/keys')
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd })
    assert.equal(stdout, 'false true\n')
  })
})
