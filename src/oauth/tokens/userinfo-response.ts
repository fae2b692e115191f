/**
 * The answer of userinfo: JSON, or a JWT that is signed, encrypted or both, as the application registered it. OpenID Connect
 * Core section 5.3.2.
 *
 * Never: the times of an ID token, by which it could pass for one.
 */
import { z } from 'zod'
import type { Context, Reply } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import {
  contentEncryptionAlgorithms,
  keyEncryptionAlgorithms,
  responseAlgorithms,
} from '../../environment/application-tokens.ts'
import { signJwt } from '../../keys/jws.ts'
import { defineMetadata } from '../metadata.ts'
import { encryptFor } from '../response-encryption.ts'
import { responseKey } from '../../environment/response-key.ts'

export const userinfoResponseMetadata = defineMetadata(
  {
    userinfo_signing_alg_values_supported: z.array(z.string()),
    userinfo_encryption_alg_values_supported: z.array(z.string()),
    userinfo_encryption_enc_values_supported: z.array(z.string()),
  },
  () => ({
    userinfo_signing_alg_values_supported: ['none', ...responseAlgorithms],
    userinfo_encryption_alg_values_supported: [...keyEncryptionAlgorithms],
    userinfo_encryption_enc_values_supported: [...contentEncryptionAlgorithms],
  }),
)

/**
 * Writes the answer.
 * @throws Problem invalid_request when there is no key to encrypt to
 */
export async function userinfoReply(
  context: Context,
  application: Application,
  claims: Readonly<Record<string, unknown>>,
): Promise<Reply> {
  const { environment, site, now } = context
  const { document } = application
  const { userinfoSignedResponseAlg: signed, userinfoEncryptedResponseAlg: alg, includeX5t } = document
  const named = { ...claims, iss: site.issuer, aud: application.clientId }
  const jwt =
    signed === undefined
      ? undefined
      : await signJwt(responseKey(environment, application, signed, now), named, { includeX5t })
  const plain = jwt === undefined ? { json: JSON.stringify(named) } : { jwt }
  const encryption = alg && { alg, enc: document.userinfoEncryptedResponseEnc }
  const content = encryption ? await encryptFor(context, application, plain, encryption) : jwt
  if (content === undefined) return { status: 200, body: claims }
  return { status: 200, text: { contentType: 'application/jwt', content } }
}
