/**
 * What a user is told of the transaction that they are asked to approve: a template and what it is filled with, as the
 * application has signed it (`pi.template`, authentication-api 2.14) or, with a stand-alone authentication, says it
 * (`notification.template`, 6.4). What we say ourselves (the code, the user) it cannot change.
 */
import { z } from 'zod'
import type { Json } from './json.ts'

export const transactionText = z.object({
  name: z.enum(['transaction', 'strong_authentication']),
  variant: z.string().optional(),
  variables: z.record(z.string(), z.string()),
  /** BCP 47; before the languages that the user reads. */
  locale: z.string().exactOptional(),
})

export type TransactionText = Readonly<z.infer<typeof transactionText>>

/** The text as an application sends it with a stand-alone authentication. */
export const sentTransactionText = z.object({
  name: z.enum(transactionText.shape.name.options).default('strong_authentication'),
  variant: z.string().min(1).max(100).optional(),
  variables: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_.]{0,63}$/), z.string().max(256))
    .default({})
    .refine((variables) => Object.keys(variables).length <= 20, 'must not be more than 20'),
  locale: z
    .string()
    .regex(/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}$/, 'must be a language tag')
    .exactOptional(),
})

/** What the app of the user is told besides; nobody here reads it. */
export const clientContext = z
  .record(z.string().max(100), z.json())
  .refine((context) => JSON.stringify(context).length <= 4096, 'must not be longer than 4096 characters')

/** The text that came with a checked authorization request; undefined where it says none. */
export function transactionTextOf(parameters: Readonly<Record<string, Json>>): TransactionText | undefined {
  return transactionText.safeParse(parameters['template']).data
}
