/**
 * Removes rows whose time is over: sessions, flows, codes, token families, limits, and the old end of the change feed.
 * Nobody may depend on it: whoever reads a row judges its time (architecture section 5, "Deletion").
 */
import type { Kernel } from '../kernel.ts'
import { underLease } from '../storage/lease.ts'
import { run } from '../storage/port.ts'
import { anyOver, deleteOver, type TransientTable } from '../storage/sql/purge.ts'

/** Rows stay this long after their end, so that nodes whose clocks differ still agree on them. */
const marginMilliseconds = 60_000
/** A node that was away for longer than this has to read its configuration anew. */
const changeFeedMilliseconds = 86_400_000
/** Whoever comes back to a stand-alone authentication is told for this long that it is over, rather than that it never was. */
const goneMilliseconds = 3_600_000
const rowsPerBatch = 500

const keptAfter: Readonly<Record<TransientTable, number>> = {
  sessions: marginMilliseconds,
  flows: marginMilliseconds,
  pushed_requests: marginMilliseconds,
  authorization_codes: marginMilliseconds,
  token_families: marginMilliseconds,
  opaque_tokens: marginMilliseconds,
  limits: marginMilliseconds,
  external_authentications: marginMilliseconds,
  pairing_keys: marginMilliseconds,
  push_requests: marginMilliseconds,
  device_pairings: marginMilliseconds,
  devices: marginMilliseconds,
  device_authentications: goneMilliseconds,
  remembered_browsers: marginMilliseconds,
  inbox: marginMilliseconds,
  one_time_codes: marginMilliseconds,
  invitations: marginMilliseconds,
  polled_grants: marginMilliseconds,
  initial_access_tokens: marginMilliseconds,
  used_jwts: marginMilliseconds,
  environment_changes: changeFeedMilliseconds,
}

/** Purges until nothing is over, another node is at it, or `signal` says stop. A node with nothing to do writes nothing. */
export async function purge({ storage, world }: Pick<Kernel, 'storage' | 'world'>, signal: AbortSignal): Promise<void> {
  const now = world.now()
  const moments = (Object.keys(keptAfter) as TransientTable[]).map((table) => [table, now - keptAfter[table]] as const)
  if ((await storage.read(anyOver(moments))).length === 0) return
  await underLease(storage, world, { name: 'purge', duration: 30_000 }, async (lost) => {
    const stop = AbortSignal.any([signal, lost])
    for (const [table, moment] of moments) {
      for (;;) {
        if (stop.aborted) return
        const removed = await storage.commit({
          name: 'purge',
          single: true,
          run: () => run(deleteOver(table, moment, rowsPerBatch)),
        })
        if (removed.length < rowsPerBatch) break
      }
    }
  })
}
