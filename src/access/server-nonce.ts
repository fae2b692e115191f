/**
 * Nonces that this server gives: for DPoP proofs (RFC 9449 sections 8 and 9), and as challenges for proofs of attested
 * clients. A nonce is the number of a minute with a MAC over it, by a key of the environment: every node makes and knows the
 * same ones, and none is stored.
 *
 * Never: a nonce of another environment or purpose, or one that is older than five minutes.
 */
import type { KeyObject } from 'node:crypto'
import { createHmac } from 'node:crypto'
import type { Environment } from '../environment/snapshot.ts'
import { constantTimeEqual } from '../keys/constant-time.ts'
import { deriveKey } from '../keys/master-key.ts'

/** What a nonce is for. */
export type NoncePurpose = 'dpop-nonce' | 'attestation-challenge'

/** What of an environment its nonces are made of. */
type Keeper = Pick<Environment, 'id' | 'dataKey'>

const minute = 60_000
const minutesKept = 5
const macBytes = 16

const keys: Readonly<Record<NoncePurpose, WeakMap<KeyObject, KeyObject>>> = {
  'dpop-nonce': new WeakMap(),
  'attestation-challenge': new WeakMap(),
}

function keyOf({ dataKey }: Keeper, purpose: NoncePurpose): KeyObject {
  let key = keys[purpose].get(dataKey)
  if (!key) {
    key = deriveKey({ key: dataKey }, purpose)
    keys[purpose].set(dataKey, key)
  }
  return key
}

function nonceOf(environment: Keeper, purpose: NoncePurpose, slot: number): string {
  const mac = createHmac('sha256', keyOf(environment, purpose)).update(`${environment.id} ${slot}`).digest()
  return `${slot.toString(36)}.${mac.subarray(0, macBytes).toString('base64url')}`
}

/**
 * The nonce that clients are given now.
 * @param now epoch milliseconds
 */
export function serverNonce(environment: Keeper, purpose: NoncePurpose, now: number): string {
  return nonceOf(environment, purpose, Math.floor(now / minute))
}

/** Whether a nonce is one that this environment has given within the last five minutes. */
export function isServerNonce(environment: Keeper, purpose: NoncePurpose, nonce: unknown, now: number): boolean {
  if (typeof nonce !== 'string' || !/^[0-9a-z]{1,9}\.[\w-]{22}$/.test(nonce)) return false
  const slot = Number.parseInt(nonce, 36)
  const age = Math.floor(now / minute) - slot
  // The clock of the node that gave it may be a minute ahead.
  return age >= -1 && age <= minutesKept && constantTimeEqual(nonce, nonceOf(environment, purpose, slot))
}
