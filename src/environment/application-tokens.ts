/**
 * What an application wants its tokens, userinfo and authorization responses to be like: by whose keys they are signed
 * (platform-api 3.7 `signing`), and, as extensions, the members of OpenID Connect Dynamic Client Registration 1.0 section 2,
 * RFC 7591 and JARM section 3 in camelCase.
 *
 * Never: `none` as a signature, `dir` or `RSA1_5` as an encryption (row F20).
 */
import { z } from 'zod'
import { reference } from '../contract/validation.ts'
import { hmacAlgorithms, signingAlgorithms } from '../keys/algorithm.ts'

/** Algorithms that an answer to an application may be signed by; HS256 to HS512 with its secret. */
export const responseAlgorithms = [...signingAlgorithms, ...hmacAlgorithms] as const

/** How the key of an encrypted answer is agreed on or wrapped (RFC 7518 section 4). */
export const keyEncryptionAlgorithms = ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const

/** How its content is encrypted (RFC 7518 section 5). The first is what holds where nothing is said. */
export const contentEncryptionAlgorithms = ['A128CBC-HS256', 'A128GCM', 'A256GCM'] as const

const signedResponseAlg = z.enum(responseAlgorithms)
const encryptedResponseAlg = z.enum(keyEncryptionAlgorithms)
const encryptedResponseEnc = z.enum(contentEncryptionAlgorithms)

/** The members, as applications have them on the wire and as they are stored. */
export const applicationTokenMembers = {
  signing: z
    .object({ keyRotationPolicy: reference })
    .optional()
    .describe('The key rotation policy whose keys sign its tokens; absent: the default one.'),
  includeX5t: z.boolean().default(false).describe('Whether headers of its tokens name the certificate (`x5t`).'),
  idTokenSignedResponseAlg: signedResponseAlg
    .optional()
    .describe('Extension: how its ID tokens are signed; HS256 to HS512 with its secret.'),
  idTokenEncryptedResponseAlg: encryptedResponseAlg
    .optional()
    .describe('Extension: its ID tokens are encrypted, to a key of its `jwks` or `jwksUrl`.'),
  idTokenEncryptedResponseEnc: encryptedResponseEnc.optional().describe('Extension: default A128CBC-HS256.'),
  userinfoSignedResponseAlg: signedResponseAlg
    .optional()
    .describe('Extension: its userinfo is a JWT signed in this way; absent: JSON.'),
  userinfoEncryptedResponseAlg: encryptedResponseAlg
    .optional()
    .describe('Extension: its userinfo is encrypted, to a key of its `jwks` or `jwksUrl`.'),
  userinfoEncryptedResponseEnc: encryptedResponseEnc.optional().describe('Extension: default A128CBC-HS256.'),
  authorizationSignedResponseAlg: signedResponseAlg
    .optional()
    .describe('Extension: how its authorization responses are signed in the modes of JARM.'),
  authorizationEncryptedResponseAlg: encryptedResponseAlg
    .optional()
    .describe('Extension: those responses are encrypted, to a key of its `jwks` or `jwksUrl`.'),
  authorizationEncryptedResponseEnc: encryptedResponseEnc.optional().describe('Extension: default A128CBC-HS256.'),
  subjectType: z
    .enum(['public', 'pairwise'])
    .optional()
    .describe('Extension: pairwise: `sub` tells nothing to applications of other sectors. Default: public.'),
  sectorIdentifierUri: z
    .string()
    .max(2048)
    .optional()
    .describe('Extension: an https address whose host is the sector; its document lists the redirect URIs.'),
}

/** The members, as they are stored. */
export type ApplicationTokens = z.output<z.ZodObject<typeof applicationTokenMembers>>
