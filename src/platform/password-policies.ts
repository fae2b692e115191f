/**
 * Password policies (platform-api 3.6): which passwords an environment accepts. Exactly one is the default; it applies to
 * every population that names none.
 *
 * Never: an environment without a default policy (every password check needs one), a policy removed that applies to
 * somebody, a member added to an optional object that was not sent.
 */
import { z } from 'zod'
import { collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { type PasswordPolicy, passwordPolicySchema } from '../directory/passwords/policy.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import {
  type CountedPasswordPolicyRow,
  passwordPoliciesPage,
  passwordPolicyById,
} from '../storage/sql/password-policies.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { description, name, requireUnique } from './names.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'

const passwordPolicyRequest = passwordPolicySchema.safeExtend({ name, description: description.optional() })

/** A password policy as it is answered. */
const passwordPolicy = z.object({
  ...passwordPolicySchema.shape,
  default: z.boolean(),
  _links: linksSchema,
  environment: reference,
  id: uuid,
  populationCount: z.number().int(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

function passwordPolicyBody({ site, environment }: Context, row: CountedPasswordPolicyRow) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  return {
    _links: links({ self: `${environmentUrl}/passwordPolicies/${row.id}`, environment: environmentUrl }),
    environment: { id: environment.id },
    id: row.id,
    ...(JSON.parse(row.document) as PasswordPolicy),
    default: row.is_default === 1,
    populationCount: row.populations,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

/** The `document` column: the policy without its flag, which is a column. */
function documentOf(policy: PasswordPolicy): string {
  return JSON.stringify({ ...policy, default: undefined })
}

const common = { surface: 'management', tag: 'Password policies', source: 'platform-api 3.6', cors: 'none' } as const
const collectionPath = '/v1/environments/{environmentId}/passwordPolicies'
const itemPath = `${collectionPath}/{passwordPolicyId}`
const inEnvironment = z.object({ environmentId: uuid })
const ofPolicy = z.object({ environmentId: uuid, passwordPolicyId: uuid })

const listPasswordPolicies = defineOperation({
  ...common,
  id: 'listPasswordPolicies',
  method: 'GET',
  path: collectionPath,
  summary: 'List the password policies of an environment',
  permission: { kind: 'role', permission: 'passwords:read:passwordPolicy' },
  params: inEnvironment,
  query: pageQuery,
  replies: { 200: collectionSchema('passwordPolicies', passwordPolicy) },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'INVALID_REQUEST'],
  handle({ params, query }, context) {
    const filter = filterOf(query, {
      name: { column: 'w.name', operators: ['eq', 'sw'] },
      id: { column: 'w.id', operators: ['eq'] },
    })
    return answerPage(context, query, {
      key: 'passwordPolicies',
      statement: (span) => passwordPoliciesPage(params.environmentId, filter, span),
      write: (row) => passwordPolicyBody(context, row),
    })
  },
})

const createPasswordPolicy = defineOperation({
  ...common,
  id: 'createPasswordPolicy',
  method: 'POST',
  path: collectionPath,
  summary: 'Create a password policy',
  permission: { kind: 'role', permission: 'passwords:create:passwordPolicy' },
  params: inEnvironment,
  body: { kind: 'json', schema: nullMeansAbsent(passwordPolicyRequest) },
  replies: { 201: passwordPolicy },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'PASSWORD_POLICY.CREATED',
  async handle({ params: { environmentId }, body }, context) {
    const { kernel, now, site } = context
    const id = kernel.world.uuid()
    const created = kernel.environments.configure(environmentId, 'createPasswordPolicy', now, function* (changes) {
      if (body.default === true) yield* clearDefault(environmentId, now)
      yield* insert('password_policies', {
        environment_id: environmentId,
        id,
        name: body.name,
        is_default: body.default === true ? 1 : 0,
        document: documentOf(body),
        created_at: now,
        updated_at: now,
      })
      yield context.record({ subject: { type: 'PASSWORD_POLICY', id } })
      changes.push({ kind: 'snapshot' })
      return yield* existing(environmentId, id)
    })
    const row = await requireUnique('password_policies', 'name', created)
    const location = `${site.apiBase}/environments/${environmentId}/passwordPolicies/${id}`
    return { status: 201, headers: { location }, body: passwordPolicyBody(context, row) }
  },
})

const readPasswordPolicy = defineOperation({
  ...common,
  id: 'readPasswordPolicy',
  method: 'GET',
  path: itemPath,
  summary: 'Read a password policy',
  permission: { kind: 'role', permission: 'passwords:read:passwordPolicy' },
  params: ofPolicy,
  replies: { 200: passwordPolicy },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    const [row] = await context.kernel.storage.read(passwordPolicyById(params.environmentId, params.passwordPolicyId))
    if (!row) throw notFound()
    return { status: 200, body: passwordPolicyBody(context, row) }
  },
})

const replacePasswordPolicy = defineOperation({
  ...common,
  id: 'replacePasswordPolicy',
  method: 'PUT',
  path: itemPath,
  summary: 'Replace a password policy; an absent `default` stays as it is',
  permission: { kind: 'role', permission: 'passwords:update:passwordPolicy' },
  params: ofPolicy,
  body: { kind: 'json', schema: nullMeansAbsent(passwordPolicyRequest) },
  replies: { 200: passwordPolicy },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'PASSWORD_POLICY.UPDATED',
  async handle({ params: { environmentId, passwordPolicyId: id }, body }, context) {
    const { kernel, now } = context
    const changed = kernel.environments.configure(environmentId, 'replacePasswordPolicy', now, function* (changes) {
      const before = yield* existing(environmentId, id)
      if (body.default === false && before.is_default === 1) {
        throw invalidData('CONSTRAINT_VIOLATION', 'default', 'must stay true until another policy becomes the default')
      }
      if (body.default === true && before.is_default === 0) yield* clearDefault(environmentId, now)
      const columns = {
        name: body.name,
        is_default: (body.default ?? before.is_default === 1) ? 1 : 0,
        document: documentOf(body),
        updated_at: now,
      }
      yield* update('password_policies', { environment_id: environmentId, id }, columns)
      yield context.record({ subject: { type: 'PASSWORD_POLICY', id } })
      changes.push({ kind: 'snapshot' })
      return { ...before, ...columns }
    })
    return { status: 200, body: passwordPolicyBody(context, await requireUnique('password_policies', 'name', changed)) }
  },
})

const deletePasswordPolicy = defineOperation({
  ...common,
  id: 'deletePasswordPolicy',
  method: 'DELETE',
  path: itemPath,
  summary: 'Delete a password policy that is neither the default nor used by a population',
  permission: { kind: 'role', permission: 'passwords:delete:passwordPolicy' },
  params: ofPolicy,
  replies: { 204: null },
  errors: ['NOT_FOUND', 'REQUEST_FAILED'],
  event: 'PASSWORD_POLICY.DELETED',
  async handle({ params: { environmentId, passwordPolicyId: id } }, context) {
    const { kernel, now } = context
    await kernel.environments.configure(environmentId, 'deletePasswordPolicy', now, function* (changes) {
      const row = yield* existing(environmentId, id)
      if (row.is_default === 1) throw constraint('The default password policy cannot be deleted.')
      if (row.populations > 0) throw constraint('A password policy that a population uses cannot be deleted.')
      yield* remove('password_policies', { environment_id: environmentId, id })
      yield context.record({ subject: { type: 'PASSWORD_POLICY', id } })
      changes.push({ kind: 'snapshot' })
    })
    return { status: 204 }
  },
})

function constraint(message: string): Error {
  return problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
}

function* existing(environmentId: string, id: string): UnitBody<CountedPasswordPolicyRow> {
  const [row] = yield* run(passwordPolicyById(environmentId, id))
  if (!row) throw notFound()
  return row
}

function* clearDefault(environmentId: string, now: number): UnitBody<void> {
  yield* update(
    'password_policies',
    { environment_id: environmentId, is_default: 1 },
    { is_default: 0, updated_at: now },
  )
}

export const passwordPolicyOperations: readonly Operation[] = [
  listPasswordPolicies,
  createPasswordPolicy,
  readPasswordPolicy,
  replacePasswordPolicy,
  deletePasswordPolicy,
]
