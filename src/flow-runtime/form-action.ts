/**
 * The fields of a form as an action on the flow: the hidden field `action` names it, and the fields that its body
 * knows become the body. What the forms and the flows API can do is thereby the same list.
 *
 * Never: an action or a member that the flow does not declare, or a value sent twice (decision D11).
 */
import { z } from 'zod'
import type { FormParameters } from '../contract/form.ts'
import type { MediaType } from '../flow/actions/index.ts'
import { mediaTypes } from '../flow/media-types.ts'

/** What a form asks of the flow. */
export interface FormAction {
  readonly action: MediaType
  /**
   * As the JSON body of that media type would be. A field left empty is a member not sent; a member that is an object takes
   * the field of its name as its `id`, and fields such as `name.given` as its members; one that is a boolean takes `true` or `false`.
   */
  readonly body: Readonly<Record<string, string | boolean | Readonly<Record<string, string>>>>
}

/**
 * Reads a form.
 * @returns undefined when it is none: no such action, or a field sent more than once
 */
export function formAction({ values, repeated }: FormParameters): FormAction | undefined {
  const description = mediaTypes().find(({ name }) => name === values['action'])
  if (!description || repeated.length > 0) return undefined
  const members = Object.entries(description.body.shape).flatMap(
    ([member, schema]): (readonly [string, FormAction['body'][string]])[] => {
      const value = values[member]
      if (value) return [[member, memberOf(schema, value)]]
      const parts = partsOf(values, member)
      return Object.keys(parts).length > 0 ? [[member, parts]] : []
    },
  )
  return { action: description.name, body: Object.fromEntries(members) }
}

/** A field as the member it stands for: what is no text in JSON is text in a form. */
function memberOf(schema: unknown, value: string): FormAction['body'][string] {
  if (schema instanceof z.ZodObject) return { id: value }
  if (isBoolean(schema) && (value === 'true' || value === 'false')) return value === 'true'
  return value
}

function isBoolean(schema: unknown): boolean {
  return schema instanceof z.ZodOptional ? isBoolean(schema.unwrap()) : schema instanceof z.ZodBoolean
}

/** The fields `member.part` as an object. */
function partsOf(values: FormParameters['values'], member: string): Readonly<Record<string, string>> {
  const named = Object.entries(values).flatMap(([name, value]) =>
    name.startsWith(`${member}.`) && value ? [[name.slice(member.length + 1), value] as const] : [],
  )
  return Object.fromEntries(named)
}
