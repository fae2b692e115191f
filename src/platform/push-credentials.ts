/**
 * Push credentials of a native application: `~/applications/{id}/pushCredentials`, platform-api 3.14.1. One of each type.
 * FCM_HTTP_V1 is the only way to Google there still is; HMS is refused.
 *
 * Never: a credential in an answer: it is sent, sealed and used.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import {
  type PushCredentials,
  pushCredentials,
  pushCredentialsProblem,
  pushService,
  sealPushCredentials,
} from '../delivery/push-credentials.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { type ApplicationRow, applicationById } from '../storage/sql/applications.ts'
import { type PushCredentialsRow, pushCredentialsOf } from '../storage/sql/push-credentials.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { controlledApplication, documentOf, existingApplication } from './application-control.ts'
import { requireUnique } from './names.ts'

const collectionPath = '/v1/environments/{environmentId}/applications/{applicationId}/pushCredentials'
const onePath = `${collectionPath}/{pushCredentialsId}`
const ofApplication = z.object({ environmentId: uuid, applicationId: uuid })
const one = ofApplication.extend({ pushCredentialsId: uuid })
const common = { surface: 'management', tag: 'Push credentials', source: 'platform-api 3.14.1', cors: 'none' } as const
const body = { kind: 'json', schema: nullMeansAbsent(pushCredentials) } as const

const answered = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  application: reference,
  type: pushService,
  createdAt: timestamp,
  updatedAt: timestamp,
})

function bodyOf({ site }: Context, row: PushCredentialsRow): z.output<typeof answered> {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const application = `${environment}/applications/${row.application_id}`
  return {
    _links: links({ self: `${application}/pushCredentials/${row.id}`, environment, application }),
    id: row.id,
    environment: { id: site.environmentId },
    application: { id: row.application_id },
    type: pushService.parse(row.type),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

/** @throws Problem INVALID_DATA when the credentials are of no use to the application */
function requireUsable({ kernel }: Context, application: ApplicationRow, credentials: PushCredentials): void {
  if (application.type !== 'NATIVE_APP') throw invalidData('INVALID_VALUE', 'type', 'needs a native application')
  if (credentials.type === 'APNS' && documentOf(application).mobile?.bundleId === undefined) {
    throw invalidData('INVALID_VALUE', 'type', 'needs mobile.bundleId of the application')
  }
  const wrong = pushCredentialsProblem(credentials, kernel.config.egressAllow)
  if (wrong) throw invalidData('INVALID_VALUE', wrong.member, wrong.message)
}

function* existing(environmentId: string, applicationId: string, id: string): UnitBody<PushCredentialsRow> {
  const row = (yield* run(pushCredentialsOf(environmentId, applicationId))).find((each) => each.id === id)
  if (!row) throw notFound()
  return row
}

async function read(context: Context, applicationId: string): Promise<readonly PushCredentialsRow[]> {
  await existingApplication(context, applicationId)
  return context.kernel.storage.read(pushCredentialsOf(context.environment.id, applicationId))
}

const list = defineOperation({
  ...common,
  id: 'listPushCredentials',
  method: 'GET',
  path: collectionPath,
  summary: 'List the push credentials of an application, without what is secret',
  permission: { kind: 'role', permission: 'applications:read:pushCredentials' },
  params: ofApplication,
  replies: { 200: collectionSchema('pushCredentials', answered) },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    const items = (await read(context, params.applicationId)).map((row) => bodyOf(context, row))
    const self = `${context.kernel.origins.apiUrl}${context.target}`
    return { status: 200, body: collection('pushCredentials', items, self, undefined, items.length) }
  },
})

const readOne = defineOperation({
  ...common,
  id: 'readPushCredentials',
  method: 'GET',
  path: onePath,
  summary: 'Read push credentials of an application, without what is secret',
  permission: { kind: 'role', permission: 'applications:read:pushCredentials' },
  params: one,
  replies: { 200: answered },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    const row = (await read(context, params.applicationId)).find(({ id }) => id === params.pushCredentialsId)
    if (!row) throw notFound()
    return { status: 200, body: bodyOf(context, row) }
  },
})

const create = defineOperation({
  ...common,
  id: 'createPushCredentials',
  method: 'POST',
  path: collectionPath,
  summary: 'Add push credentials to a native application',
  permission: { kind: 'role', permission: 'applications:create:pushCredentials' },
  params: ofApplication,
  body,
  replies: { 201: answered },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'PUSH_CREDENTIALS.CREATED',
  async handle({ params: { applicationId }, body: credentials }, context) {
    const { kernel, environment, now } = context
    requireUsable(context, await controlledApplication(context, applicationId), credentials)
    const id = kernel.world.uuid()
    const row: PushCredentialsRow = {
      application_id: applicationId,
      id,
      type: credentials.type,
      sealed: sealPushCredentials(kernel.world, environment, id, credentials),
      created_at: now,
      updated_at: now,
    }
    const commit = kernel.storage.commit({
      name: 'create-push-credentials',
      *run() {
        if ((yield* run(applicationById(environment.id, applicationId))).length === 0) throw notFound()
        yield* insert('push_credentials', { environment_id: environment.id, ...row })
        yield context.record({
          subject: { type: 'PUSH_CREDENTIALS', id },
          detail: { applicationId, type: credentials.type },
        })
      },
    })
    await requireUnique('push_credentials', 'type', commit)
    const answer = bodyOf(context, row)
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const replace = defineOperation({
  ...common,
  id: 'updatePushCredentials',
  method: 'PUT',
  path: onePath,
  summary: 'Replace push credentials of an application; their type stays',
  permission: { kind: 'role', permission: 'applications:update:pushCredentials' },
  params: one,
  body,
  replies: { 200: answered },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'PUSH_CREDENTIALS.UPDATED',
  async handle({ params: { applicationId, pushCredentialsId: id }, body: credentials }, context) {
    const { kernel, environment, now } = context
    requireUsable(context, await controlledApplication(context, applicationId), credentials)
    const columns = {
      sealed: sealPushCredentials(kernel.world, environment, id, credentials),
      updated_at: now,
    }
    const row = await kernel.storage.commit({
      name: 'update-push-credentials',
      *run() {
        const before = yield* existing(environment.id, applicationId, id)
        if (before.type !== credentials.type) throw invalidData('INVALID_VALUE', 'type', 'cannot be changed')
        const key = { environment_id: environment.id, application_id: applicationId, id }
        yield* update('push_credentials', key, columns)
        yield context.record({
          subject: { type: 'PUSH_CREDENTIALS', id },
          detail: { applicationId, type: credentials.type },
        })
        return { ...before, ...columns }
      },
    })
    return { status: 200, body: bodyOf(context, row) }
  },
})

const removeOne = defineOperation({
  ...common,
  id: 'deletePushCredentials',
  method: 'DELETE',
  path: onePath,
  summary: 'Remove push credentials from an application',
  permission: { kind: 'role', permission: 'applications:delete:pushCredentials' },
  params: one,
  replies: { 204: null },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  event: 'PUSH_CREDENTIALS.DELETED',
  async handle({ params: { applicationId, pushCredentialsId: id } }, context) {
    const { kernel, environment } = context
    await controlledApplication(context, applicationId)
    await kernel.storage.commit({
      name: 'delete-push-credentials',
      *run() {
        const { type } = yield* existing(environment.id, applicationId, id)
        yield* remove('push_credentials', { environment_id: environment.id, application_id: applicationId, id })
        yield context.record({ subject: { type: 'PUSH_CREDENTIALS', id }, detail: { applicationId, type } })
      },
    })
    return { status: 204 }
  },
})

export const pushCredentialsOperations: readonly Operation[] = [list, readOne, create, replace, removeOne]
