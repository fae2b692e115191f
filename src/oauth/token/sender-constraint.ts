/**
 * The keys that a client proves where it asks for tokens: RFC 9449 section 5, row D24. Tokens are then bound to them,
 * whatever the grant.
 *
 * Never: a plain bearer token for an application that demands bound ones, or a proof that fails taken for none.
 */
import type { Confirmation } from '../../access/confirmation.ts'
import { dpopProof } from '../../access/dpop.ts'
import type { OneTimeJwt } from '../../access/used-jwt.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { problem } from '../../errors/problem.ts'

/** What was proved, and what is to be used up in the unit of what the request brings about. */
export interface SenderConstraint {
  readonly confirmation: Confirmation | undefined
  readonly proofs: readonly OneTimeJwt[]
}

/**
 * Reads and verifies the proofs of keys of a request, and holds them against what the application demands.
 * @throws Problem invalid_dpop_proof, use_dpop_nonce
 */
export async function senderConstraint(
  context: Context,
  environment: Environment,
  { document }: Application,
): Promise<SenderConstraint> {
  const verdict = await dpopProof(context, environment)
  if (verdict && !verdict.ok) throw problem(verdict.error, { description: verdict.description })
  if (!verdict && document.dpopBoundAccessTokens === true) {
    throw problem('invalid_dpop_proof', { description: 'the application needs a DPoP proof' })
  }
  return verdict
    ? { confirmation: { jkt: verdict.jkt }, proofs: [verdict.proof] }
    : { confirmation: undefined, proofs: [] }
}
