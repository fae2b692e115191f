/**
 * What the name and the value of an attribute mapping may be, of applications and of resources alike: platform-api 3.9,
 * 3.11.3. Never: a name by which tokens are judged.
 */
import { z } from 'zod'
import { isReservedClaim, mappedValueProblem } from '../environment/attribute-mapping.ts'
import { invalidData } from '../errors/problem.ts'

/** The name of a claim: printable, without white space. */
export const claimName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\x21-\x7e]+$/)

/** Text with placeholders; empty text is no value, and has to be allowed by the caller. */
export const claimValue = z
  .string()
  .max(1024)
  .superRefine((value, refinement) => {
    const message = mappedValueProblem(value)
    if (message) refinement.addIssue({ code: 'custom', message })
  })
  .describe('Text with placeholders such as ${user.email}.')

/** @throws Problem INVALID_DATA for a name that no mapping may have */
export function requireFreeName(name: string): void {
  if (isReservedClaim(name)) throw invalidData('INVALID_VALUE', 'name', 'is reserved')
}

/** @throws Problem INVALID_DATA for text that says nothing */
export function requireValue(value: string): void {
  if (value === '') throw invalidData('INVALID_VALUE', 'value', 'must not be empty')
}
