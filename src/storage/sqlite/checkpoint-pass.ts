/**
 * Entry of the checkpoint worker thread: one PASSIVE checkpoint per message, on a connection of its own, so that
 * copying pages and both of SQLite's syncs happen beside the event loop. https://sqlite.org/pragma.html#pragma_wal_checkpoint
 */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

/** What a pass tells: frames in the log, how many of them are in the database now; or why it failed. */
export type PassReport = { readonly log: number; readonly done: number } | { readonly failure: string }

const connection = new DatabaseSync(String(workerData), { timeout: 0 })
const checkpoint = connection.prepare('PRAGMA wal_checkpoint(PASSIVE)')

function pass(): PassReport {
  try {
    const row = checkpoint.get()
    return { log: Number(row?.['log']), done: Number(row?.['checkpointed']) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

parentPort?.on('message', () => parentPort?.postMessage(pass()))
