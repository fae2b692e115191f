/**
 * `login_hint_token`: a JWT in which a client says whom it means. authentication-api 2.14, OpenID CIBA Core section 7.1.
 *
 * Never: somebody taken for signed on by it: it is the word of the client.
 */
import { uuid } from '../contract/validation.ts'
import type { Context } from '../contract/operation.ts'
import type { Application } from '../environment/application.ts'
import { userOfSubject } from '../environment/subject.ts'
import { verifyClientJwt } from './client-keys.ts'
import { keyAlgorithms, secretAlgorithms } from './rules/client-algorithms.ts'
import { clientJwtProblem } from './rules/client-jwt-claims.ts'
import type { OneTimeJwt } from '../access/used-jwt.ts'

/** The longest life that is taken, seconds; one to five minutes are recommended. */
export const longestLife = 600

/** Whom a token names: by what the client knows them by, or by a name that people sign on with. */
export interface LoginHint {
  readonly by: 'id' | 'username'
  readonly value: string
  /** Where the token may be used once: for the unit of what it brings about. */
  readonly once: OneTimeJwt | undefined
}

/** Reads a token. @returns what is wrong with it, where something is */
export async function readLoginHintToken(
  context: Context,
  client: Application,
  token: string,
): Promise<LoginHint | { readonly refused: 'invalid' | 'expired' }> {
  const { environment, site, now } = context
  const algorithms = [...(Object.keys(secretAlgorithms) as (keyof typeof secretAlgorithms)[]), ...keyAlgorithms]
  const verdict = await verifyClientJwt(context, environment, client, token, { algorithms, types: [undefined, 'jwt'] })
  if (!verdict.ok) return { refused: 'invalid' }
  const { sub, jti, exp } = verdict.claims
  const wrong = clientJwtProblem(verdict.claims, {
    issuer: client.clientId,
    audiences: [site.issuer],
    longestLife,
    now,
  })
  if (wrong !== undefined) return { refused: wrong === 'it has expired' ? 'expired' : 'invalid' }
  if (typeof sub !== 'string' || sub === '' || (jti !== undefined && typeof jti !== 'string'))
    return { refused: 'invalid' }
  const usableUntil = (Number(exp) + longestLife) * 1000
  const userId = userOfSubject(environment, client, sub)
  const isId = userId !== undefined && uuid.safeParse(userId).success
  return {
    ...(isId ? { by: 'id', value: userId } : { by: 'username', value: sub }),
    once: jti === undefined ? undefined : { kind: 'login-hint-token', issuer: client.id, jti, usableUntil },
  }
}
