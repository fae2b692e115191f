/** The grants of the token endpoint: a static list; what is not in it is not mounted. */
import type { Grant } from '../grant.ts'
import { authorizationCode } from './authorization-code.ts'
import { clientCredentials } from './client-credentials.ts'

export const grants: readonly Grant[] = [clientCredentials, authorizationCode]
