/**
 * Access tokens: JWTs with PingOne's claims (authentication-api 2.9), `typ: at+jwt` as RFC 9068 section 2.1 wants, or, for
 * resources that want it, opaque handles whose claims stay here. User tokens carry the private grant id `p1.gid`, so that
 * userinfo and the management API see a revocation at once (decision D22). A custom resource adds claims of its own.
 *
 * Never: an application token with a `sub`; an opaque token for the platform; a mapped claim in the place of ours.
 */
import { cnfOf, type Confirmation } from '../../access/confirmation.ts'
import { hashOpaqueToken } from '../../access/opaque-token.ts'
import type { Context } from '../../contract/operation.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import type { Application } from '../../environment/application.ts'
import type { ReadAttribute } from '../../environment/attribute-mapping.ts'
import type { Resource } from '../../environment/resource.ts'
import { signingKeyFor } from '../../environment/signing-key-choice.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { sessionFor, subjectFor } from '../../environment/subject.ts'
import { signJwt } from '../../keys/jws.ts'
import type { AuthorizationDetail } from '../rules/authorization-details.ts'
import type { Site } from '../../site.ts'
import { insert, type Word } from '../../storage/operations.ts'
import type { ActClaim } from '../rules/token-exchange.ts'
import { attributesOf, type ClaimSource, claimSource } from './claim-source.ts'
import { valueMissing } from './claims.ts'

/** The user's part of a token. */
export interface TokenUser {
  readonly id: string
  /** Empty where nobody has signed on here. */
  readonly sessionId: string
  /** Name of the sign-on policy that was completed; undefined: none was. */
  readonly acr: string | undefined
  readonly amr: readonly string[]
  /** Epoch seconds of the authentication; undefined: there was none here. */
  readonly authTime: number | undefined
}

/** What an access token says. */
export interface AccessTokenContent {
  readonly jti: string
  readonly client: Application
  readonly scopes: readonly string[]
  /** Custom audiences; empty for the platform. */
  readonly audiences: readonly string[]
  /** Life in seconds. */
  readonly lifetime: number
  readonly user: TokenUser | undefined
  /** The user's attributes, where they are at hand: they are read where a resource wants them and they are not. */
  readonly source?: ClaimSource | undefined
  /** The token family, for user tokens. */
  readonly grantId: string | undefined
  /** The key that whoever presents the token has to prove. */
  readonly confirmation: Confirmation | undefined
  /** Who acts for the user, where it is not the user alone (RFC 8693 section 4.1). */
  readonly act?: ActClaim | undefined
  /** What was granted in detail (RFC 9396 section 9.1). */
  readonly authorizationDetails?: readonly AuthorizationDetail[] | undefined
}

/** An access token that is ready to be handed out once `store` is committed. */
export interface PreparedAccessToken {
  readonly token: string | Promise<string>
  /** What an opaque token needs to be known by, for the unit of its issuance. */
  readonly store: (() => Word<void>) | undefined
}

type Ports = Pick<Context, 'kernel' | 'now'>

/** Makes an access token; at once, unless a resource wants attributes of the user that have to be read. */
export function prepareAccessToken(
  context: Ports,
  environment: Environment,
  site: Site,
  content: AccessTokenContent,
): PreparedAccessToken | Promise<PreparedAccessToken> {
  const resources = resourcesOf(environment, content.audiences)
  const isMapped = resources.some(({ attributes, subject }) => attributes.length > 0 || subject !== undefined)
  if (!isMapped) return prepared(context, environment, site, content, resources, undefined)
  return attributesFor(context, environment, content, resources).then((read) =>
    prepared(context, environment, site, content, resources, read),
  )
}

function resourcesOf({ resources }: Environment, audiences: readonly string[]): readonly Resource[] {
  if (audiences.length === 0) return []
  return [...resources.values()].filter(({ audience }) => audience !== null && audiences.includes(audience))
}

/** What the resources want to know of the user; undefined where no user takes part. */
async function attributesFor(
  context: Ports,
  { id }: Environment,
  { user, source }: AccessTokenContent,
  resources: readonly Resource[],
): Promise<ReadAttribute | undefined> {
  if (!user) return undefined
  const values = resources.flatMap(({ attributes, subject }) => [
    ...attributes.map(({ value }) => value),
    ...(subject ? [subject] : []),
  ])
  const found = source ? undefined : await userWithPasswordById(context.kernel, id, user.id)
  const known = source ?? (found && claimSource(found.user))
  if (!known) throw valueMissing()
  return attributesOf(context.kernel, id, known, new Set(values.flatMap(({ needs }) => needs)))
}

function prepared(
  { kernel, now }: Ports,
  environment: Environment,
  site: Site,
  content: AccessTokenContent,
  resources: readonly Resource[],
  read: ReadAttribute | undefined,
): PreparedAccessToken {
  const { client, lifetime } = content
  const issuedAt = Math.floor(now / 1000)
  const user = content.user && userPart(environment, content, content.user, resources, read)
  // Those without a value are left out where they are written.
  const own = {
    client_id: client.clientId,
    iss: site.issuer,
    jti: content.jti,
    iat: issuedAt,
    exp: issuedAt + lifetime,
    aud: content.audiences.length > 0 ? content.audiences : [site.platformAudience],
    scope: content.scopes.length === 0 ? undefined : content.scopes.join(' '),
    cnf: cnfOf(content.confirmation),
    authorization_details: content.authorizationDetails,
    sub: user?.sub,
    'p1.userId': user?.id,
    sid: user?.sid,
    auth_time: content.user?.authTime,
    acr: content.user?.acr,
    act: content.user && content.act,
    env: environment.id,
    org: environment.organizationId,
    'p1.gid': content.user && content.grantId,
    'p1.rid': content.user ? undefined : content.jti,
  }
  const claims = resources.length === 0 ? own : { ...mappedClaims(resources, read), ...own }
  if (resources.some(({ accessTokenFormat }) => accessTokenFormat === 'OPAQUE')) {
    const token = kernel.world.bytes(32).toString('base64url')
    const row = {
      environment_id: environment.id,
      token_hash: hashOpaqueToken(token),
      user_id: content.user?.id ?? null,
      claims: JSON.stringify(claims),
      created_at: now,
      expires_at: (issuedAt + lifetime) * 1000,
    }
    return { token, store: () => insert('opaque_tokens', row) }
  }
  const key = signingKeyFor(environment, { algorithm: algorithmOf(resources), application: client }, now)
  return {
    token: signJwt(key, claims, { typ: 'at+jwt', includeX5t: client.document.includeX5t }),
    store: undefined,
  }
}

function mappedClaims(resources: readonly Resource[], read: ReadAttribute | undefined): Record<string, unknown> {
  const claims = new Map<string, unknown>()
  for (const { name, value } of resources.flatMap(({ attributes }) => attributes)) {
    const evaluated = claims.get(name) ?? value.of(read)
    if (evaluated !== undefined) claims.set(name, evaluated)
  }
  return Object.fromEntries(claims)
}

/** `id` says who the user is to this server, where the resource has another `sub` (authentication-api 2.9). */
function userPart(
  environment: Environment,
  { client }: AccessTokenContent,
  user: TokenUser,
  resources: readonly Resource[],
  read: ReadAttribute | undefined,
) {
  const subject = subjectFor(environment, client, user.id)
  const mapping = resources.find((resource) => resource.subject !== undefined)?.subject
  const mapped = mapping?.of(read)
  if (mapping && mapped === undefined) throw valueMissing()
  return {
    sub: mapped === undefined ? subject : mapped.toString(),
    id: mapped === undefined ? undefined : subject,
    sid: user.sessionId === '' ? undefined : sessionFor(environment, client, user.sessionId),
  }
}

/** The algorithm that the resources of a token want, where they want one and agree on it. */
function algorithmOf(resources: readonly Resource[]) {
  const [first, ...others] = resources.map(({ signingAlgorithm }) => signingAlgorithm)
  return first && others.every((other) => other === first) ? first : undefined
}
