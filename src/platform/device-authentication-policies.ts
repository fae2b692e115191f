/**
 * Device authentication policies, called MFA policies (platform-api 3.14.3): which second factors an environment takes.
 * Exactly one is the default; it applies where an action of a sign-on policy names none.
 *
 * Never: an environment without a default policy; a policy removed that an action names; a factor switched on that this
 * version does not have.
 */
import { z } from 'zod'
import { collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { deviceAuthenticationPolicySchema, policyProblems } from '../flow/factors/device-authentication-policy.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import {
  deviceAuthenticationPoliciesPage,
  type DeviceAuthenticationPolicyRow,
  deviceAuthenticationPolicyById,
} from '../storage/sql/devices.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { name, requireUnique } from './names.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'

const policyRequest = deviceAuthenticationPolicySchema.extend({ name, default: z.boolean().default(false) })

type PolicyRequest = z.output<typeof policyRequest>

/** A policy as it is answered. */
const policyResource = deviceAuthenticationPolicySchema.extend({
  _links: linksSchema,
  environment: reference,
  id: uuid,
  name: z.string(),
  default: z.boolean(),
  forSignOnPolicy: z.boolean(),
  updatedAt: timestamp,
})

function policyBody({ site, environment }: Context, row: DeviceAuthenticationPolicyRow) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  return {
    _links: links({ self: `${environmentUrl}/deviceAuthenticationPolicies/${row.id}`, environment: environmentUrl }),
    environment: { id: environment.id },
    id: row.id,
    ...deviceAuthenticationPolicySchema.parse(JSON.parse(row.document)),
    name: row.name,
    default: row.is_default === 1,
    forSignOnPolicy: false,
    updatedAt: iso(row.updated_at),
  }
}

function requireAvailable(policy: PolicyRequest): void {
  const problems = policyProblems(policy)
  if (problems.length > 0) throw problem('INVALID_DATA', { details: problems })
}

function documentOf({ name: _name, default: _default, ...policy }: PolicyRequest): string {
  return JSON.stringify(policy)
}

const common = {
  surface: 'management',
  tag: 'Device authentication policies',
  source: 'platform-api 3.14.3',
  cors: 'none',
} as const
const collectionPath = '/v1/environments/{environmentId}/deviceAuthenticationPolicies'
const itemPath = `${collectionPath}/{policyId}`
const inEnvironment = z.object({ environmentId: uuid })
const ofPolicy = z.object({ environmentId: uuid, policyId: uuid })

const listPolicies = defineOperation({
  ...common,
  id: 'listDeviceAuthenticationPolicies',
  method: 'GET',
  path: collectionPath,
  summary: 'List the device authentication policies of an environment',
  permission: { kind: 'role', permission: 'mfa:read:deviceAuthenticationPolicy' },
  params: inEnvironment,
  query: pageQuery,
  replies: { 200: collectionSchema('deviceAuthenticationPolicies', policyResource) },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'INVALID_REQUEST'],
  handle({ params, query }, context) {
    const filter = filterOf(query, { name: { column: 'w.name', operators: ['eq', 'sw'] } })
    return answerPage(context, query, {
      key: 'deviceAuthenticationPolicies',
      statement: (span) => deviceAuthenticationPoliciesPage(params.environmentId, filter, span),
      write: (row) => policyBody(context, row),
    })
  },
})

const createPolicy = defineOperation({
  ...common,
  id: 'createDeviceAuthenticationPolicy',
  method: 'POST',
  path: collectionPath,
  summary: 'Create a device authentication policy',
  permission: { kind: 'role', permission: 'mfa:create:deviceAuthenticationPolicy' },
  params: inEnvironment,
  body: { kind: 'json', schema: nullMeansAbsent(policyRequest) },
  replies: { 201: policyResource },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'DEVICE_AUTHENTICATION_POLICY.CREATED',
  async handle({ params: { environmentId }, body }, context) {
    const { kernel, now, site } = context
    requireAvailable(body)
    const id = kernel.world.uuid()
    const created = kernel.environments.configure(environmentId, 'create-device-policy', now, function* (changes) {
      if (body.default) yield* clearDefault(environmentId, now)
      yield* insert('device_authentication_policies', {
        environment_id: environmentId,
        id,
        name: body.name,
        is_default: body.default ? 1 : 0,
        document: documentOf(body),
        created_at: now,
        updated_at: now,
      })
      yield context.record({ subject: { type: 'DEVICE_AUTHENTICATION_POLICY', id } })
      changes.push({ kind: 'snapshot' })
      return yield* existing(environmentId, id)
    })
    const row = await requireUnique('device_authentication_policies', 'name', created)
    const location = `${site.apiBase}/environments/${environmentId}/deviceAuthenticationPolicies/${id}`
    return { status: 201, headers: { location }, body: policyBody(context, row) }
  },
})

const readPolicy = defineOperation({
  ...common,
  id: 'readDeviceAuthenticationPolicy',
  method: 'GET',
  path: itemPath,
  summary: 'Read a device authentication policy',
  permission: { kind: 'role', permission: 'mfa:read:deviceAuthenticationPolicy' },
  params: ofPolicy,
  replies: { 200: policyResource },
  errors: ['NOT_FOUND'],
  async handle({ params: { environmentId, policyId } }, context) {
    const [row] = await context.kernel.storage.read(deviceAuthenticationPolicyById(environmentId, policyId))
    if (!row) throw notFound()
    return { status: 200, body: policyBody(context, row) }
  },
})

const replacePolicy = defineOperation({
  ...common,
  id: 'replaceDeviceAuthenticationPolicy',
  method: 'PUT',
  path: itemPath,
  summary: 'Replace a device authentication policy',
  permission: { kind: 'role', permission: 'mfa:update:deviceAuthenticationPolicy' },
  params: ofPolicy,
  body: { kind: 'json', schema: nullMeansAbsent(policyRequest) },
  replies: { 200: policyResource },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'DEVICE_AUTHENTICATION_POLICY.UPDATED',
  async handle({ params: { environmentId, policyId: id }, body }, context) {
    const { kernel, now } = context
    requireAvailable(body)
    const changed = kernel.environments.configure(environmentId, 'replace-device-policy', now, function* (changes) {
      const before = yield* existing(environmentId, id)
      if (!body.default && before.is_default === 1) {
        throw invalidData('CONSTRAINT_VIOLATION', 'default', 'must stay true until another policy becomes the default')
      }
      if (body.default && before.is_default === 0) yield* clearDefault(environmentId, now)
      const columns = {
        name: body.name,
        is_default: body.default ? 1 : 0,
        document: documentOf(body),
        updated_at: now,
      }
      yield* update('device_authentication_policies', { environment_id: environmentId, id }, columns)
      yield context.record({ subject: { type: 'DEVICE_AUTHENTICATION_POLICY', id } })
      changes.push({ kind: 'snapshot' })
      return { ...before, ...columns }
    })
    const row = await requireUnique('device_authentication_policies', 'name', changed)
    return { status: 200, body: policyBody(context, row) }
  },
})

const deletePolicy = defineOperation({
  ...common,
  id: 'deleteDeviceAuthenticationPolicy',
  method: 'DELETE',
  path: itemPath,
  summary: 'Delete a device authentication policy that is neither the default nor named by a sign-on policy',
  permission: { kind: 'role', permission: 'mfa:delete:deviceAuthenticationPolicy' },
  params: ofPolicy,
  replies: { 204: null },
  errors: ['NOT_FOUND', 'REQUEST_FAILED'],
  event: 'DEVICE_AUTHENTICATION_POLICY.DELETED',
  async handle({ params: { environmentId, policyId: id } }, context) {
    const { kernel, environment, now } = context
    const isNamed = [...environment.policies.values()]
      .flatMap(({ actions }) => actions)
      .some(({ config }) => namedPolicy(config) === id)
    await kernel.environments.configure(environmentId, 'delete-device-policy', now, function* (changes) {
      const row = yield* existing(environmentId, id)
      if (row.is_default === 1) throw constraint('The default policy cannot be deleted.')
      if (isNamed) throw constraint('A policy that a sign-on policy names cannot be deleted.')
      yield* remove('device_authentication_policies', { environment_id: environmentId, id })
      yield context.record({ subject: { type: 'DEVICE_AUTHENTICATION_POLICY', id } })
      changes.push({ kind: 'snapshot' })
    })
    return { status: 204 }
  },
})

/** The device authentication policy that the configuration of an action names. */
export function namedPolicy(config: unknown): string | undefined {
  return (config as { readonly deviceAuthenticationPolicy?: { readonly id: string } }).deviceAuthenticationPolicy?.id
}

function constraint(message: string): Error {
  return problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
}

function* existing(environmentId: string, id: string): UnitBody<DeviceAuthenticationPolicyRow> {
  const [row] = yield* run(deviceAuthenticationPolicyById(environmentId, id))
  if (!row) throw notFound()
  return row
}

function* clearDefault(environmentId: string, now: number): UnitBody<void> {
  const key = { environment_id: environmentId, is_default: 1 }
  yield* update('device_authentication_policies', key, { is_default: 0, updated_at: now })
}

export const deviceAuthenticationPolicyOperations: readonly Operation[] = [
  listPolicies,
  createPolicy,
  readPolicy,
  replacePolicy,
  deletePolicy,
]
