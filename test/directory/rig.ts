/** A directory for tests: an environment with one population, users in real storage, and a pool that counts. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { PasswordPolicy } from '../../src/directory/passwords/policy.ts'
import { bootstrapPasswordPolicies } from '../../src/directory/passwords/policy.ts'
import type { HashingPool } from '../../src/directory/passwords/pool.ts'
import { newUserRow, type User, type UserDocument } from '../../src/directory/users.ts'
import type { Environment } from '../../src/environment/snapshot.ts'
import { parseMasterKeys } from '../../src/keys/master-key.ts'
import { insert } from '../../src/storage/operations.ts'
import type { Storage } from '../../src/storage/port.ts'

export const now = 1_700_000_000_000
export const DAY = 86_400_000
export const masterKeys = parseMasterKeys(randomBytes(32).toString('base64url'))

const basic = bootstrapPasswordPolicies.find(({ name }) => name === 'Basic') as PasswordPolicy

/** An environment with the parts that password rules read. */
export function environmentWith(policy: Partial<PasswordPolicy> = {}): Environment & { readonly populationId: string } {
  const populationId = randomUUID()
  const population = { id: populationId, name: 'Customers', isDefault: true, passwordPolicyId: null }
  const stored = { id: randomUUID(), isDefault: true, policy: { ...basic, ...policy } }
  const parts: Pick<Environment, 'id' | 'organizationId' | 'populations' | 'passwordPolicies'> = {
    id: randomUUID(),
    organizationId: randomUUID(),
    populations: new Map([[populationId, population]]),
    passwordPolicies: new Map([[stored.id, stored]]),
  }
  return { ...(parts as Environment), populationId }
}

/** A pool whose hashes are readable and whose work is counted. */
export interface CountingPool extends HashingPool {
  /** What was verified, in order: the stored hash, or null. */
  readonly verified: (string | null)[]
}

/** A pool that takes a turn of the event loop for each job, so that races show. */
export function countingPool(): CountingPool {
  const verified: (string | null)[] = []
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  const matches = (hash: string, password: string) => hash.replace(/^old:|:[^:]*$/g, '') === `hash:${password}`
  return {
    verified,
    async hash(password) {
      await turn()
      return `hash:${password}:${randomUUID()}`
    },
    wrap: async () => 'imported',
    async verify(hash, password) {
      verified.push(hash)
      await turn()
      const found = hash !== null && matches(hash, password)
      return { matches: found, needsRehash: found && hash.startsWith('old:') }
    },
    async matchesAny(hashes, password) {
      await turn()
      return hashes.some((hash) => matches(hash, password))
    },
    async isCommonlyUsed(password) {
      await turn()
      return password === 'Common-2023'
    },
    start: async () => 0,
    close: async () => undefined,
  }
}

/** What a new user of a test has, beside a name of their own. */
export interface NewUser {
  readonly password?: string | null
  readonly username?: string
  readonly enabled?: boolean
  readonly lockedAt?: number | null
  readonly document?: UserDocument
  readonly changedAt?: number
  readonly mustChange?: boolean
  readonly oldHash?: boolean
}

/** Puts a user into storage. The password is `Correct-1` unless said otherwise. */
export async function addUser(
  storage: Storage,
  environment: Environment & { readonly populationId: string },
  properties: NewUser = {},
): Promise<User> {
  const { password = 'Correct-1', username = `user-${randomUUID()}` } = properties
  const user: User = {
    id: randomUUID(),
    environmentId: environment.id,
    populationId: environment.populationId,
    username,
    enabled: properties.enabled ?? true,
    lockedAt: properties.lockedAt ?? null,
    mfaEnabled: false,
    verificationRequired: false,
    document: properties.document ?? {},
    lastSignOn: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  }
  await storage.commit({
    name: 'test.add-user',
    *run() {
      yield* insert('users', newUserRow(user))
      if (password !== null) {
        yield* insert('passwords', {
          environment_id: environment.id,
          user_id: user.id,
          hash: `${properties.oldHash ? 'old:' : ''}hash:${password}:salt`,
          changed_at: properties.changedAt ?? now,
          must_change: properties.mustChange ? 1 : 0,
          history: '[]',
        })
      }
    },
  })
  return user
}
