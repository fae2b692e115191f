/**
 * Statements that remove rows whose time is over. Every transient table has an index on its time (architecture
 * section 5), so that looking for them costs next to nothing when there are none.
 */
import type { Statement } from '../port.ts'

/** The transient tables: the column that holds the end of a row's time, and what names a row. */
export const transientTables = {
  sessions: { time: 'expires_at', key: ['environment_id', 'id'] },
  flows: { time: 'expires_at', key: ['environment_id', 'id'] },
  pushed_requests: { time: 'expires_at', key: ['environment_id', 'reference_hash'] },
  authorization_codes: { time: 'purge_at', key: ['environment_id', 'code_hash'] },
  opaque_tokens: { time: 'expires_at', key: ['environment_id', 'token_hash'] },
  token_families: { time: 'expires_at', key: ['environment_id', 'id'] },
  limits: { time: 'expires_at', key: ['environment_id', 'kind', 'subject'] },
  external_authentications: { time: 'expires_at', key: ['environment_id', 'flow_id'] },
  pairing_keys: { time: 'expires_at', key: ['environment_id', 'id'] },
  push_requests: { time: 'expires_at', key: ['environment_id', 'flow_id'] },
  device_pairings: { time: 'expires_at', key: ['environment_id', 'device_id'] },
  devices: { time: 'expires_at', key: ['environment_id', 'user_id', 'id'] },
  device_authentications: { time: 'expires_at', key: ['environment_id', 'id'] },
  remembered_browsers: { time: 'expires_at', key: ['environment_id', 'user_id', 'token_hash'] },
  inbox: { time: 'expires_at', key: ['environment_id', 'id'] },
  one_time_codes: { time: 'expires_at', key: ['environment_id', 'purpose', 'subject'] },
  invitations: { time: 'expires_at', key: ['environment_id', 'user_id'] },
  polled_grants: { time: 'purge_at', key: ['environment_id', 'id'] },
  initial_access_tokens: { time: 'expires_at', key: ['environment_id', 'id'] },
  used_jwts: { time: 'expires_at', key: ['environment_id', 'kind', 'id_hash'] },
  environment_changes: { time: 'changed_at', key: ['environment_id', 'version', 'kind', 'object_id'] },
} as const

/** The name of a transient table. */
export type TransientTable = keyof typeof transientTables

/**
 * Whether a table holds a row whose time was over at `moment`.
 * @param moments epoch milliseconds, one for each table that is looked at
 */
export function anyOver(moments: readonly (readonly [TransientTable, number])[]): Statement<{ readonly due: number }> {
  const looks = moments.map(
    ([table], at) => `EXISTS (SELECT 1 FROM ${table} WHERE ${transientTables[table].time} <= $${at + 1})`,
  )
  return { text: `SELECT 1 AS due WHERE ${looks.join(' OR ')}`, values: moments.map(([, moment]) => moment) }
}

/** Removes at most `limit` rows whose time was over at `moment`; as many rows come back. */
export function deleteOver(table: TransientTable, moment: number, limit: number): Statement<object> {
  const { time, key } = transientTables[table]
  const columns = key.join(', ')
  // The time is looked at twice: a row that was prolonged after the inner query found it has to stay.
  return {
    text: `DELETE FROM ${table} WHERE ${time} <= $1
             AND (${columns}) IN (SELECT ${columns} FROM ${table} WHERE ${time} <= $1 LIMIT $2)
           RETURNING 1 AS removed`,
    values: [moment, limit],
  }
}
