/**
 * JWT-secured responses: all parameters of an authorization response, of an error too, in one JWT that we sign. JARM
 * (JWT Secured Authorization Response Mode for OAuth 2.0) sections 2.1 and 2.3; how it travels is said by `query-jwt.ts`,
 * `fragment-jwt.ts` and `form-post-jwt.ts`.
 *
 * Never: a parameter beside the JWT; a JWT for another client, or one that lives longer than ten minutes.
 */
import type { Context } from '../../contract/operation.ts'
import { signingKeyFor } from '../../environment/signing-key-choice.ts'
import { signJwt } from '../../keys/jws.ts'

const lifeSeconds = 600

/** Packs the parameters of a response for a client. */
export async function packed(
  { environment, site, now }: Pick<Context, 'environment' | 'site' | 'now'>,
  clientId: string,
  parameters: Readonly<Record<string, string | number>>,
): Promise<{ readonly response: string }> {
  const exp = Math.floor(now / 1000) + lifeSeconds
  const claims = { ...parameters, iss: site.issuer, aud: clientId, exp }
  return { response: await signJwt(signingKeyFor(environment, {}, now), claims) }
}
