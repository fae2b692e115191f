/** The parameters that an authorization request may have: RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1, authentication-api 2.3. */
import { z } from 'zod'
import { responseModeNames } from './response.ts'

export const authorizationParameters = z.object({
  client_id: z.string(),
  response_type: z.string(),
  redirect_uri: z.string().optional(),
  response_mode: z.enum(responseModeNames).optional(),
  scope: z.string().optional(),
  state: z.string().optional(),
  nonce: z.string().optional(),
  prompt: z.string().optional(),
  max_age: z.string().optional(),
  login_hint: z.string().optional(),
  login_hint_token: z
    .string()
    .optional()
    .describe('Whom the client means, in a JWT that it signs (authentication-api 2.14).'),
  id_token_hint: z.string().optional(),
  resource: z.string().optional().describe('A resource server that tokens are meant for; may be repeated (RFC 8707).'),
  acr_values: z.string().optional(),
  authorization_details: z.string().optional().describe('What is asked for in detail, as JSON (RFC 9396).'),
  claims: z.string().optional().describe('Claims asked for one by one (OpenID Connect Core section 5.5).'),
  ui_locales: z.string().optional(),
  code_challenge: z.string().optional(),
  code_challenge_method: z.enum(['S256', 'plain']).optional(),
  dpop_jkt: z
    .string()
    .optional()
    .describe('The thumbprint of the key that the code is bound to (RFC 9449 section 10).'),
})

/** Their names. */
export const authorizationParameterNames: readonly string[] = Object.keys(authorizationParameters.shape)
