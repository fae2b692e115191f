/**
 * What is told of a token, and to whom: RFC 7662 section 2.2, authentication-api 2.11; rows E11-E16. The server of a custom
 * resource sees access tokens for its audience; an application sees what was issued to it. Everything else, and what has
 * ended, is not active, without a reason. What keeps a token alive is read at use (decisions D22 and D23).
 *
 * Never: a refresh or an ID token shown to a resource server, which could take it for an access token.
 */
import type { AccessTokenReading } from '../access/access-token.ts'
import type { Context } from '../contract/operation.ts'
import type { Application } from '../environment/application.ts'
import type { Resource } from '../environment/resource.ts'
import { subjectFor } from '../environment/subject.ts'
import { liveSession } from '../storage/sql/access.ts'
import { readPresentedToken } from './presented-token.ts'
import { refreshEnd, refreshWorth } from './rules/refresh-token.ts'
import { readRefreshFacts } from './token/refresh-facts.ts'
import type { IdTokenClaims } from './tokens/read-id-token.ts'

/** Who asks. */
export type Introspector =
  | { readonly kind: 'application'; readonly application: Application }
  | { readonly kind: 'resource'; readonly resource: Resource }

/** The members of an answer. */
export type Introspection = { readonly active: boolean } & Readonly<Record<string, unknown>>

const inactive: Introspection = { active: false }

/** Claims that are our own business, and mapped ones by the names of what an answer says of the token. */
const withheld: ReadonlySet<string> = new Set(['env', 'org', 'sid', 'p1.gid', 'p1.rid', 'active', 'token_type'])

/** What somebody is told of a token; one read. */
export async function introspect(context: Context, asking: Introspector, token: string): Promise<Introspection> {
  const presented = await readPresentedToken(context, token)
  if (presented?.kind === 'access') return accessToken(asking, presented.reading)
  if (!presented || asking.kind !== 'application') return inactive
  return presented.kind === 'id'
    ? idToken(context, asking.application, presented.id)
    : refreshToken(context, asking.application, token)
}

function accessToken(asking: Introspector, { access, claims: all, stands }: AccessTokenReading): Introspection {
  const isTheirs =
    asking.kind === 'application'
      ? access.clientId === asking.application.clientId
      : asking.resource.audience !== null && access.audience.includes(asking.resource.audience)
  if (!isTheirs || !stands) return inactive
  const claims = Object.fromEntries(Object.entries(all).filter(([name]) => !withheld.has(name)))
  const isBound = access.confirmation?.jkt !== undefined
  return { active: true, token_type: isBound ? 'DPoP' : 'Bearer', ...claims }
}

/** An ID token names no grant: it is as good as its session. */
async function idToken(
  { kernel, environment, now }: Context,
  client: Application,
  { clientId, userId, sessionId, all }: IdTokenClaims,
): Promise<Introspection> {
  if (clientId !== client.clientId) return inactive
  const [session] = await kernel.storage.read(liveSession(environment.id, userId, sessionId, now))
  if (!session) return inactive
  const { iss, sub, aud, iat, exp, auth_time, acr } = all
  return { active: true, client_id: clientId, iss, sub, aud, iat, exp, auth_time, acr }
}

async function refreshToken(context: Context, client: Application, token: string): Promise<Introspection> {
  const { environment, site, now } = context
  const facts = await readRefreshFacts(context, environment, client, token)
  if (!facts?.standing || facts.clientId !== client.id) return inactive
  if (!client.document.grantTypes.includes('REFRESH_TOKEN')) return inactive
  if (refreshWorth(facts.chain, facts.generation, client.document, now) !== 'current') return inactive
  const { chain, user, scopes } = facts
  return {
    active: true,
    client_id: client.clientId,
    iss: site.issuer,
    sub: subjectFor(environment, client, user.id),
    ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
    iat: Math.floor((chain.rotatedAt ?? chain.createdAt) / 1000),
    exp: Math.floor(refreshEnd(chain, client.document) / 1000),
  }
}
