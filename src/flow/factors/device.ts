/**
 * MFA devices as a flow knows them: which there are, which may be used, and what of them may be shown. authentication-api
 * 6.1, 6.3; rows L02, J27.
 *
 * Never: an address or number in full; a device that is not active, blocked, or of a kind that the policy does not allow.
 */
import { z } from 'zod'

/** Every kind of device this version has; a new one is added here. */
export const deviceTypes = ['EMAIL', 'SMS', 'VOICE', 'TOTP', 'FIDO2', 'MOBILE', 'RECOVERY_CODE'] as const

export type DeviceType = (typeof deviceTypes)[number]

export const sentCodeTypes = ['EMAIL', 'SMS', 'VOICE'] as const

/** Kinds of device that passcodes are sent to. */
export type SentCodeType = (typeof sentCodeTypes)[number]

/** Whether passcodes are sent to devices of this kind. */
export function isSentTo(type: DeviceType): type is SentCodeType {
  return sentCodeTypes.some((each) => each === type)
}

/** Whether devices of this kind prove themselves by a passcode, sent or made; FIDO2 devices and apps sign instead. */
export function takesPasscode(type: DeviceType): boolean {
  return type !== 'FIDO2' && type !== 'MOBILE'
}

/** Any FIDO2 device of the user may sign, whichever was chosen: the browser knows which of them is at hand. */
export function signersOf(devices: readonly DeviceFacts[]): readonly string[] {
  return devices.filter(({ type }) => type === 'FIDO2').map(({ id }) => id)
}

/** Whether it is only there for when nothing else is at hand: the sheet of paper with recovery codes. */
export function isLastResort(type: DeviceType): boolean {
  return type === 'RECOVERY_CODE'
}

/** A device of the flow's user. */
export interface DeviceFacts {
  readonly id: string
  readonly type: DeviceType
  readonly status: 'ACTIVE' | 'ACTIVATION_REQUIRED'
  readonly isBlocked: boolean
  readonly nickname: string | null
  /** None of the user's devices is the default one: which is used is chosen. */
  readonly isUnordered?: true
  /** Where codes go, masked; null where none are sent. */
  readonly target: string | null
  /** Of a MOBILE device: the application it was paired with, and whether it shows passcodes. */
  readonly mobile?: { readonly applicationId: string; readonly showsPasscodes: boolean }
}

/**
 * A device that is no user's: its address is given by whoever asks for a stand-alone authentication (authentication-api
 * 6.4), is used in that one alone, and is never stored as a device.
 */
export const oneTimeDevice = z.strictObject({
  id: z.string(),
  type: z.enum(sentCodeTypes),
  /** An e-mail address, or a phone number in E.164 format, perhaps with dots, spaces and brackets. */
  address: z.string(),
})

export type OneTimeDevice = Readonly<z.infer<typeof oneTimeDevice>>

/** It, if there is one, as one of the devices that may be used. */
export function oneTimeFacts(device: OneTimeDevice | null): readonly DeviceFacts[] {
  if (!device) return []
  const { id, type, address } = device
  const target = type === 'EMAIL' ? maskEmail(address) : maskPhone(address)
  return [{ id, type, status: 'ACTIVE', isBlocked: false, nickname: null, target }]
}

/** A device as the flow JSON shows it: authentication-api 3.4. */
export const deviceView = z.object({
  id: z.string(),
  type: z.enum(deviceTypes),
  status: z.literal('ACTIVE'),
  nickname: z.string().optional(),
  email: z.string().optional(),
  phone: z.string().optional(),
})

export type DeviceView = z.infer<typeof deviceView>

/** An e-mail address of which only the first letter and the domain can be read, whatever its length (row J27). */
export function maskEmail(address: string): string {
  const at = address.lastIndexOf('@')
  return `${String.fromCodePoint(address.codePointAt(0) ?? 42)}*****${at === -1 ? '' : address.slice(at)}`
}

/** A phone number of which only the last two digits can be read, whatever its length (authentication-api 3.1; row J27). */
export function maskPhone(number: string): string {
  return `*******${number.slice(-2)}`
}

/** What is shown of a device. */
export function viewDevice({ id, type, nickname, target }: DeviceFacts): DeviceView {
  return {
    id,
    type,
    status: 'ACTIVE',
    ...(nickname === null ? {} : { nickname }),
    ...(target === null ? {} : type === 'EMAIL' ? { email: target } : { phone: target }),
  }
}
