/**
 * Whether the signature of somebody else's JWT holds, by a key or a set of keys: RFC 7515 section 5.2, RFC 8725 section 3.1.
 * Never: more than one algorithm at a time, or one that the caller has not named.
 */
import type { CryptoKey, errors as JoseErrors, JWK, KeyObject } from 'jose'
import type { KeySet } from '../keys/key-set.ts'

/** Why a signature does not hold; undefined when it does. */
export type SignatureFailure = 'malformed' | 'key' | 'signature' | undefined

/** Verifies a compact JWS; of a set, by the key that its header names, or by any that fits where it names none. */
export async function signatureFailure(
  jwt: string,
  algorithm: string,
  key: KeyObject | CryptoKey | KeySet,
): Promise<SignatureFailure> {
  const { compactVerify, errors } = await import('jose')
  try {
    const options = { algorithms: [algorithm] }
    if (typeof key === 'function') await compactVerify(jwt, key, options)
    else await compactVerify(jwt, key, options)
    return undefined
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return reasonOf(error, errors)
    // Without a `kid` several keys may fit: any of them will do.
    for await (const candidate of error) {
      if ((await signatureFailure(jwt, algorithm, candidate)) === undefined) return undefined
    }
    return 'signature'
  }
}

function reasonOf(error: unknown, errors: typeof JoseErrors): 'malformed' | 'key' | 'signature' {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature'
  const isMalformed = error instanceof errors.JWSInvalid || error instanceof errors.JOSENotSupported
  return isMalformed ? 'malformed' : 'key'
}

/** The RFC 7638 thumbprint of a public key, when it has signed a JWT; undefined when it has not. */
export async function thumbprintOfSigner(jwt: string, algorithm: string, jwk: JWK): Promise<string | undefined> {
  const { calculateJwkThumbprint, importJWK } = await import('jose')
  try {
    const key = await importJWK(jwk, algorithm)
    if (key instanceof Uint8Array || (await signatureFailure(jwt, algorithm, key)) !== undefined) return undefined
    return await calculateJwkThumbprint(jwk)
  } catch {
    return undefined
  }
}
