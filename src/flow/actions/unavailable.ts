/** Parts of an action's configuration that this version does not have: switched on, they are refused, not ignored. */
import type { Detail } from '../refusal.ts'

/** What is wrong with switching on what does not exist yet. */
export function unavailable(switchedOn: unknown, target: string): Detail[] {
  return switchedOn ? [{ code: 'INVALID_VALUE', target, message: 'is not available in this version of Stile' }] : []
}
