/**
 * The operations on policies of which exactly one is the environment's default: list, create, read, replace, delete. The
 * families differ in their document and in who may name them (device-authentication-policies.ts, fido2-policies.ts).
 *
 * Never: an environment without a default policy, once it has one; a policy removed that something names.
 */
import { z } from 'zod'
import type { PermissionId } from '../access/permissions.ts'
import { collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import type { EventAction } from '../events/catalog.ts'
import type { Detail } from '../flow/refusal.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { policiesPage, policyById, type PolicyRow, type PolicyTable } from '../storage/sql/policies.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { name, requireUnique } from './names.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'

/** What one family of policies is. */
export interface PolicyFamily<Document extends object> {
  readonly tag: string
  readonly source: string
  /** What one is called in a sentence. */
  readonly noun: string
  /** Of operation ids: `DeviceAuthenticationPolicy`, `DeviceAuthenticationPolicies`. */
  readonly singular: string
  readonly plural: string
  /** The last part of the path, and the name of the list in its answer. */
  readonly collection: string
  readonly table: PolicyTable
  readonly permissions: Readonly<Record<'read' | 'create' | 'update' | 'delete', PermissionId>>
  readonly events: Readonly<Record<'created' | 'updated' | 'deleted', EventAction>>
  /** Of an event. */
  readonly subject: string
  readonly schema: z.ZodObject & z.ZodType<Document>
  /** Members that an answer has beside those of the document. */
  readonly more: z.ZodRawShape
  moreOf(row: PolicyRow, context: Context): object
  /** What is wrong with a document although it has the right form. */
  problems(document: Document, context: Context): readonly Detail[] | Promise<readonly Detail[]>
  /** What names the policy of this id, so that it cannot be deleted; undefined: nothing. */
  namedBy(id: string, context: Context): string | undefined
}

/** The operations of a family. */
export function defaultedPolicyOperations<Document extends object>(
  family: PolicyFamily<Document>,
): readonly Operation[] {
  const { noun, singular, plural, collection, table, permissions, events, schema } = family
  const identity = z.object({ name, default: z.boolean().default(false) })
  const request = z.intersection(schema, identity)
  const resource = schema.extend({
    _links: linksSchema,
    environment: reference,
    id: uuid,
    name: z.string(),
    default: z.boolean(),
    updatedAt: timestamp,
    ...family.more,
  })
  const common = { tag: family.tag, source: family.source, surface: 'management', cors: 'none' } as const
  const collectionPath = `/v1/environments/{environmentId}/${collection}`
  const itemPath = `${collectionPath}/{policyId}`
  const inEnvironment = z.object({ environmentId: uuid })
  const ofPolicy = z.object({ environmentId: uuid, policyId: uuid })

  const bodyOf = (context: Context, row: PolicyRow) => {
    const { site, environment } = context
    const environmentUrl = `${site.apiBase}/environments/${environment.id}`
    return {
      _links: links({ self: `${environmentUrl}/${collection}/${row.id}`, environment: environmentUrl }),
      environment: { id: environment.id },
      id: row.id,
      ...schema.parse(JSON.parse(row.document)),
      name: row.name,
      default: row.is_default === 1,
      updatedAt: iso(row.updated_at),
      ...family.moreOf(row, context),
    }
  }
  /** The document of a body, without its name and flag. @throws Problem INVALID_DATA */
  const documentOf = async (body: Document, context: Context): Promise<string> => {
    const document = schema.parse(body)
    const problems = await family.problems(document, context)
    if (problems.length > 0) throw problem('INVALID_DATA', { details: problems })
    return JSON.stringify(document)
  }
  function* existing(environmentId: string, id: string): UnitBody<PolicyRow> {
    const [row] = yield* run(policyById(table, environmentId, id))
    if (!row) throw notFound()
    return row
  }
  function* clearDefault(environmentId: string, now: number): UnitBody<void> {
    yield* update(table, { environment_id: environmentId, is_default: 1 }, { is_default: 0, updated_at: now })
  }
  const constraint = (message: string) =>
    problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })

  return [
    defineOperation({
      ...common,
      id: `list${plural}`,
      method: 'GET',
      path: collectionPath,
      summary: `List the ${noun.replace(/y$/, 'ies')} of an environment`,
      permission: { kind: 'role', permission: permissions.read },
      params: inEnvironment,
      query: pageQuery,
      replies: { 200: collectionSchema(collection, resource) },
      errors: ['NOT_FOUND', 'INVALID_DATA', 'INVALID_REQUEST'],
      handle({ params, query }, context) {
        const filter = filterOf(query, { name: { column: 'w.name', operators: ['eq', 'sw'] } })
        return answerPage(context, query, {
          key: collection,
          statement: (span) => policiesPage(table, params.environmentId, filter, span),
          write: (row) => bodyOf(context, row),
        })
      },
    }),
    defineOperation({
      ...common,
      id: `create${singular}`,
      method: 'POST',
      path: collectionPath,
      summary: `Create a ${noun}`,
      permission: { kind: 'role', permission: permissions.create },
      params: inEnvironment,
      body: { kind: 'json', schema: nullMeansAbsent(request) },
      replies: { 201: resource },
      errors: ['NOT_FOUND', 'INVALID_DATA'],
      event: events.created,
      async handle({ params: { environmentId }, body }, context) {
        const { kernel, now } = context
        const row: PolicyRow = {
          id: kernel.world.uuid(),
          name: body.name,
          is_default: body.default ? 1 : 0,
          document: await documentOf(body, context),
          created_at: now,
          updated_at: now,
        }
        const created = kernel.environments.configure(environmentId, `create-${table}`, now, function* (changes) {
          if (body.default) yield* clearDefault(environmentId, now)
          yield* insert(table, { environment_id: environmentId, ...row })
          yield context.record({ subject: { type: family.subject, id: row.id } })
          changes.push({ kind: 'snapshot' })
        })
        await requireUnique(table, 'name', created)
        const answer = bodyOf(context, row)
        return { status: 201, headers: { location: answer._links['self']?.href ?? '' }, body: answer }
      },
    }),
    defineOperation({
      ...common,
      id: `read${singular}`,
      method: 'GET',
      path: itemPath,
      summary: `Read a ${noun}`,
      permission: { kind: 'role', permission: permissions.read },
      params: ofPolicy,
      replies: { 200: resource },
      errors: ['NOT_FOUND'],
      async handle({ params: { environmentId, policyId } }, context) {
        const [row] = await context.kernel.storage.read(policyById(table, environmentId, policyId))
        if (!row) throw notFound()
        return { status: 200, body: bodyOf(context, row) }
      },
    }),
    defineOperation({
      ...common,
      id: `replace${singular}`,
      method: 'PUT',
      path: itemPath,
      summary: `Replace a ${noun}`,
      permission: { kind: 'role', permission: permissions.update },
      params: ofPolicy,
      body: { kind: 'json', schema: nullMeansAbsent(request) },
      replies: { 200: resource },
      errors: ['NOT_FOUND', 'INVALID_DATA'],
      event: events.updated,
      async handle({ params: { environmentId, policyId: id }, body }, context) {
        const { kernel, now } = context
        const document = await documentOf(body, context)
        const changed = kernel.environments.configure(environmentId, `replace-${table}`, now, function* (changes) {
          const before = yield* existing(environmentId, id)
          if (!body.default && before.is_default === 1) {
            throw invalidData(
              'CONSTRAINT_VIOLATION',
              'default',
              'must stay true until another policy becomes the default',
            )
          }
          if (body.default && before.is_default === 0) yield* clearDefault(environmentId, now)
          const columns = { name: body.name, is_default: body.default ? 1 : 0, document, updated_at: now }
          yield* update(table, { environment_id: environmentId, id }, columns)
          yield context.record({ subject: { type: family.subject, id } })
          changes.push({ kind: 'snapshot' })
          return { ...before, ...columns }
        })
        return { status: 200, body: bodyOf(context, await requireUnique(table, 'name', changed)) }
      },
    }),
    defineOperation({
      ...common,
      id: `delete${singular}`,
      method: 'DELETE',
      path: itemPath,
      summary: `Delete a ${noun} that is neither the default nor named by anything`,
      permission: { kind: 'role', permission: permissions.delete },
      params: ofPolicy,
      replies: { 204: null },
      errors: ['NOT_FOUND', 'REQUEST_FAILED'],
      event: events.deleted,
      async handle({ params: { environmentId, policyId: id } }, context) {
        const { kernel, now } = context
        const namedBy = family.namedBy(id, context)
        await kernel.environments.configure(environmentId, `delete-${table}`, now, function* (changes) {
          const row = yield* existing(environmentId, id)
          if (row.is_default === 1) throw constraint('The default policy cannot be deleted.')
          if (namedBy !== undefined) throw constraint(`A policy that ${namedBy} names cannot be deleted.`)
          yield* remove(table, { environment_id: environmentId, id })
          yield context.record({ subject: { type: family.subject, id } })
          changes.push({ kind: 'snapshot' })
        })
        return { status: 204 }
      },
    }),
  ]
}
