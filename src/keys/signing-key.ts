/**
 * Signing keys of an environment: RSA, the NIST curves and Ed25519 (RFC 7518 section 6, RFC 8037 section 2), each for one
 * algorithm alone.
 *
 * A key is stored as a record that is public throughout, and a PKCS#8 document that is sealed beside it. The record's
 * JWK is what the JWKS publishes (authentication-api 2.2): `x5c` and `kid` are always there, since clients need them.
 * Never: a private member in a JWK, a key of one algorithm used for another, the slow key generation on the event loop.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { KeyPair, World } from '../world.ts'
import { schemeOf, type SigningAlgorithm } from './algorithm.ts'
import { type NamePart, selfSignedCertificate } from './certificate.ts'

const generateInThreadPool = promisify(generateKeyPair)
const DAY = 86_400_000
const RSA_BITS = 2048

/** A public key as the JWKS publishes it (RFC 7517). */
export interface PublicJwk {
  readonly kty: 'RSA' | 'EC' | 'OKP'
  readonly alg: SigningAlgorithm
  readonly use: 'sig'
  readonly kid: string
  /** The certificate, as base64 of its DER. */
  readonly x5c: readonly [string]
  /** SHA-1 of the certificate, base64url. */
  readonly x5t: string
  readonly n?: string
  readonly e?: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
}

/** The public half of a stored signing key. Times are epoch milliseconds. */
export interface SigningKeyRecord {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly publicJwk: PublicJwk
  readonly createdAt: number
  /** End of the certificate's validity. */
  readonly notAfter: number
}

/** A key that tokens of this issuer are verified with. */
export interface PublicVerificationKey {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly publicKey: KeyObject
}

/** A key that is ready to sign. */
export interface SigningKey extends PublicVerificationKey {
  readonly privateKey: KeyObject
  readonly jwk: PublicJwk
}

/** A new key: `record` to be stored as it is, `pkcs8` (DER) to be sealed first. */
export interface GeneratedSigningKey {
  readonly record: SigningKeyRecord
  readonly pkcs8: Buffer
}

/** What a new key is like, where it is not as by default. */
export interface SigningKeySpecification {
  /** Validity of the certificate. Default: 365, as PingOne's rotation policies have it. */
  readonly validityDays?: number
  /** Bits of an RSA key. Default: 2048. */
  readonly rsaBits?: number
  /** Subject and issuer of the certificate. Default: ours, with the `kid`. */
  readonly subject?: readonly NamePart[]
}

/** Makes a key pair and its self-signed certificate, off the event loop (RSA takes some 100 ms and more). */
export async function generateSigningKey(
  world: World,
  algorithm: SigningAlgorithm,
  { validityDays = 365, rsaBits = RSA_BITS, subject }: SigningKeySpecification = {},
): Promise<GeneratedSigningKey> {
  const { publicKey, privateKey } = await newKeyPair(world, algorithm, rsaBits)
  const kid = world.uuid()
  const createdAt = world.now()
  const notAfter = createdAt + validityDays * DAY
  const serialNumber = world.bytes(7)
  // 53 bits, the first of them set: exact as a number of JSON, and already the shortest DER form.
  serialNumber.writeUInt8((serialNumber.readUInt8(0) & 0x0f) | 0x10, 0)
  const certificate = await selfSignedCertificate({
    subject: subject ?? [
      ['C', 'US'],
      ['O', 'Stile'],
      ['OU', 'Stile'],
      ['CN', kid],
    ],
    serialNumber,
    notBefore: createdAt,
    notAfter,
    algorithm,
    publicKey,
    privateKey,
  })
  return {
    record: { kid, algorithm, publicJwk: publicJwk(publicKey, kid, algorithm, certificate), createdAt, notAfter },
    pkcs8: privateKey.export({ type: 'pkcs8', format: 'der' }),
  }
}

function newKeyPair(world: World, algorithm: SigningAlgorithm, rsaBits: number): Promise<KeyPair> {
  const scheme = schemeOf(algorithm)
  switch (scheme.kty) {
    case 'RSA':
      return world.rsaKeyPair(rsaBits)
    case 'EC':
      return generateInThreadPool('ec', { namedCurve: scheme.namedCurve })
    case 'OKP':
      return generateInThreadPool('ed25519', undefined)
  }
}

/**
 * Makes a stored key ready to sign.
 * @param pkcs8 the opened private key, DER
 * @throws when the private key does not belong to the record
 */
export function loadSigningKey(record: SigningKeyRecord, pkcs8: Buffer): SigningKey {
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const verification = loadVerificationKey(record.publicJwk)
  if (record.kid !== verification.kid || record.algorithm !== verification.algorithm) {
    throw new Error(`signing key ${record.kid} and its JWK disagree`)
  }
  if (!createPublicKey(privateKey).equals(verification.publicKey)) {
    throw new Error(`signing key ${record.kid} and its private key do not belong together`)
  }
  return { ...verification, privateKey, jwk: record.publicJwk }
}

/**
 * Makes a published key ready to verify, for keys that no longer sign.
 * @throws when the key is not one of its algorithm, or weaker than the algorithm demands
 */
export function loadVerificationKey(jwk: PublicJwk): PublicVerificationKey {
  const publicKey = createPublicKey({ key: { ...jwk, x5c: [...jwk.x5c] }, format: 'jwk' })
  if (!isFit(publicKey, jwk.alg)) throw new Error(`key ${jwk.kid} is not fit for ${jwk.alg}`)
  return { kid: jwk.kid, algorithm: jwk.alg, publicKey }
}

function isFit({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject, algorithm: SigningAlgorithm): boolean {
  const scheme = schemeOf(algorithm)
  switch (scheme.kty) {
    case 'RSA':
      return asymmetricKeyType === 'rsa' && (asymmetricKeyDetails.modulusLength ?? 0) >= RSA_BITS
    case 'EC':
      return asymmetricKeyType === 'ec' && asymmetricKeyDetails.namedCurve === scheme.namedCurve
    case 'OKP':
      return asymmetricKeyType === 'ed25519'
  }
}

function publicJwk(publicKey: KeyObject, kid: string, alg: SigningAlgorithm, certificate: Buffer): PublicJwk {
  if (!isFit(publicKey, alg)) throw new Error(`a generated key is not fit for ${alg}`)
  const { n, e, crv, x, y } = publicKey.export({ format: 'jwk' })
  return {
    kty: schemeOf(alg).kty,
    ...(e === undefined ? {} : { e }),
    ...(crv === undefined ? {} : { crv }),
    use: 'sig',
    kid,
    x5t: createHash('sha1').update(certificate).digest('base64url'),
    x5c: [certificate.toString('base64')],
    alg,
    ...(n === undefined ? {} : { n }),
    ...(x === undefined ? {} : { x }),
    ...(y === undefined ? {} : { y }),
  }
}
