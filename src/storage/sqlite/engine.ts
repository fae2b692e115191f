/**
 * The embedded engine: `node:sqlite` on the main thread. Architecture section 5, "Embedded engine".
 *
 * | file | what it is |
 * |---|---|
 * | directory-lock | one process per data directory |
 * | group-commit | units into groups, one COMMIT and one sync per group |
 * | wal-sync | durability, in the thread pool |
 * | seal, integrity | what a start has to find, and whether it does |
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
import { isDamage, translate } from './failures.ts'
import { GroupCommit } from './group-commit.ts'
import { damaged, examineDatabase, examineFiles, generationOf } from './integrity.ts'
import { fingerprintOf, Seal } from './seal.ts'
import { SnapshotReader } from './snapshot-reader.ts'
import { WalSync } from './wal-sync.ts'

/**
 * Opens the embedded store in a data directory, which is made (0700) if it does not exist.
 * @throws DirectoryInUse when another process has it; StorageUnavailable when the database is damaged or incomplete, with
 *   the command that restores a backup
 */
export async function openSqlite({ directory }: { readonly directory: string }): Promise<Storage> {
  const place = resolve(directory)
  makeDirectory(place)
  const lock = lockDirectory(place)
  const path = join(place, 'stile.db')
  const seal = new Seal(path)
  try {
    return new SqliteStorage(path, lock, seal)
  } catch (error) {
    seal.close()
    lock.release()
    throw isDamage(error) ? damaged(path, 'SQLite cannot read stile.db', error) : translate(error)
  }
}

class SqliteStorage implements Storage {
  readonly engine = 'sqlite'
  readonly #path: string
  readonly #lock: DirectoryLock
  readonly #seal: Seal
  readonly #writer: DatabaseSync
  readonly #wal: WalSync
  readonly #reader: SnapshotReader
  readonly #groups: GroupCommit
  readonly #checkpoint: Checkpoint
  readonly #counts = { reads: 0, commits: 0, statements: 0 }
  #markDue: NodeJS.Timeout | undefined
  #marking: Promise<void> | undefined
  #closed: Promise<void> | undefined

  constructor(path: string, lock: DirectoryLock, seal: Seal) {
    this.#path = path
    this.#lock = lock
    this.#seal = seal
    this.#writer = openWriter(path, seal)
    this.#wal = new WalSync(`${path}-wal`)
    seal.write({ log: 'present', ...(onlyReports ? {} : { database: null }) })
    this.#reader = new SnapshotReader(path)
    this.#groups = new GroupCommit(
      {
        writer: this.#writer,
        sync: () => this.#wal.sync(),
        durable: () => {
          this.#reader.advance()
          this.#checkpoint.consider()
          this.#markDue ??= setTimeout(() => void (this.#marking = this.#mark()), markMilliseconds).unref()
        },
      },
      () => (this.#counts.statements += 1),
    )
    this.#checkpoint = new Checkpoint({
      path,
      quietly: (work) => this.#groups.quietly(work),
      advanceReader: () => this.#reader.advance(),
      announce: () => this.#seal.unsettle(),
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
    clearTimeout(this.#markDue)
    await this.#marking
    await this.#checkpoint.close()
    await this.#groups.quietly(async () => undefined)
    this.#seal.write({ log: 'perhaps', database: null })
    this.#reader.close()
    this.#wal.close()
    // The last connection copies the log into the database and removes it, unless the disk is full.
    this.#writer.close()
    if (!existsSync(`${this.#path}-wal`)) {
      this.#seal.write({ log: 'absent', database: fingerprintOf(this.#path), mark: null })
    }
    this.#seal.close()
    this.#lock.release()
  }

  /** Writes down how much of the log is durable by now. */
  async #mark(): Promise<void> {
    try {
      const frames = this.#checkpoint.frames()
      const salts = generationOf(this.#wal.head())
      await this.#wal.sync()
      if (salts) await this.#seal.writeLater({ mark: { salts, frames } })
    } catch {
      // An older mark is as true; what is wrong with the log is found by the next group.
    } finally {
      if (!this.#closed) this.#markDue = undefined
    }
  }
}

/** How long after a commit the log is marked, at the latest. */
const markMilliseconds = 250

/** Whether SQLite knows a checkpoint that copies nothing (3.51). Where not, every look at the log changes the database. */
const onlyReports = Number(/^3\.(\d+)/.exec(process.versions['sqlite'] ?? '')?.[1] ?? 0) >= 51

function closedStore(): StorageUnavailable {
  return new StorageUnavailable('The store is closed')
}

/** Judges what is there, opens the writing connection and makes sure that the log exists and has been written to. */
function openWriter(path: string, seal: Seal): DatabaseSync {
  const sealed = seal.read()
  const examined = examineFiles(path, sealed)
  if (!examined.isNew) {
    examineDatabase(path, examined, sealed)
    // From now until the log is written to, one that is there and one that is not are both right.
    if (sealed?.log !== 'present') seal.write({ log: 'perhaps' })
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
