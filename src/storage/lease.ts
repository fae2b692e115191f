/**
 * Leases: one node at a time does a background job. Architecture section 5 (global table `leases`), catalogue R16, R19.
 *
 * A lease is a row with an owner and an expiry; a node that dies leaves one that runs out. The clock is the node's own,
 * so a lease saves work and never carries correctness: what runs under it must bear being run twice.
 */
import type { Storage, Unit } from './port.ts'
import { run } from './port.ts'
import type { World } from '../world.ts'

/** A named lease as one owner wants it. */
export interface Lease {
  readonly name: string
  /** A random id of the owner, new for every process. */
  readonly owner: string
  /** How long it lasts from `now`, milliseconds. */
  readonly duration: number
  /** Epoch milliseconds. */
  readonly now: number
}

/** Takes the lease if it is free, run out, or the owner's own already. Its value says whether the owner holds it now. */
export function takeLease({ name, owner, duration, now }: Lease): Unit<boolean> {
  return {
    name: 'lease.take',
    single: true,
    *run() {
      const rows = yield* run({
        text: `INSERT INTO leases (name, owner, expires_at) VALUES ($1, $2, $3)
          ON CONFLICT (name) DO UPDATE SET owner = $2, expires_at = $3
          WHERE leases.expires_at <= $4 OR leases.owner = $2
          RETURNING owner`,
        values: [name, owner, now + duration, now],
      })
      return rows.length > 0
    },
  }
}

/** Extends the lease of its owner. False when another node has taken it meanwhile: stop. */
export function renewLease({ name, owner, duration, now }: Lease): Unit<boolean> {
  return {
    name: 'lease.renew',
    single: true,
    *run() {
      const rows = yield* run({
        text: 'UPDATE leases SET expires_at = $3 WHERE name = $1 AND owner = $2 RETURNING owner',
        values: [name, owner, now + duration],
      })
      return rows.length > 0
    },
  }
}

/** Gives the lease back, if the owner still holds it. */
export function releaseLease({ name, owner }: Pick<Lease, 'name' | 'owner'>): Unit<void> {
  return {
    name: 'lease.release',
    single: true,
    *run() {
      yield* run({ text: 'DELETE FROM leases WHERE name = $1 AND owner = $2', values: [name, owner] })
    },
  }
}

/** What `underLease` says when another node holds the lease: nothing was run. */
export const heldElsewhere = Symbol('held elsewhere')

/**
 * Runs `work` while holding a lease, renewing it at every third of its duration, and gives it back afterwards.
 * @param lease its name, and how long it outlives a node that dies, milliseconds
 * @param work gets a signal that is aborted when the lease is lost; it must look at it between its batches
 * @returns the value of `work`, or `heldElsewhere`
 */
export async function underLease<T>(
  storage: Storage,
  world: World,
  lease: Pick<Lease, 'name' | 'duration'>,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T | typeof heldElsewhere> {
  const own = { ...lease, owner: world.uuid() }
  const taken = world.now()
  if (!(await storage.commit(takeLease({ ...own, now: taken })))) return heldElsewhere
  const lost = new AbortController()
  let until = taken + own.duration
  const renew = async () => {
    const now = world.now()
    // A database that is away may be back before the lease runs out: the next third tries again.
    const answer = await storage.commit(renewLease({ ...own, now })).catch(() => 'no answer' as const)
    if (answer === true) until = now + own.duration
    else if (answer === false || now >= until) lost.abort()
  }
  const renewal = setInterval(() => void renew(), own.duration / 3)
  renewal.unref()
  try {
    return await work(lost.signal)
  } finally {
    clearInterval(renewal)
    // A lease that cannot be given back runs out by itself; it must not hide what the work returned or threw.
    await storage.commit(releaseLease(own)).catch(() => undefined)
  }
}
