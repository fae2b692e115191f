/**
 * The key that an answer to an application is signed with: one of the environment's, or the client secret where the
 * application registered HS256 to HS512 (OpenID Connect Core section 10.1). The secret is read and opened for that alone
 * (decision D15).
 */
import type { Context } from '../contract/operation.ts'
import { type Application, applicationSecretContext } from '../environment/application.ts'
import { signingKeyFor } from '../environment/signing-key-choice.ts'
import type { Environment } from '../environment/snapshot.ts'
import { isHmac, type JwsAlgorithm } from '../keys/algorithm.ts'
import { type HmacKey, hmacKey } from '../keys/hmac-key.ts'
import { open } from '../keys/sealing.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { applicationSecret } from '../storage/sql/applications.ts'

/**
 * Finds the key.
 * @param algorithm as the application registered it; undefined: that of its policy or environment
 * @returns at once, unless it is a client secret
 */
export function responseKey(
  context: Pick<Context, 'kernel' | 'now'>,
  environment: Environment,
  application: Application,
  algorithm: JwsAlgorithm | undefined,
): SigningKey | Promise<HmacKey> {
  if (algorithm === undefined || !isHmac(algorithm)) {
    return signingKeyFor(environment, { algorithm, application }, context.now)
  }
  return context.kernel.storage.read(applicationSecret(environment.id, application.id)).then(([row]) => {
    if (!row) throw new Error('an application without a secret wants to be answered by it')
    return hmacKey(
      open(environment.dataKey, row.sealed, applicationSecretContext(environment.id, application.id)),
      algorithm,
    )
  })
}
