/**
 * `{ "value": "${user.population.id}", "equals": "…" }`: true when an attribute of the user has this value, compared
 * exactly; numbers are written as strings. authentication-api 5.5; not on the action of priority 1, where nobody is
 * known yet.
 *
 * Never: a result from an attribute that is absent or not a single value; an attribute inherited from a prototype.
 */
import { z } from 'zod'
import { defineCondition } from '../condition.ts'

const equalsSchema = z.strictObject({
  value: z.string().regex(/^\$\{user(\.[A-Za-z][A-Za-z0-9_]{0,63}){1,5}\}$/),
  equals: z.union([z.string().max(1024), z.boolean()]),
})

export type Equals = z.infer<typeof equalsSchema>

export const equals = defineCondition({
  operator: 'equals',
  schema: () => equalsSchema,
  compile(json) {
    const path = json.value.slice('${user.'.length, -1)
    const names = path.split('.')
    return {
      reads: [{ fact: `user.${path}`, points: [json.equals, differentFrom(json.equals)] }],
      evaluate({ user }) {
        const value = user && valueAt(user.attributes, names)
        switch (typeof value) {
          case 'string':
          case 'boolean':
            return value === json.equals ? 'true' : 'false'
          case 'number':
            return String(value) === json.equals ? 'true' : 'false'
          default:
            return 'unknown'
        }
      },
    }
  },
})

function valueAt(attributes: Readonly<Record<string, unknown>>, names: readonly string[]): unknown {
  let value: unknown = attributes
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[name]
  }
  return value
}

function differentFrom(value: string | boolean): string | boolean {
  return typeof value === 'boolean' ? !value : `${value}-`
}
