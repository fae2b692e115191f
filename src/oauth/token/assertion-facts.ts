/**
 * A JWT that is a grant by itself (RFC 7523 section 2.1): who signed it, and whom it speaks for. A client signs for itself
 * alone, by its registered keys. An identity provider signs for the users whose accounts are linked to it, where its
 * administrator has said that its assertions are taken (`acceptsAssertions`).
 *
 * Never: a shared secret in the place of a key; a provider that is disabled; a user found by anything but a linked account
 * (rows D25, M14).
 */
import { readCompactJws } from '../../keys/compact-jws.ts'
import type { OneTimeJwt } from '../../access/used-jwt.ts'
import type { Context } from '../../contract/operation.ts'
import { ownerOf } from '../../directory/linked-accounts.ts'
import { canAuthenticate } from '../../directory/users.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { resolveSite } from '../../site.ts'
import { type KeyHolder, verifyClientJwt } from '../client-keys.ts'
import { assertionGrantTypes, readAssertionGrant } from '../rules/assertion-grant.ts'
import { keyAlgorithms } from '../rules/client-algorithms.ts'
import { clockSkew } from '../rules/client-jwt-claims.ts'

/** A verified assertion. */
export interface AssertionFacts {
  /** Whom a token is for; undefined: the client itself. */
  readonly user: { readonly id: string; readonly providerId: string; readonly familyId: string } | undefined
  /** The assertion, which counts once. */
  readonly proof: OneTimeJwt
}

/** Who may sign an assertion, and for how long it may be good, in seconds. */
interface Signer extends KeyHolder {
  /** The identity provider; undefined: the client itself. */
  readonly providerId: string | undefined
  readonly longestLife: number
}

const longestLifeOfProvider = 3600

/** Verifies an assertion that a client presents; undefined when it gives nothing. */
export async function readAssertion(
  context: Context,
  environment: Environment,
  client: Application,
  assertion: string,
): Promise<AssertionFacts | undefined> {
  const { kernel, now } = context
  const issuer = readCompactJws(assertion)?.claims['iss']
  const signer = typeof issuer === 'string' ? signerOf(environment, client, issuer) : undefined
  if (!signer || typeof issuer !== 'string') return undefined
  const check = { algorithms: keyAlgorithms, types: assertionGrantTypes }
  const jwt = await verifyClientJwt(context, environment, signer, assertion, check)
  if (!jwt.ok) return undefined
  const audiences = [resolveSite(kernel.origins, environment).issuer]
  const { longestLife, providerId } = signer
  const grant = readAssertionGrant(jwt.claims, { issuer, audiences, longestLife, now })
  if (!grant) return undefined
  // Twice the skew: once for the clock of the signer, once between the nodes.
  const usableUntil = Math.ceil(grant.expiresAt + 2 * clockSkew) * 1000
  const proof = { kind: 'authorization-grant', issuer, jti: grant.jti, usableUntil } as const
  if (providerId === undefined) return grant.subject === client.id ? { user: undefined, proof } : undefined
  const owner = await ownerOf(kernel, environment.id, { providerId, subject: grant.subject })
  if (!owner || !canAuthenticate(owner.user, now)) return undefined
  return { user: { id: owner.user.id, providerId, familyId: kernel.world.uuid() }, proof }
}

function signerOf(environment: Environment, client: Application, issuer: string): Signer | undefined {
  if (issuer === client.id) {
    const { id, document } = client
    return { id, document, providerId: undefined, longestLife: environment.settings.clientAssertionSeconds }
  }
  for (const { id, type, enabled, document } of environment.identityProviders.values()) {
    const isTrusted = enabled && type === 'OPENID_CONNECT' && document.acceptsAssertions === true
    if (!isTrusted || document.issuer !== issuer) continue
    return { id, document: { jwksUrl: document.jwksEndpoint }, providerId: id, longestLife: longestLifeOfProvider }
  }
  return undefined
}
