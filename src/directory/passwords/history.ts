/**
 * Which hashes a new password is compared with. The current one always, under every policy (PingOne: this rule cannot
 * be switched off); former ones as far as the policy's history remembers, by count and by days.
 */
import type { PasswordPolicy } from './policy.ts'

const DAY = 86_400_000

/** A former password. */
export interface FormerPassword {
  readonly hash: string
  /** When another took its place, in epoch milliseconds. */
  readonly replacedAt: number
}

/**
 * Chooses the hashes a new password must not match.
 * @param current hash of the present password, null when there is none
 * @param former in any order
 * @param now epoch milliseconds
 */
export function hashesToAvoid(
  policy: PasswordPolicy,
  current: string | null,
  former: readonly FormerPassword[],
  now: number,
): readonly string[] {
  return [...(current === null ? [] : [current]), ...remembered(policy, former, now).map(({ hash }) => hash)]
}

/** The former passwords that the policy still remembers, newest first; the others may be deleted. */
export function remembered(
  { history }: PasswordPolicy,
  former: readonly FormerPassword[],
  now: number,
): readonly FormerPassword[] {
  if (!history) return []
  return former
    .filter(({ replacedAt }) => replacedAt > now - history.retentionDays * DAY)
    .toSorted((a, b) => b.replacedAt - a.replacedAt)
    .slice(0, history.count)
}
