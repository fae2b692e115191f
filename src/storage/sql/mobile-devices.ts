/** Statements on `mobile_devices`, `pairing_keys` and `push_requests`. Times are epoch milliseconds. */
import type { Statement } from '../port.ts'

/** A row of `mobile_devices`, with what matters of the device it is about. */
export interface MobileDeviceRow {
  readonly device_id: string
  readonly user_id: string
  readonly application_id: string
  /** A JWK, JSON. */
  readonly public_key: string
  readonly blocked_at: number | null
}

/** The app on a device; none once the device is gone. */
export function mobileDeviceById(environmentId: string, deviceId: string): Statement<MobileDeviceRow> {
  return {
    text: `SELECT m.device_id, m.user_id, m.application_id, m.public_key, d.blocked_at
           FROM mobile_devices m JOIN devices d
             ON d.environment_id = m.environment_id AND d.user_id = m.user_id AND d.id = m.device_id
           WHERE m.environment_id = $1 AND m.device_id = $2`,
    values: [environmentId, deviceId],
  }
}

/** A row of `pairing_keys`. */
export interface PairingKeyRow {
  readonly id: string
  readonly user_id: string
  /** Ids of the applications it pairs with, a JSON array. */
  readonly applications: string
  readonly claimed_at: number | null
  readonly created_at: number
  readonly expires_at: number
}

const pairingKeyColumns = 'id, user_id, applications, claimed_at, created_at, expires_at'

/** The pairing keys of a user whose time is not over, used or not. */
export function pairingKeysOf(environmentId: string, userId: string, now: number): Statement<PairingKeyRow> {
  return {
    text: `SELECT ${pairingKeyColumns} FROM pairing_keys WHERE environment_id = $1 AND user_id = $2 AND expires_at > $3
           ORDER BY created_at, id`,
    values: [environmentId, userId, now],
  }
}

/** The pairing key of a code, used or not, as long as its time is not over. */
export function pairingKeyByCode(environmentId: string, codeHash: string, now: number): Statement<PairingKeyRow> {
  return {
    text: `SELECT ${pairingKeyColumns} FROM pairing_keys
           WHERE environment_id = $1 AND code_hash = $2 AND expires_at > $3`,
    values: [environmentId, codeHash, now],
  }
}

/** A row of `push_requests`. */
export interface PushRequestRow {
  readonly id: string
  /** Of the flow, or of the stand-alone authentication, that waits for it. */
  readonly flow_id: string
  readonly user_id: string
  readonly device_id: string
  /** The application that is signed on to. */
  readonly application_id: string
  readonly matches_number: number
  /** The address of the browser that signs on. */
  readonly remote_address: string
  readonly created_at: number
  readonly expires_at: number
  /** 1: it is of a stand-alone authentication. */
  readonly stands_alone: number
}

/** The requests that an app may answer now, the oldest first. */
export function pushRequestsOf(environmentId: string, deviceId: string, now: number): Statement<PushRequestRow> {
  return {
    text: `SELECT p.*, CASE WHEN a.id IS NULL THEN 0 ELSE 1 END AS stands_alone
           FROM push_requests p
           LEFT JOIN device_authentications a ON a.environment_id = p.environment_id AND a.id = p.flow_id
           WHERE p.environment_id = $1 AND p.device_id = $2 AND p.expires_at > $3
           ORDER BY p.created_at, p.id`,
    values: [environmentId, deviceId, now],
  }
}

/** Takes the request of a flow back, if it has one. */
export function withdrawPushRequest(environmentId: string, flowId: string): Statement<object> {
  return {
    text: 'DELETE FROM push_requests WHERE environment_id = $1 AND flow_id = $2',
    values: [environmentId, flowId],
  }
}
