/**
 * Registering a user: the account, its password and the code that proves its address, in one unit. authentication-api
 * 4.2 `user.register`; decision D9; rows K13, K28, K29, K31, K35, J34.
 *
 * An address belongs to whoever proves it. A registration that was never completed gives way to a newer one of the same
 * address as soon as its code is dead: nothing that somebody set up for an address of another is there when its owner
 * comes (row K35). Of several at once, one is made: `users` has a unique column for the addresses of registrations.
 *
 * Never: a username that another user has as username or e-mail address, in whatever spelling or look; an address that somebody
 * has proved, or an administrator has given them; an address that counts as proved.
 */
import type { Environment } from '../environment/snapshot.ts'
import type { RegistrationAttributes } from '../flow/user-attributes.ts'
import type { Kernel } from '../kernel.ts'
import { insert, remove } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { Stale } from '../storage/refusals.ts'
import { oneTimeCode } from '../storage/sql/one-time-codes.ts'
import { usersOfEmail } from '../storage/sql/users.ts'
import { resembledUser } from './lookalikes.ts'
import { changePassword, type MissedRequirement } from './password-change.ts'
import { removeBelongings } from './user-removal.ts'
import { newUserRow, textKey, type User, userFrom, usernameKey, userWithPasswordByUsername } from './users.ts'
import { sendingOfVerification, verificationCodeOf } from './verification.ts'

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

/** What is taken. `resembles`: not by that very name, but by that of a user whom it could be taken for (row K28). */
interface Taken {
  readonly attribute: 'username' | 'email'
  readonly resembles?: string
}

/** What came of it. */
export type Registration =
  | {
      readonly result: 'registered'
      readonly user: User
      /** Ids of the registrations that gave way. */
      readonly replaced: readonly string[]
      /** Writes the account; for the unit of the registration. @throws UniquenessViolation of `users`, Stale */
      readonly store: () => UnitBody<void>
    }
  | ({ readonly result: 'taken' } & Taken)
  | { readonly result: 'noPopulation' }
  | { readonly result: 'unsatisfied'; readonly requirements: readonly MissedRequirement[] }

type Ports = Pick<Kernel, 'storage' | 'passwords' | 'world'>

/**
 * Prepares a registration.
 * @throws HashingOverloaded when the hashing pool is full
 */
export async function register(
  kernel: Ports,
  environment: Environment,
  { attributes: { username, ...attributes }, populationId, password, locales, now }: RegistrationRequest,
): Promise<Registration> {
  const population = populationId === null ? defaultPopulation(environment) : environment.populations.get(populationId)
  if (!population) return { result: 'noPopulation' }
  const vacancy = await vacate(kernel, environment, username, attributes.email, now)
  if ('attribute' in vacancy) return { result: 'taken', ...vacancy }
  const { abandoned } = vacancy
  const document = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))
  const user: User = {
    id: kernel.world.uuid(),
    environmentId: environment.id,
    populationId: population.id,
    username,
    document: { ...document, emailVerified: false },
    enabled: true,
    lockedAt: null,
    mfaEnabled: environment.mfaSettings.users.mfaEnabled,
    verificationRequired: true,
    lastSignOn: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  }
  const change = { now, user, stored: null, newPassword: password, by: 'user', mustChange: false } as const
  const verdict = await changePassword(kernel, environment, change)
  if (verdict.result === 'unsatisfied') return verdict
  return {
    result: 'registered',
    user,
    replaced: abandoned,
    *store() {
      for (const id of abandoned) {
        const pending = { environment_id: environment.id, id, verification_required: 1 }
        if ((yield* remove('users', pending)) === 0) throw new Stale('users')
        yield* removeBelongings(kernel.world, environment.id, id, now)
      }
      yield* insert('users', { ...newUserRow(user), registered_email_key: textKey(attributes.email) })
      yield* verdict.store()
      yield* sendingOfVerification(kernel.world, environment, user, locales, now)
    },
  }
}

/** Whether another user has this name or one that looks like it, as username or as e-mail address (rows K28, K29). */
export async function isNameTaken(
  kernel: Pick<Kernel, 'storage'>,
  environmentId: string,
  username: string,
): Promise<boolean> {
  const namesake = await userWithPasswordByUsername(kernel, environmentId, username)
  const [owner] = await kernel.storage.read(usersOfEmail(environmentId, textKey(usernameKey(username))))
  if (namesake !== undefined || owner !== undefined) return true
  return (await resembledUser(kernel, environmentId, username)) !== undefined
}

/** The population of whoever names none. */
export function defaultPopulation({ populations }: Environment) {
  for (const population of populations.values()) if (population.isDefault) return population
  return undefined
}

/** What is taken; or else the registrations of the same address that were never completed and have to give way. */
async function vacate(
  kernel: Ports,
  environment: Environment,
  username: string,
  email: string,
  now: number,
): Promise<Taken | { readonly abandoned: readonly string[] }> {
  const abandoned = new Set<string>()
  const wanted = { username: textKey(usernameKey(username)), email: textKey(email) }
  for (const key of new Set(Object.values(wanted))) {
    for (const row of await kernel.storage.read(usersOfEmail(environment.id, key))) {
      const holder = userFrom(environment.id, row)
      const isPending = holder.verificationRequired && row.registered_email_key !== null
      if (holder.document.emailVerified === false && !isPending) continue
      const isAbandoned = isPending && key === wanted.email && !(await hasLiveCode(kernel, holder, now))
      if (!isAbandoned) return { attribute: key === wanted.email ? 'email' : 'username' }
      abandoned.add(holder.id)
    }
  }
  const namesake = await userWithPasswordByUsername(kernel, environment.id, username)
  if (namesake && !abandoned.has(namesake.user.id)) return { attribute: 'username' }
  for (const [attribute, name] of Object.entries({ username, email }) as ['username' | 'email', string][]) {
    const resembles = await resembledUser(kernel, environment.id, name)
    if (resembles !== undefined && !abandoned.has(resembles)) return { attribute, resembles }
  }
  return { abandoned: [...abandoned] }
}

async function hasLiveCode({ storage }: Ports, user: User, now: number): Promise<boolean> {
  const { purpose, subject } = verificationCodeOf(user)
  const rows = await storage.read(oneTimeCode({ environmentId: user.environmentId, purpose, subject }, now))
  return rows.length > 0
}
