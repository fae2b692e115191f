/** The parameters of a backchannel authentication request: OpenID CIBA Core section 7.1, authentication-api 2.16. */
import { z } from 'zod'

/** What a request asks, in the form or in the JWT that the client has signed. */
export const backchannelParameters = z.object({
  scope: z.string().optional().describe('With `openid`.'),
  login_hint: z.string().optional().describe('A username. Exactly one of the three hints is needed.'),
  id_token_hint: z.string().optional(),
  login_hint_token: z.string().optional(),
  binding_message: z.string().optional().describe('At most 100 characters, in one line; shown to the user as well.'),
  user_code: z.string().optional().describe('Refused: users have no such code.'),
  acr_values: z.string().optional().describe('Names of sign-on policies of the application.'),
  requested_expiry: z.string().optional().describe('Seconds, up to 600; default: 120.'),
  authorization_details: z.string().optional().describe('What is asked for in detail, as JSON (RFC 9396).'),
  resource: z.string().optional().describe('A resource server the tokens are meant for; may be repeated (RFC 8707).'),
})

/** Their names. */
export const backchannelParameterNames: readonly string[] = Object.keys(backchannelParameters.shape)
