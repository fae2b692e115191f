/**
 * MFA devices as a flow knows them: which there are, which may be used, and what of them may be shown. authentication-api
 * 6.1, 6.3; rows L02, J27.
 *
 * Never: an address or number in full; a device that is not active, blocked, or of a kind that the policy does not allow.
 */
import { z } from 'zod'
import type { DeviceAuthenticationPolicy } from './device-authentication-policy.ts'

/** Every kind of device this version has; a new one is added here. */
export const deviceTypes = ['EMAIL', 'TOTP'] as const

export type DeviceType = (typeof deviceTypes)[number]

/** A device of the flow's user. */
export interface DeviceFacts {
  readonly id: string
  readonly type: DeviceType
  readonly status: 'ACTIVE' | 'ACTIVATION_REQUIRED'
  readonly isBlocked: boolean
  readonly nickname: string | null
  /** Where codes go, masked; null where none are sent. */
  readonly target: string | null
}

/** A device as the flow JSON shows it: authentication-api 3.4. */
export const deviceView = z.object({
  id: z.string(),
  type: z.enum(deviceTypes),
  status: z.literal('ACTIVE'),
  nickname: z.string().optional(),
  email: z.string().optional(),
})

export type DeviceView = z.infer<typeof deviceView>

/** An e-mail address of which only the first letter and the domain can be read, whatever its length (row J27). */
export function maskEmail(address: string): string {
  const at = address.lastIndexOf('@')
  return `${[...address][0] ?? ''}*****${at === -1 ? '' : address.slice(at)}`
}

/** The devices that may be used now, in their order. */
export function usableDevices(
  devices: readonly DeviceFacts[],
  policy: DeviceAuthenticationPolicy,
): readonly DeviceFacts[] {
  return devices.filter(({ type, status, isBlocked }) => status === 'ACTIVE' && !isBlocked && allows(policy, type))
}

/** Whether a policy lets devices of this kind be used. */
export function allows(policy: DeviceAuthenticationPolicy, type: DeviceType): boolean {
  switch (type) {
    case 'EMAIL':
      return policy.email.enabled
    case 'TOTP':
      return policy.totp.enabled
  }
}

/** What is shown of a device. */
export function viewDevice({ id, type, nickname, target }: DeviceFacts): DeviceView {
  return {
    id,
    type,
    status: 'ACTIVE',
    ...(nickname === null ? {} : { nickname }),
    ...(target === null ? {} : { email: target }),
  }
}
