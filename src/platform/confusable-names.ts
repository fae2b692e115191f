/**
 * Names given through the management API that could be taken for those of another user: row K28. Administrators may give
 * them, and an event tells of it; users may not give them to themselves.
 */
import { eventOrigin } from '../contract/event-origin.ts'
import type { Context } from '../contract/operation.ts'
import { resembledUser } from '../directory/lookalikes.ts'
import type { User } from '../directory/users.ts'
import { uniquenessViolation } from '../errors/problem.ts'
import { eventRow } from '../events/record.ts'

/** The names of a user that others know them by. */
export type GivenName = 'username' | 'email'

/**
 * Looks for users whom a user could be taken for, by names that are about to be given.
 * @param asSelf whether they give them to themselves
 * @returns what tells of it, once the names are given
 * @throws Problem INVALID_DATA for names of one's own
 */
export async function lookalikes(
  context: Context,
  { id, environmentId, username, document }: User,
  given: readonly GivenName[],
  asSelf: boolean,
): Promise<() => void> {
  const { kernel } = context
  const resembled: { readonly name: GivenName; readonly userId: string }[] = []
  for (const name of given) {
    const value = { username, email: document.email }[name]
    const userId = value === undefined ? undefined : await resembledUser(kernel, environmentId, value, id)
    if (userId === undefined) continue
    if (asSelf) {
      tell(context, id, { name, userId }, 'FAILED')
      throw uniquenessViolation(name)
    }
    resembled.push({ name, userId })
  }
  return () => {
    for (const each of resembled) tell(context, id, each, 'SUCCESS')
  }
}

function tell(
  context: Context,
  id: string,
  { name, userId }: { readonly name: GivenName; readonly userId: string },
  result: 'SUCCESS' | 'FAILED',
): void {
  const subject = { type: 'USER', id }
  const event = { action: 'USER.CONFUSABLE', result, subject, detail: { attribute: name, resembles: userId } } as const
  context.kernel.volumeEvents.add(eventRow(eventOrigin(context, context.environment.id), event))
}
