/**
 * All contents of one variant at once: PATCH and DELETE of `~/templates/{name}/contents` with a filter that names the
 * variant. platform-api 3.18. PATCH gives the variant another name.
 *
 * Never: a call without a filter, which would meet everything.
 */
import { z } from 'zod'
import { defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import type { TemplateContent } from '../delivery/rules/template-content.ts'
import { emailContent } from '../delivery/rules/template-content.ts'
import type { TemplateName } from '../delivery/rules/templates.ts'
import { invalidData } from '../errors/problem.ts'
import { remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { type TemplateContentRow, templateContentsOf } from '../storage/sql/notifications.ts'
import { requireUnique } from './names.ts'
import { contentFilter, isWanted } from './template-content-representation.ts'
import { templateNamed } from './templates.ts'

const common = {
  surface: 'management',
  tag: 'Notifications',
  source: 'platform-api 3.18',
  cors: 'none',
  path: '/v1/environments/{environmentId}/templates/{templateName}/contents',
  params: z.object({ environmentId: uuid, templateName: z.string() }),
  query: z.object({ filter: z.string().max(1024).optional().describe('Names the variant: `variant eq "…"`.') }),
  replies: { 204: null },
} as const

const renameTemplateVariant = defineOperation({
  ...common,
  id: 'renameTemplateVariant',
  method: 'PATCH',
  summary: 'Give all contents of a variant another name of the variant',
  permission: { kind: 'role', permission: 'notifications:update:template' },
  body: { kind: 'json', schema: z.object({ variant: emailContent.shape.variant.unwrap() }) },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'INVALID_REQUEST'],
  event: 'TEMPLATE_CONTENT.UPDATED',
  async handle({ params: { environmentId, templateName }, query, body: { variant } }, context) {
    const { kernel, now } = context
    const template = templateNamed(templateName)
    const find = ofVariant(environmentId, template, query.filter)
    const renamed = kernel.environments.configure(environmentId, 'renameTemplateVariant', now, function* () {
      for (const row of yield* find()) {
        const document = JSON.stringify({ ...(JSON.parse(row.document) as TemplateContent), variant })
        const columns = { variant, document, updated_at: now }
        yield* update('template_contents', { environment_id: environmentId, id: row.id }, columns)
        yield context.record({ subject: { type: 'TEMPLATE_CONTENT', id: row.id }, detail: { template } })
      }
    })
    await requireUnique('template_contents', 'variant', renamed)
    return { status: 204 }
  },
})

const deleteTemplateVariant = defineOperation({
  ...common,
  id: 'deleteTemplateVariant',
  method: 'DELETE',
  summary: 'Delete all contents of a variant',
  permission: { kind: 'role', permission: 'notifications:delete:template' },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'INVALID_REQUEST'],
  event: 'TEMPLATE_CONTENT.DELETED',
  async handle({ params: { environmentId, templateName }, query }, context) {
    const { kernel, now } = context
    const template = templateNamed(templateName)
    const find = ofVariant(environmentId, template, query.filter)
    await kernel.environments.configure(environmentId, 'deleteTemplateVariant', now, function* () {
      for (const row of yield* find()) {
        yield* remove('template_contents', { environment_id: environmentId, id: row.id })
        yield context.record({ subject: { type: 'TEMPLATE_CONTENT', id: row.id }, detail: { template } })
      }
    })
    return { status: 204 }
  },
})

/** @throws Problem INVALID_REQUEST, INVALID_DATA when the filter names no variant */
function ofVariant(
  environmentId: string,
  template: TemplateName,
  filter: string | undefined,
): () => UnitBody<readonly TemplateContentRow[]> {
  const wanted = contentFilter(filter)
  if (!wanted.has('variant')) throw invalidData('REQUIRED_VALUE', 'filter', 'must name the variant')
  return function* () {
    const rows = yield* run(templateContentsOf(environmentId, template))
    return rows.filter(({ document }) => isWanted(JSON.parse(document) as TemplateContent, wanted))
  }
}

export const templateContentsBulkOperations: readonly Operation[] = [renameTemplateVariant, deleteTemplateVariant]
