/**
 * What the pool asks of a hashing worker, and nothing else goes between them. A worker answers every job with one
 * message, in order; a job that cannot be done ends the worker.
 */
import type { Argon2Cost } from './phc.ts'
import type { StoredHash } from './stored-hash.ts'

/** One job. The bytes change hands with the message, and the worker wipes them. */
export type Job =
  /** Answered with the PHC string. What is hashed is a password, or the digest of an imported one. */
  | {
      readonly kind: 'hash'
      readonly password: Uint8Array<ArrayBuffer>
      readonly salt: Uint8Array
      readonly cost: Argon2Cost
    }
  /** Answered with whether any of the hashes matches. */
  | { readonly kind: 'verify'; readonly password: Uint8Array<ArrayBuffer>; readonly hashes: readonly StoredHash[] }
  /** Answered with whether the password is commonly used. */
  | { readonly kind: 'screen'; readonly password: Uint8Array<ArrayBuffer> }

/** The answer to a job. */
export type JobAnswer = string | boolean
