/**
 * The notification templates: `~/templates`. platform-api 3.18. They are the same in every environment; what they say is
 * not (template-contents.ts).
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference, uuid } from '../contract/validation.ts'
import {
  deliveryMethods,
  isTemplateName,
  type Template,
  type TemplateName,
  templates,
} from '../delivery/rules/templates.ts'
import { notFound } from '../errors/problem.ts'

/** A template as it is answered; its id is its name. */
const template = z.object({
  _links: linksSchema,
  id: z.string(),
  environment: reference,
  displayName: z.string(),
  description: z.string(),
  deliveryMethods: z.array(z.enum(deliveryMethods)),
  variables: z.record(z.string(), z.string()).describe('What a content may name as `${name}`.'),
  allowDynamicVariables: z.boolean(),
})

function templateBody({ site, environment }: Context, name: TemplateName) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  const self = `${environmentUrl}/templates/${name}`
  const {
    displayName,
    description,
    deliveryMethods: methods,
    variables,
    allowDynamicVariables,
  }: Template = templates[name]
  return {
    _links: links({ self, environment: environmentUrl, contents: `${self}/contents` }),
    id: name,
    environment: { id: environment.id },
    displayName,
    description,
    deliveryMethods: [...methods],
    variables,
    allowDynamicVariables,
  }
}

/** The template a path names. @throws Problem NOT_FOUND */
export function templateNamed(name: string): TemplateName {
  if (!isTemplateName(name)) throw notFound()
  return name
}

const common = {
  method: 'GET',
  surface: 'management',
  tag: 'Notifications',
  source: 'platform-api 3.18',
  cors: 'none',
  permission: { kind: 'role', permission: 'notifications:read:template' },
  errors: ['NOT_FOUND'],
} as const

const listTemplates = defineOperation({
  ...common,
  id: 'listTemplates',
  path: '/v1/environments/{environmentId}/templates',
  summary: 'List the notification templates',
  params: z.object({ environmentId: uuid }),
  replies: { 200: collectionSchema('templates', template) },
  handle(_input, context) {
    const items = (Object.keys(templates) as TemplateName[]).map((name) => templateBody(context, name))
    const self = `${context.kernel.origins.apiUrl}${context.target}`
    return { status: 200, body: collection('templates', items, self, undefined, items.length) }
  },
})

const readTemplate = defineOperation({
  ...common,
  id: 'readTemplate',
  path: '/v1/environments/{environmentId}/templates/{templateName}',
  summary: 'Read a notification template',
  params: z.object({ environmentId: uuid, templateName: z.string() }),
  replies: { 200: template },
  handle({ params }, context) {
    return { status: 200, body: templateBody(context, templateNamed(params.templateName)) }
  },
})

export const templateOperations: readonly Operation[] = [listTemplates, readTemplate]
