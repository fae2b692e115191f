/** The tokens that a grant issues, signed: an access token and, where the grant says so, the ID token beside it. */
import type { Confirmation } from '../../access/confirmation.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { resolveSite } from '../../site.ts'
import { signAccessToken } from '../tokens/access-token.ts'
import { signIdToken } from '../tokens/id-token.ts'
import type { Issue } from './grant.ts'

/** Signed tokens. */
export interface Tokens {
  readonly accessToken: string
  readonly idToken: string | undefined
}

/** Signs what a grant has decided to issue. The ID token comes second, since it holds a hash of the other. */
export async function signTokens(
  context: Context,
  environment: Environment,
  client: Application,
  verdict: Issue,
  confirmation: Confirmation | undefined,
): Promise<Tokens> {
  const { kernel, now } = context
  const site = resolveSite(kernel.origins, environment.id)
  const accessToken = await signAccessToken(
    environment,
    site,
    {
      jti: kernel.world.uuid(),
      client,
      scopes: verdict.scopes,
      audiences: verdict.audiences,
      lifetime: verdict.lifetime,
      user: verdict.user,
      grantId: verdict.familyId,
      confirmation,
      act: verdict.act,
      authorizationDetails: verdict.authorizationDetails,
    },
    now,
  )
  if (!verdict.idToken || !verdict.user) return { accessToken, idToken: undefined }
  const idToken = await signIdToken(context, environment, site, {
    client,
    user: verdict.user,
    scopes: verdict.scopes,
    accessToken,
    ...verdict.idToken,
  })
  return { accessToken, idToken }
}
