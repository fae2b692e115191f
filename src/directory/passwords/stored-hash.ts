/**
 * The text that stands for a password in storage: a PHC string of argon2id, and before it, where the password was
 * imported, how the other system made the digest that argon2id was applied to, as JSON:
 *
 * `{"kdf":"salted-digest",…}$argon2id$v=19$m=19456,t=2,p=1$…`
 *
 * So whatever is read from storage costs at least one argon2id, and a password that was imported is as dear to guess as
 * any other. Never: a text whose parameters pass the bounds of phc.ts and legacy-kdf.ts (row K26).
 */
import { type LegacyKdf, legacyKdfFrom } from './legacy-kdf.ts'
import { type Argon2Cost, argon2Cost } from './phc.ts'

/** What a stored text says. */
export interface StoredHash {
  /** Absent: argon2id was applied to the password itself. */
  readonly legacy?: LegacyKdf
  /** The PHC string. */
  readonly phc: string
}

/** Writes the text of an imported password. */
export function storedHash(legacy: LegacyKdf, phc: string): string {
  return `${JSON.stringify(legacy)}${phc}`
}

/** Reads a stored text; undefined when it is of another kind, malformed, or dearer than we ever compute. */
export function readStoredHash(text: string): StoredHash | undefined {
  const at = text.indexOf('$argon2id$')
  const phc = text.slice(at)
  if (at < 0 || !argon2Cost(phc)) return undefined
  if (at === 0) return { phc }
  const legacy = legacyKdfFrom(parsed(text.slice(0, at)))
  return legacy && { legacy, phc }
}

/** Whether a hash that has just matched should be replaced by one of the current form and of the `wanted` cost (row K27). */
export function needsRehash(text: string, wanted: Argon2Cost): boolean {
  const stored = readStoredHash(text)
  const cost = stored && argon2Cost(stored.phc)
  if (!cost || stored.legacy) return true
  return cost.memory !== wanted.memory || cost.passes !== wanted.passes || cost.lanes !== wanted.lanes
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
