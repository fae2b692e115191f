/**
 * The algorithms that clients may sign with: RFC 7518 section 3, RFC 8037. There is no `none`.
 * Never: an algorithm of one list taken for one of the other (RFC 8725 section 2.1).
 */

/** Algorithms of a client secret, and the least bytes of one (RFC 7518 section 3.2). */
export const secretAlgorithms = { HS256: 32, HS384: 48, HS512: 64 } as const

/** Algorithms of a private key. */
export const keyAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

/** An algorithm of a client secret. */
export type SecretAlgorithm = keyof typeof secretAlgorithms

/** An algorithm of a private key. */
export type KeyAlgorithm = (typeof keyAlgorithms)[number]

/** An algorithm of a client. */
export type ClientAlgorithm = SecretAlgorithm | KeyAlgorithm
