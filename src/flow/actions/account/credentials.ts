/** `usernamePassword.check`, wherever an action accepts it: authentication-api 4.2. */
import { z } from 'zod'
import { longestIdentifier } from '../../identifier.ts'
import { secret } from '../../secret.ts'

export const credentialsBody = z.object({
  username: z.string().min(1).max(longestIdentifier).optional(),
  password: secret(z.string().min(1).max(1024)),
})
