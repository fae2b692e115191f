/**
 * Lists in pages (platform-api 1.5-1.7): `limit`, an opaque `cursor`, and an absolute `next` link only while more follow.
 * Every list of the platform is answered by `answerPage`:
 *
 * ```ts
 * query: pageQuery,
 * replies: { 200: collectionSchema('populations', population) },
 * handle: ({ query }, context) =>
 *   answerPage(context, query, {
 *     key: 'populations',
 *     statement: (span) => populationsPage(context.environment.id, filterOf(query, attributes), span),
 *     write: (row) => populationBody(context.site, row),
 *   })
 * ```
 *
 * The statement is built by `pageOf` of `storage/sql/page.ts`; its span ends one row behind the page, which tells whether
 * another page follows. A cursor is bound to path, environment, actor and filter (row N22); who may see which row is
 * judged anew on every page, since the statement is built anew.
 *
 * Never: a place taken from a cursor whose MAC does not fit, `next` on the last page (clients would loop), a page of
 * more than 1,000.
 */
import { z } from 'zod'
import { decodeCursor, encodeCursor, type Place } from '../contract/cursor.ts'
import { collection } from '../contract/hal.ts'
import type { Context, Reply } from '../contract/operation.ts'
import { deriveKey } from '../keys/master-key.ts'
import type { Statement } from '../storage/port.ts'
import type { Condition, Span } from '../storage/sql/page.ts'
import { compileFilter, type FilterAttribute } from './filter.ts'

const maximumLimit = 1000
const defaultLimit = 100
/** Before every row: times are never negative. */
const beginning: Place = { createdAt: -1, id: '' }

/** The query of a list; `pageQuery.extend({ … })` where a list takes more. */
export const pageQuery = z.object({
  limit: z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number)
    .pipe(z.number().min(1))
    .transform((limit) => Math.min(limit, maximumLimit))
    .default(defaultLimit)
    .describe(`How many items a page may hold, 1 to ${maximumLimit}.`),
  cursor: z.string().max(1024).optional().describe('Where the page begins: taken from a `next` link, never built.'),
  filter: z.string().max(1024).optional().describe('A SCIM filter over the attributes the list names.'),
})

/** How one list is read and written. */
export interface List<K extends string, R extends { readonly created_at: number; readonly id: string }> {
  /** The plural under `_embedded`. */
  readonly key: K
  /** The rows of a span, in the order `(created_at, id)`. */
  readonly statement: (span: Span) => Statement<R>
  /** One item of the answer. */
  readonly write: (row: R) => object
}

/**
 * The filter of a query as conditions for `pageOf`: none or one.
 * @param attributes what may be filtered, by the names clients write
 * @throws Problem INVALID_REQUEST with detail INVALID_FILTER, once the statement is built
 */
export function filterOf(
  { filter }: { readonly filter?: string | undefined },
  attributes: Readonly<Record<string, FilterAttribute>>,
): readonly Condition[] {
  if (filter === undefined) return []
  return [(firstParameter) => compileFilter(filter, { attributes, firstParameter })]
}

/**
 * Reads and answers one page.
 * @throws Problem INVALID_DATA when the cursor does not belong to this list, actor and filter
 */
export async function answerPage<K extends string, R extends { readonly created_at: number; readonly id: string }>(
  context: Context,
  query: z.output<typeof pageQuery>,
  list: List<K, R>,
): Promise<Reply> {
  const { storage, masterKeys, origins } = context.kernel
  const { pathname: path, searchParams: parameters } = new URL(context.target, origins.apiUrl)
  const binding = [path, environmentOf(context), actorOf(context), query.filter ?? '']
  const key = deriveKey(masterKeys.current, 'cursor')
  const after = query.cursor === undefined ? beginning : decodeCursor(key, binding, query.cursor)

  const rows = await storage.read(list.statement({ after, limit: query.limit + 1 }))
  const shown = rows.slice(0, query.limit)
  const last = shown.at(-1)
  let next: string | undefined
  if (last && rows.length > query.limit) {
    parameters.set('cursor', encodeCursor(key, binding, { createdAt: last.created_at, id: last.id }))
    parameters.set('limit', String(query.limit))
    next = `${origins.apiUrl}${path}?${parameters.toString()}`
  }
  // The total is known for nothing when all of it is on this page.
  const count = query.cursor === undefined && next === undefined ? shown.length : undefined
  const body = collection(list.key, shown.map(list.write), `${origins.apiUrl}${context.target}`, next, count)
  return { status: 200, body }
}

function actorOf({ actor }: Context): string {
  switch (actor.kind) {
    case 'anonymous':
      return ''
    case 'application':
      return actor.clientId
    case 'user':
      return `${actor.clientId}/${actor.userId}`
  }
}

/** The environment of the actor: the one of the path is part of the path. */
function environmentOf({ actor }: Context): string {
  return actor.kind === 'anonymous' ? '' : actor.environmentId
}
