/**
 * One process per data directory. The lock is an exclusive transaction held open in `<data>/lock.db`: the operating
 * system frees it when the process ends, however it ends, so there is no stale lock to remove by hand.
 * Architecture section 5, "Embedded engine".
 *
 * Never: open, copy or close `lock.db` by any other means in this process. POSIX drops all locks of a process on a file
 * when it closes any descriptor of that file.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Another process has the directory. The message says which, and what to do. */
export class DirectoryInUse extends Error {
  override readonly name = 'DirectoryInUse'
}

/** A lock that is held. */
export interface DirectoryLock {
  /** Lets other processes in. */
  release(): void
}

/**
 * Locks a data directory, which must exist.
 * @throws DirectoryInUse
 */
export function lockDirectory(directory: string): DirectoryLock {
  const connection = new DatabaseSync(join(directory, 'lock.db'), { timeout: 0 })
  try {
    connection.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    connection.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === busy) {
      throw new DirectoryInUse(
        `The data directory ${directory} is in use by another process. Stop that process, or choose another directory with STILE_DATA_DIR; several nodes need PostgreSQL (DATABASE_URL).`,
      )
    }
    throw error
  }
  return { release: () => connection.close() }
}

const busy = 5
