/**
 * Access tokens of the management API: RFC 6750, RFC 9449 section 7, platform-api 1.2. A token counts when it is an access token of this
 * server, for the platform's audience, unexpired, of an enabled application and, for a user, of a grant that is not
 * revoked, a session that lives and a user who may sign on. Role assignments are read at use (decision D23).
 *
 * An opaque token is never one for the platform, and so never one here.
 *
 * A token that is bound to a key counts only together with the proof of it, and by no other scheme than its own.
 *
 * A user's roles count only when the token was issued to a WORKER application: any other application of the environment
 * that an administrator signs on to must not act with the administrator's rights.
 */
import type { ClientCertificate } from '../contract/operation.ts'
import type { Environment } from '../environment/snapshot.ts'
import { sessionOfSid, userOfSubject } from '../environment/subject.ts'
import { invalidToken, Problem } from '../errors/problem.ts'
import type { Kernel } from '../kernel.ts'
import { liveGrant, roleAssignmentsOf } from '../storage/sql/access.ts'
import { type AccessTokenClaims, accessTokenClaims, verified } from './access-token.ts'
import type { Actor, RoleAssignment } from './actor.ts'
import { certificateThumbprint, isProved } from './confirmation.ts'
import { dpopChallenge, dpopProof, type ProofRequest } from './dpop.ts'
import { useProofs } from './used-jwt.ts'

/** A token as it was presented. */
export interface PresentedToken {
  readonly scheme: 'Bearer' | 'DPoP'
  readonly token: string
}

/** What of a request says who presents a token. */
export interface TokenRequest extends ProofRequest {
  readonly kernel: Kernel
  readonly certificate: ClientCertificate | undefined
}

/**
 * Takes the token out of an Authorization header.
 * @throws Problem INVALID_TOKEN when there is none or it is malformed
 */
export function bearerToken(authorization: string | undefined): string {
  const match = authorization === undefined ? null : /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)
  if (!match?.[1]) throw invalidToken(authorization === undefined ? undefined : 'the authorization header is malformed')
  return match[1]
}

/**
 * Takes the token out of an Authorization header, by either scheme.
 * @throws Problem INVALID_TOKEN when there is none or it is malformed
 */
export function presentedToken(authorization: string | undefined): PresentedToken {
  const match = authorization === undefined ? null : /^DPoP +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)
  return match?.[1] ? { scheme: 'DPoP', token: match[1] } : { scheme: 'Bearer', token: bearerToken(authorization) }
}

/**
 * Demands the proof of the key that a token is bound to, and uses it up.
 * @throws Problem INVALID_TOKEN, with the challenge of the scheme
 */
export async function requireProof(
  request: TokenRequest,
  environment: Environment,
  { scheme, token }: PresentedToken,
  { confirmation }: Pick<AccessTokenClaims, 'confirmation'>,
): Promise<void> {
  const isBoundToProof = confirmation?.jkt !== undefined
  if (scheme === 'Bearer' && isBoundToProof) throw unproved('invalid_token', 'the token is bound to a DPoP key')
  if (scheme === 'DPoP' && !isBoundToProof) throw unproved('invalid_token', 'the token is not bound to a DPoP key')
  let jkt: string | undefined
  if (isBoundToProof) {
    const verdict = await dpopProof(request, environment, token)
    if (!verdict) throw unproved('invalid_dpop_proof', 'the proof is missing')
    if (!verdict.ok) throw unproved(verdict.error, verdict.description)
    ;({ jkt } = verdict)
    const { proof } = verdict
    if (jkt !== confirmation.jkt) throw unproved('invalid_token', 'the proof is by another key')
    const unit = { name: 'use-dpop-proof', single: true, run: () => useProofs(environment.id, [proof]) }
    await request.kernel.storage.commit(unit).catch((error: unknown) => {
      throw error instanceof Problem ? unproved('invalid_dpop_proof', 'the proof was used before') : error
    })
  }
  // A certificate is only read where a token is bound to one.
  const certificate = confirmation?.['x5t#S256'] === undefined ? undefined : request.certificate
  const proved = {
    ...(jkt === undefined ? {} : { jkt }),
    ...(certificate ? { 'x5t#S256': certificateThumbprint(certificate) } : {}),
  }
  if (!isProved(confirmation, proved)) throw invalidToken('the token is bound to a key that was not proved')
}

function unproved(error: 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce', description: string): Problem {
  return invalidToken(description, dpopChallenge(error, description))
}

/**
 * Finds out who an access token acts for.
 * @throws Problem INVALID_TOKEN; the same for every reason but the want of a proof
 */
export async function authenticate(request: TokenRequest): Promise<Actor> {
  const { kernel, now, headers } = request
  const presented = presentedToken(headers.authorization)
  const { token } = presented
  const environmentId = environmentNamedIn(token)
  const environment = environmentId ? await kernel.environments.get(environmentId) : undefined
  const read = environment && (await verified({ kernel, environment, now }, token))
  const claims = read && accessTokenClaims(kernel, read.environment, read.claims)
  if (!environment || !claims?.audience.includes(kernel.origins.apiUrl)) {
    throw invalidToken('the token is not valid here')
  }
  const application = await kernel.environments.client(environment.id, claims.clientId)
  if (!application?.enabled) throw invalidToken('the token is not valid here')
  await requireProof(request, environment, presented, claims)

  if (claims.subject === undefined) {
    return {
      kind: 'application',
      environmentId: environment.id,
      clientId: application.id,
      assignments: await assignmentsOf(kernel, environment.id, application.id),
    }
  }
  const { grantId } = claims
  const userId = userOfSubject(environment, application, claims.subject)
  const sessionId = claims.sid && sessionOfSid(environment, application, claims.sid)
  if (!userId || !sessionId || !grantId) throw invalidToken('the token is not valid here')
  const [grant] = await kernel.storage.read(liveGrant(environment.id, grantId, userId, sessionId, now))
  if (!grant) throw invalidToken('the token is not valid here')
  return {
    kind: 'user',
    environmentId: environment.id,
    clientId: application.id,
    userId,
    sessionId,
    scopes: claims.scopes,
    authTime: claims.authTime,
    assignments: application.type === 'WORKER' ? await assignmentsOf(kernel, environment.id, userId) : [],
  }
}

/** The role assignments of an application or user. */
export async function assignmentsOf(
  kernel: Pick<Kernel, 'storage'>,
  environmentId: string,
  actorId: string,
): Promise<RoleAssignment[]> {
  const rows = await kernel.storage.read(roleAssignmentsOf(environmentId, actorId))
  return rows.map((row) => ({
    id: row.id,
    roleId: row.role_id,
    scopeType: row.scope_type,
    scopeId: row.scope_id,
    scopeEnvironmentId: row.scope_environment_id,
    readOnly: row.read_only === 1,
  }))
}

/** The environment that an unverified token claims; its keys then decide whether that is true. */
function environmentNamedIn(token: string): string | undefined {
  const payload = token.split('.')[1]
  if (!payload || payload.length > 16_384) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const id = typeof claims === 'object' && claims !== null && 'env' in claims ? claims.env : undefined
    return typeof id === 'string' && id.length === 36 ? id : undefined
  } catch {
    return undefined
  }
}
