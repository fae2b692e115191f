/**
 * Whether the files of a start are those that were left: judged before SQLite opens them, and once it has. What fails is
 * refused and left as it is, since SQLite itself would start empty, or with less than was acknowledged (catalogue R31).
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StorageUnavailable } from '../port.ts'
import { type Fingerprint, fingerprintOf, type Sealed } from './seal.ts'

/** What the files tell before the database is opened. */
export interface Examined {
  readonly isNew: boolean
  /** Whether the database file is known to be as it was left. Otherwise SQLite has to check it. */
  readonly verified: boolean
  /** The generation of the log; undefined when there is none. */
  readonly salts: string | undefined
}

/** A damaged database: what is wrong, and how a backup is restored. */
export function damaged(path: string, what: string, cause?: unknown): StorageUnavailable {
  return new StorageUnavailable(
    `The integrity check failed: ${what}. Nothing was changed. To restore a backup: rm -f '${path}'* && cp <backup>/stile.db '${dirname(path)}/' (docs/backup.md).`,
    { cause },
  )
}

/**
 * Judges the files.
 * @param path of the database
 * @param sealed what its seal says, if there is one
 * @throws StorageUnavailable
 */
export function examineFiles(path: string, sealed: Sealed | undefined): Examined {
  const refuse = (what: string) => damaged(path, what)
  const database = sizeOf(path)
  const log = sizeOf(`${path}-wal`) ?? 0
  if (!database) {
    const state = database === undefined ? 'missing' : 'empty'
    if (log > 0) throw refuse(`stile.db is ${state} beside its -wal file`)
    if (sealed) throw refuse(`stile.db is ${state}, and it was not`)
    return { isNew: true, verified: true, salts: undefined }
  }
  const start = head(path, 20)
  const versions = [...start.subarray(18)]
  if (!start.toString('latin1').startsWith(magic) || versions.some((version) => version !== 1 && version !== 2)) {
    throw refuse('stile.db is not a database of SQLite')
  }
  const salts = generationOf(head(`${path}-wal`, logHeadBytes))
  if (sealed?.log === 'absent' && log > 0) throw refuse('stile.db-wal is not the log of stile.db')
  if (sealed?.log === 'present' && log <= logHeadBytes) throw refuse('stile.db-wal is missing or empty')
  if (sealed?.log === 'present' && !salts) throw refuse('the head of stile.db-wal is damaged')
  return { isNew: false, verified: isAsItWasLeft(path, sealed?.database ?? null), salts }
}

/** @throws StorageUnavailable when it certainly is not */
function isAsItWasLeft(path: string, left: Fingerprint | null): boolean {
  if (!left) return false
  const found = fingerprintOf(path)
  if (found.bytes !== left.bytes) throw damaged(path, 'stile.db has another size than it was left with')
  if ('sha256' in found && 'sha256' in left) {
    if (found.sha256 !== left.sha256) throw damaged(path, 'stile.db is not as it was left')
    return true
  }
  return 'modified' in found && 'modified' in left && found.modified === left.modified
}

/**
 * Judges the database as SQLite sees it, its log recovered; on a connection that can only read, since the last one that
 * writes would copy the log into the database when it closes.
 * @throws StorageUnavailable; the engine's own error
 */
export function examineDatabase(path: string, { verified, salts }: Examined, sealed: Sealed | undefined): void {
  const connection = new DatabaseSync(path, { readOnly: true, timeout: 0 })
  try {
    const frames = framesOf(connection)
    if (sealed?.mark && salts) checkLog(path, sealed.mark, { salts, frames }, verified)
    if (verified) return
    // The complete check looks up every row in every index: 13 ms per MiB, where the quick one takes 2.
    const check = (sizeOf(path) ?? 0) > completelyCheckedBytes ? 'quick_check' : 'integrity_check'
    const found = connection.prepare(`PRAGMA ${check}(1)`).get()?.[check]
    if (found !== 'ok') throw damaged(path, `SQLite finds stile.db malformed: ${String(found)}`)
  } finally {
    connection.close()
  }
}

/**
 * Whether a log is the one that was marked, or one that came of it: it starts over once a checkpoint has copied all of it,
 * with its first salt one higher.
 * @param noCheckpoint that there has been none since the mark
 */
function checkLog(
  path: string,
  mark: NonNullable<Sealed['mark']>,
  found: NonNullable<Sealed['mark']>,
  noCheckpoint: boolean,
): void {
  const firstSalt = (salts: string) => Number.parseInt(salts.slice(0, 8), 16)
  const restarts = (firstSalt(found.salts) - firstSalt(mark.salts)) >>> 0
  if (found.salts === mark.salts) {
    if (found.frames >= mark.frames) return
    throw damaged(path, `of ${mark.frames} frames in stile.db-wal only ${found.frames} are sound`)
  }
  if (noCheckpoint || restarts === 0 || restarts > mostRestarts) {
    throw damaged(path, 'stile.db-wal is another log than the one that was left')
  }
}

/** More than there can be between a mark and the kill a moment later. */
const mostRestarts = 1000

/** How many frames of the log are sound. */
function framesOf(connection: DatabaseSync): number {
  connection.exec('SELECT 1 FROM sqlite_schema LIMIT 1')
  return Math.max(0, Number(connection.prepare('PRAGMA wal_checkpoint(NOOP)').get()?.['log']))
}

const completelyCheckedBytes = 16 * 1024 * 1024

/** https://sqlite.org/fileformat2.html section 1.3; the versions that follow it are 1, or 2 with a write-ahead log. */
const magic = 'SQLite format 3\0'
/** Section 4.1: magic, version, page size, sequence, two salts, two checksums. */
const logHeadBytes = 32

/**
 * The salts of a log's head, by which its generations differ.
 * @returns undefined when it is incomplete, or its checksum does not fit
 */
export function generationOf(bytes: Buffer): string | undefined {
  if (bytes.length < logHeadBytes) return undefined
  const kind = bytes.readUInt32BE(0)
  if (kind !== 0x377f0682 && kind !== 0x377f0683) return undefined
  const word = (at: number) => (kind === 0x377f0682 ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  let [first, second] = [0, 0]
  for (let at = 0; at < 24; at += 8) {
    first = (first + word(at) + second) >>> 0
    second = (second + word(at + 4) + first) >>> 0
  }
  if (first !== bytes.readUInt32BE(24) || second !== bytes.readUInt32BE(28)) return undefined
  return bytes.toString('hex', 16, 24)
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}

/** The first bytes of a file; fewer where it is shorter, none where it is missing. */
function head(path: string, bytes: number): Buffer {
  if (sizeOf(path) === undefined) return Buffer.alloc(0)
  const descriptor = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(bytes)
    return buffer.subarray(0, readSync(descriptor, buffer, 0, bytes, 0))
  } finally {
    closeSync(descriptor)
  }
}
