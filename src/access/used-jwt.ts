/**
 * JWTs that count once: the `jti` of a client assertion, a request object or a DPoP proof, kept until the JWT has expired.
 * RFC 7523 section 3, RFC 9449 section 11.1; rows C17, D11, D23.
 * Never: an identifier kept as it came: it may be as long as its maker likes.
 */
import { hash } from 'node:crypto'
import { type Problem, problem } from '../errors/problem.ts'
import { insert, type Word } from '../storage/operations.ts'
import { UniquenessViolation } from '../storage/refusals.ts'

/** A JWT that may be used once. */
export interface OneTimeJwt {
  /** What it is for: the same `jti` in two kinds is two things. */
  readonly kind:
    | 'client-assertion'
    | 'request-object'
    | 'dpop-proof'
    | 'client-attestation-pop'
    | 'login-hint-token'
    | 'authentication-request'
    | 'authorization-grant'
  /** Who made it: a client id, or the thumbprint of a key. */
  readonly issuer: string
  readonly jti: string
  /** Until when it could be used again, epoch milliseconds. */
  readonly usableUntil: number
}

/**
 * Uses a JWT up, inside the unit of what it brings about.
 * @throws UniquenessViolation when it was used before
 */
export function* useJwt(environmentId: string, { kind, issuer, jti, usableUntil }: OneTimeJwt): Word<void> {
  yield* insert('used_jwts', {
    environment_id: environmentId,
    kind,
    id_hash: hash('sha256', `${issuer} ${jti}`, 'base64url'),
    expires_at: usableUntil,
  })
}

/**
 * Uses up what a client has proved itself by.
 * @throws Problem invalid_client, invalid_dpop_proof, invalid_request_object or invalid_request when one of them was used before
 */
export function* useProofs(environmentId: string, proofs: readonly OneTimeJwt[]): Word<void> {
  for (const proof of proofs) {
    try {
      yield* useJwt(environmentId, proof)
    } catch (error) {
      throw error instanceof UniquenessViolation ? usedBefore(proof) : error
    }
  }
}

function usedBefore({ kind }: OneTimeJwt): Problem {
  switch (kind) {
    case 'dpop-proof':
      return problem('invalid_dpop_proof', { description: 'the proof was used before' })
    case 'request-object':
      return problem('invalid_request_object', { description: 'it was used before' })
    case 'login-hint-token':
      return problem('invalid_request', { description: 'login_hint_token was used before' })
    default:
      return problem('invalid_client', { description: 'the assertion was used before' })
  }
}
