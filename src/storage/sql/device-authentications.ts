/** Statements on `device_authentications`. */
import type { Statement } from '../port.ts'

/** A row of `device_authentications`. Times are epoch milliseconds. */
export interface DeviceAuthenticationRow {
  readonly id: string
  readonly user_id: string
  /** The application that began it. */
  readonly client_id: string
  readonly state: string
  readonly version: number
  readonly created_at: number
  readonly updated_at: number
  readonly expires_at: number
}

/** The stand-alone authentication of an id, also for some time after its end. */
export function deviceAuthenticationById(environmentId: string, id: string): Statement<DeviceAuthenticationRow> {
  return {
    text: 'SELECT * FROM device_authentications WHERE environment_id = $1 AND id = $2',
    values: [environmentId, id],
  }
}
