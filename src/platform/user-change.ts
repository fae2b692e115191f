/**
 * Changing the attributes of a user: PUT and PATCH of `~/users/{userId}`, platform-api 3.5 and 1.9. Population, account,
 * `enabled` and `mfaEnabled` are changed at their own addresses and nowhere else.
 *
 * Never: an address that stays proved when it changes (K32, K33), a username or address of somebody who holds more
 * than the actor (N09), a name or address of the actor's own without a recent authentication (K22), a name that is the
 * address of another (K29), one writer's change undone by another's; an address taken away without its owner being told
 * there (K34).
 */
import type { z } from 'zod'
import { requireRecentAuthentication } from '../access/recent-authentication.ts'
import { type Context, defineOperation, type Operation, type Reply } from '../contract/operation.ts'
import { type EmailChange, tellOldAddress } from '../directory/email-change.ts'
import { attributeColumns, type User, type UserDocument, userFrom, usernameKey } from '../directory/users.ts'
import { problem, uniquenessViolation } from '../errors/problem.ts'
import { compareAndSet } from '../storage/operations.ts'
import { Stale } from '../storage/refusals.ts'
import { usersOfEmail } from '../storage/sql/users.ts'
import { lookalikes } from './confusable-names.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { requireUnique } from './names.ts'
import { mergedAttributes, patchedAttributes, storedAttributes, writtenAttributes } from './user-attributes.ts'
import { isOwnUser, type ReachedUser, reachedKey, reachedUser, requireControl } from './user-control.ts'
import { userBody, userResource } from './user-representation.ts'
import { common, oneUser } from './user-routes.ts'

const reach = { permission: 'idm:update:user', self: 'p1:update:user' } as const

const declared = {
  ...common,
  ...oneUser,
  permission: { kind: 'role', population: true, ...reach },
  replies: { 200: userResource },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND', 'insufficient_user_authentication'],
  event: 'USER.UPDATED',
} as const

const replaceUser = defineOperation({
  ...declared,
  id: 'replaceUser',
  method: 'PUT',
  summary: 'Replace the attributes of a user',
  body: { kind: 'json', schema: nullMeansAbsent(writtenAttributes) },
  handle: ({ params, body }, context) => change(context, params.userId, () => body),
})

const updateUser = defineOperation({
  ...declared,
  id: 'updateUser',
  method: 'PATCH',
  summary: 'Change some attributes of a user; null clears',
  body: { kind: 'json', schema: patchedAttributes },
  handle: ({ params, body }, context) => change(context, params.userId, (present) => mergedAttributes(present, body)),
})

/** What a user is recognised or recovered by. */
const recognising: ReadonlySet<string> = new Set(['username', 'email', 'mobilePhone', 'primaryPhone'])

/** How often a change is worked out anew because another one came between. */
const attempts = 5

async function change(
  context: Context,
  userId: string,
  attributesOf: (present: User) => z.output<typeof writtenAttributes>,
): Promise<Reply> {
  for (let attempt = 1; ; attempt += 1) {
    const reached = await reachedUser(context, userId, reach)
    const after = changedUser(context, reached, attributesOf(reached.user))
    const changed = changedMembers(reached.user, after)
    if (isOwnUser(context, userId) && changed.some((member) => recognising.has(member))) {
      requireRecentAuthentication(context.actor, context.now)
    }
    if (!reached.asSelf && changed.some((member) => member === 'username' || member === 'email')) {
      await requireControl(context, userId)
    }
    if (reached.asSelf && changed.includes('username')) await requireNobodysAddress(context, after)
    const names = (['username', 'email'] as const).filter((name) => changed.includes(name))
    const tellOfLookalikes = await lookalikes(context, after, names, reached.asSelf)
    try {
      const version = await requireUnique('users', 'username', save(context, reached, after, changed))
      if (changed.includes('email')) context.kernel.wakeOutbox()
      tellOfLookalikes()
      return { status: 200, body: userBody(context, { ...reached, user: { ...after, version } }) }
    } catch (error) {
      if (!(error instanceof Stale)) throw error
      if (attempt === attempts) throw problem('UNAVAILABLE', { headers: { 'retry-after': '1' }, cause: error })
    }
  }
}

/**
 * Who names themselves must not take the e-mail address of somebody else for a name (row K29).
 * @throws Problem INVALID_DATA
 */
async function requireNobodysAddress({ kernel }: Context, { id, environmentId, username }: User): Promise<void> {
  const holders = await kernel.storage.read(usersOfEmail(environmentId, usernameKey(username)))
  const isTaken = holders.some((row) => row.id !== id && userFrom(environmentId, row).document.emailVerified !== false)
  if (isTaken) throw uniquenessViolation('username')
}

function save(context: Context, reached: ReachedUser, after: User, changed: readonly string[]): Promise<number> {
  const { id, version } = reached.user
  const { now } = context
  return context.kernel.storage.commit({
    name: 'change-user',
    *run() {
      const columns = {
        ...attributeColumns(after.username, after.document),
        // An address that was registered and is given up can be registered again.
        ...(changed.includes('email') ? { registered_email_key: null } : {}),
        updated_at: after.updatedAt,
      }
      const next = yield* compareAndSet('users', reachedKey(reached), version, columns)
      yield* tellOldAddress(context.kernel.world, context.environment, emailChange(context, reached.user, after), now)
      yield context.record({ subject: { type: 'USER', id }, detail: { changed } })
      return next
    },
  })
}

/** Who changes the address: only what users change themselves can they take back. */
function emailChange(context: Context, before: User, after: User): EmailChange {
  const { email } = after.document
  return isOwnUser(context, before.id)
    ? { before, email, by: 'user', pageUrl: `${context.site.pagesBase}/emailChange` }
    : { before, email, by: 'administrator' }
}

function changedUser(
  { now }: Context,
  { user: before, asSelf }: ReachedUser,
  attributes: z.output<typeof writtenAttributes>,
): User {
  const { username, document } = storedAttributes(attributes)
  const { emailVerified, verifyStatus } = before.document
  const kept: Pick<UserDocument, 'emailVerified' | 'verifyStatus'> = {
    ...(document.email === before.document.email ? known(emailVerified) : unproved(document.email)),
    // Whether an identity was verified is not for its owner to say.
    ...(asSelf && verifyStatus !== undefined ? { verifyStatus } : {}),
  }
  const { verifyStatus: claimed, ...others } = document
  const written = asSelf || claimed === undefined ? others : { ...others, verifyStatus: claimed }
  return { ...before, username, document: { ...written, ...kept }, updatedAt: now }
}

function known(emailVerified: boolean | undefined): Pick<UserDocument, 'emailVerified'> {
  return emailVerified === undefined ? {} : { emailVerified }
}

/** An address that takes the place of another is nobody's before it is proved (rows K21, K32). */
function unproved(email: string | undefined): Pick<UserDocument, 'emailVerified'> {
  return email === undefined ? {} : { emailVerified: false }
}

/** The names of what differs, for the audit event. */
function changedMembers(before: User, after: User): string[] {
  const members = ({ username, document }: User): Readonly<Record<string, unknown>> => ({ username, ...document })
  const [old, next] = [members(before), members(after)]
  return [...new Set([...Object.keys(old), ...Object.keys(next)])]
    .filter((name) => JSON.stringify(old[name]) !== JSON.stringify(next[name]))
    .toSorted()
}

export const changeUserOperations: readonly Operation[] = [replaceUser, updateUser]
