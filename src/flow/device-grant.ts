/**
 * The device authorization grant as a flow knows it (RFC 8628 section 3.3; authentication-api 2.15): that the flow was begun
 * for one, and which request the user code named that was entered.
 */
import { z } from 'zod'
import { consentDetail } from './consent.ts'

/** What a flow is begun with. */
export const deviceGrant = z.strictObject({
  /** The code that the address brought along. It is shown to be confirmed, and proves nothing (section 3.3.1). */
  userCode: z.string().max(16).nullable(),
  /** The only application whose codes are taken; null: that of the code, whichever it is. */
  applicationId: z.string().nullable(),
})

export type DeviceGrant = Readonly<z.infer<typeof deviceGrant>>

/** What a device asks for. Times in epoch milliseconds. */
export const deviceRequest = z.strictObject({
  /** The polled grant. */
  grantId: z.string(),
  applicationId: z.string(),
  scopeIds: z.array(z.string()),
  /** What is asked for in detail (RFC 9396), in words. */
  details: z.array(consentDetail).readonly().exactOptional(),
  /** As people read it. */
  userCode: z.string(),
  /** The address of the device. */
  remoteAddress: z.string(),
  requestedAt: z.int(),
  expiresAt: z.int(),
})

export type DeviceRequest = Readonly<z.infer<typeof deviceRequest>>

/** The application that a flow turns out to be about, and the policies that may run for it, in order. */
export interface Destination {
  readonly applicationId: string
  readonly candidates: { readonly policyId: string; readonly version: number }[]
}

/** A device that asks, as the user is shown it; before its code is entered, the code alone. Times in ISO 8601. */
export interface DeviceAuthorizationView {
  readonly userCode: string
  readonly remoteAddress?: string
  readonly requestedAt?: string
  readonly expiresAt?: string
}
