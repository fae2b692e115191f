/**
 * One hashing pool for all nodes of a process, at the lowest cost that argon2id has: a worker that starts, and a hash of the
 * real cost, take longer than most tests.
 */
import { createHashingPool, type HashingPool } from '../../src/directory/passwords/pool.ts'
import { realWorld } from '../../src/world.ts'

let own: HashingPool | undefined

/** The pool of this process. Nobody closes it: it keeps no process alive. */
export function sharedHashingPool(): HashingPool {
  own ??= createHashingPool(realWorld, { cost: { memory: 8, passes: 1, lanes: 1 } })
  return own
}
