/**
 * Populations (platform-api 3.3). An administrator whose role is scoped to a population sees and changes that one alone
 * (row N05); which population is the default is a matter of the whole environment and needs a role there (row N08).
 *
 * `theme.id` is always answered, since clients wait for it: it is the built-in theme, whose id is that of its environment.
 *
 * Never: two defaults, a default that is given up without another taking its place, a population removed with its users.
 * A user created in the same instant as its population is removed keeps the id of one that is gone, and the default
 * password policy then applies to it.
 */
import { z } from 'zod'
import { forbidden, populationsAllowed } from '../access/actor.ts'
import type { PermissionId } from '../access/permissions.ts'
import { collectionSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { anyGroupOf } from '../storage/sql/groups.ts'
import { among } from '../storage/sql/page.ts'
import { passwordPolicyById } from '../storage/sql/password-policies.ts'
import {
  anyPopulation,
  anyUserOf,
  type CountedPopulationRow,
  populationById,
  populationsPage,
} from '../storage/sql/populations.ts'
import { deleteRoleAssignmentsAt } from '../storage/sql/role-assignments.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { requireUnique } from './names.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'
import { registersIn } from './registration-population.ts'
import {
  type PopulationRequest,
  population,
  populationBody,
  populationDocument,
  populationRequest,
} from './population-representation.ts'

const common = { surface: 'management', tag: 'Populations', source: 'platform-api 3.3', cors: 'none' } as const
const collectionPath = '/v1/environments/{environmentId}/populations'
const itemPath = `${collectionPath}/{populationId}`
const inEnvironment = z.object({ environmentId: uuid })
const ofPopulation = z.object({ environmentId: uuid, populationId: uuid })

/** Where in the path's environment the actor holds a permission. */
function reach({ actor, environment }: Context, permission: PermissionId): 'all' | readonly string[] {
  return populationsAllowed(actor, permission, {
    organizationId: environment.organizationId,
    environmentId: environment.id,
  })
}

/** 404 for a population that the actor's role does not reach, as for one that is not there. */
function requireReach(context: Context, permission: PermissionId, populationId: string): void {
  const reached = reach(context, permission)
  if (reached !== 'all' && !reached.includes(populationId)) throw notFound()
}

const listPopulations = defineOperation({
  ...common,
  id: 'listPopulations',
  method: 'GET',
  path: collectionPath,
  summary: 'List the populations the actor may read',
  permission: { kind: 'role', permission: 'idm:read:population', population: true },
  params: inEnvironment,
  query: pageQuery,
  replies: { 200: collectionSchema('populations', population) },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'INVALID_REQUEST'],
  handle({ params, query }, context) {
    const reached = reach(context, 'idm:read:population')
    const conditions = [
      ...(reached === 'all' ? [] : [among('p.id', reached)]),
      ...filterOf(query, {
        name: { column: 'p.name', operators: ['eq', 'sw'] },
        id: { column: 'p.id', operators: ['eq'] },
      }),
    ]
    return answerPage(context, query, {
      key: 'populations',
      statement: (span) => populationsPage(params.environmentId, conditions, span),
      write: (row) => populationBody(context, row),
    })
  },
})

const createPopulation = defineOperation({
  ...common,
  id: 'createPopulation',
  method: 'POST',
  path: collectionPath,
  summary: 'Create a population',
  permission: { kind: 'role', permission: 'idm:create:population' },
  params: inEnvironment,
  body: { kind: 'json', schema: nullMeansAbsent(populationRequest) },
  replies: { 201: population },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'POPULATION.CREATED',
  async handle({ params: { environmentId }, body }, context) {
    const { kernel, now, site } = context
    const id = kernel.world.uuid()
    const created = kernel.environments.configure(environmentId, 'createPopulation', now, function* (changes) {
      yield* requireReferences(environmentId, body)
      if (body.default === true) yield* clearDefault(environmentId, now)
      yield* insert('populations', {
        environment_id: environmentId,
        id,
        name: body.name,
        is_default: body.default === true ? 1 : 0,
        password_policy_id: body.passwordPolicy?.id ?? null,
        document: populationDocument(body),
        created_at: now,
        updated_at: now,
      })
      yield context.record({ subject: { type: 'POPULATION', id } })
      changes.push({ kind: 'snapshot' })
      return yield* existing(environmentId, id)
    })
    const body201 = populationBody(context, await requireUnique('populations', 'name', created))
    const location = `${site.apiBase}/environments/${environmentId}/populations/${id}`
    return { status: 201, headers: { location }, body: body201 }
  },
})

const readPopulation = defineOperation({
  ...common,
  id: 'readPopulation',
  method: 'GET',
  path: itemPath,
  summary: 'Read a population',
  permission: { kind: 'role', permission: 'idm:read:population', population: true },
  params: ofPopulation,
  replies: { 200: population },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    requireReach(context, 'idm:read:population', params.populationId)
    const [row] = await context.kernel.storage.read(populationById(params.environmentId, params.populationId))
    if (!row) throw notFound()
    return { status: 200, body: populationBody(context, row) }
  },
})

const replacePopulation = defineOperation({
  ...common,
  id: 'replacePopulation',
  method: 'PUT',
  path: itemPath,
  summary: 'Replace a population; an absent `default` stays as it is',
  permission: { kind: 'role', permission: 'idm:update:population', population: true },
  params: ofPopulation,
  body: { kind: 'json', schema: nullMeansAbsent(populationRequest) },
  replies: { 200: population },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'POPULATION.UPDATED',
  async handle({ params: { environmentId, populationId: id }, body }, context) {
    const { kernel, now } = context
    requireReach(context, 'idm:update:population', id)
    const changed = kernel.environments.configure(environmentId, 'replacePopulation', now, function* (changes) {
      const before = yield* existing(environmentId, id)
      yield* requireReferences(environmentId, body)
      if (body.default === false && before.is_default === 1) {
        throw invalidData(
          'CONSTRAINT_VIOLATION',
          'default',
          'must stay true until another population becomes the default',
        )
      }
      if (body.default === true && before.is_default === 0) {
        if (reach(context, 'idm:update:population') !== 'all') throw forbidden()
        yield* clearDefault(environmentId, now)
      }
      const columns = {
        name: body.name,
        is_default: (body.default ?? before.is_default === 1) ? 1 : 0,
        password_policy_id: body.passwordPolicy?.id ?? null,
        document: populationDocument(body),
        updated_at: now,
      }
      yield* update('populations', { environment_id: environmentId, id }, columns)
      yield context.record({ subject: { type: 'POPULATION', id } })
      changes.push({ kind: 'snapshot' })
      return { ...before, ...columns }
    })
    return { status: 200, body: populationBody(context, await requireUnique('populations', 'name', changed)) }
  },
})

const deletePopulation = defineOperation({
  ...common,
  id: 'deletePopulation',
  method: 'DELETE',
  path: itemPath,
  summary: 'Delete a population that is empty, not the default one, and not named by who registers people there',
  permission: { kind: 'role', permission: 'idm:delete:population', population: true },
  params: ofPopulation,
  replies: { 204: null },
  errors: ['NOT_FOUND', 'REQUEST_FAILED'],
  event: 'POPULATION.DELETED',
  async handle({ params: { environmentId, populationId: id } }, context) {
    const { kernel, now } = context
    requireReach(context, 'idm:delete:population', id)
    await kernel.environments.configure(environmentId, 'deletePopulation', now, function* (changes) {
      const before = yield* existing(environmentId, id)
      if ((yield* remove('populations', { environment_id: environmentId, id })) === 0) throw notFound()
      const users = yield* run(anyUserOf(environmentId, id))
      if (users.length > 0) throw constraint('The population must not contain users when it is deleted.')
      const groups = yield* run(anyGroupOf(environmentId, id))
      if (groups.length > 0) throw constraint('The population must not contain groups when it is deleted.')
      const others = yield* run(anyPopulation(environmentId))
      if (others.length === 0) throw constraint('An environment must contain at least one population.')
      if (before.is_default === 1)
        throw constraint('The default population cannot be deleted: make another one it first.')
      const registering = yield* registersIn(environmentId, id)
      if (registering) throw constraint(`A population that ${registering} registers people in cannot be deleted.`)
      yield deleteRoleAssignmentsAt(environmentId, id)
      yield context.record({ subject: { type: 'POPULATION', id } })
      changes.push({ kind: 'snapshot' })
    })
    return { status: 204 }
  },
})

function constraint(message: string): Error {
  return problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
}

function* existing(environmentId: string, id: string): UnitBody<CountedPopulationRow> {
  const [row] = yield* run(populationById(environmentId, id))
  if (!row) throw notFound()
  return row
}

function* clearDefault(environmentId: string, now: number): UnitBody<void> {
  yield* update('populations', { environment_id: environmentId, is_default: 1 }, { is_default: 0, updated_at: now })
}

/** Refuses a password policy or theme that is not one of the environment. */
function* requireReferences(environmentId: string, { passwordPolicy, theme }: PopulationRequest): UnitBody<void> {
  if (theme && theme.id !== environmentId)
    throw invalidData('INVALID_VALUE', 'theme.id', 'is not a theme of the environment')
  if (!passwordPolicy) return
  const [policy] = yield* run(passwordPolicyById(environmentId, passwordPolicy.id))
  if (!policy) throw invalidData('INVALID_VALUE', 'passwordPolicy.id', 'is not a password policy of the environment')
}

export const populationOperations: readonly Operation[] = [
  listPopulations,
  createPopulation,
  readPopulation,
  replacePopulation,
  deletePopulation,
]
