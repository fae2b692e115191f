/**
 * Stored password hashes as PHC strings, and which of them may be computed. The parameters are those of
 * security-and-reliability 4.4. Read strictly and with a ceiling on the cost, so that a hash from elsewhere can never
 * make the server work for seconds (K26).
 */

/** The cost of argon2id. */
export interface Argon2Cost {
  /** KiB. */
  readonly memory: number
  readonly passes: number
  readonly lanes: number
}

/** What new hashes cost: 19 MiB, two passes, one lane. */
export const currentCost: Argon2Cost = { memory: 19_456, passes: 2, lanes: 1 }

const HIGHEST_MEMORY = 131_072
const HIGHEST_WORK = 8 * currentCost.memory * currentCost.passes

/**
 * What stands in for the hash of a user who does not exist or has no password, so that both take the same time (K10).
 * Its digest is not that of any known password, and whatever it matches is refused anyway.
 */
export function dummyHash({ memory, passes, lanes }: Argon2Cost): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${lanes}$c3RpbGUtZHVtbXktc2FsdA$${'A'.repeat(43)}`
}

const shape = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{43,86}$/

/** Reads the cost of a stored hash; undefined when it is of another kind, malformed, or dearer than we ever compute. */
export function argon2Cost(hash: string): Argon2Cost | undefined {
  const match = shape.exec(hash)
  if (!match) return undefined
  const [memory = 0, passes = 0, lanes = 0] = match.slice(1).map(Number)
  const isPossible = passes >= 1 && lanes >= 1 && memory >= 8 * lanes
  const isBearable = lanes <= 4 && memory <= HIGHEST_MEMORY && memory * passes <= HIGHEST_WORK
  return isPossible && isBearable ? { memory, passes, lanes } : undefined
}

/** The form in which the digest of an imported password goes into argon2id: base64, since our implementation verifies text alone. */
export function digestToHash(digest: Uint8Array): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(Buffer.from(digest).toString('base64'))
}
