/**
 * What an error of PostgreSQL, or of the connection to it, means for a unit.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 *
 * The one question that matters is whether the change may have been committed. Before COMMIT was sent nothing has; an
 * answer with an SQLSTATE to a statement inside a transaction says that nothing has; everything else after COMMIT was
 * sent is *unknown*, and an unknown outcome is never run again and never acknowledged: the caller gets
 * `StorageUnavailable`, and whatever asks again meets the race words, which refuse a second use.
 *
 * (Asking `pg_xact_status` would settle some of these, but after a fail-over the same transaction id may belong to
 * somebody else, and "committed" would then be a lie.)
 *
 * Never: a message of the server with values in it (`DETAIL`, "invalid input syntax for …").
 */
import { DatabaseError } from 'pg'
import { StorageUnavailable } from '../port.ts'
import { UniquenessViolation } from '../refusals.ts'
import { StatementFailed } from '../statement-failed.ts'

/**
 * - `again`: nothing has happened, and a fresh run may well succeed
 * - `broken`: the connection is gone or serves a server that must not be written to
 * - `refused`: the server answered and will answer the same again
 * - `late`: it did not answer in time; the connection cannot be used any more
 */
export type FailureKind = 'again' | 'broken' | 'refused' | 'late'

/** Serialization failure and deadlock. A plan that a migration has made stale is the third: a fresh run plans anew. */
const again: ReadonlySet<string> = new Set(['40001', '40P01', '0A000'])

/** The server is shutting down, crashed, starting, or was demoted; the connection failed. */
const broken: ReadonlySet<string> = new Set(['57P01', '57P02', '57P03', '25006', '08006'])

/** Classes of SQLSTATE that say that the server, not the statement, is in trouble. */
const outageClasses: ReadonlySet<string> = new Set(['08', '25', '28', '3D', '40', '53', '54', '55', '57', '58', 'XX'])

/** An error of the server or the connection; never what a unit threw. */
export class PostgresFailure extends Error {
  override readonly name = 'PostgresFailure'
  readonly kind: FailureKind
  /** The SQLSTATE, the system's error code, or nothing. */
  readonly code: string | undefined

  constructor(error: unknown) {
    const code = codeOf(error)
    super('PostgreSQL could not run a statement', { cause: error })
    this.code = code
    this.kind = kindOf(error, code)
  }

  /** Whether the connection must not be used again. */
  get poisoned(): boolean {
    return this.kind === 'broken' || this.kind === 'late' || this.code === '0A000'
  }

  /** Whether it is certain that the statement changed nothing, even if it was a COMMIT. */
  get definite(): boolean {
    if (this.kind === 'again' || this.kind === 'refused' || this.code === '25006') return true
    // The driver says so of a connection it found dead before it sent anything.
    return this.cause instanceof Error && this.cause.message.endsWith('is not queryable')
  }

  /** What the caller of the storage port gets. */
  translate(): Error {
    const { cause, code } = this
    if (cause instanceof RangeError) return new StatementFailed('22003', cause.message)
    if (!(cause instanceof DatabaseError) || code === undefined) {
      return new StorageUnavailable(`PostgreSQL cannot be reached: ${meaning(code)}`)
    }
    if (code === '23505') return new UniquenessViolation(cause.table ?? 'a table')
    if (outageClasses.has(code.slice(0, 2)) || this.kind === 'again') {
      return new StorageUnavailable(`PostgreSQL cannot answer: ${meaning(code)}`)
    }
    return new StatementFailed(code, explain(cause, code))
  }
}

/** The outcome of a change is not known: the connection was lost while it was being committed. */
export function unknownOutcome({ code }: PostgresFailure): StorageUnavailable {
  return new StorageUnavailable(`PostgreSQL was lost while a change was being committed: ${meaning(code)}`)
}

/** What an operator can do something about, in words; the rest by its code. */
const meanings = new Map([
  ['28P01', 'it refuses the password in DATABASE_URL (28P01)'],
  ['28000', 'it refuses the user or the connection of DATABASE_URL (28000)'],
  ['3D000', 'the database that DATABASE_URL names does not exist (3D000)'],
  ['53300', 'it has no connection left (53300)'],
  ['57P03', 'it is starting or shutting down (57P03)'],
  ['25006', 'it takes no writes: a standby, or demoted (25006)'],
  ['ECONNREFUSED', 'nothing listens at the address in DATABASE_URL (ECONNREFUSED)'],
  ['ENOTFOUND', 'the host name in DATABASE_URL is unknown (ENOTFOUND)'],
])

function meaning(code: string | undefined): string {
  if (code === undefined) return 'the connection failed, or did not answer in time'
  return meanings.get(code) ?? code
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function kindOf(error: unknown, code: string | undefined): FailureKind {
  if (error instanceof DatabaseError && code !== undefined) {
    if (code === '0A000' && error.routine !== 'RevalidateCachedQuery') return 'refused'
    if (again.has(code)) return 'again'
    return broken.has(code) ? 'broken' : 'refused'
  }
  // `values.ts` throws it for a number that cannot be returned.
  if (error instanceof RangeError) return 'refused'
  return error instanceof Error && /timeout/i.test(error.message) ? 'late' : 'broken'
}

/** Names of the schema's parts; the text of the server only where it cannot hold values: class 42, syntax and names. */
function explain(error: DatabaseError, code: string): string {
  if (code.startsWith('42')) return error.message
  const parts = Object.entries({ table: error.table, column: error.column, constraint: error.constraint })
  const named = parts.flatMap(([part, name]) => (name === undefined ? [] : [`${part} ${name}`]))
  return named.join(', ') || 'see the log of the server'
}
