/**
 * The key that a pushed request comes with: RFC 9449 section 10.1. A DPoP proof at the PAR endpoint says the same as
 * `dpop_jkt`: only the holder of this key may redeem the code.
 * Never: a proof by one key beside the thumbprint of another; a proof that a token request could not make.
 */
import { dpopProof } from '../../access/dpop.ts'
import type { OneTimeJwt } from '../../access/used-jwt.ts'
import type { Context } from '../../contract/operation.ts'
import { problem } from '../../errors/problem.ts'
import type { Application } from '../../environment/application.ts'
import type { RequestParameters } from '../parameters.ts'
import { isFapiAlgorithm, keepsFapi } from '../rules/fapi.ts'

/**
 * Adds the thumbprint of the key that was proved to the parameters of a request.
 * @returns `proofs`: what is to be used up in the unit that keeps the request
 * @throws Problem invalid_dpop_proof, use_dpop_nonce
 */
export async function boundByProof(
  context: Context,
  { document }: Application,
  parameters: RequestParameters,
): Promise<{ readonly parameters: RequestParameters; readonly proofs: readonly OneTimeJwt[] }> {
  const verdict = await dpopProof(context, context.environment)
  if (!verdict) return { parameters, proofs: [] }
  if (!verdict.ok) throw problem(verdict.error, { description: verdict.description })
  if (keepsFapi(document) && !isFapiAlgorithm(verdict.algorithm)) {
    throw problem('invalid_dpop_proof', { description: 'the profile of the application does not allow its algorithm' })
  }
  const { dpop_jkt: named = verdict.jkt } = parameters.values
  if (named !== verdict.jkt) throw problem('invalid_dpop_proof', { description: 'dpop_jkt names another key' })
  return { parameters: { ...parameters, values: { ...parameters.values, dpop_jkt: named } }, proofs: [verdict.proof] }
}
