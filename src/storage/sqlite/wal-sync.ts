/**
 * Makes the write-ahead log durable: `fdatasync` of the open `-wal` file through a descriptor of our own, in the thread
 * pool, so that the event loop never waits for the disk. Architecture section 5, "Embedded engine".
 *
 * SQLite keeps one `-wal` file open for as long as a connection lives and overwrites it in place, so one descriptor
 * serves for the life of the store, and it must be of that same file. Both are checked: at the start that a write
 * arrived in it, before every sync that the path still leads to it. A log that was removed or replaced while the store is open
 * would be missing after a restart, with everything acknowledged from it.
 *
 * Never: such a descriptor of the database file or of `-shm`. Closing it would drop SQLite's locks.
 */
import { closeSync, fdatasync, fstatSync, fsyncSync, openSync, readSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

const syncData = promisify(fdatasync)

/** The open write-ahead log. */
export class WalSync {
  readonly #path: string
  readonly #descriptor: number
  readonly #inode: bigint

  /**
   * Opens the log and makes its directory entry durable.
   * @param path the `-wal` file, to which SQLite has just written
   * @throws Error when what SQLite wrote is not there
   */
  constructor(path: string) {
    this.#path = path
    this.#descriptor = openSync(path, 'r')
    const { ino, size } = fstatSync(this.#descriptor, { bigint: true })
    this.#inode = ino
    if (size === 0n) {
      closeSync(this.#descriptor)
      throw new Error(`The write-ahead log ${path} is not the file that the engine writes to`)
    }
    const directory = openSync(dirname(path), 'r')
    try {
      fsyncSync(directory)
    } finally {
      closeSync(directory)
    }
  }

  /**
   * Resolves once everything written to the log before the call is durable.
   * @throws Error when the disk refuses, or the log is no longer the file that is written to
   */
  async sync(): Promise<void> {
    const present = statSync(this.#path, { bigint: true, throwIfNoEntry: false })
    if (present?.ino !== this.#inode) {
      throw new Error(`The write-ahead log ${this.#path} was removed or replaced while the store is open`)
    }
    await syncData(this.#descriptor)
  }

  /** The head of the log, by which its generations differ. */
  head(): Buffer {
    const bytes = Buffer.alloc(32)
    return bytes.subarray(0, readSync(this.#descriptor, bytes, 0, bytes.length, 0))
  }

  /** Frees the descriptor; no sync may be in flight. */
  close(): void {
    closeSync(this.#descriptor)
  }
}
