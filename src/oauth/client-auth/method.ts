/**
 * The shape of a method by which a client authenticates (authentication-api 2.8). Each method is one file; which one a
 * request means is read from what it presents, and `authenticate.ts` holds it against the one that is registered.
 */
import type { OneTimeJwt } from '../../access/used-jwt.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import type { ClientCredentials } from './credentials.ts'

/** Who is said to be asking, and where. */
export interface Attempt {
  readonly context: Context
  readonly environment: Environment
  readonly application: Application
}

/** What has proved the client. */
export interface ClientProof {
  /** JWTs that are used up by the unit of what the request brings about. */
  readonly proofs: readonly OneTimeJwt[]
  /** The thumbprint of the key of the instance that has asked, where instances are told apart. */
  readonly instance?: string
}

/** A method. */
export interface ClientAuthMethod<C extends ClientCredentials = ClientCredentials> {
  /** As metadata and RFC 7591 name it. */
  readonly name: string
  /** As applications name it. */
  readonly registered: Application['document']['tokenEndpointAuthMethod']
  /** Undefined: not proved. */
  readonly prove: (attempt: Attempt, credentials: C) => ClientProof | undefined | Promise<ClientProof | undefined>
}

/** Proved, and nothing is used up. */
export const proved: ClientProof = { proofs: [] }
