/**
 * The key that an answer to an application is signed with: one of the environment's, or the client secret where the
 * application registered HS256 to HS512 (OpenID Connect Core section 10.1, decision D15).
 */
import type { Application } from './application.ts'
import { signingKeyFor } from './signing-key-choice.ts'
import type { Environment } from './snapshot.ts'
import { type HmacAlgorithm, isHmac, type JwsAlgorithm } from '../keys/algorithm.ts'
import { type HmacKey, hmacKey } from '../keys/hmac-key.ts'
import type { SigningKey } from '../keys/signing-key.ts'

/**
 * Finds the key.
 * @param algorithm as the application registered it; undefined: that of its policy or environment
 * @param now epoch milliseconds
 */
export function responseKey(
  environment: Environment,
  application: Application,
  algorithm: JwsAlgorithm | undefined,
  now: number,
): SigningKey | HmacKey {
  if (algorithm === undefined || !isHmac(algorithm)) return signingKeyFor(environment, { algorithm, application }, now)
  const [key] = secretKeys(application, algorithm, now)
  if (!key) throw new Error('an application without a secret wants to be answered by it')
  return key
}

/**
 * The client secrets that are valid, as keys, the present one first; none where the application is not answered by it.
 * @param now epoch milliseconds
 */
export function secretKeys({ answerSecrets }: Application, algorithm: HmacAlgorithm, now: number): readonly HmacKey[] {
  return answerSecrets
    .filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
    .map(({ secret }) => hmacKey(secret.export(), algorithm))
}
