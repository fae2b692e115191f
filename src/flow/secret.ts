/**
 * Secrets in bodies: cut out where a request comes in, and handed to whoever answers the machine's question (architecture
 * section 3).
 *
 * Never: a secret in what the machine sees.
 */
import type { z } from 'zod'

/** Text that is cut out of a body at the door and never reaches the machine. */
export type SecretText = string & z.core.$brand<'Secret'>

/** Marks a member of a body as secret. The mark has to be the outermost part of the member's schema. */
export function secret(schema: z.ZodString) {
  return schema.brand<'Secret'>().meta({ writeOnly: true, format: 'password' })
}

/** Marks a member that may be left out. */
export function optionalSecret(schema: z.ZodString) {
  return schema.brand<'Secret'>().optional().meta({ writeOnly: true, format: 'password' })
}

/** Whether a member of a body is marked as secret. */
export function isSecret(schema: z.ZodType): boolean {
  return schema.meta()?.writeOnly === true
}

/** What is left of a body when its secrets have been cut out. */
export type PublicBody<Body> = {
  [Name in keyof Body as NonNullable<Body[Name]> extends SecretText ? never : Name]: Body[Name]
}
