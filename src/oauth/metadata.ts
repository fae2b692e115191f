/**
 * The language in which parts of the authorization server say what they offer: each endpoint, grant and rule declares its
 * own lines of the metadata (RFC 8414 section 2, OpenID Connect Discovery 1.0 section 3) beside what they describe, and
 * `endpoints/discovery.ts` joins them. Lists that several parts add to are joined; any other member has one owner.
 *
 * Never: a line that is written elsewhere than beside what keeps it; a promise that the environment has switched off.
 */
import { z } from 'zod'
import type { Environment } from '../environment/snapshot.ts'
import type { Site } from '../site.ts'

/** The lines of one part, its types erased. A member that is undefined is left out. */
export interface Metadata {
  readonly members: z.ZodRawShape
  readonly lines: (environment: Environment, site: Site) => Readonly<Record<string, unknown>>
}

/** Declares the lines of one part: the schemas of its members, and their values for an environment. */
export function defineMetadata<S extends z.ZodRawShape>(
  members: S,
  lines: (environment: Environment, site: Site) => z.output<z.ZodObject<S>>,
): Metadata {
  return { members, lines }
}

/**
 * The schema of what `metadataOf` gives.
 * @throws Error when two parts claim a member that is no list
 */
export function metadataSchema(parts: readonly Metadata[]): z.ZodObject {
  const shape: Record<string, z.ZodRawShape[string]> = {}
  for (const [name, member] of parts.flatMap(({ members }) => Object.entries(members))) {
    const isList = member instanceof z.ZodArray
    if (name in shape && !isList) throw new Error(`${name} is described twice`)
    shape[name] = member
  }
  return z.object(shape)
}

/** The metadata of an environment: the lines of all parts, in their order. */
export function metadataOf(parts: readonly Metadata[], environment: Environment, site: Site): Record<string, unknown> {
  const document: Record<string, unknown> = {}
  for (const { lines } of parts) {
    for (const [name, value] of Object.entries(lines(environment, site))) {
      const before = document[name]
      if (Array.isArray(before) && Array.isArray(value)) document[name] = [...new Set([...before, ...value])]
      else if (value !== undefined) document[name] = value
    }
  }
  return document
}
