/** Spans of time as policies write them: platform-api 3.14.3. */
import { z } from 'zod'

export const span = z.object({ duration: z.int().min(0).max(86_400), timeUnit: z.enum(['MINUTES', 'SECONDS']) })

const seconds = { SECONDS: 1, MINUTES: 60, HOURS: 3600 } as const

/** How many seconds a span lasts. */
export function secondsOf(length: { readonly duration: number; readonly timeUnit: keyof typeof seconds }): number {
  return length.duration * seconds[length.timeUnit]
}
