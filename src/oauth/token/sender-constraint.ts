/**
 * The keys that a client proves where it asks for tokens: RFC 9449 section 5, RFC 8705 section 3, row D24. Tokens are then bound to them,
 * whatever the grant.
 *
 * Never: a plain bearer token for an application that demands bound ones, or a proof that fails taken for none.
 */
import { certificateThumbprint, type Confirmation } from '../../access/confirmation.ts'
import { dpopProof, type ProofVerdict } from '../../access/dpop.ts'
import type { OneTimeJwt } from '../../access/used-jwt.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { problem } from '../../errors/problem.ts'
import { isFapiAlgorithm, keepsFapi } from '../rules/fapi.ts'

/** What was proved, and what is to be used up in the unit of what the request brings about. */
export interface SenderConstraint {
  readonly confirmation: Confirmation | undefined
  readonly proofs: readonly OneTimeJwt[]
}

const unbound: SenderConstraint = { confirmation: undefined, proofs: [] }

/**
 * Reads and verifies the proofs of keys of a request, and holds them against what the application demands.
 * @throws Problem invalid_dpop_proof, use_dpop_nonce, invalid_request
 */
export function senderConstraint(
  context: Context,
  environment: Environment,
  client: Application,
): SenderConstraint | Promise<SenderConstraint> {
  const proof = dpopProof(context, environment)
  return proof
    ? proof.then((verdict) => constrained(context, client, verdict))
    : constrained(context, client, undefined)
}

function constrained(context: Context, { document }: Application, verdict: ProofVerdict | undefined): SenderConstraint {
  if (verdict && !verdict.ok) throw problem(verdict.error, { description: verdict.description })
  const isFapi = keepsFapi(document)
  if (verdict && isFapi && !isFapiAlgorithm(verdict.algorithm)) {
    throw problem('invalid_dpop_proof', { description: 'the profile of the application does not allow its algorithm' })
  }
  // A profile leaves the choice between the two, where the application has not chosen.
  const hasChosen = document.tlsClientCertificateBoundAccessTokens === true
  const needsProof = document.dpopBoundAccessTokens === true || (isFapi && !context.certificate && !hasChosen)
  if (!verdict && needsProof) {
    throw problem('invalid_dpop_proof', { description: 'the application needs a DPoP proof' })
  }
  const needsCertificate = hasChosen || (isFapi && !verdict)
  const thumbprint = needsCertificate ? thumbprintOf(context) : undefined
  if (!verdict && thumbprint === undefined) return unbound
  return {
    confirmation: {
      ...(verdict ? { jkt: verdict.jkt } : {}),
      ...(thumbprint === undefined ? {} : { 'x5t#S256': thumbprint }),
    },
    proofs: verdict ? [verdict.proof] : [],
  }
}

/** The certificate needs no issuer here: what counts is that the client holds its key (RFC 8705 section 3). */
function thumbprintOf({ certificate }: Context): string {
  if (!certificate) throw problem('invalid_request', { description: 'the application needs a client certificate' })
  return certificateThumbprint(certificate)
}
