/**
 * `{ "secondsSince": "${session.lastSignOn…at}", "greater": N }`: true when the sign-on is older than N seconds.
 * authentication-api 5.5. Without a session the value is missing and the result unknown, so that the action runs, as
 * PingOne has it, even under `not`.
 *
 * Never: a sign-on from the future counted as fresh (beyond the skew that clocks of several nodes may have).
 */
import { z } from 'zod'
import { defineCondition } from '../condition.ts'
import type { SessionFacts } from '../facts.ts'

const paths = {
  '${session.lastSignOn.at}': 'session.lastSignOn.at',
  '${session.lastSignOn.withAuthenticator.pwd.at}': 'session.lastSignOn.withAuthenticator.pwd.at',
  '${session.lastSignOn.withAuthenticator.mfa.at}': 'session.lastSignOn.withAuthenticator.mfa.at',
} as const

type Path = (typeof paths)[keyof typeof paths]

const secondsSinceSchema = z.strictObject({
  secondsSince: z.enum(Object.keys(paths) as (keyof typeof paths)[]),
  greater: z.int().min(0),
})

/** Clocks of two nodes may differ by this much, in seconds. */
const clockSkew = 60

export type SecondsSince = z.infer<typeof secondsSinceSchema>

export const secondsSince = defineCondition({
  operator: 'secondsSince',
  schema: () => secondsSinceSchema,
  compile(json) {
    const path = paths[json.secondsSince]
    return {
      reads: [{ fact: path, points: [json.greater, json.greater + 1] }],
      evaluate({ session, now }) {
        const at = session && timeAt(session, path)
        if (at == null || !Number.isFinite(at)) return 'unknown'
        const age = (now - at) / 1000
        if (age < -clockSkew) return 'unknown'
        return age > json.greater ? 'true' : 'false'
      },
    }
  },
})

function timeAt(session: SessionFacts, path: Path): number | undefined {
  const { at, withAuthenticator } = session.lastSignOn
  switch (path) {
    case 'session.lastSignOn.at':
      return at
    case 'session.lastSignOn.withAuthenticator.pwd.at':
      return withAuthenticator.pwd?.at
    case 'session.lastSignOn.withAuthenticator.mfa.at':
      return withAuthenticator.mfa?.at
  }
}
