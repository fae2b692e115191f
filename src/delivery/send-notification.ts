/**
 * The handler of `notification.send`: opens a notification, renders it, asks the policy, and sends it. Where there is no
 * provider, dev keeps the message in its inbox and `serve` gives it up with an event that says why. At least once: a node
 * that dies between sending and noting it sends again, under the same message id.
 *
 * Never: a text or an address in a log or an event; a message that is tried for ever, or after its code has expired.
 */
import type { Config } from '../config.ts'
import { eventRow } from '../events/record.ts'
import { openClientTokens } from '../external/client-tokens.ts'
import type { Kernel } from '../kernel.ts'
import { UnsealFailed } from '../keys/sealing.ts'
import { run } from '../storage/port.ts'
import { insertEvents } from '../storage/sql/events.ts'
import { insertInbox } from '../storage/sql/inbox.ts'
import { takeAllowance } from './allowance.ts'
import { channelFor, type NodeChannels } from './channels.ts'
import { deliveryConfiguration } from './delivery-configuration.ts'
import { type DeliveryFailureReason, PermanentFailure } from './delivery-failure.ts'
import { type Notification, readNotification } from './notification.ts'
import { allowsCountry } from './rules/notifications-policy.ts'
import type { Attempt, Handler } from './outbox.ts'
import { countryOf } from './phone-country.ts'
import { type RenderedMessage, renderNotification } from './rules/render.ts'
import { spokenText } from './rules/spoken.ts'
import { deliveryMethods, isTemplateName, templates } from './rules/templates.ts'

/** A message that does not say how long it is of use is of none after this: its code has expired. */
const usefulMilliseconds = 1_800_000
const inboxMilliseconds = 7 * 86_400_000

type Ports = Pick<Kernel, 'storage' | 'world' | 'environments' | 'log' | 'egress'> & {
  readonly config: Pick<Config, 'mode' | 'egressAllow' | 'twilio' | 'syniverseUrl'>
}

/** Makes the handler. @param node what the node itself sends with */
export function sendNotification(ports: Ports, node: NodeChannels): Handler {
  const channelPorts = { ...ports, clientTokens: openClientTokens(ports.egress, ports.world) }
  return async (attempt) => {
    const { storage } = ports
    const environment = await ports.environments.get(attempt.environmentId)
    if (!environment) return 'done'
    const now = ports.world.now()
    const notification = read(environment, attempt)
    if (!notification) return note(ports, attempt, undefined, 'unreadable')
    const giveUp = (reason: DeliveryFailureReason) => note(ports, attempt, notification, reason)
    const usefulUntil = notification.usefulUntil ?? attempt.createdAt + usefulMilliseconds
    if (now > usefulUntil) return giveUp('too-late')
    const { template, deliveryMethod = 'Email' } = notification
    if (!isTemplateName(template) || !deliveryMethods.includes(deliveryMethod)) {
      throw new Error('a template or delivery method that is not known: a newer release wrote it')
    }

    const configuration = await deliveryConfiguration(storage, environment, notification)
    const message = renderNotification(notification, configuration.contents)
    if (!message) return giveUp('no-content')
    const isByPhone = deliveryMethod === 'SMS' || deliveryMethod === 'Voice'
    const country = isByPhone ? await countryOf(notification.to) : undefined
    if (!allowsCountry(configuration.policy, deliveryMethod, country)) return giveUp('country-not-allowed')
    const outgoing = { id: attempt.id, notification, message, country, usefulUntil }
    const send = channelFor(channelPorts, node, configuration, outgoing)
    const keeps = !send && ports.config.mode === 'dev'
    if (!send && !keeps) return giveUp('no-provider')
    if (attempt.attempts === 1 && !templates[template].isWarning) {
      const unallowed = await takeAllowance(storage, { notification, deliveryMethod, ...configuration }, now)
      if (unallowed) return giveUp(unallowed)
    }
    if (!send) return keep(ports, attempt, notification, message, now)
    try {
      await send()
    } catch (error) {
      if (error instanceof PermanentFailure) return giveUp(error.reason)
      throw error
    }
    return note(ports, attempt, notification, undefined)
  }
}

function read(environment: Parameters<typeof readNotification>[0], attempt: Attempt): Notification | undefined {
  try {
    return readNotification(environment, attempt)
  } catch (error) {
    if (error instanceof UnsealFailed) return undefined
    throw error
  }
}

/** Records what became of a message. @param failure why it was given up; undefined when it was sent */
async function note(
  { storage, world, log }: Ports,
  { environmentId, id }: Attempt,
  notification: Notification | undefined,
  failure: DeliveryFailureReason | undefined,
): Promise<'done'> {
  const about = notification && {
    template: notification.template,
    deliveryMethod: notification.deliveryMethod ?? 'Email',
  }
  if (failure) log.warn({ environmentId, message: id, ...about, failure }, 'a notification was given up')
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
    ...(notification?.userId ? { userId: notification.userId } : {}),
    detail: { ...about, ...(failure ? { reason: failure } : {}) },
  })
  await storage.commit({ name: 'note-notification', single: true, run: () => run(insertEvents([event])) })
  return 'done'
}

async function keep(
  { storage }: Ports,
  attempt: Attempt,
  { template, to, extension }: Notification,
  message: RenderedMessage,
  now: number,
): Promise<'done'> {
  const row = {
    environment_id: attempt.environmentId,
    id: attempt.id,
    template,
    delivery_method: message.deliveryMethod,
    recipient: extension === undefined ? to : `${to},${extension}`,
    subject: message.deliveryMethod === 'Email' ? message.subject : '',
    body: readable(message),
    created_at: attempt.createdAt,
    expires_at: now + inboxMilliseconds,
  }
  await storage.commit({ name: 'keep-in-inbox', single: true, run: () => run(insertInbox(row)) })
  return 'done'
}

function readable(message: RenderedMessage): string {
  switch (message.deliveryMethod) {
    case 'Email':
    case 'SMS':
      return message.text
    case 'Voice':
      return spokenText(message.parts)
    case 'Push':
      return message.body
  }
}
