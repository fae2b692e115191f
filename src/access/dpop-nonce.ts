/**
 * Nonces of DPoP proofs: RFC 9449 sections 8 and 9. A nonce is the number of a minute with a MAC over it, by a key of the
 * environment: every node makes and knows the same ones, and none is stored.
 *
 * Never: a nonce of another environment, or one that is older than five minutes.
 */
import type { KeyObject } from 'node:crypto'
import { createHmac } from 'node:crypto'
import type { Environment } from '../environment/snapshot.ts'
import { constantTimeEqual } from '../keys/constant-time.ts'
import { deriveKey } from '../keys/master-key.ts'

const minute = 60_000
const minutesKept = 5
const macBytes = 16

const keys = new WeakMap<KeyObject, KeyObject>()

function keyOf({ dataKey }: Environment): KeyObject {
  let key = keys.get(dataKey)
  if (!key) {
    key = deriveKey({ key: dataKey }, 'dpop-nonce')
    keys.set(dataKey, key)
  }
  return key
}

function nonceOf(environment: Environment, slot: number): string {
  const mac = createHmac('sha256', keyOf(environment)).update(`${environment.id} ${slot}`).digest()
  return `${slot.toString(36)}.${mac.subarray(0, macBytes).toString('base64url')}`
}

/**
 * The nonce that clients are given now.
 * @param now epoch milliseconds
 */
export function dpopNonce(environment: Environment, now: number): string {
  return nonceOf(environment, Math.floor(now / minute))
}

/** Whether a nonce is one that this environment has given within the last five minutes. */
export function isDpopNonce(environment: Environment, nonce: unknown, now: number): boolean {
  if (typeof nonce !== 'string' || !/^[0-9a-z]{1,9}\.[\w-]{22}$/.test(nonce)) return false
  const slot = Number.parseInt(nonce, 36)
  const age = Math.floor(now / minute) - slot
  // The clock of the node that gave it may be a minute ahead.
  return age >= -1 && age <= minutesKept && constantTimeEqual(nonce, nonceOf(environment, slot))
}
