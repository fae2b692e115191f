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
  const key = secretKey(application, algorithm)
  if (!key) throw new Error('an application without a secret wants to be answered by it')
  return key
}

/** The client secret as a key; undefined where the application is not answered by it. */
export function secretKey({ answerSecret }: Application, algorithm: HmacAlgorithm): HmacKey | undefined {
  return answerSecret && hmacKey(answerSecret.export(), algorithm)
}
