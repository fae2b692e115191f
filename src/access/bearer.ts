/**
 * Bearer tokens of the management API: RFC 6750, platform-api 1.2. A token counts when it is an access token of this
 * server, for the platform's audience, unexpired, of an enabled application and, for a user, of a grant that is not
 * revoked, a session that lives and a user who may sign on. Role assignments are read at use (decision D23).
 *
 * A user's roles count only when the token was issued to a WORKER application: any other application of the environment
 * that an administrator signs on to must not act with the administrator's rights.
 */
import type { Environment } from '../environment/snapshot.ts'
import { invalidToken } from '../errors/problem.ts'
import type { Kernel } from '../kernel.ts'
import { verifyJwt } from '../keys/verify-jwt.ts'
import { resolveSite } from '../site.ts'
import { liveGrant, roleAssignmentsOf } from '../storage/sql/access.ts'
import type { Actor, RoleAssignment } from './actor.ts'

/** The claims of an access token that Stile issued, as far as anybody here reads them. */
export interface AccessTokenClaims {
  readonly clientId: string
  readonly environmentId: string
  readonly audience: readonly string[]
  readonly scopes: ReadonlySet<string>
  readonly userId: string | undefined
  readonly sessionId: string | undefined
  /** Epoch seconds of the authentication: user tokens only. */
  readonly authTime: number | undefined
  /** The private grant id (decision D22): user tokens only. */
  readonly grantId: string | undefined
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

/** Verifies an access token of one environment: signature, kind, issuer, times. Not its audience or its revocation. */
export function verifyAccessToken(
  kernel: Kernel,
  environment: Environment,
  token: string,
  now: number,
): AccessTokenClaims | undefined {
  const verdict = verifyJwt(token, {
    key: (kid) => environment.signingKeys.find((key) => key.kid === kid),
    algorithms: ['RS256', 'ES256'],
    typ: ['at+jwt'],
    now,
  })
  if (!verdict.ok) return undefined
  const { claims } = verdict
  if (claims['iss'] !== resolveSite(kernel.origins, environment.id).issuer) return undefined
  const text = (name: string) => (typeof claims[name] === 'string' ? claims[name] : undefined)
  const clientId = text('client_id')
  const audience = claims['aud']
  if (!clientId || !Array.isArray(audience)) return undefined
  return {
    clientId,
    environmentId: environment.id,
    audience: audience as string[],
    scopes: new Set((text('scope') ?? '').split(' ').filter(Boolean)),
    userId: text('sub'),
    sessionId: text('sid'),
    authTime: typeof claims['auth_time'] === 'number' ? claims['auth_time'] : undefined,
    grantId: text('p1.gid'),
  }
}

/**
 * Finds out who a bearer token acts for.
 * @throws Problem INVALID_TOKEN; the same for every reason
 */
export async function authenticate(kernel: Kernel, authorization: string | undefined, now: number): Promise<Actor> {
  const token = bearerToken(authorization)
  const environmentId = environmentNamedIn(token)
  const environment = environmentId ? await kernel.environments.get(environmentId) : undefined
  const claims = environment && verifyAccessToken(kernel, environment, token, now)
  if (!environment || !claims?.audience.includes(resolveSite(kernel.origins, environment.id).platformAudience)) {
    throw invalidToken('the token is not valid here')
  }
  const application = await kernel.environments.application(environment.id, claims.clientId)
  if (!application?.enabled) throw invalidToken('the token is not valid here')

  if (claims.userId === undefined) {
    return {
      kind: 'application',
      environmentId: environment.id,
      clientId: claims.clientId,
      assignments: await assignmentsOf(kernel, environment.id, claims.clientId),
    }
  }
  const { userId, sessionId, grantId } = claims
  if (!sessionId || !grantId) throw invalidToken('the token is not valid here')
  const [grant] = await kernel.storage.read(liveGrant(environment.id, grantId, userId, sessionId, now))
  if (!grant) throw invalidToken('the token is not valid here')
  return {
    kind: 'user',
    environmentId: environment.id,
    clientId: claims.clientId,
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
