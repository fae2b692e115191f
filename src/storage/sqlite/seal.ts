/**
 * The seal: what the next start has to find of the database, kept beside it in `stile.db-seal`. SQLite takes an empty file
 * for a new database, a missing or shortened log for an old one, and has no checksums on the pages of its file; so what
 * it cannot notice is written down here. Catalogue R31; docs/decisions, "embedded engine".
 *
 * | member | says |
 * |---|---|
 * | `log` | whether a write-ahead log has to be there, must not, or both would be right |
 * | `database` | the file while no checkpoint changes it; null from the first one until a clean end |
 * | `mark` | how many frames of which generation of the log are durable, at least |
 *
 * The file is overwritten in place, in one sector, so that a full disk cannot keep it from being written.
 *
 * Never: a descriptor of the database file while SQLite has it open. Closing it would drop SQLite's locks.
 */
import { hash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  statSync,
  write,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'

const writeTo = promisify(write)
const syncData = promisify(fdatasync)

/** Files up to here are hashed; of larger ones, size and time of change have to do, so that a start stays fast. */
const hashedBytes = 32 * 1024 * 1024
const sector = 512

const fingerprint = z.union([
  z.object({ bytes: z.number(), sha256: z.string() }),
  z.object({ bytes: z.number(), modified: z.string() }),
])
const sealed = z.object({
  log: z.enum(['absent', 'perhaps', 'present']),
  database: fingerprint.nullable(),
  mark: z.object({ salts: z.string(), frames: z.number() }).nullable(),
})

/** What a database file looked like. */
export type Fingerprint = z.output<typeof fingerprint>

/** What a seal says. */
export type Sealed = z.output<typeof sealed>

/** The fingerprint of a database file that no connection of this process has open. */
export function fingerprintOf(path: string): Fingerprint {
  const { size, mtimeNs } = statSync(path, { bigint: true })
  const bytes = Number(size)
  return bytes <= hashedBytes
    ? { bytes, sha256: hash('sha256', readFileSync(path), 'base64url') }
    : { bytes, modified: String(mtimeNs) }
}

/** The seal of one database. */
export class Seal {
  readonly #path: string
  #descriptor: number | undefined
  #says: Sealed = { log: 'perhaps', database: null, mark: null }
  #writing: Promise<unknown> = Promise.resolve()

  /** @param database path of the database file */
  constructor(database: string) {
    this.#path = `${database}-seal`
  }

  /**
   * Reads the seal.
   * @returns undefined when there is none. One that cannot be read says that there was a database, and nothing else
   */
  read(): Sealed | undefined {
    if (!existsSync(this.#path)) return undefined
    try {
      this.#says = sealed.parse(JSON.parse(readFileSync(this.#path, 'utf8')))
    } catch {
      this.#says = { log: 'perhaps', database: null, mark: null }
    }
    return this.#says
  }

  /** Changes what the seal says and makes it durable. Nothing written by `writeLater` may be under way. */
  write(change: Partial<Sealed>): void {
    const text = this.#changed(change)
    writeSync(this.#open(), text, 0)
    fdatasyncSync(this.#open())
  }

  /** Changes what the seal says; resolves once it is durable. */
  writeLater(change: Partial<Sealed>): Promise<void> {
    const written = this.#writing
      .catch(() => undefined)
      .then(async () => {
        const text = this.#changed(change)
        await writeTo(this.#open(), text, 0, 'utf8')
        await syncData(this.#open())
      })
    this.#writing = written
    return written
  }

  /** Says that the database file is about to change; resolves once that is durable. */
  async unsettle(): Promise<void> {
    if (this.#says.database) await this.writeLater({ database: null })
  }

  /** Frees the descriptor. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  #changed(change: Partial<Sealed>): string {
    this.#says = { ...this.#says, ...change }
    return `${JSON.stringify(this.#says).padEnd(sector - 1)}\n`
  }

  /** Opened when first written: before its first commit a new database has no seal. */
  #open(): number {
    if (this.#descriptor !== undefined) return this.#descriptor
    const isNew = !existsSync(this.#path)
    this.#descriptor = openSync(this.#path, isNew ? 'wx+' : 'r+', 0o600)
    if (isNew) {
      const directory = openSync(dirname(this.#path), 'r')
      try {
        fsyncSync(directory)
      } finally {
        closeSync(directory)
      }
    }
    return this.#descriptor
  }
}
