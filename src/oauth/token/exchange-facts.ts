/**
 * What is known of the tokens of an exchange: whose they are, that what keeps them alive does, and whom they were issued
 * to. Two reads at most, and one more for an actor who is a user.
 *
 * Never: a token of another environment or another kind; an ID token that was meant for another client; an actor token of
 * somebody else; a token that is bound to a key from whoever has not proved it (rows D24, E13, E26).
 */
import { readAccessToken } from '../../access/access-token.ts'
import { type Confirmation, isProved } from '../../access/confirmation.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { resolveSite } from '../../site.ts'
import { type LiveGrantRow, liveGrantOfSession } from '../../storage/sql/access.ts'
import { type ActClaim, type Actor, exchangeableTypes, readAct } from '../rules/token-exchange.ts'
import type { FamilyDocument } from '../token-family.ts'
import type { TokenUser } from '../tokens/access-token.ts'
import { readIdToken } from '../tokens/read-id-token.ts'

/** The subject token. */
export interface ExchangeSubject {
  readonly user: TokenUser
  readonly grantId: string
  /** The scopes of the grant. */
  readonly scopes: readonly string[]
  /** Whom the token, and the grant it came of, were issued to: each of them once. */
  readonly holders: readonly Application[]
  readonly act: ActClaim | undefined
  readonly mayAct: unknown
  /** Epoch seconds. */
  readonly expiresAt: number
}

/** An actor and when their token ends, epoch seconds. */
export interface ExchangeActor extends Actor {
  readonly expiresAt: number
}

/** Both tokens; undefined where one is not good. */
export interface ExchangeFacts {
  /** Who issues here. */
  readonly issuer: string
  readonly subject: ExchangeSubject | undefined
  readonly actor: ExchangeActor | undefined
}

/** The parameters that hold tokens. */
interface ExchangedTokens {
  readonly subject_token: string
  readonly subject_token_type: string
  readonly actor_token?: string | undefined
  readonly actor_token_type?: string | undefined
}

/** A token as it was presented: verified. An access token stands; what has become of an ID token is not known yet. */
interface Verified {
  readonly clientId: string
  /** Undefined for an application by itself. */
  readonly userId: string | undefined
  /** By what its client knows the user. */
  readonly subject: string | undefined
  readonly sessionId: string | undefined
  /** The grant of an access token. */
  readonly grant: LiveGrantRow | undefined
  readonly confirmation: Confirmation | undefined
  readonly claims: Readonly<Record<string, unknown>>
}

/**
 * Reads the tokens of an exchange.
 * @param confirmation the key that was proved with the request
 */
export async function readExchangeFacts(
  context: Context,
  environment: Environment,
  client: Application,
  tokens: ExchangedTokens,
  confirmation: Confirmation | undefined,
): Promise<ExchangeFacts> {
  const verify = async (token: string, type: string | undefined) => {
    const read = await verified(context, environment, token, type)
    return isProved(read?.confirmation, confirmation) ? read : undefined
  }
  const subject = await verify(tokens.subject_token, tokens.subject_token_type)
  const { actor_token: actorToken, actor_token_type: actorType } = tokens
  const actor = actorToken === undefined ? undefined : await verify(actorToken, actorType)
  const isOwnIdToken = tokens.subject_token_type !== exchangeableTypes.idToken || subject?.clientId === client.clientId
  return {
    issuer: resolveSite(context.kernel.origins, environment).issuer,
    subject: subject && isOwnIdToken ? await subjectOf(context, environment, subject) : undefined,
    actor: actor?.clientId === client.clientId ? await actorOf(context, environment, actor) : undefined,
  }
}

async function verified(
  context: Context,
  environment: Environment,
  token: string,
  type: string | undefined,
): Promise<Verified | undefined> {
  const { kernel, now } = context
  switch (type) {
    case exchangeableTypes.accessToken: {
      const read = await readAccessToken({ kernel, environment, now }, token)
      if (!read?.stands) return undefined
      const { access, userId, sessionId, grant, claims } = read
      return { ...access, userId, sessionId, grant, claims }
    }
    case exchangeableTypes.idToken: {
      const site = resolveSite(kernel.origins, environment)
      const id = await readIdToken({ kernel, environment, site, now }, token, 'refuse')
      if (!id?.isByOwnKey) return undefined
      return { ...id, grant: undefined, confirmation: undefined, claims: id.all }
    }
    default:
      return undefined
  }
}

/** The grant that a token of a user lives by, while it does. */
async function grantOf(
  { kernel, now }: Context,
  environment: Environment,
  { clientId, userId, sessionId = '', grant }: Verified,
): Promise<LiveGrantRow | undefined> {
  if (userId === undefined || grant) return grant
  const [found] = await kernel.storage.read(liveGrantOfSession(environment.id, clientId, userId, sessionId, now))
  return found
}

async function subjectOf(
  context: Context,
  environment: Environment,
  token: Verified,
): Promise<ExchangeSubject | undefined> {
  const grant = await grantOf(context, environment, token)
  if (!grant || token.userId === undefined) return undefined
  const holders: Application[] = []
  const { environments } = context.kernel
  // A token names a client as that names itself, a grant by the id of its application.
  const named = await environments.client(environment.id, token.clientId)
  for (const holder of new Set([named, await environments.application(environment.id, grant.family_client_id)])) {
    if (!holder?.enabled) return undefined
    holders.push(holder)
  }
  const { acr, authTime } = JSON.parse(grant.family_document) as FamilyDocument
  return {
    user: { id: token.userId, sessionId: token.sessionId ?? '', acr, amr: [], authTime },
    grantId: grant.family_id,
    scopes: grant.family_scope.split(' '),
    holders,
    act: readAct(token.claims['act']),
    mayAct: token.claims['may_act'],
    expiresAt: Number(token.claims['exp']),
  }
}

async function actorOf(
  context: Context,
  environment: Environment,
  token: Verified,
): Promise<ExchangeActor | undefined> {
  const { clientId, userId, subject, claims } = token
  if (userId !== undefined && !(await grantOf(context, environment, token))) return undefined
  return { sub: subject ?? clientId, clientId, expiresAt: Number(claims['exp']) }
}
