/**
 * Invitations (extension): an administrator invites a user, who has an account and no password, by a link that goes to
 * their e-mail address; with its code they choose the first password. authentication-api 4.1 `user.acceptInvite`; rows
 * K12, K15-K17, K36, K38; docs/decisions/2026-11-27-invitations.md.
 *
 * The code is 256 random bits that say nothing: what it is good for is what was stored under its hash. It is bound to
 * environment, user, application and the address it was sent to, which it proves; it is good once, for a week. It ends with
 * a newer invitation, and with everything by which it would mean something else: another address, a password or an account
 * at an identity provider, an account that is disabled or gone.
 *
 * Never: a code in clear in storage or in an answer; a password that an invitation replaces: that is what recovery is for.
 */
import { hash } from 'node:crypto'
import { notify } from '../delivery/notification.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { Kernel } from '../kernel.ts'
import { constantTimeEqual } from '../keys/constant-time.ts'
import { clearGuesses, forgetGuesses, type Guessed, secondsUntil, takeGuess } from '../limits/guesses.ts'
import { consume } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { type InvitationRow, invitationByCode, invitationOfUser, putInvitation } from '../storage/sql/invitations.ts'
import { codeTries } from './code-limits.ts'
import { changePassword, type MissedRequirement } from './password-change.ts'
import { markEmailProved, withProvedEmail } from './proved-email.ts'
import { endAccess } from './user-removal.ts'
import { canAuthenticate, textKey, type User, type UserWithPassword, userWithPasswordById } from './users.ts'

/** How long an invitation is good, milliseconds. */
export const invitationLifetime = 7 * 86_400_000

/** An invitation that lives. Times are epoch milliseconds. */
export interface Invitation {
  readonly id: string
  readonly userId: string
  /** Where the invited person arrives; null: nowhere in particular. */
  readonly applicationId: string | null
  readonly createdAt: number
  readonly expiresAt: number
}

function invitationFrom(row: InvitationRow): Invitation {
  return {
    id: row.id,
    userId: row.user_id,
    applicationId: row.application_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}

function hashOfCode(code: string): string {
  return hash('sha256', code, 'base64url')
}

/** What somebody is invited to. */
export interface InvitedTo {
  /** Null: to the environment, and no application of it. */
  readonly application: { readonly id: string; readonly name: string } | null
  /** Where the code is followed. */
  readonly pageUrl: string
}

/** Stores an invitation in the place of an earlier one, and promises to mail it; for the unit of the inviting. */
export function* invite(
  world: Kernel['world'],
  environment: Environment,
  user: User & { readonly document: { readonly email: string } },
  { application, pageUrl }: InvitedTo,
  now: number,
): UnitBody<void> {
  const { email, name, preferredLanguage } = user.document
  const code = world.bytes(32).toString('base64url')
  yield putInvitation(environment.id, {
    user_id: user.id,
    id: world.uuid(),
    application_id: application?.id ?? null,
    email_key: textKey(email),
    code_hash: hashOfCode(code),
    created_at: now,
    expires_at: now + invitationLifetime,
  })
  yield notify(
    world,
    environment,
    {
      template: 'user_invitation',
      to: email,
      userId: user.id,
      locales: preferredLanguage ? [preferredLanguage] : [],
      variables: {
        'user.username': user.username,
        'user.name': name?.given ?? user.username,
        'application.name': application?.name ?? environment.name,
        inviteUrl: `${pageUrl}?inviteCode=${code}`,
      },
      usefulUntil: now + invitationLifetime,
    },
    now,
  )
}

/** The invitation of a user; undefined where none lives. */
export async function invitationOf(
  { storage }: Pick<Kernel, 'storage'>,
  environmentId: string,
  userId: string,
  now: number,
): Promise<Invitation | undefined> {
  const [row] = await storage.read(invitationOfUser(environmentId, userId, now))
  return row && invitationFrom(row)
}

/** The invitation of a code that may be accepted now, and whom it is for; nothing is changed. */
export async function invitationOfCode(
  kernel: Pick<Kernel, 'storage'>,
  environmentId: string,
  code: string,
  now: number,
): Promise<{ readonly invitation: Invitation; readonly invited: UserWithPassword } | undefined> {
  const [row] = await kernel.storage.read(invitationByCode(environmentId, hashOfCode(code), now))
  const invited = row && (await userWithPasswordById(kernel, environmentId, row.user_id))
  return row && invited && isFor(row, invited, now) ? { invitation: invitationFrom(row), invited } : undefined
}

/** Whether an invitation still means this user as they are now. */
function isFor({ email_key }: InvitationRow, { user, password }: UserWithPassword, now: number): boolean {
  const { email } = user.document
  return canAuthenticate(user, now) && password === null && email !== undefined && textKey(email) === email_key
}

/** A try at accepting an invitation. */
export interface InvitationTry {
  readonly userId: string
  /** The only invitation that is accepted. */
  readonly invitationId: string
  /** Both as sent. */
  readonly code: string
  readonly password: string
  /** The session of the browser that accepts; others end. */
  readonly keptTokenHash: string | null
  /** Epoch milliseconds. */
  readonly now: number
}

/** What came of it. */
export type Acceptance =
  | {
      readonly result: 'accepted'
      /** With the address proved. */
      readonly user: User
      /**
       * Uses the invitation up, stores the password, marks the address as proved and ends every other session; for the unit
       * of the acceptance. @throws AlreadyConsumed, Stale
       */
      readonly settle: () => UnitBody<void>
    }
  | { readonly result: 'wrongCode' }
  | { readonly result: 'unsatisfied'; readonly requirements: readonly MissedRequirement[] }
  | { readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }

/**
 * Tries the code of an invitation and judges the password. A password that the policy does not take leaves the code good.
 * @throws HashingOverloaded when the hashing pool is full
 */
export async function acceptInvitation(
  kernel: Pick<Kernel, 'storage' | 'world' | 'passwords'>,
  environment: Environment,
  { userId, invitationId, code, password, keptTokenHash, now }: InvitationTry,
): Promise<Acceptance> {
  const guessed: Guessed = { environmentId: environment.id, kind: 'invitation-code', subject: userId }
  const guess = await kernel.storage.commit(takeGuess(guessed, codeTries, now))
  if (!guess.allowed) return { result: 'lockedOut', secondsUntilUnlock: secondsUntil(guess.until, now) }
  const [row] = await kernel.storage.read(invitationOfUser(environment.id, userId, now))
  const invited = await userWithPasswordById(kernel, environment.id, userId)
  const matches = constantTimeEqual(row?.code_hash ?? '', hashOfCode(code))
  if (!row || !matches || row.id !== invitationId || !invited || !isFor(row, invited, now))
    return { result: 'wrongCode' }
  const { user } = invited
  const verdict = await changePassword(kernel, environment, {
    now,
    user,
    stored: null,
    newPassword: password,
    by: 'recovery',
    mustChange: false,
  })
  if (verdict.result === 'unsatisfied') {
    // The code was right: its guess is forgotten, or five refused passwords would shut its owner out.
    await kernel.storage.commit(forgetGuesses(guessed))
    return verdict
  }
  return {
    result: 'accepted',
    user: withProvedEmail(user),
    *settle() {
      const key = { environment_id: environment.id, user_id: userId, id: invitationId, code_hash: row.code_hash }
      yield* consume('invitations', key)
      yield clearGuesses(guessed)
      yield* verdict.store()
      yield* markEmailProved(user, now)
      yield* endAccess(kernel.world, environment.id, userId, keptTokenHash, now)
    },
  }
}
