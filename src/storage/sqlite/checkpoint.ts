/**
 * Keeps the write-ahead log bounded without stopping the event loop. SQLite's own automatic checkpoint is off: it would
 * copy pages and wait for the disk inside a COMMIT.
 *
 * A cycle begins when the log holds `limit` frames. A worker thread first copies what is there while units go on; then,
 * with the units held for the few frames that came meanwhile, it copies the rest. Only a log that is copied whole starts over
 * at its beginning, and under constant load that moment would never come by itself.
 *
 * Where units write faster than the worker copies, they are held earlier: when the log holds `most` frames.
 *
 * A pass that fails costs nothing but space: the log keeps everything, and the next `limit` frames bring the next try.
 */
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { PassReport } from './checkpoint-pass.ts'

/** Frames of 4 KiB: 16 MiB. */
const limit = 4096
/** 64 MiB. */
const most = 4 * limit
/** How many groups may pass between two looks at the log: a look costs as much as a statement. */
const groupsPerLook = 8

/** What a cycle needs of the engine. */
export interface CheckpointTarget {
  /** The database file. */
  readonly path: string
  /** Runs `work` while no unit runs. */
  quietly(work: () => Promise<void>): Promise<void>
  /** Hears that the database file is about to change; nothing is copied before it resolves, nor if it rejects. */
  announce(): Promise<void>
  /** Lets go of the old snapshot, which would keep the log from starting over. */
  advanceReader(): void
}

/** The checkpoints of one store. */
export class Checkpoint {
  readonly #target: CheckpointTarget
  readonly #connection: DatabaseSync
  readonly #measure
  #worker: Worker | undefined
  #cycle: Promise<void> | undefined
  #seen = 0
  #unseen = 0
  #due = limit
  /** Ends the time in which units go on while a cycle copies. */
  #overfull: (() => void) | undefined
  #closed = false

  constructor(target: CheckpointTarget) {
    this.#target = target
    // One more connection, since the pragma is refused inside a transaction and the others are hardly ever outside one.
    this.#connection = new DatabaseSync(target.path, { timeout: 0 })
    // NOOP only reports. A SQLite that does not know the word yet takes it for PASSIVE: right as well, only slower.
    this.#measure = this.#connection.prepare('PRAGMA wal_checkpoint(NOOP)')
  }

  /** Starts a cycle if the log has grown enough, or has units held if one does not keep up. To be called after a sync. */
  consider(): void {
    if (this.#closed || (this.#cycle && !this.#overfull) || ++this.#unseen < groupsPerLook) return
    this.#unseen = 0
    const frames = this.frames()
    if (this.#cycle) {
      if (frames >= most) this.#overfull?.()
      return
    }
    if (frames < this.#seen) this.#due = limit
    this.#seen = frames
    if (frames < this.#due) return
    this.#due = frames + limit
    this.#cycle = this.#run().finally(() => (this.#cycle = undefined))
  }

  /** How many frames the log holds. */
  frames(): number {
    return Number(this.#measure.get()?.['log'])
  }

  /** Waits for a cycle that is under way and ends the worker; groups may still follow, checkpoints may not. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#cycle
    await this.#worker?.terminate()
    this.#worker = undefined
    this.#connection.close()
  }

  async #run(): Promise<void> {
    try {
      const first = this.#target.announce().then(() => this.#pass())
      const overfull = new Promise<void>((resolve) => (this.#overfull = resolve))
      await Promise.race([first, overfull])
      this.#overfull = undefined
      await this.#target.quietly(async () => {
        if ('failure' in (await first)) return
        await this.#pass()
        this.#target.advanceReader()
      })
    } catch {
      // A worker that cannot start is a pass that failed; a reader that cannot move on is found by the next group.
      this.#overfull = undefined
    }
  }

  #pass(): Promise<PassReport> {
    const worker = this.#running()
    return new Promise((resolve) => {
      const settle = (report: PassReport) => {
        worker.off('message', settle)
        worker.off('error', fail)
        resolve(report)
      }
      const fail = (error: Error) => {
        this.#worker = undefined
        settle({ failure: error.message })
      }
      worker.on('message', settle)
      worker.on('error', fail)
      worker.postMessage('pass')
    })
  }

  /** The worker, started when it is first needed: most stores stay small for hours. */
  #running(): Worker {
    if (this.#worker) return this.#worker
    this.#worker = new Worker(new URL('./checkpoint-pass.ts', import.meta.url), { workerData: this.#target.path })
    this.#worker.unref()
    return this.#worker
  }
}
