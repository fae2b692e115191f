/**
 * By which provider a message goes: that of the environment before that of the server, several in their order for SMS
 * and voice. platform-api 3.18 (`smsProvidersFallbackChain`, `providerConfiguration`).
 *
 * Never: a delivery method that nobody answers for taken as sent.
 */
import type { Config } from '../config.ts'
import type { ProviderPorts } from './ask-provider.ts'
import { PermanentFailure, TemporaryFailure } from './delivery-failure.ts'
import type { DeliveryConfiguration } from './delivery-configuration.ts'
import { type NodeEmail, type OutgoingEmail, sendEmail, type TrustedSender } from './email.ts'
import type { Notification } from './notification.ts'
import { chainOf } from './rules/notifications-policy.ts'
import { sendByPhone } from './phone.ts'
import type { PhoneSettings } from './phone-settings.ts'
import type { SendPush } from './push.ts'
import type { RenderedMessage } from './rules/render.ts'

/** What channels need of a node. */
export type ChannelPorts = ProviderPorts & { readonly config: Pick<Config, 'egressAllow' | 'twilio' | 'syniverseUrl'> }

/** What a node sends with. */
export interface NodeChannels {
  readonly email: NodeEmail | undefined
  readonly push: SendPush
}

/** A message and whom it is for. */
export interface Outgoing {
  readonly id: string
  readonly notification: Notification
  readonly message: RenderedMessage
  /** For SMS and voice; undefined when the number does not say. */
  readonly country: string | undefined
  /** When nobody needs it any more, epoch milliseconds. */
  readonly usefulUntil: number
}

/** Sends one message. @throws PermanentFailure, TemporaryFailure */
export type Send = () => Promise<void>

/** How a message goes out; undefined where there is no provider for it. */
export function channelFor(
  ports: ChannelPorts,
  node: NodeChannels,
  configuration: DeliveryConfiguration,
  outgoing: Outgoing,
): Send | undefined {
  const { id, notification, message } = outgoing
  const { to, extension, variables } = notification
  switch (message.deliveryMethod) {
    case 'Email': {
      const { settings, email } = configuration
      const defaults = { from: settings.from, replyTo: email?.replyTo ?? settings.replyTo }
      const mail = { id, to, message, defaults, variables }
      if (email) return () => sendEmail({ ...ports, listed: ports.config.egressAllow }, email, mail)
      const { email: ofNode } = node
      return ofNode && (async () => ofNode.send({ ...mail, trustedSender: await trustedSenderOf(configuration, mail) }))
    }
    case 'SMS':
    case 'Voice': {
      const providers = phoneProviders(ports, configuration, message.deliveryMethod, outgoing.country)
      const phone = { id, to, extension, country: outgoing.country, message, variables }
      return providers.length === 0
        ? undefined
        : () => firstThatTakes(providers, (settings) => sendByPhone(ports, settings, phone))
    }
    case 'Push': {
      const { target, credentials, bundleId } = configuration.push
      if (!target) return () => Promise.reject(new PermanentFailure('not-registered'))
      const push = { id, target, bundleId, message, usefulUntil: outgoing.usefulUntil }
      return credentials && (() => node.push(configuration.environmentId, notification, push, credentials))
    }
  }
}

/** The sender that the environment wants, where it may send in its name by the server of the node. */
async function trustedSenderOf(
  { trustedSender }: DeliveryConfiguration,
  { message, defaults }: OutgoingEmail,
): Promise<TrustedSender | undefined> {
  const address = message.from?.address ?? defaults.from?.address
  const dkim = address === undefined ? undefined : await trustedSender(address)
  return address === undefined || dkim === undefined ? undefined : { address, dkim }
}

function phoneProviders(
  { config: { twilio, syniverseUrl } }: ChannelPorts,
  { settings, policy, phone }: DeliveryConfiguration,
  method: 'SMS' | 'Voice',
  country: string | undefined,
) {
  const ofNode: PhoneSettings | undefined = twilio.account && {
    provider: 'CUSTOM_TWILIO',
    sid: twilio.account.sid,
    authToken: twilio.account.authToken,
    numbers: [{ number: twilio.account.from, type: 'PHONE_NUMBER', selected: true }],
  }
  const chain = chainOf(policy, method, country) ?? settings.smsProvidersFallbackChain
  const wanted = chain
    ? chain.map((id) => (id === 'PINGONE_TWILIO' ? ofNode : phone.get(id)))
    : phone.size > 0
      ? [...phone.values()]
      : [ofNode]
  return wanted.flatMap((each) => (each ? [{ twilioUrl: twilio.url, syniverseUrl, settings: each }] : []))
}

/** Tries one provider after another. A refusal by all of them is final only if none of them may take it later. */
async function firstThatTakes<P>(providers: readonly P[], send: (provider: P) => Promise<void>): Promise<void> {
  let failure: PermanentFailure | TemporaryFailure | undefined
  for (const provider of providers) {
    try {
      return await send(provider)
    } catch (error) {
      if (!(error instanceof PermanentFailure || error instanceof TemporaryFailure)) throw error
      if (!(failure instanceof TemporaryFailure)) failure = error
    }
  }
  throw failure ?? new PermanentFailure('no-provider')
}
