/**
 * The embedded engine: `node:sqlite` on the main thread. Architecture section 5, "Embedded engine".
 *
 * | file | what it is |
 * |---|---|
 * | directory-lock | one process per data directory |
 * | group-commit | units into groups, one COMMIT and one sync per group |
 * | wal-sync | durability, in the thread pool |
 * | snapshot-reader | reads, of durable groups only |
 * | checkpoint, checkpoint-pass | the bounded log, in a worker thread |
 * | statements, failures | binding, rows and errors of `node:sqlite` |
 *
 * `synchronous=NORMAL` keeps SQLite from waiting for the disk in a COMMIT; what it leaves out is what wal-sync does.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { checkQuery } from '../binding.ts'
import { type Row, type Statement, type Storage, type StorageCounts, StorageUnavailable, type Unit } from '../port.ts'
import { Checkpoint } from './checkpoint.ts'
import { type DirectoryLock, lockDirectory } from './directory-lock.ts'
import { translate } from './failures.ts'
import { GroupCommit } from './group-commit.ts'
import { SnapshotReader } from './snapshot-reader.ts'
import { WalSync } from './wal-sync.ts'

/**
 * Opens the embedded store in a data directory, which is made (0700) if it does not exist.
 * @throws DirectoryInUse when another process has it; StorageUnavailable when the database is damaged or incomplete
 */
export async function openSqlite({ directory }: { readonly directory: string }): Promise<Storage> {
  const place = resolve(directory)
  makeDirectory(place)
  const lock = lockDirectory(place)
  try {
    return new SqliteStorage(join(place, 'stile.db'), lock)
  } catch (error) {
    lock.release()
    throw translate(error)
  }
}

class SqliteStorage implements Storage {
  readonly engine = 'sqlite'
  readonly #lock: DirectoryLock
  readonly #writer: DatabaseSync
  readonly #wal: WalSync
  readonly #reader: SnapshotReader
  readonly #groups: GroupCommit
  readonly #checkpoint: Checkpoint
  readonly #counts = { reads: 0, commits: 0, statements: 0 }
  #closed: Promise<void> | undefined

  constructor(path: string, lock: DirectoryLock) {
    this.#lock = lock
    this.#writer = openWriter(path)
    this.#wal = new WalSync(`${path}-wal`)
    this.#reader = new SnapshotReader(path)
    this.#groups = new GroupCommit(
      {
        writer: this.#writer,
        sync: () => this.#wal.sync(),
        durable: () => {
          this.#reader.advance()
          this.#checkpoint.consider()
        },
      },
      () => (this.#counts.statements += 1),
    )
    this.#checkpoint = new Checkpoint({
      path,
      quietly: (work) => this.#groups.quietly(work),
      advanceReader: () => this.#reader.advance(),
    })
  }

  commit<T>(unit: Unit<T>): Promise<T> {
    this.#counts.commits += 1
    return this.#groups.commit(unit)
  }

  async read<R extends object = Row>(statement: Statement<R>): Promise<readonly R[]> {
    if (this.#closed) throw closedStore()
    checkQuery(statement)
    this.#counts.reads += 1
    this.#counts.statements += 1
    try {
      return this.#reader.all(statement) as readonly R[]
    } catch (error) {
      throw translate(error)
    }
  }

  counts(): StorageCounts {
    return { ...this.#counts }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#groups.stop(closedStore())
    await this.#checkpoint.close()
    await this.#groups.quietly(async () => undefined)
    this.#reader.close()
    this.#wal.close()
    this.#writer.close()
    this.#lock.release()
  }
}

function closedStore(): StorageUnavailable {
  return new StorageUnavailable('The store is closed')
}

/** Opens the writing connection and makes sure that the write-ahead log exists and has been written to. */
function openWriter(path: string): DatabaseSync {
  // SQLite would drop a log without its database and start empty, with everything in it lost.
  if (existsSync(`${path}-wal`) && !existsSync(path)) {
    throw new StorageUnavailable(
      `The integrity check failed: ${path} is missing beside its -wal file. Restore a backup.`,
    )
  }
  const writer = new DatabaseSync(path, { timeout: 0 })
  try {
    writer.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0')
    writer.exec('PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF')
    // "Stil": names the kind of file for file(1), and is the first write, which WalSync looks for.
    writer.exec('PRAGMA application_id = 1400138092')
    return writer
  } catch (error) {
    writer.close()
    throw error
  }
}

/** Makes the data directory with its parents, and the entry of each new one durable. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return
  makeDirectory(dirname(directory))
  mkdirSync(directory, { mode: 0o700, recursive: true })
  const parent = openSync(dirname(directory), 'r')
  try {
    fsyncSync(parent)
  } finally {
    closeSync(parent)
  }
}
