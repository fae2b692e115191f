/**
 * The outside world that decisions depend on: time and randomness. Everything that judges receives `now` and ids as
 * plain data; only the shells call this port. Never: `Date.now()` or a random id from anywhere else in src/.
 */
import { generateKeyPair, type KeyObject, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { randomUuid } from './uuid.ts'

/** Clock and randomness, as one port so that tests can hold both still. */
export interface World {
  /** The present moment in epoch milliseconds. */
  now(): number
  /** `size` unpredictable bytes. */
  bytes(size: number): Buffer
  /** A lower-case UUID version 4 (decision D17: ids must not sort by time). */
  uuid(): string
  /** A new RSA key pair of `bits`, made off the event loop: 2048 take some 100 ms of a core, 4096 some seconds. */
  rsaKeyPair(bits: number): Promise<KeyPair>
}

/** The two halves of a key. */
export interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const generateInThreadPool = promisify(generateKeyPair)
const rsaKeyPair = (bits: number) => generateInThreadPool('rsa', { modulusLength: bits })

/** The real clock and the operating system's randomness. */
export const realWorld: World = {
  now: () => Date.now(),
  bytes: (size) => randomBytes(size),
  uuid: randomUuid,
  rsaKeyPair,
}

/** A world whose clock is set by hand; its randomness stays real, since tests never need to predict it. */
export interface TestWorld extends World {
  /** Moves the clock forward by `milliseconds`. */
  advance(milliseconds: number): void
}

/**
 * Makes a world for tests.
 * @param start epoch milliseconds at which its clock stands; it moves only through `advance`
 */
export function testWorld(start: number = Date.now()): TestWorld {
  let now = start
  return {
    now: () => now,
    bytes: (size) => randomBytes(size),
    uuid: randomUuid,
    rsaKeyPair,
    advance: (milliseconds) => {
      now += milliseconds
    },
  }
}
