/**
 * Notifications policies: `~/notificationsPolicies`, how many messages may be sent and where to. platform-api 3.18.
 * Exactly one is the default; it holds for every message that names none. Row L14.
 *
 * Never: an environment without a default policy.
 */
import { z } from 'zod'
import { collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { type NotificationsPolicy, notificationsPolicySchema } from '../delivery/rules/notifications-policy.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import {
  notificationsPoliciesPage,
  notificationsPolicyById,
  type NotificationsPolicyRow,
} from '../storage/sql/notifications.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { name, requireUnique } from './names.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'

const request = nullMeansAbsent(notificationsPolicySchema.extend({ name, default: z.boolean().optional() }))

/** A policy as it is answered. */
const notificationsPolicy = z.object({
  ...notificationsPolicySchema.shape,
  _links: linksSchema,
  id: uuid,
  environment: reference,
  name: z.string(),
  default: z.boolean(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

function policyBody({ site, environment }: Context, row: NotificationsPolicyRow) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  return {
    _links: links({ self: `${environmentUrl}/notificationsPolicies/${row.id}`, environment: environmentUrl }),
    id: row.id,
    environment: { id: environment.id },
    name: row.name,
    default: row.is_default === 1,
    ...(JSON.parse(row.document) as NotificationsPolicy),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

/** The columns of a request. */
function columnsOf({ name: named, default: _, ...policy }: z.output<typeof request>) {
  return { name: named, document: JSON.stringify(policy) }
}

const common = { surface: 'management', tag: 'Notifications', source: 'platform-api 3.18', cors: 'none' } as const
const collectionPath = '/v1/environments/{environmentId}/notificationsPolicies'
const itemPath = `${collectionPath}/{notificationsPolicyId}`
const inEnvironment = z.object({ environmentId: uuid })
const ofPolicy = inEnvironment.extend({ notificationsPolicyId: uuid })

const listNotificationsPolicies = defineOperation({
  ...common,
  id: 'listNotificationsPolicies',
  method: 'GET',
  path: collectionPath,
  summary: 'List the notifications policies of an environment',
  permission: { kind: 'role', permission: 'notifications:read:notificationsPolicy' },
  params: inEnvironment,
  query: pageQuery,
  replies: { 200: collectionSchema('notificationsPolicies', notificationsPolicy) },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'INVALID_REQUEST'],
  handle({ params, query }, context) {
    const filter = filterOf(query, {
      name: { column: 'n.name', operators: ['eq', 'sw'] },
      id: { column: 'n.id', operators: ['eq'] },
    })
    return answerPage(context, query, {
      key: 'notificationsPolicies',
      statement: (span) => notificationsPoliciesPage(params.environmentId, filter, span),
      write: (row) => policyBody(context, row),
    })
  },
})

const createNotificationsPolicy = defineOperation({
  ...common,
  id: 'createNotificationsPolicy',
  method: 'POST',
  path: collectionPath,
  summary: 'Create a notifications policy',
  permission: { kind: 'role', permission: 'notifications:create:notificationsPolicy' },
  params: inEnvironment,
  body: { kind: 'json', schema: request },
  replies: { 200: notificationsPolicy },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'NOTIFICATIONS_POLICY.CREATED',
  async handle({ params: { environmentId }, body }, context) {
    const { kernel, now } = context
    const isDefault = body.default === true
    const row: NotificationsPolicyRow = {
      id: kernel.world.uuid(),
      ...columnsOf(body),
      is_default: isDefault ? 1 : 0,
      created_at: now,
      updated_at: now,
    }
    const created = kernel.environments.configure(environmentId, 'createNotificationsPolicy', now, function* () {
      if (isDefault) yield* clearDefault(environmentId, now)
      yield* insert('notifications_policies', { environment_id: environmentId, ...row })
      yield context.record({ subject: { type: 'NOTIFICATIONS_POLICY', id: row.id } })
    })
    await requireUnique('notifications_policies', 'name', created)
    const answer = policyBody(context, row)
    return { status: 200, headers: { location: answer._links['self']?.href ?? '' }, body: answer }
  },
})

const readNotificationsPolicy = defineOperation({
  ...common,
  id: 'readNotificationsPolicy',
  method: 'GET',
  path: itemPath,
  summary: 'Read a notifications policy',
  permission: { kind: 'role', permission: 'notifications:read:notificationsPolicy' },
  params: ofPolicy,
  replies: { 200: notificationsPolicy },
  errors: ['NOT_FOUND'],
  async handle({ params: { environmentId, notificationsPolicyId } }, context) {
    const [row] = await context.kernel.storage.read(notificationsPolicyById(environmentId, notificationsPolicyId))
    if (!row) throw notFound()
    return { status: 200, body: policyBody(context, row) }
  },
})

const replaceNotificationsPolicy = defineOperation({
  ...common,
  id: 'replaceNotificationsPolicy',
  method: 'PUT',
  path: itemPath,
  summary: 'Replace a notifications policy; an absent `default` stays as it is',
  permission: { kind: 'role', permission: 'notifications:update:notificationsPolicy' },
  params: ofPolicy,
  body: { kind: 'json', schema: request },
  replies: { 200: notificationsPolicy },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'NOTIFICATIONS_POLICY.UPDATED',
  async handle({ params: { environmentId, notificationsPolicyId: id }, body }, context) {
    const { kernel, now } = context
    const changed = kernel.environments.configure(environmentId, 'replaceNotificationsPolicy', now, function* () {
      const before = yield* existing(environmentId, id)
      if (body.default === false && before.is_default === 1) {
        throw invalidData('CONSTRAINT_VIOLATION', 'default', 'must stay true until another policy becomes the default')
      }
      if (body.default === true && before.is_default === 0) yield* clearDefault(environmentId, now)
      const isDefault = body.default ?? before.is_default === 1
      const columns = { ...columnsOf(body), is_default: isDefault ? 1 : 0, updated_at: now }
      yield* update('notifications_policies', { environment_id: environmentId, id }, columns)
      yield context.record({ subject: { type: 'NOTIFICATIONS_POLICY', id } })
      return { ...before, ...columns }
    })
    return { status: 200, body: policyBody(context, await requireUnique('notifications_policies', 'name', changed)) }
  },
})

const deleteNotificationsPolicy = defineOperation({
  ...common,
  id: 'deleteNotificationsPolicy',
  method: 'DELETE',
  path: itemPath,
  summary: 'Delete a notifications policy that is not the default; messages that name it go by the default one',
  permission: { kind: 'role', permission: 'notifications:delete:notificationsPolicy' },
  params: ofPolicy,
  replies: { 204: null },
  errors: ['NOT_FOUND', 'REQUEST_FAILED'],
  event: 'NOTIFICATIONS_POLICY.DELETED',
  async handle({ params: { environmentId, notificationsPolicyId: id } }, context) {
    const { kernel, now } = context
    await kernel.environments.configure(environmentId, 'deleteNotificationsPolicy', now, function* () {
      const row = yield* existing(environmentId, id)
      if (row.is_default === 1) {
        const message = 'The default notifications policy cannot be deleted.'
        throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
      }
      yield* remove('notifications_policies', { environment_id: environmentId, id })
      yield context.record({ subject: { type: 'NOTIFICATIONS_POLICY', id } })
    })
    return { status: 204 }
  },
})

function* existing(environmentId: string, id: string): UnitBody<NotificationsPolicyRow> {
  const [row] = yield* run(notificationsPolicyById(environmentId, id))
  if (!row) throw notFound()
  return row
}

function* clearDefault(environmentId: string, now: number): UnitBody<void> {
  const key = { environment_id: environmentId, is_default: 1 }
  yield* update('notifications_policies', key, { is_default: 0, updated_at: now })
}

export const notificationsPolicyOperations: readonly Operation[] = [
  listNotificationsPolicies,
  createNotificationsPolicy,
  readNotificationsPolicy,
  replaceNotificationsPolicy,
  deleteNotificationsPolicy,
]
