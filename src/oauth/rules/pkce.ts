/**
 * Proof Key for Code Exchange: RFC 7636, RFC 9700 section 2.1.1, decision D14, security catalogue rows B10-B16.
 * Never: a verifier where no challenge was sent (a downgrade, B12), or a method that the application does not allow.
 */

/** How an application enforces PKCE (platform-api 3.7). */
export type PkceEnforcement = 'OPTIONAL' | 'REQUIRED' | 'S256_REQUIRED'

/** The transformations that a challenge may be made with (RFC 7636 section 4.2). */
export const challengeMethods = ['plain', 'S256'] as const

/** A challenge as it was accepted at the authorization endpoint. */
export interface CodeChallenge {
  readonly value: string
  readonly method: (typeof challengeMethods)[number]
}

const unreserved = /^[A-Za-z0-9._~-]{43,128}$/
/** 32 bytes in base64url: 43 characters, of which the last holds four bits. */
const sha256Base64url = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

/** What is wrong with a request's challenge, or the challenge, or null when there is none and none is needed. */
export function readChallenge(
  enforcement: PkceEnforcement,
  challenge: string | undefined,
  method: string | undefined,
): { readonly challenge: CodeChallenge | null } | { readonly refused: string } {
  if (challenge === undefined) {
    if (method !== undefined) return { refused: 'code_challenge_method without code_challenge' }
    return enforcement === 'OPTIONAL' ? { challenge: null } : { refused: 'code_challenge is required' }
  }
  switch (method) {
    case 'S256':
      return sha256Base64url.test(challenge)
        ? { challenge: { value: challenge, method } }
        : { refused: 'code_challenge is not the SHA-256 of a verifier in base64url' }
    case undefined:
    case 'plain':
      if (enforcement === 'S256_REQUIRED') return { refused: 'code_challenge_method must be S256' }
      return unreserved.test(challenge)
        ? { challenge: { value: challenge, method: 'plain' } }
        : { refused: 'code_challenge must have 43 to 128 unreserved characters' }
    default:
      return { refused: 'code_challenge_method is not supported' }
  }
}

/** Whether a text has the form of a verifier (RFC 7636 section 4.1). */
export function isVerifier(text: string): boolean {
  return unreserved.test(text)
}

/**
 * Whether a verifier proves the challenge of a code.
 * @param sha256 SHA-256 of an ASCII text, base64url
 */
export function verifierProves(
  challenge: CodeChallenge | null,
  verifier: string | undefined,
  sha256: (text: string) => string,
): boolean {
  if (challenge === null) return verifier === undefined
  if (verifier === undefined || !isVerifier(verifier)) return false
  return (challenge.method === 'S256' ? sha256(verifier) : verifier) === challenge.value
}
