/** JSON null means the same as leaving a member out (platform-api 1.9, 4.7 row 14). */
import { z } from 'zod'

/** A body schema that drops members whose value is null, at any depth, before `schema` looks at the rest. */
export function nullMeansAbsent<S extends z.ZodType>(schema: S) {
  return z.preprocess(withoutNulls, schema)
}

/** A copy without the members that are null. Items of arrays stay: a list with a hole in it is a mistake. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, withoutNulls(member)]),
  )
}
