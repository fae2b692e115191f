/**
 * What an application sends push messages to its apps with: platform-api 3.14.1 `pushCredentials`. Apple: "Establishing a
 * token-based connection to APNs"; Google: a service account of the project, as Firebase hands it out.
 *
 * Never: any of it in an answer, an event or an error; all of it is sealed together.
 */
import type { BlockList } from 'node:net'
import { z } from 'zod'
import { outboundUrlProblem } from '../external/outbound-url.ts'
import { givenKey, type GivenKeyAlgorithm, UnusableKey } from '../keys/given-key-jwt.ts'
import { open, seal, type SealContext } from '../keys/sealing.ts'
import type { PushCredentialsRow } from '../storage/sql/push-credentials.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { World } from '../world.ts'

/** Whose service delivers. */
export const pushService = z.enum(['APNS', 'FCM_HTTP_V1'])

export type PushService = z.output<typeof pushService>

const word = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\x21-\x7e]+$/)

/** What a client sends. */
export const pushCredentials = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('APNS'),
    key: word.describe('The id of the key.'),
    teamId: word,
    token: z.string().max(4096).describe('The key: the content of the p8 file.'),
  }),
  z.object({
    type: z.literal('FCM_HTTP_V1'),
    googleServiceAccountCredentials: z
      .string()
      .max(16_384)
      .describe('The content of the JSON file with the private key of the service account.'),
  }),
])

export type PushCredentials = z.output<typeof pushCredentials>

/** What of a service account's file is used. */
const serviceAccount = z.object({
  type: z.literal('service_account'),
  project_id: z.string().regex(/^[a-z0-9:.-]{1,100}$/),
  client_email: z.email().max(320),
  private_key: z.string(),
  token_uri: z.string(),
})

/** The service account in a file's content; undefined when there is none. */
export function serviceAccountIn(content: string): z.output<typeof serviceAccount> | undefined {
  try {
    return serviceAccount.parse(JSON.parse(content))
  } catch {
    // The error would quote the file.
    return undefined
  }
}

/** What is wrong with credentials; undefined when they can be used. */
export function pushCredentialsProblem(
  credentials: PushCredentials,
  listed: BlockList | undefined,
): { readonly member: string; readonly message: string } | undefined {
  switch (credentials.type) {
    case 'APNS':
      return isKey(credentials.token, 'ES256')
        ? undefined
        : { member: 'token', message: 'must be a private key of P-256, PKCS #8 in PEM' }
    case 'FCM_HTTP_V1': {
      const member = 'googleServiceAccountCredentials'
      const account = serviceAccountIn(credentials.googleServiceAccountCredentials)
      if (!account) return { member, message: 'must be the JSON of a service account' }
      if (!isKey(account.private_key, 'RS256')) return { member, message: 'must have an RSA key of 2048 bits or more' }
      const wrong = outboundUrlProblem(account.token_uri, listed)
      return wrong === undefined ? undefined : { member, message: `has a token_uri that ${wrong}` }
    }
  }
}

function isKey(pem: string, algorithm: GivenKeyAlgorithm): boolean {
  try {
    givenKey(pem, algorithm)
    return true
  } catch (error) {
    if (error instanceof UnusableKey) return false
    throw error
  }
}

function place(environmentId: string, id: string): SealContext {
  return { environmentId, table: 'push_credentials', row: id, column: 'sealed' }
}

type Keeper = Pick<Environment, 'id' | 'dataKey'>

/** Seals credentials for their row. */
export function sealPushCredentials(world: World, { id, dataKey }: Keeper, rowId: string, it: PushCredentials): string {
  return seal(dataKey, JSON.stringify(it), place(id, rowId), world)
}

/** Opens those of a row. @throws UnsealFailed */
export function openPushCredentials({ id, dataKey }: Keeper, row: PushCredentialsRow): PushCredentials {
  return JSON.parse(open(dataKey, row.sealed, place(id, row.id)).toString()) as PushCredentials
}
