/**
 * The actions of a sign-on policy: `~/signOnPolicies/{id}/actions`. platform-api 3.12.2, 3.12.3, authentication-api
 * 5.1-5.5; decision D20. What an action and its condition may hold is said in `flow/` alone.
 *
 * Two actions may have the same priority, since clients do so for a moment (platform-api 4.8). Never: a change to a
 * version that was written, or a policy that loses its last action.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference, uuid } from '../contract/validation.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { outboundUrlProblem } from '../external/outbound-url.ts'
import { groupsNamedBy, type PolicyAction, policyActionSchema, validatePolicy } from '../flow/policy.ts'
import type { Word } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { agreementById } from '../storage/sql/agreements.ts'
import { signOnPolicyById } from '../storage/sql/sign-on-policies.ts'
import { withoutNulls } from './absent-members.ts'
import { namedPolicy } from './device-authentication-policies.ts'
import { requireGroups } from './group-control.ts'
import { webAddressProblem } from '../environment/registered-urls.ts'
import { requirePopulation } from './registration-population.ts'
import { actionsOf, moveToNextVersion, populationOf, type StoredAction } from './sign-on-policy-version.ts'

/** An action as sent: what is wrong with it is told in the words of `flow/`, before the schema takes it apart. */
const actionRequest = z.preprocess(judged, policyActionSchema)

function judged(sent: unknown): unknown {
  const candidate = withoutNulls(sent)
  const details = validatePolicy([candidate]).map(({ action: _one, ...detail }) => detail)
  if (details.length > 0) throw problem('INVALID_DATA', { details })
  return candidate
}

const signOnPolicyAction = z.intersection(
  z.looseObject({ _links: linksSchema, id: uuid, environment: reference, signOnPolicy: reference }),
  policyActionSchema,
)

function actionBody({ site }: Context, policyId: string, stored: StoredAction) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const signOnPolicy = `${environment}/signOnPolicies/${policyId}`
  return {
    _links: links({ self: `${signOnPolicy}/actions/${stored.id}`, environment, signOnPolicy }),
    environment: { id: site.environmentId },
    signOnPolicy: { id: policyId },
    ...stored,
  }
}

/** What an action refers to has to be there. @throws Problem INVALID_DATA */
function requireReferences({ environment, kernel }: Context, action: PolicyAction): void {
  if (action.type === 'WEBHOOK') {
    const message = outboundUrlProblem(action.webhook.url, kernel.config.egressAllow)
    if (message) throw invalidData('INVALID_VALUE', 'webhook.url', message)
  }
  const isAccount = action.type === 'LOGIN' || action.type === 'IDENTIFIER_FIRST'
  const registrationUrl = isAccount ? action.registration?.external?.href : undefined
  const wrongAddress = registrationUrl && webAddressProblem(registrationUrl, false)
  if (wrongAddress) throw invalidData('INVALID_VALUE', 'registration.external.href', wrongAddress)
  const { identityProviders } = environment.flowConfiguration
  for (const [target, id] of providersIn(action)) {
    if (!identityProviders.has(id)) {
      throw invalidData('INVALID_VALUE', target, 'is not an identity provider of the environment')
    }
  }
  const id = namedPolicy(action)
  if (id !== undefined && !environment.flowConfiguration.deviceAuthenticationPolicies.has(id)) {
    throw invalidData('INVALID_VALUE', 'deviceAuthenticationPolicy.id', 'is not a device authentication policy')
  }
}

/** For the unit that writes the action. @throws Problem INVALID_DATA for an agreement that nobody could be asked about */
function* requireAgreement(environmentId: string, id: string): UnitBody<void> {
  const [row] = yield* run(agreementById(environmentId, id))
  if (row?.enabled !== 1) throw invalidData('INVALID_VALUE', 'agreement.id', 'is not an enabled agreement')
}

/** The identity providers an action refers to, by where it does. */
function providersIn(action: PolicyAction): readonly (readonly [target: string, id: string])[] {
  if (action.type === 'IDENTITY_PROVIDER') return [['identityProvider.id', action.identityProvider.id]]
  if (action.type !== 'LOGIN' && action.type !== 'IDENTIFIER_FIRST') return []
  const social = (action.socialProviders ?? []).map(({ id }, at) => [`socialProviders[${at}].id`, id] as const)
  if (action.type !== 'IDENTIFIER_FIRST') return social
  const discovered = (action.discoveryRules ?? []).map(
    ({ identityProvider: { id } }, at) => [`discoveryRules[${at}].identityProvider.id`, id] as const,
  )
  return [...social, ...discovered]
}

/**
 * Changes the actions of a policy, inside a unit.
 * @param change makes the new actions from the old ones
 */
function* changeActions(
  environmentId: string,
  policyId: string,
  change: (actions: readonly StoredAction[]) => readonly StoredAction[],
  now: number,
): Word<void> {
  const [policy] = yield* run(signOnPolicyById(environmentId, policyId))
  if (!policy) throw notFound()
  yield* moveToNextVersion(environmentId, policy, { actions: change(actionsOf(policy)) }, now)
}

function found(actions: readonly StoredAction[], id: string): StoredAction {
  const action = actions.find((candidate) => candidate.id === id)
  if (!action) throw notFound()
  return action
}

async function existingActions({ kernel, environment }: Context, policyId: string): Promise<StoredAction[]> {
  const [policy] = await kernel.storage.read(signOnPolicyById(environment.id, policyId))
  if (!policy) throw notFound()
  return actionsOf(policy)
}

const collectionPath = '/v1/environments/{environmentId}/signOnPolicies/{policyId}/actions'
const onePath = `${collectionPath}/{actionId}`
const ofPolicy = z.object({ environmentId: uuid, policyId: uuid })
const one = ofPolicy.extend({ actionId: uuid })
const common = {
  surface: 'management',
  tag: 'Sign-on policy actions',
  source: 'platform-api 3.12.2, authentication-api 5.1',
  cors: 'none',
} as const
const reading = { kind: 'role', permission: 'signon:read:signOnPolicy' } as const
const writing = { kind: 'role', permission: 'signon:update:signOnPolicy' } as const

const listActions = defineOperation({
  ...common,
  id: 'listSignOnPolicyActions',
  method: 'GET',
  path: collectionPath,
  summary: 'List the actions of a sign-on policy, in the order of evaluation',
  permission: reading,
  params: ofPolicy,
  replies: { 200: collectionSchema('actions', signOnPolicyAction) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { policyId } }, context) {
    const items = (await existingActions(context, policyId)).map((stored) => actionBody(context, policyId, stored))
    const self = `${context.kernel.origins.apiUrl}${context.target}`
    return { status: 200, body: collection('actions', items, self, undefined, items.length) }
  },
})

const readAction = defineOperation({
  ...common,
  id: 'readSignOnPolicyAction',
  method: 'GET',
  path: onePath,
  summary: 'Read an action of a sign-on policy',
  permission: reading,
  params: one,
  replies: { 200: signOnPolicyAction },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { policyId, actionId } }, context) {
    const stored = found(await existingActions(context, policyId), actionId)
    return { status: 200, body: actionBody(context, policyId, stored) }
  },
})

const createAction = defineOperation({
  ...common,
  id: 'createSignOnPolicyAction',
  method: 'POST',
  path: collectionPath,
  summary: 'Add an action to a sign-on policy',
  permission: writing,
  params: ofPolicy,
  body: { kind: 'json', schema: actionRequest },
  replies: { 201: signOnPolicyAction },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'ACTION.CREATED',
  async handle({ params: { policyId }, body }, context) {
    const { kernel, environment, now } = context
    requireReferences(context, body)
    const created: StoredAction = { ...body, id: kernel.world.uuid() }
    await kernel.environments.configure(environment.id, 'create-policy-action', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      yield* changeActions(environment.id, policyId, (before) => [...before, created], now)
      yield* requireGroups(environment.id, groupsNamedBy(body), 'condition')
      if (body.type === 'AGREEMENT') yield* requireAgreement(environment.id, body.agreement.id)
      yield* requirePopulation(environment.id, populationOf(body))
      yield context.record({ subject: { type: 'ACTION', id: created.id }, detail: { policyId } })
    })
    const answer = actionBody(context, policyId, created)
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const updateAction = defineOperation({
  ...common,
  id: 'updateSignOnPolicyAction',
  method: 'PUT',
  path: onePath,
  summary: 'Replace an action of a sign-on policy',
  permission: writing,
  params: one,
  body: { kind: 'json', schema: actionRequest },
  replies: { 200: signOnPolicyAction },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'ACTION.UPDATED',
  async handle({ params: { policyId, actionId }, body }, context) {
    const { kernel, environment, now } = context
    requireReferences(context, body)
    const replaced: StoredAction = { ...body, id: actionId }
    await kernel.environments.configure(environment.id, 'update-policy-action', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      yield* changeActions(environment.id, policyId, (before) => replace(before, replaced), now)
      yield* requireGroups(environment.id, groupsNamedBy(body), 'condition')
      if (body.type === 'AGREEMENT') yield* requireAgreement(environment.id, body.agreement.id)
      yield* requirePopulation(environment.id, populationOf(body))
      yield context.record({ subject: { type: 'ACTION', id: actionId }, detail: { policyId } })
    })
    return { status: 200, body: actionBody(context, policyId, replaced) }
  },
})

function replace(actions: readonly StoredAction[], next: StoredAction): readonly StoredAction[] {
  const { type }: PolicyAction = found(actions, next.id)
  if (type !== next.type) throw invalidData('INVALID_VALUE', 'type', 'cannot be changed', { allowedValues: [type] })
  return actions.map((action) => (action.id === next.id ? next : action))
}

const deleteAction = defineOperation({
  ...common,
  id: 'deleteSignOnPolicyAction',
  method: 'DELETE',
  path: onePath,
  summary: 'Remove an action from a sign-on policy that has another',
  permission: writing,
  params: one,
  replies: { 204: null },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'ACTION.DELETED',
  async handle({ params: { policyId, actionId } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-policy-action', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      yield* changeActions(environment.id, policyId, (before) => without(before, actionId), now)
      yield context.record({ subject: { type: 'ACTION', id: actionId }, detail: { policyId } })
    })
    return { status: 204 }
  },
})

function without(actions: readonly StoredAction[], id: string): readonly StoredAction[] {
  found(actions, id)
  // Clients look for this text, add a placeholder and try again (platform-api 1.11).
  if (actions.length === 1)
    throw invalidData('CONSTRAINT_VIOLATION', 'id', 'Cannot delete last action from the policy.')
  return actions.filter((action) => action.id !== id)
}

export const signOnPolicyActionOperations: readonly Operation[] = [
  listActions,
  readAction,
  createAction,
  updateAction,
  deleteAction,
]
