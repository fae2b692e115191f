/**
 * The user resource as answers hold it: platform-api 3.5. What was written, and what the server decides: account, times,
 * last sign-on.
 *
 * Never: a password, or anything computed from one.
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { lockedUntil } from '../directory/password-lockout.ts'
import { canAuthenticate, isLocked, type User, userFrom } from '../directory/users.ts'
import { passwordPolicyOf } from '../environment/snapshot.ts'
import { secondsUntil } from '../limits/guesses.ts'
import type { UserWithGuessesRow } from '../storage/sql/users.ts'
import { writtenAttributes } from './user-attributes.ts'

/** A user, and when the lock ends that wrong passwords have brought about (epoch milliseconds). */
export interface ListedUser {
  readonly user: User
  readonly passwordLockedUntil: number | undefined
}

export const userResource = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  population: reference,
  ...writtenAttributes.shape,
  emailVerified: z.boolean().optional(),
  enabled: z.boolean(),
  mfaEnabled: z.boolean(),
  account: z.object({
    canAuthenticate: z.boolean(),
    status: z.enum(['OK', 'LOCKED']),
    lockedAt: timestamp.optional(),
    secondsUntilUnlock: z.int().optional(),
    unlockAt: timestamp.optional(),
  }),
  identityProvider: z.object({ type: z.literal('PING_ONE') }),
  lifecycle: z.object({ status: z.enum(['ACCOUNT_OK', 'VERIFICATION_REQUIRED']) }),
  lastSignOn: z.object({ at: timestamp, remoteIp: z.string() }).optional(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

/** The address of a user. */
export function userUrl({ site }: Pick<Context, 'site'>, { environmentId, id }: Pick<User, 'environmentId' | 'id'>) {
  return `${site.apiBase}/environments/${environmentId}/users/${id}`
}

/** The links of a resource that belongs to a user. */
export function partLinks(context: Pick<Context, 'site'>, owner: User, path: string): Record<string, string> {
  const self = userUrl(context, owner)
  const environment = `${context.site.apiBase}/environments/${owner.environmentId}`
  return { self: `${self}/${path}`, environment, user: self }
}

/** What a row says of a user. */
export function listedUser(
  { environment, now }: Pick<Context, 'environment' | 'now'>,
  row: UserWithGuessesRow,
): ListedUser {
  const { policy } = passwordPolicyOf(environment, row.population_id)
  return {
    user: userFrom(environment.id, row),
    passwordLockedUntil: lockedUntil(policy, row.guesses, row.guesses_until, now),
  }
}

/** The body of a user. */
export function userBody(context: Pick<Context, 'site' | 'now'>, { user, passwordLockedUntil }: ListedUser) {
  const { id, environmentId, populationId, username, document, lastSignOn } = user
  const self = userUrl(context, user)
  const environment = `${context.site.apiBase}/environments/${environmentId}`
  const password = `${self}/password`
  return {
    _links: links({
      self,
      environment,
      population: `${environment}/populations/${populationId}`,
      password,
      'password.check': password,
      'password.reset': password,
      'password.set': password,
      'account.lock': self,
      'account.unlock': self,
      'user.sendVerificationCode': self,
      'user.verify': self,
      emailVerification: `${self}/emailVerification`,
      roleAssignments: `${self}/roleAssignments`,
      memberOfGroups: `${self}/memberOfGroups`,
      linkedAccounts: `${self}/linkedAccounts`,
    }),
    id,
    environment: { id: environmentId },
    population: { id: populationId },
    username,
    ...document,
    verifyStatus: document.verifyStatus ?? 'NOT_INITIATED',
    enabled: user.enabled,
    mfaEnabled: user.mfaEnabled,
    account: accountBody(context, user, passwordLockedUntil),
    identityProvider: { type: 'PING_ONE' },
    lifecycle: { status: user.verificationRequired ? 'VERIFICATION_REQUIRED' : 'ACCOUNT_OK' },
    ...(lastSignOn ? { lastSignOn: { at: iso(lastSignOn.at), remoteIp: lastSignOn.remoteIp } } : {}),
    createdAt: iso(user.createdAt),
    updatedAt: iso(user.updatedAt),
  }
}

/** The account: locked by an administrator, or for a while by wrong second factors or passwords. */
function accountBody({ now }: Pick<Context, 'now'>, user: User, until: number | undefined) {
  const usable = { canAuthenticate: canAuthenticate(user, now) && until === undefined }
  if (user.lockedAt !== null && isLocked(user, now)) {
    return { ...usable, status: 'LOCKED', lockedAt: iso(user.lockedAt), ...ending(user.lockedUntil ?? undefined, now) }
  }
  return { ...usable, status: until === undefined ? 'OK' : 'LOCKED', ...ending(until, now) }
}

/** When a lock ends by itself. */
function ending(until: number | undefined, now: number) {
  return until === undefined ? {} : { secondsUntilUnlock: secondsUntil(until, now), unlockAt: iso(until) }
}
