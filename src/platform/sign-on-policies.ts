/**
 * Sign-on policies: `~/signOnPolicies`. platform-api 3.12.1, authentication-api 5.1; decision D20. The name is what
 * `acr_values` asks for and `acr` answers.
 *
 * A new policy has no actions: clients add them one by one. Until it has one, nobody can sign on by it, since a policy
 * that proves nothing is not satisfied by anything.
 *
 * Never: an environment without a default policy, or an application with a policy that is gone.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { type SignOnPolicyRow, signOnPoliciesOf } from '../storage/sql/environments.ts'
import { assignmentsOfPolicy, makeOnlyDefaultPolicy, signOnPolicyById } from '../storage/sql/sign-on-policies.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { description, requireUnique } from './names.ts'
import { moveToNextVersion } from './sign-on-policy-version.ts'

/** Letters, digits, `_ . -` and spaces; with a colon, an absolute URI. */
const policyName = z
  .string()
  .min(1)
  .max(256)
  .refine(
    (name) =>
      name.includes(':') ? /^[\x21-\x7e]+$/.test(name) && URL.canParse(name) : /^[a-zA-Z0-9_. -]+$/.test(name),
    'must consist of letters, digits, underscores, dots, hyphens and spaces, or be an absolute URI',
  )

const policyRequest = nullMeansAbsent(
  z.object({
    name: policyName,
    description: description.optional(),
    default: z.boolean().optional().describe('true takes it from the policy that has it; it cannot be switched off.'),
  }),
)

const policy = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  name: z.string(),
  description: z.string().optional(),
  default: z.boolean(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

type PolicyColumns = Omit<SignOnPolicyRow, 'actions' | 'version'>

function policyBody({ site }: Context, row: PolicyColumns) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const self = `${environment}/signOnPolicies/${row.id}`
  return {
    _links: links({ self, environment, actions: `${self}/actions` }),
    id: row.id,
    environment: { id: site.environmentId },
    name: row.name,
    ...(row.description === null ? {} : { description: row.description }),
    default: row.is_default === 1,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

const collectionPath = '/v1/environments/{environmentId}/signOnPolicies'
const onePath = `${collectionPath}/{policyId}`
const inEnvironment = z.object({ environmentId: uuid })
const one = inEnvironment.extend({ policyId: uuid })
const common = { surface: 'management', tag: 'Sign-on policies', source: 'platform-api 3.12.1', cors: 'none' } as const

const listPolicies = defineOperation({
  ...common,
  id: 'listSignOnPolicies',
  method: 'GET',
  path: collectionPath,
  summary: 'List the sign-on policies of an environment',
  permission: { kind: 'role', permission: 'signon:read:signOnPolicy' },
  params: inEnvironment,
  replies: { 200: collectionSchema('signOnPolicies', policy) },
  errors: ['FORBIDDEN'],
  async handle(_input, context) {
    const { kernel, environment, target } = context
    const items = (await kernel.storage.read(signOnPoliciesOf(environment.id))).map((row) => policyBody(context, row))
    const self = `${kernel.origins.apiUrl}${target}`
    return { status: 200, body: collection('signOnPolicies', items, self, undefined, items.length) }
  },
})

const readPolicy = defineOperation({
  ...common,
  id: 'readSignOnPolicy',
  method: 'GET',
  path: onePath,
  summary: 'Read a sign-on policy',
  permission: { kind: 'role', permission: 'signon:read:signOnPolicy' },
  params: one,
  replies: { 200: policy },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params }, context) {
    const [row] = await context.kernel.storage.read(signOnPolicyById(context.environment.id, params.policyId))
    if (!row) throw notFound()
    return { status: 200, body: policyBody(context, row) }
  },
})

const createPolicy = defineOperation({
  ...common,
  id: 'createSignOnPolicy',
  method: 'POST',
  path: collectionPath,
  summary: 'Create a sign-on policy, without actions',
  permission: { kind: 'role', permission: 'signon:create:signOnPolicy' },
  params: inEnvironment,
  body: { kind: 'json', schema: policyRequest },
  replies: { 201: policy },
  errors: ['INVALID_DATA', 'FORBIDDEN'],
  event: 'SIGN_ON_POLICY.CREATED',
  async handle({ body }, context) {
    const { kernel, environment, now } = context
    const row: PolicyColumns = {
      id: kernel.world.uuid(),
      name: body.name,
      description: body.description ?? null,
      is_default: body.default ? 1 : 0,
      created_at: now,
      updated_at: now,
    }
    const commit = kernel.environments.configure(environment.id, 'create-sign-on-policy', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      yield* insert('sign_on_policies', { environment_id: environment.id, ...row, version: 1 })
      yield* insert('sign_on_policy_versions', {
        environment_id: environment.id,
        policy_id: row.id,
        version: 1,
        name: row.name,
        actions: '[]',
        created_at: now,
      })
      if (body.default) yield makeOnlyDefaultPolicy(environment.id, row.id, now)
      yield context.record({ subject: { type: 'SIGN_ON_POLICY', id: row.id } })
    })
    await requireUnique('sign_on_policies', 'name', commit)
    const answer = policyBody(context, row)
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const updatePolicy = defineOperation({
  ...common,
  id: 'updateSignOnPolicy',
  method: 'PUT',
  path: onePath,
  summary: 'Replace name, description and default of a sign-on policy',
  permission: { kind: 'role', permission: 'signon:update:signOnPolicy' },
  params: one,
  body: { kind: 'json', schema: policyRequest },
  replies: { 200: policy },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'SIGN_ON_POLICY.UPDATED',
  async handle({ params: { policyId: id }, body }, context) {
    const { kernel, environment, now } = context
    const commit = kernel.environments.configure(environment.id, 'update-sign-on-policy', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const [before] = yield* run(signOnPolicyById(environment.id, id))
      if (!before) throw notFound()
      if (before.is_default === 1 && body.default === false) {
        throw invalidData('CONSTRAINT_VIOLATION', 'default', 'can only be moved by making another policy the default')
      }
      if (body.name !== before.name) yield* moveToNextVersion(environment.id, before, { name: body.name }, now)
      if (body.default) yield makeOnlyDefaultPolicy(environment.id, id, now)
      const isDefault = body.default ? 1 : before.is_default
      const change = { description: body.description ?? null, is_default: isDefault, updated_at: now }
      yield* update('sign_on_policies', { environment_id: environment.id, id }, change)
      yield context.record({ subject: { type: 'SIGN_ON_POLICY', id } })
      return { ...before, ...change, name: body.name }
    })
    return { status: 200, body: policyBody(context, await requireUnique('sign_on_policies', 'name', commit)) }
  },
})

const deletePolicy = defineOperation({
  ...common,
  id: 'deleteSignOnPolicy',
  method: 'DELETE',
  path: onePath,
  summary: 'Delete a sign-on policy that is not the default and not in use',
  permission: { kind: 'role', permission: 'signon:delete:signOnPolicy' },
  params: one,
  replies: { 204: null },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'SIGN_ON_POLICY.DELETED',
  async handle({ params: { policyId: id } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-sign-on-policy', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const [row] = yield* run(signOnPolicyById(environment.id, id))
      if (!row) throw notFound()
      if (row.is_default === 1)
        throw invalidData('CONSTRAINT_VIOLATION', 'id', 'is the default policy of the environment')
      const [use] = yield* run(assignmentsOfPolicy(environment.id, id))
      if (use && use.applications > 0) throw invalidData('CONSTRAINT_VIOLATION', 'id', 'is assigned to an application')
      yield* remove('sign_on_policy_versions', { environment_id: environment.id, policy_id: id })
      yield* remove('sign_on_policies', { environment_id: environment.id, id })
      yield context.record({ subject: { type: 'SIGN_ON_POLICY', id } })
    })
    return { status: 204 }
  },
})

export const signOnPolicyOperations: readonly Operation[] = [
  listPolicies,
  readPolicy,
  createPolicy,
  updatePolicy,
  deletePolicy,
]
