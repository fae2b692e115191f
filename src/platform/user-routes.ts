/** What the operations on users have in common: their paths and how they are declared. */
import { z } from 'zod'
import { uuid } from '../contract/validation.ts'

const collection = '/v1/environments/{environmentId}/users'

/** `~/users` */
export const allUsers = { path: collection, params: z.object({ environmentId: uuid }) } as const

/** `~/users/{userId}` */
export const oneUser = partOfUser('')

/** `~/users/{userId}` and what follows it. */
export function partOfUser(
  path:
    | ''
    | '/agreementConsents'
    | '/devices'
    | '/emailVerification'
    | '/enabled'
    | '/invitation'
    | '/linkedAccounts'
    | '/memberOfGroups'
    | '/mfaEnabled'
    | '/oauthConsents'
    | '/pairingKeys'
    | '/password'
    | '/population'
    | '/sessions',
) {
  return { path: `${collection}/{userId}${path}`, params: z.object({ environmentId: uuid, userId: uuid }) } as const
}

export const common = { surface: 'management', tag: 'Users', source: 'platform-api 3.5', cors: 'none' } as const
