/** The state of a password as a resource: `GET ~/users/{userId}/password`, platform-api 3.6, authentication-api 7.6. */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp } from '../contract/validation.ts'
import { passwordState } from '../directory/passwords/state.ts'
import { type StoredPassword, userWithPasswordById } from '../directory/users.ts'
import { passwordPolicyOf } from '../environment/snapshot.ts'
import { notFound } from '../errors/problem.ts'
import { controlledUser, type Reach, type ReachedUser, reachedUser } from './user-control.ts'
import { type ListedUser, partLinks } from './user-representation.ts'

export const passwordResource = z.object({
  _links: linksSchema,
  environment: reference,
  user: reference,
  passwordPolicy: reference,
  status: z.enum(['OK', 'NO_PASSWORD', 'MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED', 'PASSWORD_LOCKED_OUT']),
  lastChangedAt: timestamp.optional(),
  secondsUntilUnlock: z.int().optional(),
})

/** A user the actor reaches, with the password, null when there is none. */
export interface ReachedPassword {
  readonly reached: ReachedUser
  readonly stored: StoredPassword | null
}

/**
 * Reads the user of the path with the password.
 * @throws Problem NOT_FOUND
 */
export async function reachedPassword(context: Context, userId: string, reach: Reach): Promise<ReachedPassword> {
  return withPassword(context, await reachedUser(context, userId, reach))
}

/**
 * Reads the user of the path, whose password is about to be touched.
 * @throws Problem NOT_FOUND, or FORBIDDEN when the user holds roles that the actor could not give
 */
export async function controlledPassword(context: Context, userId: string, reach: Reach): Promise<ReachedPassword> {
  return withPassword(context, await controlledUser(context, userId, reach))
}

async function withPassword({ kernel, environment }: Context, reached: ReachedUser): Promise<ReachedPassword> {
  const found = await userWithPasswordById(kernel, environment.id, reached.user.id)
  if (!found) throw notFound()
  return { reached, stored: found.password }
}

/** What the state of a password is made of. */
export type PasswordFactsShown = Pick<StoredPassword, 'changedAt' | 'mustChange'> | null

/** The body of a password. */
export function passwordBody(context: Context, { user, passwordLockedUntil }: ListedUser, stored: PasswordFactsShown) {
  const { environment, site, now } = context
  const { id: policyId, policy } = passwordPolicyOf(environment, user.populationId)
  const relations = partLinks(context, user, 'password')
  const self = relations['self'] ?? ''
  const facts = {
    hasPassword: stored !== null,
    lastChangedAt: stored?.changedAt ?? 0,
    mustChange: stored?.mustChange ?? false,
    ...(passwordLockedUntil === undefined ? {} : { lockedUntil: passwordLockedUntil }),
  }
  const state = passwordState(policy, facts, now)
  return {
    _links: links({
      ...relations,
      passwordPolicy: `${site.apiBase}/environments/${environment.id}/passwordPolicies/${policyId}`,
      'password.check': self,
      'password.set': self,
      'password.reset': self,
      'password.forceChange': self,
      'password.sendRecoveryCode': self,
      'password.recover': self,
      'password.unlock': self,
    }),
    environment: { id: environment.id },
    user: { id: user.id },
    passwordPolicy: { id: policyId },
    status: state.status,
    ...(stored ? { lastChangedAt: iso(stored.changedAt) } : {}),
    ...(state.status === 'PASSWORD_LOCKED_OUT' ? { secondsUntilUnlock: state.secondsUntilUnlock } : {}),
  }
}
