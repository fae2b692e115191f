/**
 * Members of an OIDC application that belong to features this version of Stile has not (platform-api 3.7), as one table.
 * Clients send most of them always and expect to read them back unchanged (platform-api 1.14, 4.5).
 *
 * - `keptAsSent`: any value that is listed may be ignored without harm. It is stored and answered as sent, or else its
 *   default is answered.
 * - `unavailable`: a value would promise something. It is refused, never ignored.
 *
 * Never: a value accepted here that makes an administrator believe in a protection that is not there.
 */
import { z } from 'zod'
import type { ApplicationDocument } from '../environment/application.ts'

const notAvailable = 'is not available in this version of Stile'

/**
 * `requestScopesForMultipleResourcesEnabled` has an effect on the scopes of one request, `idpSignoff` and
 * `opSessionCheckEnabled` on how a session ends; the others have none.
 */
export const keptAsSent = {
  idpSignoff: z
    .boolean()
    .default(false)
    .describe(
      'An ID token of the application alone ends the session that it names, without the cookie of the session.',
    ),
  opSessionCheckEnabled: z
    .boolean()
    .default(false)
    .describe('Authorization responses carry `session_state`, for the frame that `check_session_iframe` names.'),
  requestScopesForMultipleResourcesEnabled: z.boolean().default(false),
  tags: z.array(z.literal('PING_FED_CONNECTION_INTEGRATION')).max(1).optional(),
}

/** A member that must not be there. */
export const absent = z
  .unknown()
  .optional()
  .refine((value) => value === undefined, notAvailable)
  .describe('Not available in this version of Stile: refused.')

/** Refused whenever they are sent. */
export const unavailable = {
  clientId: absent,
  kerberos: absent,
  template: absent,
}

/** What is kept of a request. */
export function echoedOf(body: z.output<z.ZodObject<typeof keptAsSent>>): ApplicationDocument['echoed'] {
  const kept: Record<string, string | number | boolean | readonly string[]> = {}
  for (const member of Object.keys(keptAsSent) as (keyof typeof keptAsSent)[]) {
    const value = body[member]
    if (value !== undefined) kept[member] = value
  }
  return kept
}
