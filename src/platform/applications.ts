/**
 * OpenID Connect applications: `~/applications`. platform-api 3.7, authentication-api 2.19; decisions D12-D14. The id of
 * an application is its client id; `type` and `protocol` never change.
 *
 * Never: roles that the creator does not hold, or anything of a deleted application that still works (row N31).
 */
import { z } from 'zod'
import { collectionSchema } from '../contract/hal.ts'
import { defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { coreMapping } from '../environment/application-claims.ts'
import { prepareKeysOf } from '../environment/application-keys.ts'
import { type ApplicationDocument, applicationDocument } from '../environment/application.ts'
import { removeApplication } from '../environment/application-removal.ts'
import { applicationSecrets, insertSecret, newSecret, removeSecret } from '../environment/client-secret.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { compareAndSet, insert, remove, type Word } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { type ApplicationRow, applicationById, applicationsPage } from '../storage/sql/applications.ts'
import {
  controlledApplication,
  documentOf,
  existingApplication,
  requireControlOfWorker,
} from './application-control.ts'
import { requireFittingGrants } from './application-grants.ts'
import { writeGroupsOf } from './application-groups.ts'
import { application, applicationBody, applicationRequest, judgedDocument } from './application-representation.ts'
import { keptRegistration } from './application-registration.ts'
import { requireSector } from './application-sector.ts'
import { insertActorRoles } from './application-roles.ts'
import { removeRolesOf } from './last-administrator.ts'
import { requireSameApp } from './mobile-members.ts'
import { requireUnique } from './names.ts'
import { answerPage, pageQuery } from './page.ts'

const collectionPath = '/v1/environments/{environmentId}/applications'
const onePath = `${collectionPath}/{applicationId}`
const inEnvironment = z.object({ environmentId: uuid })
const one = z.object({ environmentId: uuid, applicationId: uuid })
const common = { surface: 'management', tag: 'Applications', source: 'platform-api 3.7', cors: 'none' } as const

const listApplications = defineOperation({
  ...common,
  id: 'listApplications',
  method: 'GET',
  path: collectionPath,
  summary: 'List the applications of an environment',
  permission: { kind: 'role', permission: 'applications:read:application' },
  params: inEnvironment,
  query: pageQuery,
  replies: { 200: collectionSchema('applications', application) },
  errors: ['INVALID_DATA', 'FORBIDDEN'],
  handle: ({ query }, context) =>
    answerPage(context, query, {
      key: 'applications',
      statement: (span) => applicationsPage(context.environment.id, [], span),
      write: (row) => applicationBody(context, row),
    }),
})

const readApplication = defineOperation({
  ...common,
  id: 'readApplication',
  method: 'GET',
  path: onePath,
  summary: 'Read an application',
  permission: { kind: 'role', permission: 'applications:read:application' },
  params: one,
  replies: { 200: application },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params }, context) {
    return { status: 200, body: applicationBody(context, await existingApplication(context, params.applicationId)) }
  },
})

const createApplication = defineOperation({
  ...common,
  id: 'createApplication',
  method: 'POST',
  path: collectionPath,
  summary: 'Create an application',
  permission: { kind: 'role', permission: 'applications:create:application' },
  params: inEnvironment,
  body: { kind: 'json', schema: applicationRequest },
  replies: { 201: application },
  errors: ['INVALID_DATA', 'FORBIDDEN'],
  event: 'APPLICATION.CREATED',
  async handle({ body }, context) {
    const { kernel, environment, now } = context
    if (body.assignActorRoles && body.type !== 'WORKER') {
      throw invalidData('INVALID_VALUE', 'assignActorRoles', 'must be false, except for a WORKER')
    }
    const document = judgedDocument(body, body.assignActorRoles, kernel.config.egressAllow)
    requireControlOfWorker(context, { type: body.type, grantTypes: document.grantTypes })
    const id = kernel.world.uuid()
    await requireSector(context, document)
    const writeKeys = await prepareKeysOf(context, id, document)
    const row: ApplicationRow = {
      id,
      name: body.name,
      type: body.type,
      enabled: body.enabled ? 1 : 0,
      document: JSON.stringify(document),
      version: 1,
      created_at: now,
      updated_at: now,
    }
    const secret = document.tokenEndpointAuthMethod === 'NONE' ? undefined : newSecret(kernel.world)
    const commit = kernel.environments.configure(environment.id, 'create-application', now, function* (changes) {
      changes.push({ kind: 'application', id })
      yield* insert('applications', { environment_id: environment.id, ...row })
      yield* insert('client_index', { client_id: id, environment_id: environment.id })
      yield* writeGroupsOf(environment.id, id, document)
      yield* writeDevicePath(environment.id, id, document)
      yield* writeKeys(changes)
      yield* insert('application_attributes', coreMapping(environment.id, id, kernel.world.uuid(), now))
      if (secret !== undefined) yield* insertSecret(applicationSecrets, environment, id, secret, now, kernel.world)
      if (body.assignActorRoles) yield* insertActorRoles(context, id)
      yield context.record({ subject: { type: 'APPLICATION', id } })
    })
    await requireUniqueMembers(commit)
    const answer = applicationBody(context, row)
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const updateApplication = defineOperation({
  ...common,
  id: 'updateApplication',
  method: 'PUT',
  path: onePath,
  summary: 'Replace an application',
  permission: { kind: 'role', permission: 'applications:update:application' },
  params: one,
  body: { kind: 'json', schema: applicationRequest },
  replies: { 200: application },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'APPLICATION.UPDATED',
  async handle({ params: { applicationId: id }, body }, context) {
    const { kernel, environment, now } = context
    const present = await controlledApplication(context, id)
    const { type } = present
    if (body.type !== type) {
      throw invalidData('INVALID_VALUE', 'type', 'cannot be changed', { allowedValues: [type] })
    }
    requireControlOfWorker(context, body)
    const candidate = judgedDocument(body, false, kernel.config.egressAllow, documentOf(present).registration)
    await requireSector(context, candidate)
    const writeKeys = await prepareKeysOf(context, id, candidate)
    const secret = newSecret(kernel.world)
    const commit = kernel.environments.configure(environment.id, 'update-application', now, function* (changes) {
      changes.push({ kind: 'application', id })
      const [before] = yield* run(applicationById(environment.id, id))
      if (!before) throw notFound()
      const old = documentOf(before)
      requireSameApp(old.mobile, candidate.mobile)
      const registration = keptRegistration(old.registration, body.name !== before.name)
      const document = { ...candidate, assignActorRoles: old.assignActorRoles, registration }
      yield* requireFittingGrants(environment.id, id, document, 'requestScopesForMultipleResourcesEnabled')
      yield* writeGroupsOf(environment.id, id, document)
      yield* writeDevicePath(environment.id, id, document)
      yield* writeKeys(changes)
      const row = {
        name: body.name,
        enabled: body.enabled ? 1 : 0,
        document: JSON.stringify(document),
        updated_at: now,
      }
      const version = yield* compareAndSet('applications', { environment_id: environment.id, id }, before.version, row)
      if (document.tokenEndpointAuthMethod === 'NONE') yield* removeSecret(applicationSecrets, environment.id, id)
      else if (old.tokenEndpointAuthMethod === 'NONE') {
        yield* insertSecret(applicationSecrets, environment, id, secret, now, kernel.world)
      }
      yield context.record({ subject: { type: 'APPLICATION', id }, detail: { changed: changedMembers(before, row) } })
      return { ...before, ...row, version }
    })
    return { status: 200, body: applicationBody(context, await requireUniqueMembers(commit)) }
  },
})

/** Keeps the name under which the application has a page for user codes; nobody else has it. */
function* writeDevicePath(environmentId: string, id: string, { devicePathId }: ApplicationDocument): Word<void> {
  yield* remove('device_paths', { environment_id: environmentId, application_id: id })
  if (devicePathId === undefined) return
  yield* insert('device_paths', { environment_id: environmentId, path_id: devicePathId, application_id: id })
}

/** @throws Problem INVALID_DATA for a name that another application has */
function requireUniqueMembers<T>(commit: Promise<T>): Promise<T> {
  return requireUnique('device_paths', 'devicePathId', requireUnique('applications', 'name', commit))
}

/** The names of what a PUT changed, for the audit event. */
function changedMembers(
  before: ApplicationRow,
  after: Pick<ApplicationRow, 'name' | 'enabled' | 'document'>,
): string[] {
  const flat = ({ name, enabled, document }: typeof after): Record<string, unknown> => {
    const { echoed, ...members } = applicationDocument(document)
    return { name, enabled, ...members, ...echoed }
  }
  const [old, next] = [flat(before), flat(after)]
  return [...new Set([...Object.keys(old), ...Object.keys(next)])]
    .filter((member) => JSON.stringify(old[member]) !== JSON.stringify(next[member]))
    .toSorted()
}

const deleteApplication = defineOperation({
  ...common,
  id: 'deleteApplication',
  method: 'DELETE',
  path: onePath,
  summary: 'Delete an application, with all that belongs to it',
  permission: { kind: 'role', permission: 'applications:delete:application' },
  params: one,
  replies: { 204: null },
  errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'APPLICATION.DELETED',
  async handle({ params: { applicationId: id } }, context) {
    const { kernel, environment, now } = context
    await controlledApplication(context, id)
    await kernel.environments.configure(environment.id, 'delete-application', now, function* (changes) {
      changes.push({ kind: 'application', id })
      if (!(yield* removeApplication(environment.id, id, now))) throw notFound()
      yield* removeRolesOf(context, id)
      yield context.record({ subject: { type: 'APPLICATION', id } })
    })
    return { status: 204 }
  },
})

export const applicationOperations: readonly Operation[] = [
  listApplications,
  readApplication,
  createApplication,
  updateApplication,
  deleteApplication,
]
