/**
 * Names and descriptions as the configuration resources take them (platform-api 1.3, authentication-api 7.5), and the
 * answer to a name that is taken (decision D9).
 *
 * Never: a control character, which could forge a line in a log or a page.
 */
import { z } from 'zod'
import { uniquenessViolation } from '../errors/problem.ts'
import { UniquenessViolation } from '../storage/refusals.ts'

/** A name: 1 to 256 characters, not blank, no control characters. */
export const name = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[ -~\u00a0-\uffff]*$/)
  .refine((text) => text.trim() !== '', 'must not be blank')

/** A description: at most 1,024 characters, without those PingOne refuses: ``$ + < = > ^ ` | ~``. */
export const description = z
  .string()
  .max(1024)
  .regex(/^[\t\n\r -#%-*,-;?-\]_a-{}\u00a0-\uffff]*$/)

/**
 * Waits for a commit and turns a unique value that was taken into 400 INVALID_DATA.
 * @param target the member of the body that has to be unique in `table`
 * @throws Problem INVALID_DATA with detail UNIQUENESS_VIOLATION
 */
export async function requireUnique<T>(table: string, target: string, commit: Promise<T>): Promise<T> {
  try {
    return await commit
  } catch (error) {
    if (error instanceof UniquenessViolation && error.table === table) throw uniquenessViolation(target)
    throw error
  }
}
