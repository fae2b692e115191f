/**
 * HAL as PingOne writes it: absolute links, `_embedded.<plural>` always present, `next` only while more pages follow
 * (platform-api 1.5-1.7).
 */
import { z } from 'zod'

/** One link. */
export interface Link {
  readonly href: string
}

/** `_links`: relation -> absolute link. */
export type Links = Readonly<Record<string, Link>>

/** The schema of `_links`. */
export const linksSchema = z.record(z.string(), z.object({ href: z.string() }))

/** Builds `_links` from relation -> absolute URL. */
export function links(relations: Readonly<Record<string, string>>): Record<string, Link> {
  const result: Record<string, Link> = {}
  for (const [relation, href] of Object.entries(relations)) result[relation] = { href }
  return result
}

/** The schema of one page of a collection. */
export function collectionSchema(key: string, item: z.ZodType) {
  return z.object({
    _links: linksSchema,
    _embedded: z.object({ [key]: z.array(item) }),
    count: z.number().int().optional(),
    size: z.number().int(),
  })
}

/**
 * One page of a collection.
 * @param self absolute URL of this page
 * @param next absolute URL of the following page; left out on the last one, since clients follow it blindly
 * @param count total matches, where it is known
 */
export function collection<K extends string, T>(
  key: K,
  items: readonly T[],
  self: string,
  next?: string,
  count?: number,
) {
  return {
    _links: next ? { self: { href: self }, next: { href: next } } : { self: { href: self } },
    _embedded: { [key]: items } as Record<K, readonly T[]>,
    ...(count === undefined ? {} : { count }),
    size: items.length,
  }
}
