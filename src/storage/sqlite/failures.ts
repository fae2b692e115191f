/**
 * SQLite's result codes as the outcomes of the storage port. https://sqlite.org/rescode.html
 *
 * Closed: a code that is neither a lost race nor an outage is a mistake of ours (`StatementFailed`), never ignored.
 */
import { StorageUnavailable } from '../port.ts'
import { UniquenessViolation } from '../refusals.ts'
import { StatementFailed } from '../statement-failed.ts'

/** Primary result codes that say that the engine, not the statement, is in trouble. */
const outages = new Map([
  [5, 'the database is locked by another program'],
  [7, 'out of memory'],
  [8, 'the database is read-only'],
  [10, 'an input or output error'],
  [11, 'the integrity check failed: restore a backup (docs/backup.md)'],
  [13, 'the disk is full'],
  [14, 'a file cannot be opened'],
  [15, 'a locking protocol error'],
  [26, 'the integrity check failed, this is not a database: restore a backup (docs/backup.md)'],
])

/** After these the same store may well succeed later: the group is lost, the engine goes on. */
const passing: ReadonlySet<number> = new Set([5, 13])

/** Result codes of a malformed file; 1 among them, since the statements of opening are right in any sound one. */
const damages: ReadonlySet<number> = new Set([1, 11, 26])

const uniqueCodes: ReadonlySet<number> = new Set([1555, 2067, 2579])

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode
}

/** What a caller gets for an error of the engine; errors from elsewhere stay what they are. */
export function translate(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  // `node:sqlite` throws it for an integer that no number holds, and shows the integer.
  if ('code' in error && error.code === 'ERR_OUT_OF_RANGE') {
    return new StatementFailed(error.code, 'a whole number beyond 2^53 was returned')
  }
  const code = resultCode(error)
  if (code === undefined) return error
  if (uniqueCodes.has(code)) {
    const [, table] = /UNIQUE constraint failed: (\w+)/.exec(error.message) ?? []
    return new UniquenessViolation(table ?? 'a table')
  }
  const outage = outages.get(code & 0xff)
  if (outage) return new StorageUnavailable(`The embedded engine cannot answer (${code}): ${outage}`)
  return new StatementFailed(String(code), error.message)
}

/** Whether an error of opening a database says that its file is malformed: of its schema, its pages or its head. */
export function isDamage(error: unknown): boolean {
  const code = resultCode(error)
  return code !== undefined && damages.has(code & 0xff)
}

/** Whether the engine may go on after it lost a group to this error: a full disk or a stranger's lock passes. */
export function passes(error: unknown): boolean {
  const code = resultCode(error)
  return code !== undefined && passing.has(code & 0xff)
}
