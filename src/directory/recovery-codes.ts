/**
 * Recovery codes, an extension (decision D24): a set that a user keeps on paper, for when no other device is at hand. They
 * are the passcodes of a device of its own kind. Each is good once, and a new set takes the place of the old one (row L21).
 *
 * Never: a code in clear in storage.
 */
import type { Environment } from '../environment/snapshot.ts'
import type { Kernel } from '../kernel.ts'
import { consume, insertAll, remove } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { recoveryCode } from '../storage/sql/recovery-codes.ts'
import type { World } from '../world.ts'
import { type CodeFor, hashOfCode, newCode } from './one-time-codes.ts'

/** How many codes a set has, and how many letters and digits each of them: 48 bits of chance. */
const setSize = 10
const length = 10

function codeFor(userId: string): CodeFor {
  return { purpose: 'RECOVERY_CODE', subject: userId }
}

/** A code as it was made, whatever was typed between its parts. */
function normalized(typed: string): string {
  return typed.replaceAll(/[\s-]/g, '').toUpperCase()
}

/** A new set, in two parts each as people read them: `BCDFG-23456`. */
export function newRecoveryCodes(world: Pick<World, 'bytes'>): readonly string[] {
  return Array.from({ length: setSize }, () => {
    const code = newCode(world, { kind: 'letters-and-digits', length })
    return `${code.slice(0, length / 2)}-${code.slice(length / 2)}`
  })
}

/** Keeps a set; whatever codes the user had before are dead from then on. For the unit that makes the device. */
export function* keepRecoveryCodes(
  environment: Environment,
  userId: string,
  codes: readonly string[],
  now: number,
): UnitBody<void> {
  yield* remove('recovery_codes', { environment_id: environment.id, user_id: userId })
  yield* insertAll(
    'recovery_codes',
    codes.map((code) => ({
      environment_id: environment.id,
      user_id: userId,
      code_hash: hashOf(environment, userId, code),
      created_at: now,
    })),
  )
}

/**
 * Looks a typed code up, after a guess was taken.
 * @returns what uses it up, for the unit of what it allows (throws AlreadyConsumed); undefined: the user has no such code
 */
export async function findRecoveryCode(
  { storage }: Pick<Kernel, 'storage'>,
  environment: Environment,
  userId: string,
  typed: string,
): Promise<(() => UnitBody<void>) | undefined> {
  const hash = hashOf(environment, userId, typed)
  const [row] = await storage.read(recoveryCode(environment.id, userId, hash))
  if (!row) return undefined
  return function* use() {
    yield* consume('recovery_codes', { environment_id: environment.id, user_id: userId, code_hash: hash })
  }
}

function hashOf(environment: Environment, userId: string, code: string): string {
  return hashOfCode(environment, codeFor(userId), normalized(code)).toString('base64url')
}
