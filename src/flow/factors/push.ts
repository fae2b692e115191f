/** Push requests as a flow knows them: the one it waits for, and what the app answered. Row L35. */
import { z } from 'zod'

/** A request that was made for a flow. What of it the app has to sign is in directory/mobile-devices.ts. */
export const pendingPush = z.strictObject({
  requestId: z.string(),
  /** What the page shows and the person types into the app; null where numbers are not matched. */
  number: z.string().nullable(),
  /** Epoch milliseconds. */
  expiresAt: z.int(),
})

export type PendingPush = Readonly<z.infer<typeof pendingPush>>

/** The answer of an app, its signature verified: which request it is about, and what the person decided. */
export interface PushAnswer {
  readonly requestId: string
  readonly deviceId: string
  readonly decision: 'APPROVE' | 'DENY'
  readonly number: string | null
}
