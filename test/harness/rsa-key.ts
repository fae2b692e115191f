/** One RSA key for all nodes of a run: making one costs more than all else that starts a node. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { type KeyPair, realWorld } from '../../src/world.ts'

/** Where the run of the whole suite keeps the private key that its nodes share (scripts/test.ts), PEM. */
export const sharedRsaKeyVariable = 'STILE_TEST_RSA_KEY'

let own: Promise<KeyPair> | undefined

/** The key of the run; of this process where the run has none. Of another size than 2048 bits, a new one. */
export function sharedRsaKeyPair(bits: number): Promise<KeyPair> {
  if (bits !== 2048) return realWorld.rsaKeyPair(bits)
  const pem = process.env[sharedRsaKeyVariable]
  own ??=
    pem === undefined
      ? realWorld.rsaKeyPair(bits)
      : Promise.resolve({ privateKey: createPrivateKey(pem), publicKey: createPublicKey(pem) })
  return own
}
