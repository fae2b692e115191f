/**
 * What one environment says about sending, read when a message is sent: settings, policy, contents, providers. It is not
 * part of the snapshot, since no request waits for it.
 */
import type { Environment } from '../environment/snapshot.ts'
import { open } from '../keys/sealing.ts'
import type { Storage } from '../storage/port.ts'
import { domainOfTrustedEmail } from '../storage/sql/email-domains.ts'
import {
  notificationsSettingsOf,
  phoneDeliverySettingsOf,
  policyOrDefault,
  templateContentsOf,
} from '../storage/sql/notifications.ts'
import { type DkimSigner, dkimSigner } from './dkim.ts'
import { type EmailSettings, emailSecretContext, wholeEmailSettings } from './email-settings.ts'
import type { Notification } from './notification.ts'
import { addressKey } from './rules/email-domain.ts'
import { bootstrapNotificationsPolicy, type NotificationsPolicy } from './rules/notifications-policy.ts'
import { defaultNotificationsSettings, type NotificationsSettings } from './notifications-settings.ts'
import { type PhoneSettings, phoneSecretContext, wholePhoneSettings } from './phone-settings.ts'
import { pushWay, type PushWay } from './push.ts'
import type { TemplateContent } from './rules/template-content.ts'

/** What holds for one message. */
export interface DeliveryConfiguration {
  readonly environmentId: string
  readonly settings: NotificationsSettings
  readonly policy: NotificationsPolicy
  /** The environment's own contents of the template. */
  readonly contents: readonly TemplateContent[]
  /** With their secret; undefined where the environment has none. */
  readonly email: EmailSettings | undefined
  /** The providers by id, the oldest first, with their secrets. */
  readonly phone: ReadonlyMap<string, PhoneSettings>
  readonly push: PushWay
  /**
   * What signs messages from an address in whose name the environment may send by the mail server of the node;
   * undefined: it may not. @throws UnsealFailed
   */
  readonly trustedSender: (address: string) => Promise<DkimSigner | undefined>
}

const noApp: PushWay = { target: undefined, credentials: undefined, bundleId: undefined }

/** Reads it. @throws UnsealFailed */
export async function deliveryConfiguration(
  storage: Storage,
  environment: Pick<Environment, 'id' | 'dataKey'>,
  { template, deliveryMethod = 'Email', deviceId, notificationsPolicyId = '' }: Notification,
): Promise<DeliveryConfiguration> {
  const { id, dataKey } = environment
  const isByPhone = deliveryMethod === 'SMS' || deliveryMethod === 'Voice'
  const [settings, policies, contents, phones, push] = await Promise.all([
    storage.read(notificationsSettingsOf(id)),
    storage.read(policyOrDefault(id, notificationsPolicyId)),
    storage.read(templateContentsOf(id, template)),
    isByPhone ? storage.read(phoneDeliverySettingsOf(id)) : [],
    deviceId === undefined ? noApp : pushWay(storage, environment, deviceId),
  ])
  const general = settings.find(({ kind }) => kind === 'general')
  const email = settings.find(({ kind }) => kind === 'email')
  const emailSecret = email?.sealed_secret && open(dataKey, email.sealed_secret, emailSecretContext(id)).toString()
  return {
    environmentId: id,
    push,
    settings: general ? (JSON.parse(general.document) as NotificationsSettings) : defaultNotificationsSettings,
    policy: policies[0] ? (JSON.parse(policies[0].document) as NotificationsPolicy) : bootstrapNotificationsPolicy,
    contents: contents.map(({ document }) => JSON.parse(document) as TemplateContent),
    email: email && wholeEmailSettings(JSON.parse(email.document) as EmailSettings, emailSecret || undefined),
    phone: new Map(
      phones.map((row) => [
        row.id,
        wholePhoneSettings(
          JSON.parse(row.document) as PhoneSettings,
          open(dataKey, row.sealed_secret, phoneSecretContext(id, row.id)).toString(),
        ),
      ]),
    ),
    async trustedSender(address) {
      const [domain] = await storage.read(domainOfTrustedEmail(id, addressKey(address)))
      return domain && dkimSigner(environment, domain)
    },
  }
}
