/** A key of each algorithm, made once; those of RSA share one pair of numbers, so that only the algorithm tells them apart. */
import { type SigningAlgorithm, signingAlgorithms } from '../../src/keys/algorithm.ts'
import { generateSigningKey, loadSigningKey, type SigningKey } from '../../src/keys/signing-key.ts'
import { realWorld } from '../../src/world.ts'
import { sharedRsaKeyPair } from '../harness/rsa-key.ts'

const world = { ...realWorld, rsaKeyPair: sharedRsaKeyPair }

/** A new key. */
export async function newKey(algorithm: SigningAlgorithm): Promise<SigningKey> {
  const { record, pkcs8 } = await generateSigningKey(world, algorithm)
  return loadSigningKey(record, pkcs8)
}

/** One key of each algorithm. */
export async function keyOfEach(): Promise<Readonly<Record<SigningAlgorithm, SigningKey>>> {
  const entries = await Promise.all(signingAlgorithms.map(async (name) => [name, await newKey(name)] as const))
  return Object.fromEntries(entries) as Record<SigningAlgorithm, SigningKey>
}
