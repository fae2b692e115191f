/**
 * The data key of one environment: what its secrets are sealed with. The database holds it only wrapped, that is
 * encrypted under a key derived from the master key and bound to its environment. Rotating the master key therefore
 * re-wraps one short text per environment and leaves every sealed value alone (security-and-reliability 4.3, R18).
 * Text form: `v1.<master key id>.` and base64url of nonce, ciphertext and tag.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import type { World } from '../world.ts'
import { deriveKey, KEY_BYTES, type MasterKey, type MasterKeys } from './master-key.ts'
import { decrypt, encrypt, UnsealFailed } from './sealing.ts'

const VERSION = 'v1'

/** Makes the data key of a new environment. */
export function newDataKey(world: World): KeyObject {
  return createSecretKey(world.bytes(KEY_BYTES))
}

/** Wraps `dataKey` under `master` for storage beside the environment. */
export function wrapDataKey(master: MasterKey, dataKey: KeyObject, environmentId: string, world: World): string {
  const body = encrypt(wrappingKey(master), dataKey.export(), associatedData(master, environmentId), world)
  return `${VERSION}.${master.id}.${body.toString('base64url')}`
}

/**
 * Unwraps the data key of an environment with whichever master key it names.
 * @throws UnsealFailed when it is damaged, of another environment, or of a master key that is not at hand
 */
export function unwrapDataKey(masters: MasterKeys, wrapped: string, environmentId: string): KeyObject {
  const [version, masterId, body, ...rest] = wrapped.split('.')
  const master = [masters.current, masters.previous].find((candidate) => candidate?.id === masterId)
  if (version !== VERSION || !master || body === undefined || rest.length > 0) throw new UnsealFailed()
  return createSecretKey(decrypt(wrappingKey(master), body, associatedData(master, environmentId)))
}

/**
 * Moves a wrapped data key to the current master key.
 * @returns the new text, or undefined when it is already wrapped under the current master key
 * @throws UnsealFailed as `unwrapDataKey`
 */
export function rewrapDataKey(
  masters: MasterKeys,
  wrapped: string,
  environmentId: string,
  world: World,
): string | undefined {
  const dataKey = unwrapDataKey(masters, wrapped, environmentId)
  if (wrapped.startsWith(`${VERSION}.${masters.current.id}.`)) return undefined
  return wrapDataKey(masters.current, dataKey, environmentId, world)
}

function wrappingKey(master: MasterKey): KeyObject {
  return deriveKey(master, 'data-key-wrapping')
}

function associatedData(master: MasterKey, environmentId: string): Buffer {
  return Buffer.from([VERSION, 'data-key', master.id, environmentId].join('|'))
}
