/**
 * Which sign-on policies an application uses, in ascending priority: `~/applications/{id}/signOnPolicyAssignments`.
 * platform-api 3.9, authentication-api 5.1. Without an assignment the environment's default policy applies.
 *
 * Two assignments may have the same priority, since clients reorder them one by one; the older one then comes first.
 * Never: a policy of another environment, or one policy assigned twice.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference, uuid } from '../contract/validation.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { insert, remove, update, type Word } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import {
  applicationById,
  type PolicyAssignmentRow,
  policyAssignmentById,
  policyAssignmentsOf,
} from '../storage/sql/applications.ts'
import { signOnPolicyById } from '../storage/sql/sign-on-policies.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { controlledApplication, existingApplication } from './application-control.ts'
import { requireUnique } from './names.ts'

const members = { priority: z.int().min(1).max(1_000_000), signOnPolicy: reference }

const assignmentRequest = nullMeansAbsent(z.object(members))

const assignment = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  application: reference,
  ...members,
})

function assignmentBody({ site }: Context, applicationId: string, row: PolicyAssignmentRow) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const application = `${environment}/applications/${applicationId}`
  return {
    _links: links({
      self: `${application}/signOnPolicyAssignments/${row.id}`,
      environment,
      application,
      signOnPolicy: `${environment}/signOnPolicies/${row.policy_id}`,
    }),
    id: row.id,
    environment: { id: site.environmentId },
    application: { id: applicationId },
    priority: row.priority,
    signOnPolicy: { id: row.policy_id },
  }
}

/** Refuses a policy that the environment does not have, inside the unit that assigns it. */
function* requirePolicy(environmentId: string, policyId: string): Word<void> {
  const [policy] = yield* run(signOnPolicyById(environmentId, policyId))
  if (!policy) throw invalidData('INVALID_VALUE', 'signOnPolicy.id', 'must be a sign-on policy of the environment')
}

const collectionPath = '/v1/environments/{environmentId}/applications/{applicationId}/signOnPolicyAssignments'
const onePath = `${collectionPath}/{assignmentId}`
const ofApplication = z.object({ environmentId: uuid, applicationId: uuid })
const one = ofApplication.extend({ assignmentId: uuid })
const table = 'sign_on_policy_assignments'
const common = {
  surface: 'management',
  tag: 'Sign-on policy assignments',
  source: 'platform-api 3.9, authentication-api 5.1',
  cors: 'none',
} as const

const listAssignments = defineOperation({
  ...common,
  id: 'listSignOnPolicyAssignments',
  method: 'GET',
  path: collectionPath,
  summary: 'List the sign-on policies of an application, by priority',
  permission: { kind: 'role', permission: 'applications:read:signOnPolicyAssignment' },
  params: ofApplication,
  replies: { 200: collectionSchema('signOnPolicyAssignments', assignment) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { applicationId } }, context) {
    const { kernel, environment, target } = context
    await existingApplication(context, applicationId)
    const rows = await kernel.storage.read(policyAssignmentsOf(environment.id, applicationId))
    const items = rows.map((row) => assignmentBody(context, applicationId, row))
    const self = `${kernel.origins.apiUrl}${target}`
    return { status: 200, body: collection('signOnPolicyAssignments', items, self, undefined, items.length) }
  },
})

const readAssignment = defineOperation({
  ...common,
  id: 'readSignOnPolicyAssignment',
  method: 'GET',
  path: onePath,
  summary: 'Read a sign-on policy assignment',
  permission: { kind: 'role', permission: 'applications:read:signOnPolicyAssignment' },
  params: one,
  replies: { 200: assignment },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { applicationId, assignmentId } }, context) {
    const { kernel, environment } = context
    const [row] = await kernel.storage.read(policyAssignmentById(environment.id, applicationId, assignmentId))
    if (!row) throw notFound()
    return { status: 200, body: assignmentBody(context, applicationId, row) }
  },
})

const createAssignment = defineOperation({
  ...common,
  id: 'createSignOnPolicyAssignment',
  method: 'POST',
  path: collectionPath,
  summary: 'Assign a sign-on policy to an application',
  permission: { kind: 'role', permission: 'applications:create:signOnPolicyAssignment' },
  params: ofApplication,
  body: { kind: 'json', schema: assignmentRequest },
  replies: { 201: assignment },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'SIGN_ON_POLICY_ASSIGNMENT.CREATED',
  async handle({ params: { applicationId }, body }, context) {
    const { kernel, environment, now } = context
    await controlledApplication(context, applicationId)
    const id = kernel.world.uuid()
    const row = { id, policy_id: body.signOnPolicy.id, priority: body.priority, created_at: now, updated_at: now }
    const commit = kernel.environments.configure(environment.id, 'create-policy-assignment', now, function* (changes) {
      changes.push({ kind: 'application', id: applicationId })
      const [application] = yield* run(applicationById(environment.id, applicationId))
      if (!application) throw notFound()
      yield* requirePolicy(environment.id, row.policy_id)
      yield* insert(table, { environment_id: environment.id, application_id: applicationId, ...row })
      yield context.record({ subject: { type: 'SIGN_ON_POLICY_ASSIGNMENT', id }, detail: { applicationId } })
    })
    await requireUnique(table, 'signOnPolicy', commit)
    const answer = assignmentBody(context, applicationId, row)
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const updateAssignment = defineOperation({
  ...common,
  id: 'updateSignOnPolicyAssignment',
  method: 'PUT',
  path: onePath,
  summary: 'Replace a sign-on policy assignment',
  permission: { kind: 'role', permission: 'applications:update:signOnPolicyAssignment' },
  params: one,
  body: { kind: 'json', schema: assignmentRequest },
  replies: { 200: assignment },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'SIGN_ON_POLICY_ASSIGNMENT.UPDATED',
  async handle({ params: { applicationId, assignmentId }, body }, context) {
    const { kernel, environment, now } = context
    await controlledApplication(context, applicationId)
    const commit = kernel.environments.configure(environment.id, 'update-policy-assignment', now, function* (changes) {
      changes.push({ kind: 'application', id: applicationId })
      const [before] = yield* run(policyAssignmentById(environment.id, applicationId, assignmentId))
      if (!before) throw notFound()
      const change = { policy_id: body.signOnPolicy.id, priority: body.priority, updated_at: now }
      yield* requirePolicy(environment.id, change.policy_id)
      const key = { environment_id: environment.id, application_id: applicationId, id: assignmentId }
      yield* update(table, key, change)
      yield context.record({
        subject: { type: 'SIGN_ON_POLICY_ASSIGNMENT', id: assignmentId },
        detail: { applicationId },
      })
      return { ...before, ...change }
    })
    const row = await requireUnique(table, 'signOnPolicy', commit)
    return { status: 200, body: assignmentBody(context, applicationId, row) }
  },
})

const deleteAssignment = defineOperation({
  ...common,
  id: 'deleteSignOnPolicyAssignment',
  method: 'DELETE',
  path: onePath,
  summary: 'Take a sign-on policy from an application',
  permission: { kind: 'role', permission: 'applications:delete:signOnPolicyAssignment' },
  params: one,
  replies: { 204: null },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  event: 'SIGN_ON_POLICY_ASSIGNMENT.DELETED',
  async handle({ params: { applicationId, assignmentId } }, context) {
    const { kernel, environment, now } = context
    await controlledApplication(context, applicationId)
    await kernel.environments.configure(environment.id, 'delete-policy-assignment', now, function* (changes) {
      changes.push({ kind: 'application', id: applicationId })
      const key = { environment_id: environment.id, application_id: applicationId, id: assignmentId }
      if ((yield* remove(table, key)) === 0) throw notFound()
      yield context.record({
        subject: { type: 'SIGN_ON_POLICY_ASSIGNMENT', id: assignmentId },
        detail: { applicationId },
      })
    })
    return { status: 204 }
  },
})

export const signOnPolicyAssignmentOperations: readonly Operation[] = [
  listAssignments,
  readAssignment,
  createAssignment,
  updateAssignment,
  deleteAssignment,
]
