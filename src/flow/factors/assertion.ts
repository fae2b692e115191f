/** `assertion.check`, wherever an action accepts it: authentication-api 4.2. */
import { z } from 'zod'
import { secret } from '../secret.ts'

/** What the client's browser can do with FIDO2 devices. */
export const compatibility = z.enum(['FULL', 'SECURITY_KEY_ONLY', 'NONE']).optional()

/** Extension: whether the second factor shall be spared in this browser for a while; without meaning for a first one. */
export const rememberMe = z.boolean().optional()

export const assertionBody = z.object({
  origin: z.string().max(300),
  assertion: secret(z.string().min(1).max(20_000)),
  compatibility,
  rememberMe,
})
