/**
 * Users as the runtime sees them: one value made of a row, and the one normalisation by which users are told apart.
 * Attributes: platform-api 3.5. Users are read at use and never cached (decision D23).
 *
 * Never: a second way to compare usernames; a read of one user without naming the environment.
 */
import type { Kernel } from '../kernel.ts'
import type { Columns } from '../storage/operations.ts'
import { type UserRow, userWithPasswordById as byId, userWithPasswordByKey as byKey } from '../storage/sql/users.ts'
import type { UserWithPasswordRow } from '../storage/sql/users.ts'
import type { FormerPassword } from './passwords/history.ts'

/** The attributes of a user that are stored as one document: PingOne's names, absent where there is no value. */
export interface UserDocument {
  readonly name?: {
    readonly given?: string
    readonly middle?: string
    readonly family?: string
    readonly formatted?: string
    readonly honorificPrefix?: string
    readonly honorificSuffix?: string
  }
  readonly email?: string
  /** Whether the present e-mail address was proved; absent where nothing is known. */
  readonly emailVerified?: boolean
  readonly address?: {
    readonly countryCode?: string
    readonly locality?: string
    readonly postalCode?: string
    readonly region?: string
    readonly streetAddress?: string
  }
  readonly externalId?: string
  readonly locale?: string
  readonly mobilePhone?: string
  readonly nickname?: string
  readonly photo?: { readonly href: string }
  readonly preferredLanguage?: string
  readonly primaryPhone?: string
  readonly timezone?: string
  readonly title?: string
  readonly type?: string
  /** Absent: NOT_INITIATED. */
  readonly verifyStatus?: 'NOT_INITIATED' | 'ENABLED' | 'DISABLED'
}

/** A user. Times are epoch milliseconds. */
export interface User {
  readonly id: string
  readonly environmentId: string
  readonly populationId: string
  readonly username: string
  readonly enabled: boolean
  /** When the account was locked, by an administrator or by wrong second factors; null: it never was, or was unlocked. */
  readonly lockedAt: number | null
  /** When that lock ends; null or absent: not by itself. */
  readonly lockedUntil?: number | null
  readonly mfaEnabled: boolean
  /** Lifecycle VERIFICATION_REQUIRED: no sign-on counts before the e-mail address is proved. */
  readonly verificationRequired: boolean
  readonly document: UserDocument
  readonly lastSignOn: { readonly at: number; readonly remoteIp: string } | null
  /** When they were last asked for attributes while signing on; absent: never. */
  readonly profileAskedAt?: number | null
  /** Moves with every change of username or document. */
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
}

/** What is stored of a password. Times are epoch milliseconds. */
export interface StoredPassword {
  readonly hash: string
  readonly changedAt: number
  /** It must be changed at the next sign-on. */
  readonly mustChange: boolean
  readonly former: readonly FormerPassword[]
}

/** A user with the password, null when there is none. */
export interface UserWithPassword {
  readonly user: User
  readonly password: StoredPassword | null
}

/**
 * The form in which text is compared and filtered: NFKC, then lower case, once and in this order, since neither undoes
 * the other (security catalogue 0.4).
 */
export function textKey(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

/** The form in which usernames are unique and found: `textKey` without white space around it (rows K03, K28). */
export function usernameKey(username: string): string {
  return textKey(username).trim()
}

/** Finds a user by username, in whatever case, width or composition it was typed; one read. */
export async function userWithPasswordByUsername(
  { storage }: Pick<Kernel, 'storage'>,
  environmentId: string,
  username: string,
): Promise<UserWithPassword | undefined> {
  const [row] = await storage.read(byKey(environmentId, usernameKey(username)))
  return row && userWithPasswordFrom(environmentId, row)
}

/** Finds a user by id; one read. */
export async function userWithPasswordById(
  { storage }: Pick<Kernel, 'storage'>,
  environmentId: string,
  userId: string,
): Promise<UserWithPassword | undefined> {
  const [row] = await storage.read(byId(environmentId, userId))
  return row && userWithPasswordFrom(environmentId, row)
}

/** The value of a row. */
export function userFrom(environmentId: string, row: UserRow): User {
  return {
    id: row.id,
    environmentId,
    populationId: row.population_id,
    username: row.username,
    enabled: row.enabled === 1,
    lockedAt: row.locked_at,
    lockedUntil: row.locked_until,
    mfaEnabled: row.mfa_enabled === 1,
    verificationRequired: row.verification_required === 1,
    document: JSON.parse(row.document) as UserDocument,
    lastSignOn: row.last_sign_on_at === null ? null : { at: row.last_sign_on_at, remoteIp: row.last_sign_on_ip ?? '' },
    profileAskedAt: row.profile_asked_at,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

/** The value of a row that holds the password as well. */
export function userWithPasswordFrom(environmentId: string, row: UserWithPasswordRow): UserWithPassword {
  const { hash, changed_at, must_change, history } = row
  return {
    user: userFrom(environmentId, row),
    password:
      hash === null
        ? null
        : {
            hash,
            changedAt: changed_at ?? 0,
            mustChange: must_change === 1,
            former: JSON.parse(history ?? '[]') as FormerPassword[],
          },
  }
}

/** Whether the account is locked now; not: a password that is locked for a while. */
export function isLocked(
  { lockedAt, lockedUntil = null }: Pick<User, 'lockedAt' | 'lockedUntil'>,
  now: number,
): boolean {
  return lockedAt !== null && (lockedUntil === null || lockedUntil > now)
}

/** Whether the account may sign on at all. */
export function canAuthenticate(user: Pick<User, 'enabled' | 'lockedAt' | 'lockedUntil'>, now: number): boolean {
  return user.enabled && !isLocked(user, now)
}

/** The columns that hold the username and the document, with what is filtered taken out of it. */
export function attributeColumns(username: string, document: UserDocument): Columns {
  const key = (text: string | undefined) => (text === undefined ? null : textKey(text))
  return {
    username,
    username_key: usernameKey(username),
    email_key: key(document.email),
    given_key: key(document.name?.given),
    family_key: key(document.name?.family),
    mobile_phone: document.mobilePhone ?? null,
    external_id: document.externalId ?? null,
    document: JSON.stringify(document),
  }
}

/** The row of a new user, to be inserted into `users`. */
export function newUserRow(user: Omit<User, 'lastSignOn' | 'version' | 'updatedAt'>): Columns {
  return {
    environment_id: user.environmentId,
    id: user.id,
    population_id: user.populationId,
    ...attributeColumns(user.username, user.document),
    enabled: user.enabled ? 1 : 0,
    locked_at: user.lockedAt,
    mfa_enabled: user.mfaEnabled ? 1 : 0,
    verification_required: user.verificationRequired ? 1 : 0,
    version: 1,
    created_at: user.createdAt,
    updated_at: user.createdAt,
  }
}
