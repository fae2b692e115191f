/**
 * The handler of `notification.send`: opens a notification, renders it, and sends it. Where no mail server is set, dev
 * keeps the message in its inbox and `serve` gives it up with an event that says why. At least once: a node that dies
 * between sending and noting it sends again, under the same message id.
 *
 * Never: a text or an address in a log; a message that is tried for ever.
 */
import type { Config } from '../config.ts'
import type { Kernel } from '../kernel.ts'
import { eventRow } from '../events/record.ts'
import { insertEvents } from '../storage/sql/events.ts'
import { run } from '../storage/port.ts'
import { insertInbox } from '../storage/sql/inbox.ts'
import { type Email, PermanentFailure } from './email.ts'
import { type Notification, readNotification } from './notification.ts'
import type { Attempt, Handler } from './outbox.ts'
import { renderNotification } from './templates.ts'

/** A message that has not gone out by then is of no use to anybody: its code has expired. */
const usefulMilliseconds = 1_800_000
const inboxMilliseconds = 7 * 86_400_000

type Ports = Pick<Kernel, 'storage' | 'world' | 'environments' | 'log'> & { readonly config: Pick<Config, 'mode'> }

/** Makes the handler. @param email how messages go out; undefined where no server is set */
export function sendNotification(ports: Ports, email: Email | undefined): Handler {
  return async (attempt) => {
    const environment = await ports.environments.get(attempt.environmentId)
    if (!environment) return 'done'
    const notification = readNotification(environment, attempt)
    const now = ports.world.now()
    if (now - attempt.createdAt > usefulMilliseconds) return note(ports, attempt, notification, 'too-late')
    if (!email && ports.config.mode === 'dev') return keep(ports, attempt, notification, now)
    if (!email) return note(ports, attempt, notification, 'no-mail-server')
    try {
      await email.send(attempt.id, notification.to, renderNotification(notification))
    } catch (error) {
      if (error instanceof PermanentFailure) return note(ports, attempt, notification, 'refused')
      throw error
    }
    return note(ports, attempt, notification, undefined)
  }
}

/** Records what became of a message. @param failure why it was given up; undefined when it was sent */
async function note(
  { storage, world, log }: Ports,
  { environmentId, id }: Attempt,
  { template, userId }: Notification,
  failure: 'too-late' | 'refused' | 'no-mail-server' | undefined,
): Promise<'done'> {
  if (failure) log.warn({ environmentId, message: id, template, failure }, 'a notification was given up')
  const origin = {
    world,
    now: world.now(),
    environmentId,
    correlationId: id,
    remoteAddress: '',
    actor: { kind: 'anonymous' },
  } as const
  const event = eventRow(origin, {
    action: failure ? 'NOTIFICATION.FAILED' : 'NOTIFICATION.SENT',
    result: failure ? 'FAILED' : 'SUCCESS',
    subject: { type: 'NOTIFICATION', id },
    userId,
    detail: { template, ...(failure ? { reason: failure } : {}) },
  })
  await storage.commit({ name: 'note-notification', single: true, run: () => run(insertEvents([event])) })
  return 'done'
}

async function keep({ storage }: Ports, attempt: Attempt, notification: Notification, now: number): Promise<'done'> {
  const { subject, text } = renderNotification(notification)
  const row = {
    environment_id: attempt.environmentId,
    id: attempt.id,
    template: notification.template,
    recipient: notification.to,
    subject,
    body: text,
    created_at: attempt.createdAt,
    expires_at: now + inboxMilliseconds,
  }
  await storage.commit({ name: 'keep-in-inbox', single: true, run: () => run(insertInbox(row)) })
  return 'done'
}
