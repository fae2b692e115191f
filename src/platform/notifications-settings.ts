/**
 * The settings of notifications: `~/notificationsSettings`, one object that is always there. platform-api 3.18. Deleting
 * it brings the defaults back.
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import {
  defaultNotificationsSettings,
  type NotificationsSettings,
  notificationsSettingsSchema,
} from '../delivery/notifications-settings.ts'
import { invalidData } from '../errors/problem.ts'
import { remove } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import {
  type NotificationsSettingsRow,
  notificationsSettingsOf,
  phoneDeliverySettingsOf,
  putNotificationsSettings,
} from '../storage/sql/notifications.ts'
import { nullMeansAbsent } from './absent-members.ts'

const notificationsSettings = notificationsSettingsSchema.extend({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  updatedAt: timestamp.optional(),
})

function settingsBody({ site, environment }: Context, row: NotificationsSettingsRow | undefined) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  return {
    _links: links({ self: `${environmentUrl}/notificationsSettings`, environment: environmentUrl }),
    // There is one, so that its environment names it.
    id: environment.id,
    environment: { id: environment.id },
    ...(row ? (JSON.parse(row.document) as NotificationsSettings) : defaultNotificationsSettings),
    ...(row ? { updatedAt: iso(row.updated_at) } : {}),
  }
}

const common = {
  surface: 'management',
  tag: 'Notifications',
  source: 'platform-api 3.18',
  cors: 'none',
  path: '/v1/environments/{environmentId}/notificationsSettings',
  params: z.object({ environmentId: uuid }),
} as const

const readNotificationsSettings = defineOperation({
  ...common,
  id: 'readNotificationsSettings',
  method: 'GET',
  summary: 'Read the settings of notifications',
  permission: { kind: 'role', permission: 'notifications:read:settings' },
  replies: { 200: notificationsSettings },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    const rows = await context.kernel.storage.read(notificationsSettingsOf(params.environmentId))
    return {
      status: 200,
      body: settingsBody(
        context,
        rows.find(({ kind }) => kind === 'general'),
      ),
    }
  },
})

const replaceNotificationsSettings = defineOperation({
  ...common,
  id: 'replaceNotificationsSettings',
  method: 'PUT',
  summary: 'Replace the settings of notifications',
  permission: { kind: 'role', permission: 'notifications:update:settings' },
  body: { kind: 'json', schema: nullMeansAbsent(notificationsSettingsSchema) },
  replies: { 200: notificationsSettings },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'NOTIFICATIONS_SETTINGS.UPDATED',
  async handle({ params: { environmentId }, body }, context) {
    const { kernel, now } = context
    const row = await kernel.environments.configure(environmentId, 'replaceNotificationsSettings', now, function* () {
      const phones = yield* run(phoneDeliverySettingsOf(environmentId))
      const known = new Set(['PINGONE_TWILIO', ...phones.map(({ id }) => id)])
      const unknown = body.smsProvidersFallbackChain?.findIndex((id) => !known.has(id)) ?? -1
      if (unknown >= 0) {
        const message = 'does not name phone delivery settings of the environment'
        throw invalidData('INVALID_VALUE', `smsProvidersFallbackChain.${unknown}`, message)
      }
      const document = JSON.stringify(body)
      const values = { kind: 'general', id: environmentId, document, sealed_secret: null, updated_at: now } as const
      const [stored] = yield* run(putNotificationsSettings(environmentId, values))
      yield context.record({ subject: { type: 'NOTIFICATIONS_SETTINGS', id: environmentId } })
      return stored
    })
    return { status: 200, body: settingsBody(context, row) }
  },
})

const deleteNotificationsSettings = defineOperation({
  ...common,
  id: 'deleteNotificationsSettings',
  method: 'DELETE',
  summary: 'Bring the default settings of notifications back',
  permission: { kind: 'role', permission: 'notifications:delete:settings' },
  replies: { 204: null },
  errors: ['NOT_FOUND'],
  event: 'NOTIFICATIONS_SETTINGS.DELETED',
  async handle({ params: { environmentId } }, context) {
    const { kernel, now } = context
    await kernel.environments.configure(environmentId, 'deleteNotificationsSettings', now, function* () {
      yield* remove('notifications_settings', { environment_id: environmentId, kind: 'general' })
      yield context.record({ subject: { type: 'NOTIFICATIONS_SETTINGS', id: environmentId } })
    })
    return { status: 204 }
  },
})

export const notificationsSettingsOperations: readonly Operation[] = [
  readNotificationsSettings,
  replaceNotificationsSettings,
  deleteNotificationsSettings,
]
