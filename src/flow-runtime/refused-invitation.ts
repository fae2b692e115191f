/** The audit event of a code of an invitation that was refused, at its link or in its flow (row K36). Never: the code. */
import { eventOrigin } from '../contract/event-origin.ts'
import type { Context } from '../contract/operation.ts'
import { eventRow } from '../events/record.ts'

/** Writes down that a code was refused. @param userId whom it was tried at, where that is known */
export function auditRefusedInvitation(context: Context, reason: string, userId: string | undefined): void {
  const event = {
    action: 'USER.INVITATION_REFUSED',
    result: 'FAILED',
    ...(userId === undefined ? {} : { subject: { type: 'USER', id: userId } }),
    detail: { reason },
  } as const
  context.kernel.volumeEvents.add(eventRow(eventOrigin(context, context.environment.id), event))
}
