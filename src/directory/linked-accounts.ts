/**
 * Accounts at identity providers and the users they are linked to: authentication-api 3.5; rows M08 to M12, M18, M25.
 * What names an account is the provider and its subject, exactly; one account has one user, and a user has at most one
 * account at a provider.
 *
 * Never: a user found by name or address who counts as the owner of the account.
 */
import type { IdentityProvider } from '../environment/identity-provider.ts'
import { type Environment, passwordPolicyOf } from '../environment/snapshot.ts'
import type { ExternalAuthentication } from '../flow/external-authentication.ts'
import type { ExternalAccount } from '../flow/question.ts'
import type { Kernel } from '../kernel.ts'
import { secondsUntil } from '../limits/guesses.ts'
import { compareAndSet, insert, remove } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { linkedAccountOf, userOfLinkedAccount } from '../storage/sql/linked-accounts.ts'
import { usersOfEmail, userWithGuesses } from '../storage/sql/users.ts'
import { tellOldAddress } from './email-change.ts'
import { describedBy, isAuthoritative, updatedBy } from './external-attributes.ts'
import { lockedUntil } from './password-lockout.ts'
import { resembledUser } from './lookalikes.ts'
import { defaultPopulation, isNameTaken } from './registration.ts'
import {
  attributeColumns,
  canAuthenticate,
  newUserRow,
  textKey,
  type User,
  userFrom,
  usernameKey,
  type UserWithPassword,
  userWithPasswordByUsername,
  userWithPasswordFrom,
} from './users.ts'
import { sendingOfVerification } from './verification.ts'

type Storage = Pick<Kernel, 'storage'>

/** The user of an account; undefined while it is linked to nobody. */
export async function ownerOf(
  { storage }: Storage,
  environmentId: string,
  { providerId, subject }: ExternalAccount,
): Promise<UserWithPassword | undefined> {
  const [row] = await storage.read(userOfLinkedAccount(environmentId, providerId, subject))
  return row && userWithPasswordFrom(environmentId, row)
}

/** The account of a user at a provider; undefined where there is none. */
export async function accountOf(
  { storage }: Storage,
  environmentId: string,
  userId: string,
  providerId: string,
): Promise<string | undefined> {
  const [row] = await storage.read(linkedAccountOf(environmentId, userId, providerId))
  return row?.external_id
}

/** Whom somebody's name and address at a provider point to. */
export type Match =
  /** Exactly one user, whose address both have verified, and the provider is the authority for it (row M08). */
  { readonly kind: 'linkable'; readonly user: User } | { readonly kind: 'matched' | 'unknown' }

/** Looks for a user who may be the same person. */
export async function matchOf(
  kernel: Storage,
  environment: Environment,
  provider: IdentityProvider,
  { attributes, email }: ExternalAuthentication,
  now: number,
): Promise<Match> {
  const username = attributes.find(({ name }) => name === 'username')?.value
  const address = attributes.find(({ name }) => name === 'email')?.value ?? email?.address
  const owners = address === undefined ? [] : await kernel.storage.read(usersOfEmail(environment.id, textKey(address)))
  const [first, second] = owners.map((row) => userFrom(environment.id, row))
  if (first && !second && email && isAuthoritative(provider, email)) {
    const { email: own = '', emailVerified } = first.document
    const isTheirs = emailVerified === true && textKey(own) === textKey(email.address)
    if (isTheirs && canAuthenticate(first, now)) return { kind: 'linkable', user: first }
  }
  const isKnown =
    first !== undefined || (username !== undefined && (await isNameTaken(kernel, environment.id, username)))
  return { kind: isKnown ? 'matched' : 'unknown' }
}

/** Seconds until the password of a user may be tried again; undefined while it may. */
export async function lockoutOf(
  kernel: Storage,
  environment: Environment,
  user: User,
  now: number,
): Promise<number | undefined> {
  const [row] = await kernel.storage.read(userWithGuesses(environment.id, user.id))
  const { policy } = passwordPolicyOf(environment, user.populationId)
  const until = lockedUntil(policy, row?.guesses ?? null, row?.guesses_until ?? null, now)
  return until === undefined ? undefined : secondsUntil(until, now)
}

/** A user as the provider describes them now, and what writes that; nothing to write where nothing differs. */
export interface Refreshed {
  readonly user: User
  readonly store?: () => UnitBody<void>
}

/**
 * Brings a linked user up to date. A name or address that somebody else has stays theirs (row M18).
 * @param now epoch milliseconds
 */
export async function refreshed(
  kernel: Pick<Kernel, 'storage' | 'world'>,
  environment: Environment,
  provider: IdentityProvider,
  user: User,
  authentication: ExternalAuthentication,
  now: number,
): Promise<Refreshed> {
  const after = updatedBy(user, provider, authentication)
  const username = (await isFree(kernel, user, after.username)) ? after.username : user.username
  const { email, emailVerified: _, ...others } = after.document
  const isNew = email !== undefined && email !== user.document.email
  const [owner] = isNew ? await kernel.storage.read(usersOfEmail(environment.id, textKey(email))) : []
  const own = {
    ...(user.document.email === undefined ? {} : { email: user.document.email }),
    ...(user.document.emailVerified === undefined ? {} : { emailVerified: user.document.emailVerified }),
  }
  const document = owner && owner.id !== user.id ? { ...others, ...own } : after.document
  if (username === user.username && JSON.stringify(document) === JSON.stringify(user.document)) return { user }
  return {
    user: { ...user, username, document },
    *store() {
      const isMoved = document.email !== user.document.email
      const columns = {
        ...attributeColumns(username, document),
        ...(isMoved ? { registered_email_key: null } : {}),
        updated_at: now,
      }
      yield* compareAndSet('users', { environment_id: environment.id, id: user.id }, user.version, columns)
      yield* tellOldAddress(kernel.world, environment, { before: user, email: document.email, by: 'provider' }, now)
    },
  }
}

async function isFree(kernel: Storage, user: User, username: string): Promise<boolean> {
  if (usernameKey(username) === usernameKey(user.username)) return true
  const namesake = await userWithPasswordByUsername(kernel, user.environmentId, username)
  const [owner] = await kernel.storage.read(usersOfEmail(user.environmentId, textKey(usernameKey(username))))
  if (namesake || (owner && owner.id !== user.id)) return false
  return (await resembledUser(kernel, user.environmentId, username, user.id)) === undefined
}

/** The row of a link, which an invitation to choose a password does not outlive; for the unit that saves the flow. @throws UniquenessViolation of `linked_accounts` */
export function* insertLink(
  world: Kernel['world'],
  environmentId: string,
  userId: string,
  { providerId, subject }: ExternalAccount,
  now: number,
): UnitBody<string> {
  const id = world.uuid()
  yield* remove('invitations', { environment_id: environmentId, user_id: userId })
  yield* insert('linked_accounts', {
    environment_id: environmentId,
    identity_provider_id: providerId,
    external_id: subject,
    id,
    user_id: userId,
    created_at: now,
  })
  return id
}

/** An account for somebody a provider vouches for. */
export interface Provisioned {
  readonly user: User
  /** @throws UniquenessViolation of `users` */
  readonly store: () => UnitBody<void>
}

/**
 * Prepares an account. One whose address the provider has not verified has to be verified here first.
 * @param populationId null: the default one
 * @returns undefined where no account can be made: nothing names it, its name is taken, or there is no population
 */
export async function provisioned(
  kernel: Pick<Kernel, 'storage' | 'world'>,
  environment: Environment,
  provider: IdentityProvider,
  authentication: ExternalAuthentication,
  populationId: string | null,
  locales: readonly string[],
  now: number,
): Promise<Provisioned | undefined> {
  const described = describedBy(provider, authentication)
  const population = populationId === null ? defaultPopulation(environment) : environment.populations.get(populationId)
  if (!described || !population || (await isNameTaken(kernel, environment.id, described.username))) return undefined
  const { email } = described.document
  const isVerifiedThere = authentication.email?.verified === true && authentication.email.address === email
  const user: User = {
    id: kernel.world.uuid(),
    environmentId: environment.id,
    populationId: population.id,
    ...described,
    enabled: true,
    lockedAt: null,
    mfaEnabled: environment.mfaSettings.users.mfaEnabled,
    verificationRequired: email !== undefined && !isVerifiedThere,
    lastSignOn: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  }
  return {
    user,
    *store() {
      yield* insert('users', newUserRow(user))
      if (user.verificationRequired) yield* sendingOfVerification(kernel.world, environment, user, locales, now)
    },
  }
}
