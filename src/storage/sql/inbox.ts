/** Statements on `inbox`: the messages that a development server keeps instead of sending them. */
import type { Statement } from '../port.ts'

/** A row of `inbox`. */
export interface InboxRow {
  readonly environment_id: string
  readonly id: string
  readonly template: string
  readonly delivery_method: string
  readonly recipient: string
  readonly subject: string
  readonly body: string
  readonly created_at: number
  readonly expires_at: number
}

/** Keeps a message; a second attempt at the same one changes nothing. */
export function insertInbox(row: InboxRow): Statement<object> {
  return {
    text: `INSERT INTO inbox (environment_id, id, template, delivery_method, recipient, subject, body, created_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
    values: [
      row.environment_id,
      row.id,
      row.template,
      row.delivery_method,
      row.recipient,
      row.subject,
      row.body,
      row.created_at,
      row.expires_at,
    ],
  }
}

/** The newest messages of an environment, at most 100. */
export function inboxOf(environmentId: string): Statement<InboxRow> {
  return {
    text: 'SELECT * FROM inbox WHERE environment_id = $1 ORDER BY created_at DESC, id LIMIT 100',
    values: [environmentId],
  }
}

/** One message of an environment. */
export function inboxMessage(environmentId: string, id: string): Statement<InboxRow> {
  return { text: 'SELECT * FROM inbox WHERE environment_id = $1 AND id = $2', values: [environmentId, id] }
}
