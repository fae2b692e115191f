/**
 * Access tokens that this server issued, read back: JWTs (RFC 9068) and opaque ones, what they say and how they stand.
 * A token stands while its application is enabled and, for a user, its grant is not revoked, the session lives and the user
 * may sign on (decisions D22, D23).
 *
 * Never: an ID token or any other JWT taken for an access token (row F09); the reason why one is none.
 */
import type { Application } from '../environment/application.ts'
import type { Environment } from '../environment/snapshot.ts'
import { sessionOfSid, userOfSubject } from '../environment/subject.ts'
import type { Kernel } from '../kernel.ts'
import { signingAlgorithms } from '../keys/algorithm.ts'
import { type JwtVerdict, verifyJwt } from '../keys/verify-jwt.ts'
import { resolveSite } from '../site.ts'
import { type LiveGrantRow, liveGrant, opaqueToken } from '../storage/sql/access.ts'
import { type Confirmation, readConfirmation } from './confirmation.ts'
import { hashOpaqueToken, isOpaqueToken } from './opaque-token.ts'

/** The claims of an access token, as far as anybody here reads them. */
export interface AccessTokenClaims {
  readonly clientId: string
  readonly environmentId: string
  readonly audience: readonly string[]
  readonly scopes: ReadonlySet<string>
  /** By what the application knows the user (`environment/subject.ts`): user tokens only. */
  readonly subject: string | undefined
  /** By what it knows the session. */
  readonly sid: string | undefined
  /** Epoch seconds of the authentication: user tokens only. */
  readonly authTime: number | undefined
  /** The private grant id (decision D22): user tokens only. */
  readonly grantId: string | undefined
  /** The key that whoever presents it has to prove (`requireProof`). */
  readonly confirmation: Confirmation | undefined
}

type Claims = Readonly<Record<string, unknown>>

/** A token that was read: everything that it says, and how it stands. */
export interface AccessTokenReading {
  readonly format: 'JWT' | 'OPAQUE'
  /** All claims, as a JWT has them. */
  readonly claims: Claims
  readonly access: AccessTokenClaims
  /** Undefined when the application is gone. */
  readonly application: Application | undefined
  /** The id of the user, whatever `sub` is: user tokens only. */
  readonly userId: string | undefined
  /** The id of the session, whatever `sid` is: user tokens of a session. */
  readonly sessionId: string | undefined
  /** The user and the grant, while a user token stands. */
  readonly grant: LiveGrantRow | undefined
  /** Whether it counts now. */
  readonly stands: boolean
}

/** What a reading is made with. */
export interface ReadingPorts {
  readonly kernel: Kernel
  readonly environment: Environment
  /** Epoch milliseconds. */
  readonly now: number
}

/**
 * Reads an access token of an environment, of either kind. Not judged: its audience, and the key it may be bound to
 * (`requireProof`).
 * @returns undefined when it is none, or has expired
 */
export async function readAccessToken(ports: ReadingPorts, token: string): Promise<AccessTokenReading | undefined> {
  const { kernel, environment, now } = ports
  const format = isOpaqueToken(token) ? 'OPAQUE' : 'JWT'
  const claims = format === 'OPAQUE' ? await opaqueClaims(ports, token) : (await verified(ports, token))?.claims
  const access = claims && accessTokenClaims(kernel, environment, claims)
  if (!access) return undefined
  const found = kernel.environments.client(environment.id, access.clientId)
  const application = found instanceof Promise ? await found : found
  const userId = application && access.subject && userOfSubject(environment, application, access.subject)
  const { sid, grantId } = access
  // Where nobody has signed on there is no session.
  const sessionId = sid === undefined ? '' : application && sessionOfSid(environment, application, sid)
  const isOfUser = access.subject !== undefined
  const [grant] =
    application?.enabled && userId && grantId && sessionId !== undefined
      ? await kernel.storage.read(liveGrant(environment.id, grantId, userId, sessionId, now))
      : []
  const stands = application?.enabled === true && (!isOfUser || grant !== undefined)
  return { format, claims, access, application, userId, sessionId: sessionId || undefined, grant, stands }
}

async function opaqueClaims({ kernel, environment, now }: ReadingPorts, token: string): Promise<Claims | undefined> {
  const [row] = await kernel.storage.read(opaqueToken(environment.id, hashOpaqueToken(token), now))
  return row && (JSON.parse(row.claims) as Claims)
}

/**
 * Verifies an access token that is a JWT: signature, kind, times.
 * @returns its claims, with the environment whose keys say so
 */
export async function verified(
  { kernel, environment, now }: ReadingPorts,
  token: string,
): Promise<{ readonly claims: Claims; readonly environment: Environment } | undefined> {
  const verdict = verifiedBy(environment, token, now)
  if (verdict.ok) return { claims: verdict.claims, environment }
  if (verdict.reason !== 'unknown_key') return undefined
  // Another node may have begun to sign by a key that this one has not been told of yet.
  await kernel.environments.poll()
  const present = await kernel.environments.get(environment.id)
  const anew = present && present !== environment ? verifiedBy(present, token, now) : undefined
  return present && anew?.ok ? { claims: anew.claims, environment: present } : undefined
}

function verifiedBy(environment: Environment, token: string, now: number): JwtVerdict {
  return verifyJwt(token, {
    key: (kid) => environment.signingKeys.find((key) => key.kid === kid),
    algorithms: signingAlgorithms,
    typ: ['at+jwt'],
    now,
  })
}

/** What the claims of an access token mean; undefined when it is not one of this environment, or bound to something unknown. */
export function accessTokenClaims(
  kernel: Pick<Kernel, 'origins'>,
  environment: Environment,
  claims: Claims,
): AccessTokenClaims | undefined {
  if (!resolveSite(kernel.origins, environment).issuers.includes(claims['iss'] as string)) return undefined
  const text = (name: string) => (typeof claims[name] === 'string' ? claims[name] : undefined)
  const clientId = text('client_id')
  const audience = claims['aud']
  if (!clientId || !Array.isArray(audience)) return undefined
  const confirmation = readConfirmation(claims['cnf'])
  if (claims['cnf'] !== undefined && !confirmation) return undefined
  return {
    clientId,
    environmentId: environment.id,
    audience: audience as string[],
    scopes: new Set((text('scope') ?? '').split(' ').filter(Boolean)),
    subject: text('p1.userId') ?? text('sub'),
    sid: text('sid'),
    authTime: typeof claims['auth_time'] === 'number' ? claims['auth_time'] : undefined,
    grantId: text('p1.gid'),
    confirmation,
  }
}
