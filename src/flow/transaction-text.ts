/**
 * What a user is told of the transaction that they are asked to approve: a template and what it is filled with, as the
 * application has signed it (`pi.template`, authentication-api 2.14). What we say ourselves (the code, the user) it cannot
 * change.
 */
import { z } from 'zod'
import type { Json } from './json.ts'

const transactionText = z.object({
  name: z.enum(['transaction', 'strong_authentication']),
  variant: z.string().optional(),
  variables: z.record(z.string(), z.string()),
})

export type TransactionText = Readonly<z.infer<typeof transactionText>>

/** The text that came with a checked authorization request; undefined where it says none. */
export function transactionTextOf(parameters: Readonly<Record<string, Json>>): TransactionText | undefined {
  return transactionText.safeParse(parameters['template']).data
}
