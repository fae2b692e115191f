/** Taking an e-mail address back by the link that was mailed to it, and by typing it (rows K19, K34): the unit, and its event. */
import type { Context } from '../contract/operation.ts'
import { isOfReversal, isReversal, prepareReversal } from '../directory/email-change.ts'
import { AlreadyConsumed, Stale } from '../storage/refusals.ts'

/** Whether a link may still be of use. */
export function mayBeReverted({ environment, now }: Context, token: string): boolean {
  return isReversal(environment, token, now)
}

/** How often it is tried anew because the user was changed meanwhile. */
const attempts = 5

/**
 * Takes an address back.
 * @param typed the address, by whoever does it
 * @returns `over` where the link is of no use any more, `wrong` where another address was typed
 */
export async function revertEmailChange(
  context: Context,
  token: string,
  typed: string,
): Promise<'done' | 'over' | 'wrong'> {
  const { kernel, environment, now, record } = context
  if (!mayBeReverted(context, token)) return 'over'
  if (!isOfReversal(environment, token, typed, now)) return 'wrong'
  for (let attempt = 1; ; attempt += 1) {
    const reversal = await prepareReversal(kernel, environment, token, now)
    if (!reversal) return 'over'
    try {
      await kernel.storage.commit({
        name: 'revert-email-change',
        *run() {
          yield* reversal.settle()
          yield record({ subject: { type: 'USER', id: reversal.userId }, userId: reversal.userId })
        },
      })
      return 'done'
    } catch (error) {
      if (error instanceof AlreadyConsumed) return 'over'
      if (!(error instanceof Stale) || attempt === attempts) throw error
    }
  }
}
