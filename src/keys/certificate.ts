/**
 * Self-signed X.509 v3 certificates (RFC 5280) around signing keys, for `x5c` in the JWKS: some clients verify tokens
 * with the certificate and never look at the bare key. It carries no trust of its own; the key is trusted because it
 * stands in the issuer's JWKS.
 *
 * Never: the X.509 library in a process that makes no key. It costs memory and start-up time, so it is imported by the
 * first certificate.
 */
import type { KeyObject } from 'node:crypto'
import type { JsonAttributeObject } from '@peculiar/x509'
import { type Hash, schemeOf, type SigningAlgorithm } from './algorithm.ts'

/** The parts of a distinguished name that a certificate of Stile may carry, by their X.520 short names. */
export type NamePart = readonly [type: 'C' | 'ST' | 'L' | 'O' | 'OU' | 'CN', value: string]

/** What a self-signed certificate says. Times are epoch milliseconds. */
export interface CertificateContent {
  readonly subject: readonly NamePart[]
  /** Up to 8 bytes, the first not above 0x7f: some clients keep it in a signed 64-bit integer. Never all zero. */
  readonly serialNumber: Uint8Array
  readonly notBefore: number
  readonly notAfter: number
  readonly algorithm: SigningAlgorithm
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const hashNames: Readonly<Record<Hash, string>> = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' }
const saltLengths: Readonly<Record<Hash, number>> = { sha256: 32, sha384: 48, sha512: 64 }

/** An algorithm as Web Crypto names it, which is what the library works with. */
function webCryptoAlgorithm(algorithm: SigningAlgorithm) {
  const scheme = schemeOf(algorithm)
  const hash = hashNames[scheme.hash]
  switch (scheme.kty) {
    case 'RSA':
      return scheme.padding === 'pkcs1'
        ? { name: 'RSASSA-PKCS1-v1_5', hash }
        : { name: 'RSA-PSS', hash, saltLength: saltLengths[scheme.hash] }
    case 'EC':
      return { name: 'ECDSA', namedCurve: scheme.crv, hash }
    case 'OKP':
      return { name: scheme.crv }
  }
}

/**
 * Makes a self-signed certificate whose key is for digital signatures alone; the signature is computed in the thread
 * pool.
 * @returns DER
 */
export async function selfSignedCertificate(content: CertificateContent): Promise<Buffer> {
  const { KeyUsageFlags, KeyUsagesExtension, Name, X509CertificateGenerator } = await x509()
  const algorithm = webCryptoAlgorithm(content.algorithm)
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: new Name(content.subject.map(([type, value]) => ({ [type]: [directoryString(type, value)] }))),
    serialNumber: Buffer.from(content.serialNumber).toString('hex'),
    notBefore: new Date(content.notBefore),
    notAfter: new Date(content.notAfter),
    signingAlgorithm: algorithm,
    keys: {
      publicKey: content.publicKey.toCryptoKey(algorithm, true, ['verify']),
      privateKey: content.privateKey.toCryptoKey(algorithm, false, ['sign']),
    },
    extensions: [new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true)],
  })
  return Buffer.from(certificate.rawData)
}

/** The library, which finds its parts through metadata on classes: the polyfill for that must be there before it. */
async function x509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

/**
 * RFC 5280 appendix A.1: countryName is a PrintableString, the others may be UTF8String. Naming the type also keeps the
 * library from reading quotes, backslashes and `#` in the value as notation.
 */
function directoryString(type: NamePart[0], value: string): JsonAttributeObject {
  return type === 'C' ? { printableString: value } : { utf8String: value }
}
