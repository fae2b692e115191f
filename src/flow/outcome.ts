/**
 * The outcome of a completed flow: who signed on, how, when, and what becomes of the session. The runtime stores the
 * session from it when the flow completes and builds the code or tokens from it on resume (authentication-api 2.4-2.6).
 *
 * Never: anything the proofs or the live session do not show.
 */
import { z } from 'zod'
import { amrWords, authenticators } from './proof.ts'

export const outcomeSchema = z.strictObject({
  userId: z.string(),
  session: z.strictObject({
    /** The id the session has from now on. */
    id: z.string(),
    /** Whether that is the session the browser came with, brought up to date, rather than a new one. */
    kept: z.boolean(),
    /** A session of somebody else that has to be deleted. */
    replaces: z.string().nullable(),
  }),
  policyId: z.string(),
  policyVersion: z.int(),
  /** Name of the completed policy, the `acr` claim. */
  acr: z.string(),
  /** `amr` claim: methods proved here, and those of the session that spared a step. */
  amr: z.array(z.enum(amrWords)),
  /** `auth_time` claim in epoch seconds. */
  authTime: z.int(),
  /** Methods proved in this flow and when (epoch milliseconds): `lastSignOn.withAuthenticator` of the session. */
  proved: z.partialRecord(z.enum(authenticators), z.int()),
  /** The consent by which the application gets what it asked for, where it needs one. */
  consentId: z.string().exactOptional(),
})

export type Outcome = Readonly<z.infer<typeof outcomeSchema>>
