/** Taking an e-mail address back by the link that was mailed to it (row K34): the unit, and its event. */
import type { Context } from '../contract/operation.ts'
import { isReversal, prepareReversal } from '../directory/email-change.ts'
import { AlreadyConsumed, Stale } from '../storage/refusals.ts'

/** Whether a link may still be of use. */
export function mayBeReverted({ environment, now }: Context, token: string): boolean {
  return isReversal(environment, token, now)
}

/** How often it is tried anew because the user was changed meanwhile. */
const attempts = 5

/** Takes an address back. @returns false where the link is of no use any more */
export async function revertEmailChange(context: Context, token: string): Promise<boolean> {
  const { kernel, environment, now, record } = context
  for (let attempt = 1; ; attempt += 1) {
    const reversal = await prepareReversal(kernel, environment, token, now)
    if (!reversal) return false
    try {
      await kernel.storage.commit({
        name: 'revert-email-change',
        *run() {
          yield* reversal.settle()
          yield record({ subject: { type: 'USER', id: reversal.userId }, userId: reversal.userId })
        },
      })
      return true
    } catch (error) {
      if (error instanceof AlreadyConsumed) return false
      if (!(error instanceof Stale) || attempt === attempts) throw error
    }
  }
}
