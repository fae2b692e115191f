/**
 * What happens beside a change of somebody's e-mail address: the old one is told, and where the user changed it, whoever
 * reads its mail can take it back. Rows K18, K19, K21, K32, K34.
 *
 * The link holds a sealed token, good once and for three days, whatever address was chosen since. An administrator has
 * the last word: a change of theirs ends all such links. After taking it back no session and no token is left, and no
 * sign-on counts before a code that goes to the address has been typed, so that a stolen password alone is of no use.
 *
 * An invitation that was mailed to the old address ends with it (row K36).
 *
 * Never: a link for an address that was not proved; a change by what programs do with links: look at them, and send the forms
 * they find; a notice that a
 * limit of the notifications policy keeps back (rules/templates.ts).
 */
import { notify } from '../delivery/notification.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { Kernel } from '../kernel.ts'
import { open, seal, type SealContext, UnsealFailed } from '../keys/sealing.ts'
import { compareAndSet, remove } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { removeOneTimeCodes } from '../storage/sql/one-time-codes.ts'
import { codeTries } from './code-limits.ts'
import { newCode, storeCode, tryCode } from './one-time-codes.ts'
import { endAccess } from './user-removal.ts'
import { attributeColumns, textKey, type User, userWithPasswordById } from './users.ts'

/** How long an address can be taken back, milliseconds. */
const lifetime = 3 * 86_400_000

const purpose = 'EMAIL_CHANGE_REVERSAL'

/** A change of an address, and who made it. `pageUrl`: where the user can take it back. */
export type EmailChange = { readonly before: User; readonly email: string | undefined } & (
  | { readonly by: 'user'; readonly pageUrl: string }
  | { readonly by: 'administrator' | 'provider' }
)

/** What a link holds. */
interface Reversal {
  readonly userId: string
  /** The address to take back. */
  readonly email: string
  readonly code: string
  /** Epoch milliseconds. */
  readonly until: number
}

function place(environmentId: string): SealContext {
  return { environmentId, table: 'one_time_codes', row: purpose, column: 'link' }
}

function subjectOf({ userId, email }: Pick<Reversal, 'userId' | 'email'>): string {
  return `${userId}/${textKey(email)}`
}

/** Tells the old address; for the unit of the change. Nothing where it is the same, or was nobody's. */
export function* tellOldAddress(
  world: Kernel['world'],
  environment: Environment,
  change: EmailChange,
  now: number,
): UnitBody<void> {
  const { before: user } = change
  const { email, emailVerified, name, preferredLanguage } = user.document
  if (email === undefined || textKey(email) === textKey(change.email ?? '')) return
  yield* remove('invitations', { environment_id: environment.id, user_id: user.id })
  if (change.by === 'administrator') yield removeOneTimeCodes(environment.id, purpose, user.id)
  if (emailVerified === false) return
  const variables = { 'user.username': user.username, 'user.name': name?.given ?? user.username, 'user.email': email }
  const locales = preferredLanguage ? [preferredLanguage] : []
  const message = { to: email, userId: user.id, locales, usefulUntil: now + lifetime }
  if (change.by !== 'user') {
    yield notify(world, environment, { ...message, template: 'email_address_changed_admin', variables }, now)
    return
  }
  const code = newCode(world, { kind: 'letters-and-digits', length: 16 })
  const reversal: Reversal = { userId: user.id, email, code, until: now + lifetime }
  const token = seal(environment.dataKey, JSON.stringify(reversal), place(environment.id), world)
  const revertUrl = `${change.pageUrl}?token=${token}`
  yield storeCode(environment, { purpose, subject: subjectOf(reversal) }, code, lifetime, now)
  yield notify(
    world,
    environment,
    {
      ...message,
      template: 'email_address_changed_user',
      variables: { ...variables, revertUrl },
    },
    now,
  )
}

/** Whether a link may still be of use. */
export function isReversal(environment: Environment, token: string, now: number): boolean {
  return reversalFrom(environment, token, now) !== undefined
}

/** Whether what somebody typed is the address that a link takes back: what looks at links alone cannot know it (row K19). */
export function isOfReversal(environment: Environment, token: string, typed: string, now: number): boolean {
  const reversal = reversalFrom(environment, token, now)
  return reversal !== undefined && textKey(typed.trim()) === textKey(reversal.email)
}

function reversalFrom(environment: Environment, token: string, now: number): Reversal | undefined {
  try {
    const reversal = JSON.parse(open(environment.dataKey, token, place(environment.id)).toString()) as Reversal
    return reversal.until > now ? reversal : undefined
  } catch (error) {
    if (error instanceof UnsealFailed) return undefined
    throw error
  }
}

/** An address that may be taken back. */
export interface PreparedReversal {
  readonly userId: string
  /** For the unit that takes it back. @throws AlreadyConsumed, Stale */
  readonly settle: () => UnitBody<void>
}

/** Prepares to take an address back; undefined where the link is of no use any more, or the user has the address. */
export async function prepareReversal(
  kernel: Pick<Kernel, 'storage' | 'world'>,
  environment: Environment,
  token: string,
  now: number,
): Promise<PreparedReversal | undefined> {
  const reversal = reversalFrom(environment, token, now)
  const user = reversal && (await userWithPasswordById(kernel, environment.id, reversal.userId))?.user
  if (!reversal || !user || textKey(user.document.email ?? '') === textKey(reversal.email)) return undefined
  const guessed = { environmentId: environment.id, kind: 'email-change-reversal', subject: user.id } as const
  const codeFor = { purpose, subject: subjectOf(reversal) } as const
  const check = await tryCode(kernel, environment, {
    ...codeFor,
    typed: reversal.code,
    guessed,
    bound: codeTries,
    now,
  })
  if (check.result !== 'accepted') return undefined
  return {
    userId: user.id,
    *settle() {
      yield* check.settle()
      yield removeOneTimeCodes(environment.id, purpose, user.id)
      yield* remove('invitations', { environment_id: environment.id, user_id: user.id })
      yield* compareAndSet('users', { environment_id: environment.id, id: user.id }, user.version, {
        ...attributeColumns(user.username, { ...user.document, email: reversal.email, emailVerified: true }),
        registered_email_key: null,
        verification_required: 1,
        updated_at: now,
      })
      yield* endAccess(kernel.world, environment.id, user.id, null, now)
    },
  }
}
