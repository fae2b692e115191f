/** Evaluates a condition written as JSON, for tests. */
import assert from 'node:assert/strict'
import { type Circumstances, evaluate, type Truth } from '../../../src/flow/condition.ts'
import type { NetworkFacts } from '../../../src/flow/client-network.ts'
import { readCondition } from '../../../src/flow/conditions/index.ts'
import type { SessionFacts, UserFacts } from '../../../src/flow/facts.ts'

export const now = Date.UTC(2026, 10, 22)

/** What a condition is evaluated in. */
interface Situation {
  readonly ages?: Ages
  readonly attributes?: UserFacts['attributes']
  readonly groups?: readonly string[]
  readonly remoteIp?: string
  readonly network?: NetworkFacts
  readonly lastSignOn?: NonNullable<UserFacts['lastSignOn']>
}

/** What the condition comes to; `ages` in seconds make a session, `attributes` a user. */
export function truthOf(
  json: unknown,
  { ages, attributes, groups, remoteIp, network, lastSignOn }: Situation = {},
): Truth {
  const { condition, problems } = readCondition(json)
  assert.deepEqual(problems, [])
  const circumstances: Circumstances = {
    now,
    session: ages ? sessionAged(ages) : null,
    user: attributes ? { ...userWith(attributes), lastSignOn: lastSignOn ?? null } : null,
    groups: groups ?? null,
    request: remoteIp === undefined ? null : { remoteIp, ...(network ? { network } : {}) },
  }
  return evaluate(condition, circumstances)
}

interface Ages {
  readonly at: number
  readonly pwd?: number
  readonly mfa?: number
}

export function sessionAged({ at, pwd, mfa }: Ages): SessionFacts {
  return {
    id: 'session',
    userId: 'user',
    lastSignOn: {
      at: now - at * 1000,
      withAuthenticator: {
        ...(pwd === undefined ? {} : { pwd: { at: now - pwd * 1000 } }),
        ...(mfa === undefined ? {} : { mfa: { at: now - mfa * 1000 } }),
      },
    },
  }
}

export function userWith(attributes: UserFacts['attributes']): UserFacts {
  return {
    id: 'user',
    enabled: true,
    locked: false,
    canAuthenticate: true,
    password: 'OK',
    mfaEnabled: true,
    verification: 'OK',
    attributes,
  }
}
