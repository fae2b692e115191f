/** Linking a user to an account at an identity provider, with its audit event; for the unit that saves the flow. */
import type { Context } from '../contract/operation.ts'
import { insertLink } from '../directory/linked-accounts.ts'
import type { ExternalAccount } from '../flow/question.ts'
import type { UnitBody } from '../storage/port.ts'

/** Writes a link. @throws UniquenessViolation when the account or the user has another one */
export function* linking(context: Context, userId: string, account: ExternalAccount): UnitBody<void> {
  const { kernel, environment, now } = context
  const id = yield* insertLink(kernel.world, environment.id, userId, account, now)
  const detail = { identityProviderId: account.providerId }
  yield context.record({ action: 'LINKED_ACCOUNT.CREATED', subject: { type: 'LINKED_ACCOUNT', id }, userId, detail })
}
