/**
 * Contents of templates as clients read them: those an environment has stored, and the built-in ones that hold where it
 * has none. platform-api 3.18. A built-in content has an id of its own, which is the same in every answer.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { builtInFor } from '../delivery/rules/render.ts'
import {
  emailContent,
  pushContent,
  smsContent,
  type TemplateContent,
  voiceContent,
} from '../delivery/rules/template-content.ts'
import { deliveryMethods, type TemplateName } from '../delivery/rules/templates.ts'
import { problem } from '../errors/problem.ts'
import type { TemplateContentRow } from '../storage/sql/notifications.ts'

const shown = {
  _links: linksSchema,
  id: uuid,
  environment: reference,
  template: z.object({ id: z.string() }),
  default: z.boolean().describe('Whether it is built in.'),
  createdAt: timestamp.optional(),
  updatedAt: timestamp.optional(),
}

/** A content as it is answered. */
export const templateContentAnswer = z.discriminatedUnion('deliveryMethod', [
  emailContent.extend(shown),
  smsContent.extend(shown),
  voiceContent.extend(shown),
  pushContent.extend(shown),
])

/** A content, stored or built in. */
export interface Content {
  readonly id: string
  readonly template: TemplateName
  readonly content: TemplateContent
  /** Undefined: it is built in. */
  readonly times: { readonly created_at: number; readonly updated_at: number } | undefined
}

/** A stored content. */
export function storedContent(template: TemplateName, row: TemplateContentRow): Content {
  return { id: row.id, template, content: JSON.parse(row.document) as TemplateContent, times: row }
}

/** Everything a template says in an environment: its own contents, then the built-in ones that none of them replaces. */
export function contentsOf(
  environmentId: string,
  template: TemplateName,
  rows: readonly TemplateContentRow[],
): readonly Content[] {
  const own = rows.map((row) => storedContent(template, row))
  const replaced = (builtIn: TemplateContent) =>
    own.some(
      ({ content }) =>
        content.variant === undefined &&
        content.deliveryMethod === builtIn.deliveryMethod &&
        content.locale.toLowerCase() === builtIn.locale,
    )
  const builtIn = deliveryMethods
    .flatMap((method) => builtInFor(template, method))
    .filter((content) => !replaced(content))
    .map((content) => ({ id: builtInId(environmentId, template, content), template, content, times: undefined }))
  return [...own, ...builtIn]
}

/** An id that looks like any other and follows from what it names. */
function builtInId(environmentId: string, template: TemplateName, { deliveryMethod, locale }: TemplateContent): string {
  const hash = createHash('sha256').update(`${environmentId}/${template}/${deliveryMethod}/${locale}`).digest('hex')
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `4${hash.slice(13, 16)}`,
    `8${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join('-')
}

/** Writes a content. */
export function contentBody({ site, environment }: Context, { id, template, content, times }: Content) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  const templateUrl = `${environmentUrl}/templates/${template}`
  return {
    _links: links({ self: `${templateUrl}/contents/${id}`, environment: environmentUrl, template: templateUrl }),
    id,
    environment: { id: environment.id },
    template: { id: template },
    default: times === undefined,
    ...content,
    ...(times ? { createdAt: iso(times.created_at), updatedAt: iso(times.updated_at) } : {}),
  }
}

const filterable = ['deliveryMethod', 'locale', 'variant'] as const
type ContentFilter = ReadonlyMap<(typeof filterable)[number], string>

/**
 * Reads a filter of contents: `deliveryMethod`, `locale`, `variant`, each with `eq`, joined by `and`.
 * @throws Problem INVALID_REQUEST with detail INVALID_FILTER
 */
export function contentFilter(filter: string | undefined): ContentFilter {
  const wanted = new Map<(typeof filterable)[number], string>()
  let rest = filter?.trim() ?? ''
  while (rest !== '') {
    const term = /^\(*\s*(\w+)\s+eq\s+"([^"\\]*)"\s*\)*/i.exec(rest)
    const attribute = filterable.find((name) => name.toLowerCase() === term?.[1]?.toLowerCase())
    if (!term || attribute === undefined || wanted.has(attribute)) throw invalidFilter()
    wanted.set(attribute, term[2] ?? '')
    const next = rest.slice(term[0].length).trim()
    rest = next.replace(/^and\s+/i, '')
    if (next !== '' && rest === next) throw invalidFilter()
  }
  return wanted
}

/** Whether a content is one of those that are wanted. */
export function isWanted(content: TemplateContent, wanted: ContentFilter): boolean {
  return [...wanted].every(([attribute, value]) => content[attribute] === value)
}

function invalidFilter(): Error {
  return problem('INVALID_REQUEST', {
    details: [
      {
        code: 'INVALID_FILTER',
        target: 'filter',
        message: 'must compare supported attributes, joined by `and`',
        innerError: { supportedAttributes: filterable, supportedOperators: ['eq'] },
      },
    ],
  })
}
