/** A user of the directory as the flow machine wants to know them: as they stand now, never their credentials. */
import type { Context } from '../contract/operation.ts'
import { passwordState } from '../directory/passwords/state.ts'
import { canAuthenticate, isLocked, type StoredPassword, type User } from '../directory/users.ts'
import { passwordPolicyOf } from '../environment/snapshot.ts'
import type { UserFacts } from '../flow/facts.ts'
import type { Kernel } from '../kernel.ts'

/** A user, and what matters of their password; null when there is none. */
interface Described {
  readonly user: User
  readonly password: Pick<StoredPassword, 'changedAt' | 'mustChange'> | null
}

/** The facts of a user. */
export function userFacts(
  { kernel, environment, now }: Pick<Context, 'kernel' | 'environment' | 'now'>,
  { user, password }: Described,
): UserFacts {
  const { policy } = passwordPolicyOf(environment, user.populationId)
  const facts = {
    hasPassword: password !== null,
    lastChangedAt: password?.changedAt ?? 0,
    mustChange: password?.mustChange ?? false,
  }
  const { status } = passwordState(policy, facts, now)
  return {
    id: user.id,
    enabled: user.enabled,
    locked: isLocked(user, now),
    canAuthenticate: canAuthenticate(user, now),
    // No lock is handed in: a lock-out of the password is temporary and never ends a flow, it refuses guesses.
    password: status === 'PASSWORD_LOCKED_OUT' ? 'OK' : status,
    mfaEnabled: user.mfaEnabled,
    verification: user.verificationRequired ? 'REQUIRED' : 'OK',
    profileAskedAt: user.profileAskedAt ?? null,
    lastSignOn: user.lastSignOn && lastSignOn(kernel, user.lastSignOn),
    attributes: {
      ...user.document,
      username: user.username,
      population: { id: user.populationId },
      enabled: user.enabled,
      mfaEnabled: user.mfaEnabled,
    },
  }
}

function lastSignOn(
  { ipIntelligence }: Pick<Kernel, 'ipIntelligence'>,
  { at, remoteIp }: NonNullable<User['lastSignOn']>,
) {
  const { location } = ipIntelligence.lookUp(remoteIp)
  return { at, ...(location ? { location } : {}) }
}
