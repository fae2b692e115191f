/**
 * JWT-secured responses: all parameters of an authorization response, of an error too, in one JWT that we sign, and encrypt
 * where the application has registered that. JARM (JWT Secured Authorization Response Mode for OAuth 2.0) sections 2.1 to
 * 2.3; how it travels is said by `query-jwt.ts`, `fragment-jwt.ts` and `form-post-jwt.ts`.
 *
 * Never: a parameter beside the JWT; a JWT for another client, or one that lives longer than ten minutes; a response in clear
 * where it should be encrypted and cannot be.
 */
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import { responseKey } from '../../environment/response-key.ts'
import { signJwt } from '../../keys/jws.ts'
import { encryptFor } from '../response-encryption.ts'

const lifeSeconds = 600

/**
 * Packs the parameters of a response for a client.
 * @throws Problem invalid_request when there is no key to encrypt to
 */
export async function packed(
  context: Pick<Context, 'kernel' | 'environment' | 'site' | 'now'>,
  client: Application,
  parameters: Readonly<Record<string, string | number>>,
): Promise<{ readonly response: string }> {
  const { environment, site, now } = context
  const {
    authorizationSignedResponseAlg: signed,
    authorizationEncryptedResponseAlg: alg,
    authorizationEncryptedResponseEnc: enc,
    includeX5t,
  } = client.document
  const exp = Math.floor(now / 1000) + lifeSeconds
  const claims = { ...parameters, iss: site.issuer, aud: client.clientId, exp }
  const jwt = await signJwt(responseKey(environment, client, signed, now), claims, { includeX5t })
  return { response: alg === undefined ? jwt : await encryptFor(context, client, { jwt }, { alg, enc }) }
}
