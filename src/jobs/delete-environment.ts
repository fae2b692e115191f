/**
 * Removes the rows of a deleted environment (architecture section 5, "Deletion"; row N31). The request has stamped it, so
 * that it is 404 everywhere; here its rows go in short batches, each a unit of its own, so that a kill costs nothing and
 * nobody waits long for a lock. Its own row stays as an empty tombstone, by which every node learns of the deletion,
 * until no node can be that far behind. Ids are random and never chosen by clients, so none comes back.
 *
 * Never: a row of an environment that lives.
 */
import { enqueue, type Handler } from '../delivery/outbox.ts'
import type { Kernel } from '../kernel.ts'
import { run, type Statement } from '../storage/port.ts'
import {
  deleteRolesIn,
  deleteRowsOf,
  deleteTombstone,
  deletionOf,
  emptyTombstone,
  type EnvironmentTable,
  environmentTables,
} from '../storage/sql/deletion.ts'
import { deleteOtherOutbox } from '../storage/sql/outbox.ts'

/**
 * Rows are removed only this long after the stamp: a node that has not yet seen it, or a request that is under way, may
 * still write some (a node that is out of date stops after 5 s, a request ends after 30 s).
 */
export const settlingMilliseconds = 60_000

/** The tombstone stays as long as the change feed: a node that was away for longer has to start anew. */
const tombstoneMilliseconds = 86_400_000

const rowsPerBatch = 500
/** Full ones: a table that is nearly empty costs next to nothing. */
const batchesPerTurn = 40

/** The handler of `environment.delete`. */
export function deleteEnvironment({ storage, world }: Pick<Kernel, 'storage' | 'world'>): Handler {
  return async ({ environmentId, id }, signal) => {
    const [row] = await storage.read(deletionOf(environmentId))
    if (row?.deleted_at === null) throw new Error('the environment is not stamped as deleted')

    let turns = batchesPerTurn
    const batches: ((limit: number) => Statement<object>)[] = [
      ...(Object.keys(environmentTables) as EnvironmentTable[]).map(
        (table) => (limit: number) => deleteRowsOf(table, environmentId, limit),
      ),
      (limit) => deleteRolesIn(environmentId, limit),
    ]
    for (const batch of batches) {
      for (;;) {
        if (signal.aborted || turns === 0) return 'paused'
        const removed = await storage.commit({
          name: 'environment.delete-rows',
          single: true,
          run: () => run(batch(rowsPerBatch)),
        })
        if (removed.length < rowsPerBatch) break
        // Only what leaves less to do counts: or a turn that begins anew could end before it reaches the last table.
        turns -= 1
      }
    }
    const now = world.now()
    await storage.commit({
      name: 'environment.deleted',
      *run() {
        yield deleteOtherOutbox({ environment_id: environmentId, id })
        yield emptyTombstone(environmentId)
        yield enqueue(world, { kind: 'environment.forget', environmentId, notBefore: now + tombstoneMilliseconds }, now)
      },
    })
    return 'done'
  }
}

/** The handler of `environment.forget`. */
export function forgetEnvironment({ storage }: Pick<Kernel, 'storage'>): Handler {
  return async ({ environmentId }) => {
    await storage.commit({ name: 'environment.forget', single: true, run: () => run(deleteTombstone(environmentId)) })
    return 'done'
  }
}
