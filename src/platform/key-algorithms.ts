/**
 * Algorithms of keys as PingOne writes them (platform-api 3.15), and what they are in a JWT (RFC 7518 section 3.1). PingOne
 * knows RSA with PKCS #1 and the NIST curves; PSS and Ed25519 are extensions, named as Java names them.
 */
import type { SigningAlgorithm } from '../keys/algorithm.ts'

/** How PingOne describes the keys of an algorithm. */
export interface KeyKind {
  readonly algorithm: 'RSA' | 'EC' | 'OKP'
  readonly signatureAlgorithm: string
  /** Lengths that such a key may have, in bits. */
  readonly keyLengths: readonly number[]
}

const rsa = [2048, 3072, 4096]

export const keyKinds = {
  RS256: { algorithm: 'RSA', signatureAlgorithm: 'SHA256withRSA', keyLengths: rsa },
  RS384: { algorithm: 'RSA', signatureAlgorithm: 'SHA384withRSA', keyLengths: rsa },
  RS512: { algorithm: 'RSA', signatureAlgorithm: 'SHA512withRSA', keyLengths: rsa },
  PS256: { algorithm: 'RSA', signatureAlgorithm: 'SHA256withRSAandMGF1', keyLengths: rsa },
  PS384: { algorithm: 'RSA', signatureAlgorithm: 'SHA384withRSAandMGF1', keyLengths: rsa },
  PS512: { algorithm: 'RSA', signatureAlgorithm: 'SHA512withRSAandMGF1', keyLengths: rsa },
  ES256: { algorithm: 'EC', signatureAlgorithm: 'SHA256withECDSA', keyLengths: [256] },
  ES384: { algorithm: 'EC', signatureAlgorithm: 'SHA384withECDSA', keyLengths: [384] },
  ES512: { algorithm: 'EC', signatureAlgorithm: 'SHA512withECDSA', keyLengths: [521] },
  EdDSA: { algorithm: 'OKP', signatureAlgorithm: 'Ed25519', keyLengths: [256] },
} as const satisfies Readonly<Record<SigningAlgorithm, KeyKind>>

/** Every name of a signature algorithm. */
export const signatureAlgorithms = Object.values(keyKinds).map(({ signatureAlgorithm }) => signatureAlgorithm)

/** The JWS algorithm of a signature algorithm. */
export function jwsAlgorithmOf(signatureAlgorithm: (typeof signatureAlgorithms)[number]): SigningAlgorithm {
  const names = Object.keys(keyKinds) as SigningAlgorithm[]
  const name = names.find((candidate) => keyKinds[candidate].signatureAlgorithm === signatureAlgorithm)
  if (!name) throw new Error(`${signatureAlgorithm} is no signature algorithm`)
  return name
}
