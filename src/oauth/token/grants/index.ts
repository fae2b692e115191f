/** The grants of the token endpoint: a static list; what is not in it is not mounted. */
import { z } from 'zod'
import { defineMetadata } from '../../metadata.ts'
import type { Grant } from '../grant.ts'
import { authorizationCode } from './authorization-code.ts'
import { ciba } from './ciba.ts'
import { clientCredentials } from './client-credentials.ts'
import { deviceCode } from './device-code.ts'
import { jwtBearer } from './jwt-bearer.ts'
import { refreshToken } from './refresh-token.ts'
import { tokenExchange } from './token-exchange.ts'

export const grants: readonly Grant[] = [
  clientCredentials,
  authorizationCode,
  refreshToken,
  deviceCode,
  ciba,
  tokenExchange,
  jwtBearer,
]

export const grantMetadata = defineMetadata({ grant_types_supported: z.array(z.string()) }, () => ({
  grant_types_supported: grants.map(({ type }) => type),
}))
