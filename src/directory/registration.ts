/**
 * Registering a user: the account, its password and the code that proves its address, in one unit. authentication-api
 * 4.2 `user.register`; rows K28, K29, K31, J34.
 *
 * Never: a username that another user has as username or e-mail address, in whatever spelling; an address that counts as
 * proved.
 */
import type { Environment } from '../environment/snapshot.ts'
import type { RegistrationAttributes } from '../flow/user-attributes.ts'
import type { Kernel } from '../kernel.ts'
import { insert } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { userOfEmail } from '../storage/sql/users.ts'
import { changePassword, type MissedRequirement } from './password-change.ts'
import { newUserRow, textKey, type User, usernameKey, userWithPasswordByUsername } from './users.ts'
import { sendingOfVerification } from './verification.ts'

/** A registration. */
export interface RegistrationRequest {
  readonly attributes: RegistrationAttributes
  /** `null`: the default population. */
  readonly populationId: string | null
  /** As typed. */
  readonly password: string
  readonly locales: readonly string[]
  /** Epoch milliseconds. */
  readonly now: number
}

/** What came of it. */
export type Registration =
  | {
      readonly result: 'registered'
      readonly user: User
      /** Writes the account; for the unit of the registration. @throws UniquenessViolation of `users` */
      readonly store: () => UnitBody<void>
    }
  | { readonly result: 'taken' | 'noPopulation' }
  | { readonly result: 'unsatisfied'; readonly requirements: readonly MissedRequirement[] }

/**
 * Prepares a registration.
 * @throws HashingOverloaded when the hashing pool is full
 */
export async function register(
  kernel: Pick<Kernel, 'storage' | 'passwords' | 'world'>,
  environment: Environment,
  { attributes: { username, ...attributes }, populationId, password, locales, now }: RegistrationRequest,
): Promise<Registration> {
  const population = populationId === null ? defaultPopulation(environment) : environment.populations.get(populationId)
  if (!population) return { result: 'noPopulation' }
  if (await isNameTaken(kernel, environment.id, username)) return { result: 'taken' }
  const document = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))
  const user: User = {
    id: kernel.world.uuid(),
    environmentId: environment.id,
    populationId: population.id,
    username,
    document: { ...document, emailVerified: false },
    enabled: true,
    lockedAt: null,
    mfaEnabled: false,
    verificationRequired: true,
    lastSignOn: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  }
  const verdict = await changePassword(kernel, environment, {
    now,
    user,
    stored: null,
    newPassword: password,
    by: 'user',
    mustChange: false,
  })
  if (verdict.result === 'unsatisfied') return verdict
  return {
    result: 'registered',
    user,
    *store() {
      yield* insert('users', newUserRow(user))
      yield* verdict.store()
      yield* sendingOfVerification(kernel.world, environment, user, locales, now)
    },
  }
}

/** Whether another user has this name, as username or as e-mail address (rows K28, K29). */
export async function isNameTaken(
  kernel: Pick<Kernel, 'storage'>,
  environmentId: string,
  username: string,
): Promise<boolean> {
  const namesake = await userWithPasswordByUsername(kernel, environmentId, username)
  const [owner] = await kernel.storage.read(userOfEmail(environmentId, textKey(usernameKey(username))))
  return namesake !== undefined || owner !== undefined
}

/** The population of whoever names none. */
export function defaultPopulation({ populations }: Environment) {
  for (const population of populations.values()) if (population.isDefault) return population
  return undefined
}
