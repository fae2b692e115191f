/** Statements on `outbox`: work that was promised in a unit and is done after it. */
import type { Statement } from '../port.ts'

/** A row of `outbox`. */
export interface OutboxRow {
  readonly environment_id: string
  readonly id: string
  readonly kind: string
  /** JSON of the kind. */
  readonly payload: string
  /** How often somebody has taken it; also its version. */
  readonly attempts: number
  readonly next_at: number
  readonly created_at: number
}

/** Writes a row. */
export function insertOutbox(row: OutboxRow): Statement<object> {
  return {
    text: `INSERT INTO outbox (environment_id, id, kind, payload, attempts, next_at, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    values: [row.environment_id, row.id, row.kind, row.payload, row.attempts, row.next_at, row.created_at],
  }
}

/** What is left for later: environments, and kinds of an environment. */
export interface Crowded {
  readonly environments: readonly string[]
  readonly kinds: readonly (readonly [environmentId: string, kind: string])[]
}

/** Rows that are due, the longest waiting first. */
export function dueOutbox(now: number, limit: number, { environments, kinds }: Crowded): Statement<OutboxRow> {
  const values: (string | number)[] = [now, limit]
  const place = (value: string) => `$${values.push(value)}`
  const others = environments.length > 0 ? `AND environment_id NOT IN (${environments.map(place).join(', ')})` : ''
  const pairs = kinds.map(([id, kind]) => `AND NOT (environment_id = ${place(id)} AND kind = ${place(kind)})`)
  return {
    text: `SELECT * FROM outbox WHERE next_at <= $1 ${[others, ...pairs].join(' ')}
           ORDER BY next_at, environment_id, id LIMIT $2`,
    values,
  }
}

/** What names one attempt: the row and the number of the attempt. */
export type Attempt = Pick<OutboxRow, 'environment_id' | 'id' | 'attempts'>

/** Removes a row that is done, unless another attempt has begun. */
export function completeOutbox({ environment_id, id, attempts }: Attempt): Statement<object> {
  return {
    text: 'DELETE FROM outbox WHERE environment_id = $1 AND id = $2 AND attempts = $3',
    values: [environment_id, id, attempts],
  }
}

/** Makes a row due at another time, unless another attempt has begun. */
export function postponeOutbox({ environment_id, id, attempts }: Attempt, nextAt: number): Statement<object> {
  return {
    text: 'UPDATE outbox SET next_at = $4 WHERE environment_id = $1 AND id = $2 AND attempts = $3',
    values: [environment_id, id, attempts, nextAt],
  }
}

/** Removes whatever else waits for an environment. */
export function deleteOtherOutbox({ environment_id, id }: Pick<OutboxRow, 'environment_id' | 'id'>): Statement<object> {
  return { text: 'DELETE FROM outbox WHERE environment_id = $1 AND id <> $2', values: [environment_id, id] }
}
