/**
 * attest_jwt_client_auth: an attester that the environment trusts vouches for the key of an instance of the client, which
 * proves that it holds it. draft-ietf-oauth-attestation-based-client-auth-07 sections 6 and 9, an extension that an
 * environment has to switch on (`clientAttestation`).
 *
 * Never: an attester that the environment does not name, whoever has signed; a proof that counts twice; a refresh token that
 * another instance could use (section 10.3).
 */
import type { JWK } from 'jose'
import { type CompactJws, readCompactJws } from '../../keys/compact-jws.ts'
import { keySetOf } from '../../keys/key-set.ts'
import { signatureFailure, thumbprintOfSigner } from '../../access/jws-signature.ts'
import { isServerNonce, serverNonce } from '../../access/server-nonce.ts'
import type { Context } from '../../contract/operation.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { problem } from '../../errors/problem.ts'
import { resolveSite } from '../../site.ts'
import { clientKeySet, keysKept } from '../client-keys.ts'
import { attestationProblem, attestedKey, isAttestationProof } from '../rules/client-attestation.ts'
import { clockSkew } from '../rules/client-jwt-claims.ts'
import { proofWindow } from '../rules/dpop-proof.ts'
import type { ClientCredentials } from './credentials.ts'
import type { ClientAuthMethod } from './method.ts'

/** The header that brings the challenge for the next proof (section 8.1). */
export const challengeHeader = 'oauth-client-attestation-challenge'

export const attestJwtClientAuth: ClientAuthMethod<ClientCredentials & { readonly method: 'NONE' }> = {
  name: 'attest_jwt_client_auth',
  registered: 'ATTEST_JWT_CLIENT_AUTH',
  async prove({ context, environment, application }) {
    const { clientAttestation: settings } = environment.settings
    if (!settings) return undefined
    const { now } = context
    context.answer[challengeHeader] = attestationChallenge(environment, now)
    const attestation = presented(context, 'oauth-client-attestation')
    const pop = presented(context, 'oauth-client-attestation-pop')
    if (!attestation || !pop) return undefined

    const verdict = attestationProblem(attestation, { clientId: application.clientId, now })
    if (verdict === 'invalid' || !(await isByAttester(context, environment, attestation))) return undefined
    if (verdict === 'stale') throw problem('use_fresh_attestation')

    const key = attestedKey(attestation.claims) as JWK
    const { issuer } = resolveSite(context.kernel.origins, environment)
    const jkt = await thumbprintOfSigner(pop.jwt, pop.header['alg'] as string, key)
    if (!isAttestationProof(pop, { clientId: application.clientId, issuer, now }) || jkt === undefined) return undefined
    const { challenge, jti, iat } = pop.claims as { challenge?: unknown; readonly jti: string; readonly iat: number }
    const isExpected =
      challenge === undefined
        ? !settings.challengeRequired
        : isServerNonce(environment, 'attestation-challenge', challenge, now)
    if (!isExpected) throw problem('use_attestation_challenge')
    const usableUntil = Math.ceil(iat + proofWindow + clockSkew) * 1000
    return { proofs: [{ kind: 'client-attestation-pop', issuer: jkt, jti, usableUntil }], instance: jkt }
  },
}

/** The challenge that clients are given now (section 8). */
export function attestationChallenge(environment: Environment, now: number): string {
  return serverNonce(environment, 'attestation-challenge', now)
}

/** A JWT, whole and taken apart. */
type Presented = CompactJws & { readonly jwt: string }

function presented({ headers }: Context, name: string): Presented | undefined {
  const jwt = headers[name]
  const read = typeof jwt === 'string' ? readCompactJws(jwt) : undefined
  return read && { ...read, jwt: jwt as string }
}

/** Whether an attestation is signed by the attester that it names, and that one is trusted. */
async function isByAttester(
  context: Context,
  environment: Environment,
  { jwt, header, claims }: Presented,
): Promise<boolean> {
  const attester = environment.settings.clientAttestation?.attesters.find(({ issuer }) => issuer === claims['iss'])
  if (!attester) return false
  const keys = await clientKeySet(context, { document: attester }, keysKept)
  return (
    keys !== undefined && (await signatureFailure(jwt, header['alg'] as string, await keySetOf(keys))) === undefined
  )
}
