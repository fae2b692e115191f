/**
 * PURE: what a client attestation and the proof beside it have to say: draft-ietf-oauth-attestation-based-client-auth-07,
 * sections 5.1, 5.2 and 9 (extension). Their signatures, whether the proof was used before and whether its challenge is ours
 * is found out elsewhere (`client-auth/attest-jwt-client-auth.ts`).
 *
 * Never: an attestation of another client, or one without end; a proof for another server; an instance key that is private
 * or symmetric.
 */
import { keyAlgorithms } from './client-algorithms.ts'
import { clockSkew } from './client-jwt-claims.ts'
import { proofWindow } from './dpop-proof.ts'

type Members = Readonly<Record<string, unknown>>

/** A JWT taken apart. */
interface ReadJwt {
  readonly header: Members
  readonly claims: Members
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

function isSigned({ typ, alg }: Members, type: string): boolean {
  return typeof typ === 'string' && typ.toLowerCase() === type && keyAlgorithms.some((known) => known === alg)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isOptionalTime(value: unknown, latest: number): boolean {
  return value === undefined || (isTime(value) && value <= latest)
}

/** The key of the instance that is attested; undefined when it is none that could be. */
export function attestedKey({ cnf }: Members): Members | undefined {
  if (typeof cnf !== 'object' || cnf === null) return undefined
  const { jwk } = cnf as { readonly jwk?: unknown }
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return undefined
  const { kty } = jwk as { readonly kty?: unknown }
  const isPublic = kty === 'RSA' || kty === 'EC' || kty === 'OKP'
  return isPublic && !privateMembers.some((member) => Object.hasOwn(jwk, member)) ? { ...jwk } : undefined
}

/**
 * Judges an attestation.
 * @param now epoch milliseconds
 * @returns `stale` when a newer one of the same attester might do
 */
export function attestationProblem(
  { header, claims }: ReadJwt,
  { clientId, now }: { readonly clientId: string; readonly now: number },
): 'invalid' | 'stale' | undefined {
  const { iss, sub, exp, iat, nbf } = claims
  const latest = now / 1000 + clockSkew
  const isWhole =
    isSigned(header, 'oauth-client-attestation+jwt') &&
    typeof iss === 'string' &&
    sub === clientId &&
    isTime(exp) &&
    isOptionalTime(iat, latest) &&
    isOptionalTime(nbf, latest) &&
    attestedKey(claims) !== undefined
  if (!isWhole) return 'invalid'
  return exp + clockSkew <= now / 1000 ? 'stale' : undefined
}

/** What a proof is held against. */
export interface AttestationProofExpectations {
  readonly clientId: string
  readonly issuer: string
  /** Epoch milliseconds. */
  readonly now: number
}

/** Whether a proof says what it has to; later drafts leave its `iss` out. */
export function isAttestationProof(
  { header, claims }: ReadJwt,
  { clientId, issuer, now }: AttestationProofExpectations,
): boolean {
  const { iss = clientId, aud, jti, iat, nbf, exp } = claims
  const seconds = now / 1000
  return (
    isSigned(header, 'oauth-client-attestation-pop+jwt') &&
    iss === clientId &&
    aud === issuer &&
    typeof jti === 'string' &&
    jti !== '' &&
    isTime(iat) &&
    Math.abs(seconds - iat) <= proofWindow &&
    isOptionalTime(nbf, seconds + clockSkew) &&
    (exp === undefined || (isTime(exp) && exp + clockSkew > seconds))
  )
}
