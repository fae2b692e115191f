/**
 * Signing keys of an environment: RS256 with RSA 2048, ES256 with P-256 (RFC 7518 sections 3.3 and 3.4).
 *
 * A key is stored as a record that is public throughout, and a PKCS#8 document that is sealed beside it. The record's
 * JWK is what the JWKS publishes (authentication-api 2.2): `x5c` and `kid` are always there, since clients need them.
 * Never: a private member in a JWK, a key of one algorithm used for another, the slow key generation on the event loop.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { World } from '../world.ts'
import { selfSignedCertificate } from './certificate.ts'

const generateInThreadPool = promisify(generateKeyPair)
const DAY = 86_400_000
const RSA_BITS = 2048

/** The algorithms that an environment's own keys sign with. */
export type SigningAlgorithm = 'RS256' | 'ES256'

interface JwkMembers {
  readonly use: 'sig'
  readonly kid: string
  /** The certificate, as base64 of its DER. */
  readonly x5c: readonly [string]
  /** SHA-1 of the certificate, base64url. */
  readonly x5t: string
}

/** A public key as the JWKS publishes it (RFC 7517). */
export type PublicJwk =
  | ({ readonly kty: 'RSA'; readonly alg: 'RS256'; readonly n: string; readonly e: string } & JwkMembers)
  | ({
      readonly kty: 'EC'
      readonly alg: 'ES256'
      readonly crv: 'P-256'
      readonly x: string
      readonly y: string
    } & JwkMembers)

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

/**
 * Makes a key pair and its self-signed certificate, off the event loop (RSA takes some 100 ms).
 * @param validityDays validity of the certificate; PingOne's rotation policies use 365
 */
export async function generateSigningKey(
  world: World,
  algorithm: SigningAlgorithm,
  validityDays = 365,
): Promise<GeneratedSigningKey> {
  const { publicKey, privateKey } =
    algorithm === 'RS256' ? await world.rsaKeyPair() : await generateInThreadPool('ec', { namedCurve: 'P-256' })
  const kid = world.uuid()
  const createdAt = world.now()
  const notAfter = createdAt + validityDays * DAY
  const serialNumber = world.bytes(8)
  // 63 bits and never zero: positive in a signed 64-bit integer, and already the shortest DER form.
  serialNumber.writeUInt8((serialNumber.readUInt8(0) & 0x3f) | 0x40, 0)
  const certificate = await selfSignedCertificate({
    subject: [
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
 * @throws when the key is weaker than its algorithm demands
 */
export function loadVerificationKey(jwk: PublicJwk): PublicVerificationKey {
  const publicKey = createPublicKey({ key: { ...jwk, x5c: [...jwk.x5c] }, format: 'jwk' })
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {}
  const fits = jwk.alg === 'RS256' ? (modulusLength ?? 0) >= RSA_BITS : namedCurve === 'prime256v1'
  if (!fits) throw new Error(`key ${jwk.kid} is not fit for ${jwk.alg}`)
  return { kid: jwk.kid, algorithm: jwk.alg, publicKey }
}

function publicJwk(publicKey: KeyObject, kid: string, algorithm: SigningAlgorithm, certificate: Buffer): PublicJwk {
  const { n, e, x, y } = publicKey.export({ format: 'jwk' })
  const members = {
    use: 'sig',
    kid,
    x5t: createHash('sha1').update(certificate).digest('base64url'),
    x5c: [certificate.toString('base64')],
  } as const
  if (algorithm === 'RS256' && n !== undefined && e !== undefined) {
    return { kty: 'RSA', e, ...members, alg: 'RS256', n }
  }
  if (algorithm === 'ES256' && x !== undefined && y !== undefined) {
    return { kty: 'EC', crv: 'P-256', ...members, alg: 'ES256', x, y }
  }
  throw new Error(`a generated key is not fit for ${algorithm}`)
}
