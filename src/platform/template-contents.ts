/**
 * What a template says in an environment: `~/templates/{name}/contents`. platform-api 3.18; rows W05, W08. A content of
 * the environment takes the place of the built-in one for the same delivery method and language; when it is deleted, the
 * built-in one holds again. A built-in content itself is neither changed nor deleted.
 */
import { z } from 'zod'
import { collection, collectionSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { type TemplateContent, templateContent } from '../delivery/rules/template-content.ts'
import { type Template, type TemplateName, templates } from '../delivery/rules/templates.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { type TemplateContentRow, templateContentsOf } from '../storage/sql/notifications.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { requireUnique } from './names.ts'
import {
  type Content,
  contentBody,
  contentFilter,
  contentsOf,
  isWanted,
  storedContent,
  templateContentAnswer,
} from './template-content-representation.ts'
import { templateNamed } from './templates.ts'

/** How many contents an environment may store for one template: all are looked at for each message. */
const most = 200

const common = { surface: 'management', tag: 'Notifications', source: 'platform-api 3.18', cors: 'none' } as const
const collectionPath = '/v1/environments/{environmentId}/templates/{templateName}/contents'
const itemPath = `${collectionPath}/{contentId}`
const ofTemplate = z.object({ environmentId: uuid, templateName: z.string() })
const one = ofTemplate.extend({ contentId: uuid })
const body = { kind: 'json', schema: nullMeansAbsent(templateContent) } as const

const listTemplateContents = defineOperation({
  ...common,
  id: 'listTemplateContents',
  method: 'GET',
  path: collectionPath,
  summary: 'List what a template says: contents of the environment, and built-in ones that none of them replaces',
  permission: { kind: 'role', permission: 'notifications:read:template' },
  params: ofTemplate,
  query: z.object({ filter: z.string().max(1024).optional() }),
  replies: { 200: collectionSchema('contents', templateContentAnswer) },
  errors: ['NOT_FOUND', 'INVALID_REQUEST'],
  async handle({ params: { environmentId, templateName }, query }, context) {
    const wanted = contentFilter(query.filter)
    const items = (await readAll(context, environmentId, templateNamed(templateName)))
      .filter(({ content }) => isWanted(content, wanted))
      .map((content) => contentBody(context, content))
    const self = `${context.kernel.origins.apiUrl}${context.target}`
    return { status: 200, body: collection('contents', items, self, undefined, items.length) }
  },
})

const createTemplateContent = defineOperation({
  ...common,
  id: 'createTemplateContent',
  method: 'POST',
  path: collectionPath,
  summary: 'Add a content, which takes the place of a built-in one',
  permission: { kind: 'role', permission: 'notifications:create:template' },
  params: ofTemplate,
  body,
  replies: { 201: templateContentAnswer },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'REQUEST_FAILED'],
  event: 'TEMPLATE_CONTENT.CREATED',
  async handle({ params: { environmentId, templateName }, body: content }, context) {
    const { kernel, now } = context
    const template = templateNamed(templateName)
    requireMethod(template, content)
    const row: TemplateContentRow = {
      id: kernel.world.uuid(),
      template,
      ...columnsOf(content),
      created_at: now,
      updated_at: now,
    }
    const created = kernel.environments.configure(environmentId, 'createTemplateContent', now, function* () {
      const present = yield* run(templateContentsOf(environmentId, template))
      if (present.length >= most) {
        const message = `A template has at most ${most} contents of the environment.`
        throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
      }
      yield* insert('template_contents', { environment_id: environmentId, ...row })
      yield context.record({ subject: { type: 'TEMPLATE_CONTENT', id: row.id }, detail: { template } })
    })
    await requireUnique('template_contents', 'locale', created)
    const answer = contentBody(context, storedContent(template, row))
    return { status: 201, headers: { location: answer._links['self']?.href ?? '' }, body: answer }
  },
})

const readTemplateContent = defineOperation({
  ...common,
  id: 'readTemplateContent',
  method: 'GET',
  path: itemPath,
  summary: 'Read a content, stored or built in',
  permission: { kind: 'role', permission: 'notifications:read:template' },
  params: one,
  replies: { 200: templateContentAnswer },
  errors: ['NOT_FOUND'],
  async handle({ params: { environmentId, templateName, contentId } }, context) {
    const contents = await readAll(context, environmentId, templateNamed(templateName))
    const content = contents.find(({ id }) => id === contentId)
    if (!content) throw notFound()
    return { status: 200, body: contentBody(context, content) }
  },
})

const replaceTemplateContent = defineOperation({
  ...common,
  id: 'replaceTemplateContent',
  method: 'PUT',
  path: itemPath,
  summary: 'Replace a content of the environment',
  permission: { kind: 'role', permission: 'notifications:update:template' },
  params: one,
  body,
  replies: { 200: templateContentAnswer },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'REQUEST_FAILED'],
  event: 'TEMPLATE_CONTENT.UPDATED',
  async handle({ params: { environmentId, templateName, contentId: id }, body: content }, context) {
    const { kernel, now } = context
    const template = templateNamed(templateName)
    requireMethod(template, content)
    const changed = kernel.environments.configure(environmentId, 'replaceTemplateContent', now, function* () {
      const before = yield* existing(environmentId, template, id)
      const columns = { ...columnsOf(content), updated_at: now }
      if (before.delivery_method !== columns.delivery_method) {
        throw invalidData('INVALID_VALUE', 'deliveryMethod', 'cannot be changed')
      }
      yield* update('template_contents', { environment_id: environmentId, id }, columns)
      yield context.record({ subject: { type: 'TEMPLATE_CONTENT', id }, detail: { template } })
      return { ...before, ...columns }
    })
    const row = await requireUnique('template_contents', 'locale', changed)
    return { status: 200, body: contentBody(context, storedContent(template, row)) }
  },
})

const deleteTemplateContent = defineOperation({
  ...common,
  id: 'deleteTemplateContent',
  method: 'DELETE',
  path: itemPath,
  summary: 'Delete a content of the environment, so that the built-in one holds again',
  permission: { kind: 'role', permission: 'notifications:delete:template' },
  params: one,
  replies: { 204: null },
  errors: ['NOT_FOUND', 'REQUEST_FAILED'],
  event: 'TEMPLATE_CONTENT.DELETED',
  async handle({ params: { environmentId, templateName, contentId: id } }, context) {
    const { kernel, now } = context
    const template = templateNamed(templateName)
    await kernel.environments.configure(environmentId, 'deleteTemplateContent', now, function* () {
      yield* existing(environmentId, template, id)
      yield* remove('template_contents', { environment_id: environmentId, id })
      yield context.record({ subject: { type: 'TEMPLATE_CONTENT', id }, detail: { template } })
    })
    return { status: 204 }
  },
})

async function readAll({ kernel }: Context, environmentId: string, name: TemplateName): Promise<readonly Content[]> {
  return contentsOf(environmentId, name, await kernel.storage.read(templateContentsOf(environmentId, name)))
}

/** @throws Problem NOT_FOUND; REQUEST_FAILED when it is built in */
function* existing(environmentId: string, template: TemplateName, id: string): UnitBody<TemplateContentRow> {
  const rows = yield* run(templateContentsOf(environmentId, template))
  const row = rows.find((each) => each.id === id)
  if (row) return row
  if (!contentsOf(environmentId, template, rows).some((content) => content.id === id)) throw notFound()
  const message = 'A built-in content stays as it is: create one of the same delivery method and locale.'
  throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
}

function columnsOf(content: TemplateContent) {
  const { deliveryMethod, locale, variant = '' } = content
  return { delivery_method: deliveryMethod, locale, variant, document: JSON.stringify(content) }
}

function requireMethod(template: TemplateName, { deliveryMethod }: TemplateContent): void {
  const { deliveryMethods: allowedValues }: Template = templates[template]
  if (allowedValues.includes(deliveryMethod)) return
  throw invalidData('INVALID_VALUE', 'deliveryMethod', 'is not one of the template', { allowedValues })
}

export const templateContentOperations: readonly Operation[] = [
  listTemplateContents,
  createTemplateContent,
  readTemplateContent,
  replaceTemplateContent,
  deleteTemplateContent,
]
