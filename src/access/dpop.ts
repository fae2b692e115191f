/**
 * DPoP proofs, verified: RFC 9449 sections 4.3, 8 and 9. What a proof has to say is decided in `oauth/rules/dpop-proof.ts`;
 * here its signature is verified by the key that it brings, and its nonce looked at.
 *
 * Never: a proof that counts without being used up (`useProofs`) in the unit of what it brings about; two proofs in one
 * request; the reason of a refusal beyond what the client's developer needs.
 */
import { hash } from 'node:crypto'
import { pageOrigin } from '../site.ts'
import type { IncomingHttpHeaders } from 'node:http'
import type { JWK } from 'jose'
import type { Environment } from '../environment/snapshot.ts'
import type { Kernel } from '../kernel.ts'
import { keyAlgorithms } from '../oauth/rules/client-algorithms.ts'
import { proofClaimsProblem, proofHeaderProblem, proofWindow } from '../oauth/rules/dpop-proof.ts'
import { readCompactJws } from '../keys/compact-jws.ts'
import { thumbprintOfSigner } from './jws-signature.ts'
import { isServerNonce, serverNonce } from './server-nonce.ts'
import type { OneTimeJwt } from './used-jwt.ts'

/** What of a request a proof speaks of. */
export interface ProofRequest {
  readonly kernel: Pick<Kernel, 'origins' | 'config'>
  /** Epoch milliseconds. */
  readonly now: number
  readonly method: string
  /** Path and query as received. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
  /** Headers of the answer: they bring the nonce. */
  readonly answer: Record<string, string | string[]>
}

/** A proof that holds: the thumbprint of its key, and what is to be used up. Or why it does not. */
export type ProofVerdict =
  | { readonly ok: true; readonly jkt: string; readonly algorithm: string; readonly proof: OneTimeJwt }
  | { readonly ok: false; readonly error: 'invalid_dpop_proof' | 'use_dpop_nonce'; readonly description: string }

/**
 * Verifies the proof of a request.
 * @param accessToken the token that is presented with it; undefined where tokens are asked for
 * @returns undefined when the request has none
 */
export function dpopProof(
  request: ProofRequest,
  environment: Environment,
  accessToken?: string,
): Promise<ProofVerdict> | undefined {
  const { headers, now } = request
  const { dpop } = headers
  if (environment.settings.dpopNonceRequired) request.answer['dpop-nonce'] = serverNonce(environment, 'dpop-nonce', now)
  return dpop === undefined ? undefined : judgeProof(request, environment, dpop, accessToken)
}

async function judgeProof(
  request: ProofRequest,
  environment: Environment,
  dpop: string | string[],
  accessToken: string | undefined,
): Promise<ProofVerdict> {
  const { now } = request
  // Node joins headers of one name by commas, which no JWT has.
  const jwt = typeof dpop === 'string' && !dpop.includes(',') ? dpop : undefined
  if (jwt === undefined) return invalid('there is more than one proof')
  const read = readCompactJws(jwt)
  if (!read) return invalid('it is no JWT')
  const problem =
    proofHeaderProblem(read.header) ??
    proofClaimsProblem(read.claims, {
      method: request.method,
      addresses: addressesOf(request),
      accessTokenHash: accessToken === undefined ? undefined : hash('sha256', accessToken, 'base64url'),
      now,
    })
  if (problem !== undefined) return invalid(problem)
  const algorithm = read.header['alg'] as string
  const jkt = await thumbprintOfSigner(jwt, algorithm, read.header['jwk'] as JWK)
  if (jkt === undefined) return invalid('its signature does not hold')
  const { nonce, jti, iat } = read.claims as { readonly nonce?: unknown; readonly jti: string; readonly iat: number }
  if (
    nonce === undefined ? environment.settings.dpopNonceRequired : !isServerNonce(environment, 'dpop-nonce', nonce, now)
  ) {
    request.answer['dpop-nonce'] = serverNonce(environment, 'dpop-nonce', now)
    return { ok: false, error: 'use_dpop_nonce', description: 'a nonce of this server is required in the proof' }
  }
  // Twice the window: once for the clock of the client, once between the nodes.
  const usableUntil = Math.ceil(iat + 2 * proofWindow) * 1000
  return { ok: true, jkt, algorithm, proof: { kind: 'dpop-proof', issuer: jkt, jti, usableUntil } }
}

function invalid(description: string): ProofVerdict {
  return { ok: false, error: 'invalid_dpop_proof', description }
}

/** The addresses under which this server is reached; a path exists under one of them alone. */
function addressesOf({ kernel: { origins }, target }: ProofRequest): readonly string[] {
  const { apiUrl, mtlsUrl } = origins
  return [pageOrigin(origins), apiUrl, ...(mtlsUrl === undefined ? [] : [mtlsUrl])].map((origin) => origin + target)
}

/** The challenge of a resource that wants a proof (RFC 9449 section 7.1). */
export function dpopChallenge(error: string, description: string): string {
  return `DPoP error="${error}", error_description="${description}", algs="${keyAlgorithms.join(' ')}"`
}
