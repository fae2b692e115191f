/**
 * How an environment sends its e-mail: `~/notificationsSettings/emailDeliverySettings`. platform-api 3.18; rows G01, W08.
 *
 * The secret is written and never answered. Left out, it stays as it is, but only for the same account at the same place:
 * whoever may change the address must not be able to have an old secret sent there.
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { customAuthenticationProblem, holderOfSecret, secretMember } from '../delivery/custom-authentication.ts'
import { customRequestProblem } from '../delivery/custom-provider.ts'
import {
  type EmailSettings,
  emailSecretContext,
  httpEmailSettings,
  partedEmailSettings,
  smtpSettings,
} from '../delivery/email-settings.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { mailHostProblem } from '../external/mail-host.ts'
import { seal } from '../keys/sealing.ts'
import { remove } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import {
  type NotificationsSettingsRow,
  notificationsSettingsOf,
  putNotificationsSettings,
} from '../storage/sql/notifications.ts'
import { nullMeansAbsent } from './absent-members.ts'

const either = z.discriminatedUnion('protocol', [smtpSettings, httpEmailSettings])

/** Clients may leave `protocol` out, since only a provider over HTTP has requests. */
const request = nullMeansAbsent(z.preprocess(withProtocol, either))

function withProtocol(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || 'protocol' in value) return value
  return { ...value, protocol: 'requests' in value ? 'HTTP' : 'SMTP' }
}

const shown = { _links: linksSchema, id: uuid, environment: reference, updatedAt: timestamp }
const emailDeliverySettings = z.union([
  httpEmailSettings.extend(shown),
  smtpSettings.omit({ password: true }).extend(shown),
])

function settingsBody({ site, environment }: Context, row: NotificationsSettingsRow) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  const settingsUrl = `${environmentUrl}/notificationsSettings`
  return {
    _links: links({ self: `${settingsUrl}/emailDeliverySettings`, environment: environmentUrl }),
    id: row.id,
    environment: { id: environment.id },
    ...(JSON.parse(row.document) as EmailSettings),
    updatedAt: iso(row.updated_at),
  }
}

const common = {
  surface: 'management',
  tag: 'Notifications',
  source: 'platform-api 3.18',
  cors: 'none',
  path: '/v1/environments/{environmentId}/notificationsSettings/emailDeliverySettings',
  params: z.object({ environmentId: uuid }),
} as const

const readEmailDeliverySettings = defineOperation({
  ...common,
  id: 'readEmailDeliverySettings',
  method: 'GET',
  summary: 'Read how e-mail is sent, without the secret',
  permission: { kind: 'role', permission: 'notifications:read:settings' },
  replies: { 200: emailDeliverySettings },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    const rows = await context.kernel.storage.read(notificationsSettingsOf(params.environmentId))
    const row = rows.find(({ kind }) => kind === 'email')
    if (!row) throw notFound()
    return { status: 200, body: settingsBody(context, row) }
  },
})

const replaceEmailDeliverySettings = defineOperation({
  ...common,
  id: 'replaceEmailDeliverySettings',
  method: 'PUT',
  summary: 'Set how e-mail is sent: by an SMTP server, or by a provider over HTTP',
  permission: { kind: 'role', permission: 'notifications:update:settings' },
  body: { kind: 'json', schema: request },
  replies: { 200: emailDeliverySettings },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'EMAIL_DELIVERY_SETTINGS.UPDATED',
  async handle({ params: { environmentId }, body }, context) {
    const { kernel, environment, now } = context
    refuseUnreachable(body, kernel.config.egressAllow)
    const { document, secret } = partedEmailSettings(body)
    const place = emailSecretContext(environmentId)
    const sealed = secret === undefined ? undefined : seal(environment.dataKey, secret, place, kernel.world)
    const newId = kernel.world.uuid()
    const row = await kernel.environments.configure(environmentId, 'replaceEmailDeliverySettings', now, function* () {
      const before = (yield* run(notificationsSettingsOf(environmentId))).find(({ kind }) => kind === 'email')
      const kept = before && isSameAccount(JSON.parse(before.document) as EmailSettings, document)
      const sealed_secret = sealed ?? (kept ? before.sealed_secret : null)
      if (sealed_secret === null && needsSecret(document)) {
        throw invalidData('REQUIRED_VALUE', memberOfSecret(document), 'must not be null')
      }
      const values = {
        kind: 'email',
        id: before?.id ?? newId,
        document: JSON.stringify(document),
        sealed_secret,
        updated_at: now,
      } as const
      const [stored] = yield* run(putNotificationsSettings(environmentId, values))
      yield context.record({ subject: { type: 'EMAIL_DELIVERY_SETTINGS', id: values.id } })
      if (!stored) throw notFound()
      return stored
    })
    return { status: 200, body: settingsBody(context, row) }
  },
})

const deleteEmailDeliverySettings = defineOperation({
  ...common,
  id: 'deleteEmailDeliverySettings',
  method: 'DELETE',
  summary: 'Send e-mail by the server of the installation again',
  permission: { kind: 'role', permission: 'notifications:delete:settings' },
  replies: { 204: null },
  errors: ['NOT_FOUND'],
  event: 'EMAIL_DELIVERY_SETTINGS.DELETED',
  async handle({ params: { environmentId } }, context) {
    const { kernel, now } = context
    await kernel.environments.configure(environmentId, 'deleteEmailDeliverySettings', now, function* () {
      const removed = yield* remove('notifications_settings', { environment_id: environmentId, kind: 'email' })
      if (removed > 0) yield context.record({ subject: { type: 'EMAIL_DELIVERY_SETTINGS', id: environmentId } })
    })
    return { status: 204 }
  },
})

function refuseUnreachable(settings: EmailSettings, listed: Parameters<typeof mailHostProblem>[1]): void {
  if (settings.protocol === 'SMTP') {
    const wrong = mailHostProblem(settings.host, listed)
    if (wrong !== undefined) throw invalidData('INVALID_VALUE', 'host', wrong)
    return
  }
  const unfit = customAuthenticationProblem(settings.authentication, listed)
  if (unfit) throw invalidData('INVALID_VALUE', unfit.member, unfit.message)
  for (const [at, each] of settings.requests.entries()) {
    const wrong = customRequestProblem(each, listed)
    if (wrong) throw invalidData('INVALID_VALUE', `requests.${at}.${wrong.member}`, wrong.message)
  }
}

function isSameAccount(before: EmailSettings, after: EmailSettings): boolean {
  if (before.protocol === 'SMTP') {
    return after.protocol === 'SMTP' && before.host === after.host && before.username === after.username
  }
  if (after.protocol === 'SMTP') return false
  const holder = ({ requests, authentication }: typeof after) =>
    holderOfSecret(
      authentication,
      requests.map(({ url }) => url),
    )
  return holder(before) === holder(after)
}

function needsSecret(document: EmailSettings): boolean {
  return document.protocol === 'HTTP' || document.username !== undefined
}

function memberOfSecret(document: EmailSettings): string {
  return document.protocol === 'SMTP' ? 'password' : secretMember(document.authentication)
}

export const emailDeliverySettingsOperations: readonly Operation[] = [
  readEmailDeliverySettings,
  replaceEmailDeliverySettings,
  deleteEmailDeliverySettings,
]
