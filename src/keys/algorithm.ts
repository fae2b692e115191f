/**
 * The algorithms that Stile signs with, as one table: RFC 7518 section 3.1, RFC 8037 (EdDSA, with Ed25519 alone). What a
 * signature is made and judged by follows from the algorithm, and the algorithm is a property of the key.
 *
 * Never: `none`; an algorithm that is chosen by a token.
 */

/** A hash of the SHA-2 family, by the name that node:crypto gives it. */
export type Hash = 'sha256' | 'sha384' | 'sha512'

/** How an asymmetric algorithm works. */
export type SignatureScheme =
  /** RSASSA-PKCS1-v1_5 (`pkcs1`), or RSASSA-PSS with a salt as long as the hash (RFC 7518 sections 3.3 and 3.5). */
  | { readonly kty: 'RSA'; readonly hash: Hash; readonly padding: 'pkcs1' | 'pss' }
  /** ECDSA: r and s side by side, each of `numberBytes` (RFC 7518 section 3.4). */
  | {
      readonly kty: 'EC'
      readonly hash: Hash
      readonly crv: 'P-256' | 'P-384' | 'P-521'
      /** The name that node:crypto gives the curve. */
      readonly namedCurve: 'prime256v1' | 'secp384r1' | 'secp521r1'
      readonly numberBytes: 32 | 48 | 66
    }
  /** Ed25519, which hashes by itself; what goes with it elsewhere is SHA-512, as it uses inside (RFC 8032 section 5.1). */
  | { readonly kty: 'OKP'; readonly hash: 'sha512'; readonly crv: 'Ed25519' }

/** The algorithms of an environment's own keys. */
export const signatureSchemes = {
  RS256: { kty: 'RSA', hash: 'sha256', padding: 'pkcs1' },
  RS384: { kty: 'RSA', hash: 'sha384', padding: 'pkcs1' },
  RS512: { kty: 'RSA', hash: 'sha512', padding: 'pkcs1' },
  PS256: { kty: 'RSA', hash: 'sha256', padding: 'pss' },
  PS384: { kty: 'RSA', hash: 'sha384', padding: 'pss' },
  PS512: { kty: 'RSA', hash: 'sha512', padding: 'pss' },
  ES256: { kty: 'EC', hash: 'sha256', crv: 'P-256', namedCurve: 'prime256v1', numberBytes: 32 },
  ES384: { kty: 'EC', hash: 'sha384', crv: 'P-384', namedCurve: 'secp384r1', numberBytes: 48 },
  ES512: { kty: 'EC', hash: 'sha512', crv: 'P-521', namedCurve: 'secp521r1', numberBytes: 66 },
  EdDSA: { kty: 'OKP', hash: 'sha512', crv: 'Ed25519' },
} as const satisfies Readonly<Record<string, SignatureScheme>>

/** The algorithms whose key is a secret that both sides hold (RFC 7518 section 3.2). */
export const hmacHashes = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' } as const satisfies Readonly<
  Record<string, Hash>
>

/** An algorithm that an environment's own keys sign with. */
export type SigningAlgorithm = keyof typeof signatureSchemes

/** An algorithm of a shared secret. */
export type HmacAlgorithm = keyof typeof hmacHashes

/** Every algorithm that Stile signs with. */
export type JwsAlgorithm = SigningAlgorithm | HmacAlgorithm

/** The names of the asymmetric algorithms. */
export const signingAlgorithms = Object.keys(signatureSchemes) as [SigningAlgorithm, ...SigningAlgorithm[]]

/** The names of the symmetric ones. */
export const hmacAlgorithms = Object.keys(hmacHashes) as [HmacAlgorithm, ...HmacAlgorithm[]]

/**
 * The algorithm of a stored name.
 * @throws Error when this release does not know it
 */
export function storedAlgorithm(name: string): SigningAlgorithm {
  const algorithm = signingAlgorithms.find((candidate) => candidate === name)
  if (!algorithm) throw new Error(`${name} is no algorithm that this release signs with`)
  return algorithm
}

/** The scheme of an algorithm, as one type for all. */
export function schemeOf(algorithm: SigningAlgorithm): SignatureScheme {
  return signatureSchemes[algorithm]
}

/** Whether an algorithm works with a shared secret. */
export function isHmac(algorithm: JwsAlgorithm): algorithm is HmacAlgorithm {
  return Object.hasOwn(hmacHashes, algorithm)
}

/** The hash that goes with an algorithm, also for `at_hash` and its siblings (OpenID Connect Core 3.1.3.6). */
export function hashOf(algorithm: JwsAlgorithm): Hash {
  return isHmac(algorithm) ? hmacHashes[algorithm] : signatureSchemes[algorithm].hash
}
