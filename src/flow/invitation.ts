/** The invitation that a flow is begun for (extension; authentication-api 4.1 row 14). Never: its code. */
import { z } from 'zod'

/** Which invitation. Whom it invites is the only user that the request lets sign on. */
export const invitationRequest = z.strictObject({ id: z.string() })
