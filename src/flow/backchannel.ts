/**
 * A backchannel authentication request as a flow knows it (OpenID CIBA Core section 7; authentication-api 2.16).
 *
 * A flow with the door `backchannel` has no browser: it waits for the app on a device of the user, or not at all. The same
 * request may be answered in a browser, by the link that its user is sent; that flow has the door `redirect`.
 */
import { z } from 'zod'
import { consentDetail } from './consent.ts'

/** What the user is asked to approve. */
export const backchannelRequest = z.strictObject({
  /** The polled grant. */
  grantId: z.string(),
  scopeIds: z.array(z.string()),
  /** What is asked for in detail (RFC 9396), in words. */
  details: z.array(consentDetail).readonly().exactOptional(),
  /** What the client shows as well, so that the user knows which request this is. */
  bindingMessage: z.string().nullable(),
  /** When the request is over, epoch milliseconds. */
  expiresAt: z.int(),
})

export type BackchannelRequest = Readonly<z.infer<typeof backchannelRequest>>
