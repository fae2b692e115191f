/** Statements on `push_credentials`, and on where apps are sent messages. Times are epoch milliseconds. */
import type { Statement } from '../port.ts'

/** A row of `push_credentials`. */
export type PushCredentialsRow = {
  readonly application_id: string
  readonly id: string
  readonly type: string
  /** JSON, sealed. */
  readonly sealed: string
  readonly created_at: number
  readonly updated_at: number
}

/** The credentials of an application, the oldest first. */
export function pushCredentialsOf(environmentId: string, applicationId: string): Statement<PushCredentialsRow> {
  return {
    text: `SELECT application_id, id, type, sealed, created_at, updated_at FROM push_credentials
           WHERE environment_id = $1 AND application_id = $2 ORDER BY created_at, id`,
    values: [environmentId, applicationId],
  }
}

/** Where the app on a device is sent messages, and which application it is of. */
export interface PushTargetRow {
  readonly application_id: string
  readonly sealed_push_token: string | null
}

/** The app on a device, as messages find it. */
export function pushTargetOf(environmentId: string, deviceId: string): Statement<PushTargetRow> {
  return {
    text: `SELECT application_id, sealed_push_token FROM mobile_devices WHERE environment_id = $1 AND device_id = $2`,
    values: [environmentId, deviceId],
  }
}
