/**
 * Providers of SMS and calls: `~/notificationsSettings/phoneDeliverySettings`. platform-api 3.18; rows G01, W08.
 *
 * The secret is written and never answered. Left out, it stays as it is, but only for the same account at the same place.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { customAuthenticationProblem, holderOfSecret, secretMember } from '../delivery/custom-authentication.ts'
import { customRequestProblem } from '../delivery/custom-provider.ts'
import {
  customPhoneSettings,
  partedPhoneSettings,
  type PhoneSettings,
  phoneSecretContext,
  phoneSettings,
  syniverseSettings,
  twilioSettings,
} from '../delivery/phone-settings.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { seal } from '../keys/sealing.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import {
  type PhoneDeliverySettingsRow,
  phoneDeliverySettingsById,
  phoneDeliverySettingsOf,
} from '../storage/sql/notifications.ts'
import { nullMeansAbsent } from './absent-members.ts'

/** How many providers an environment may have: all are looked at for each message. */
const most = 20

const shown = { _links: linksSchema, id: uuid, environment: reference, createdAt: timestamp, updatedAt: timestamp }
const phoneDeliverySettings = z.discriminatedUnion('provider', [
  twilioSettings.omit({ authToken: true }).extend(shown),
  syniverseSettings.omit({ authToken: true }).extend(shown),
  customPhoneSettings.extend(shown),
])

function settingsBody({ site, environment }: Context, row: PhoneDeliverySettingsRow) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  const self = `${environmentUrl}/notificationsSettings/phoneDeliverySettings/${row.id}`
  return {
    _links: links({ self, environment: environmentUrl }),
    id: row.id,
    environment: { id: environment.id },
    ...(JSON.parse(row.document) as PhoneSettings),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

const common = { surface: 'management', tag: 'Notifications', source: 'platform-api 3.18', cors: 'none' } as const
const collectionPath = '/v1/environments/{environmentId}/notificationsSettings/phoneDeliverySettings'
const itemPath = `${collectionPath}/{phoneDeliverySettingsId}`
const inEnvironment = z.object({ environmentId: uuid })
const one = inEnvironment.extend({ phoneDeliverySettingsId: uuid })
const body = { kind: 'json', schema: nullMeansAbsent(phoneSettings) } as const

const listPhoneDeliverySettings = defineOperation({
  ...common,
  id: 'listPhoneDeliverySettings',
  method: 'GET',
  path: collectionPath,
  summary: 'List the providers of SMS and calls, without their secrets',
  permission: { kind: 'role', permission: 'notifications:read:settings' },
  params: inEnvironment,
  replies: { 200: collectionSchema('phoneDeliverySettings', phoneDeliverySettings) },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    const rows = await context.kernel.storage.read(phoneDeliverySettingsOf(params.environmentId))
    const items = rows.map((row) => settingsBody(context, row))
    const self = `${context.kernel.origins.apiUrl}${context.target}`
    return { status: 200, body: collection('phoneDeliverySettings', items, self, undefined, items.length) }
  },
})

const createPhoneDeliverySettings = defineOperation({
  ...common,
  id: 'createPhoneDeliverySettings',
  method: 'POST',
  path: collectionPath,
  summary: 'Add a provider of SMS and calls',
  permission: { kind: 'role', permission: 'notifications:update:settings' },
  params: inEnvironment,
  body,
  replies: { 201: phoneDeliverySettings },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'REQUEST_FAILED'],
  event: 'PHONE_DELIVERY_SETTINGS.CREATED',
  async handle({ params: { environmentId }, body: settings }, context) {
    const { kernel, now } = context
    const id = kernel.world.uuid()
    const { document, sealed_secret } = columnsOf(context, id, settings)
    if (sealed_secret === undefined) throw missingSecret(settings)
    const row: PhoneDeliverySettingsRow = { id, document, sealed_secret, created_at: now, updated_at: now }
    await kernel.environments.configure(environmentId, 'createPhoneDeliverySettings', now, function* () {
      const present = yield* run(phoneDeliverySettingsOf(environmentId))
      if (present.length >= most) {
        const message = `An environment has at most ${most} phone delivery settings.`
        throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
      }
      yield* insert('phone_delivery_settings', { environment_id: environmentId, ...row })
      yield context.record({ subject: { type: 'PHONE_DELIVERY_SETTINGS', id } })
    })
    const answer = settingsBody(context, row)
    return { status: 201, headers: { location: answer._links['self']?.href ?? '' }, body: answer }
  },
})

const readPhoneDeliverySettings = defineOperation({
  ...common,
  id: 'readPhoneDeliverySettings',
  method: 'GET',
  path: itemPath,
  summary: 'Read a provider of SMS and calls, without its secret',
  permission: { kind: 'role', permission: 'notifications:read:settings' },
  params: one,
  replies: { 200: phoneDeliverySettings },
  errors: ['NOT_FOUND'],
  async handle({ params: { environmentId, phoneDeliverySettingsId } }, context) {
    const [row] = await context.kernel.storage.read(phoneDeliverySettingsById(environmentId, phoneDeliverySettingsId))
    if (!row) throw notFound()
    return { status: 200, body: settingsBody(context, row) }
  },
})

const replacePhoneDeliverySettings = defineOperation({
  ...common,
  id: 'replacePhoneDeliverySettings',
  method: 'PUT',
  path: itemPath,
  summary: 'Replace a provider of SMS and calls',
  permission: { kind: 'role', permission: 'notifications:update:settings' },
  params: one,
  body,
  replies: { 200: phoneDeliverySettings },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'PHONE_DELIVERY_SETTINGS.UPDATED',
  async handle({ params: { environmentId, phoneDeliverySettingsId: id }, body: settings }, context) {
    const { kernel, now } = context
    const { document, sealed_secret } = columnsOf(context, id, settings)
    const row = await kernel.environments.configure(environmentId, 'replacePhoneDeliverySettings', now, function* () {
      const before = yield* existing(environmentId, id)
      const kept = accountOf(JSON.parse(before.document) as PhoneSettings) === accountOf(settings)
      if (sealed_secret === undefined && !kept) throw missingSecret(settings)
      const columns = { document, sealed_secret: sealed_secret ?? before.sealed_secret, updated_at: now }
      yield* update('phone_delivery_settings', { environment_id: environmentId, id }, columns)
      yield context.record({ subject: { type: 'PHONE_DELIVERY_SETTINGS', id } })
      return { ...before, ...columns }
    })
    return { status: 200, body: settingsBody(context, row) }
  },
})

const deletePhoneDeliverySettings = defineOperation({
  ...common,
  id: 'deletePhoneDeliverySettings',
  method: 'DELETE',
  path: itemPath,
  summary: 'Remove a provider of SMS and calls',
  permission: { kind: 'role', permission: 'notifications:delete:settings' },
  params: one,
  replies: { 204: null },
  errors: ['NOT_FOUND'],
  event: 'PHONE_DELIVERY_SETTINGS.DELETED',
  async handle({ params: { environmentId, phoneDeliverySettingsId: id } }, context) {
    const { kernel, now } = context
    await kernel.environments.configure(environmentId, 'deletePhoneDeliverySettings', now, function* () {
      yield* existing(environmentId, id)
      yield* remove('phone_delivery_settings', { environment_id: environmentId, id })
      yield context.record({ subject: { type: 'PHONE_DELIVERY_SETTINGS', id } })
    })
    return { status: 204 }
  },
})

function* existing(environmentId: string, id: string): UnitBody<PhoneDeliverySettingsRow> {
  const [row] = yield* run(phoneDeliverySettingsById(environmentId, id))
  if (!row) throw notFound()
  return row
}

/** The columns of a request, its secret sealed; undefined where it was left out. */
function columnsOf({ kernel, environment }: Context, id: string, settings: PhoneSettings) {
  if (settings.provider === 'CUSTOM_PROVIDER') {
    const unfit = customAuthenticationProblem(settings.authentication, kernel.config.egressAllow)
    if (unfit) throw invalidData('INVALID_VALUE', unfit.member, unfit.message)
    for (const [at, each] of settings.requests.entries()) {
      const wrong = customRequestProblem(each, kernel.config.egressAllow)
      if (wrong) throw invalidData('INVALID_VALUE', `requests.${at}.${wrong.member}`, wrong.message)
    }
  }
  const { document, secret } = partedPhoneSettings(settings)
  const place = phoneSecretContext(environment.id, id)
  return {
    document: JSON.stringify(document),
    sealed_secret: secret === undefined ? undefined : seal(environment.dataKey, secret, place, kernel.world),
  }
}

/** Who is asked, and where: a secret belongs to that alone. */
function accountOf(settings: PhoneSettings): string {
  if (settings.provider === 'CUSTOM_TWILIO') return `Twilio ${settings.sid}`
  // An account at Syniverse has no other name than its token.
  if (settings.provider === 'CUSTOM_SYNIVERSE') return 'Syniverse'
  return holderOfSecret(
    settings.authentication,
    settings.requests.map(({ url }) => url),
  )
}

function missingSecret(settings: PhoneSettings): Error {
  const member = settings.provider === 'CUSTOM_PROVIDER' ? secretMember(settings.authentication) : 'authToken'
  return invalidData('REQUIRED_VALUE', member, 'must not be null')
}

export const phoneDeliverySettingsOperations: readonly Operation[] = [
  listPhoneDeliverySettings,
  createPhoneDeliverySettings,
  readPhoneDeliverySettings,
  replacePhoneDeliverySettings,
  deletePhoneDeliverySettings,
]
