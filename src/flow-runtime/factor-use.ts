/** What a second factor is asked for: one flow, or one stand-alone authentication (authentication-api 6.4; row L13). */
import type { Device } from '../directory/devices.ts'
import type { PasscodeUse } from '../directory/passcodes.ts'

/** What a passcode is good for, and where it may go. */
export interface FactorUse {
  readonly use: PasscodeUse
  /** What the user is told that they sign on to; null: nothing. */
  readonly applicationId: string | null
  /** Devices beside the user's own: a one-time device. */
  readonly beside: readonly Device[]
}

/** A factor of a flow. */
export function factorOfFlow(flowId: string, applicationId: string): FactorUse {
  return { use: { kind: 'flow', flowId }, applicationId, beside: [] }
}
