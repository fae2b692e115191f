/** Statements on `events`: append only. */
import type { SqlValue, Statement } from '../port.ts'

/** A row of `events`. */
export interface EventRow {
  readonly environment_id: string
  readonly id: string
  readonly recorded_at: number
  readonly action: string
  readonly result: string
  readonly actor_client_id: string | null
  readonly actor_user_id: string | null
  readonly subject_type: string | null
  readonly subject_id: string | null
  readonly session_id: string | null
  readonly correlation_id: string | null
  readonly remote_ip: string | null
  readonly document: string
}

const columns = [
  'environment_id',
  'id',
  'recorded_at',
  'action',
  'result',
  'actor_client_id',
  'actor_user_id',
  'subject_type',
  'subject_id',
  'session_id',
  'correlation_id',
  'remote_ip',
  'document',
] as const

const texts = new Map<number, string>()

function insertText(count: number): string {
  let text = texts.get(count)
  if (!text) {
    const tuple = (row: number) => `(${columns.map((_, at) => `$${row * columns.length + at + 1}`).join(', ')})`
    text = `INSERT INTO events (${columns.join(', ')}) VALUES ${Array.from({ length: count }, (_, row) => tuple(row)).join(', ')}`
    texts.set(count, text)
  }
  return text
}

/** Appends events; at most 100 at once. */
export function insertEvents(rows: readonly EventRow[]): Statement<object> {
  const values: SqlValue[] = []
  for (const row of rows) for (const column of columns) values.push(row[column])
  return { text: insertText(rows.length), values }
}
