/** The tokens that a grant issues: an access token and, where the grant says so, the ID token beside it. */
import type { Confirmation } from '../../access/confirmation.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { resolveSite } from '../../site.ts'
import type { Word } from '../../storage/operations.ts'
import { type PreparedAccessToken, prepareAccessToken } from '../tokens/access-token.ts'
import { makeIdToken } from '../tokens/id-token.ts'
import type { Issue } from './grant.ts'

/** Signed tokens. */
export interface Tokens {
  readonly accessToken: string
  readonly idToken: string | undefined
}

/** Tokens under way, and what has to be stored in the unit of their issuance. */
export interface Issuance {
  readonly tokens: Tokens | Promise<Tokens>
  readonly store: (() => Word<void>) | undefined
}

/**
 * Makes what a grant has decided to issue; signing may overlap the commit. The ID token comes second, since it holds a hash
 * of the other.
 */
export function issueTokens(
  context: Context,
  environment: Environment,
  client: Application,
  verdict: Issue,
  confirmation: Confirmation | undefined,
): Issuance | Promise<Issuance> {
  const { kernel } = context
  const site = resolveSite(kernel.origins, environment)
  const { scopes, audiences, lifetime, user, act, authorizationDetails } = verdict
  const source = verdict.idToken?.source ?? verdict.source
  const held = { grantId: verdict.familyId, confirmation, source, act, authorizationDetails }
  const content = { jti: kernel.world.uuid(), client, scopes, audiences, lifetime, user, ...held }
  const beside = async (accessToken: string): Promise<Tokens> => {
    if (!verdict.idToken || !user) return { accessToken, idToken: undefined }
    const idToken = await makeIdToken(context, environment, site, {
      client,
      user,
      scopes,
      accessToken,
      ...verdict.idToken,
    })
    return { accessToken, idToken }
  }
  const signed = (token: string | Promise<string>): Tokens | Promise<Tokens> => {
    if (token instanceof Promise) return token.then(beside)
    return verdict.idToken ? beside(token) : { accessToken: token, idToken: undefined }
  }
  const issuance = ({ token, store }: PreparedAccessToken): Issuance => ({ tokens: signed(token), store })
  const prepared = prepareAccessToken(context, environment, site, content)
  return prepared instanceof Promise ? prepared.then(issuance) : issuance(prepared)
}
