/**
 * `auth_session`: what a client of the authorization challenge endpoint holds of its flow. draft-ietf-oauth-first-party-apps-04
 * sections 5.3.1 and 9.1. It is bound to a key where the code is: whoever has the session alone has nothing.
 *
 * Never: a session of a key carried on without a proof by that key, or by a proof that counts a second time.
 */
import { dpopProof } from '../../access/dpop.ts'
import { useProofs } from '../../access/used-jwt.ts'
import type { Context } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { problem } from '../../errors/problem.ts'
import type { FlowState } from '../../flow/state.ts'

/** A flow as this door holds it: its id, and the secret that it is bound to. */
export interface AuthSession {
  readonly flowId: string
  readonly token: string
}

export function writeAuthSession({ flowId, token }: AuthSession): string {
  return Buffer.from(`${flowId}.${token}`).toString('base64url')
}

export function readAuthSession(text: string): AuthSession | undefined {
  const [flowId = '', token = '', ...rest] = Buffer.from(text, 'base64url').toString('latin1').split('.')
  const isOne = rest.length === 0 && uuid.safeParse(flowId).success && uuid.safeParse(token).success
  return isOne ? { flowId, token } : undefined
}

/**
 * Holds a request that carries a session on against the key that it began with.
 * @throws Problem invalid_dpop_proof, use_dpop_nonce
 */
export async function proveSession(context: Context, { request }: FlowState): Promise<void> {
  const { dpopJkt } = request.parameters as { readonly dpopJkt?: string | null }
  const verdict = await dpopProof(context, context.environment)
  if (verdict && !verdict.ok) throw problem(verdict.error, { description: verdict.description })
  if (verdict?.jkt !== (dpopJkt ?? verdict?.jkt)) {
    throw problem('invalid_dpop_proof', { description: 'the session is bound to another DPoP key' })
  }
  if (!verdict) return
  const { kernel, environment } = context
  const unit = { name: 'use-dpop-proof', single: true, run: () => useProofs(environment.id, [verdict.proof]) }
  await kernel.storage.commit(unit)
}
