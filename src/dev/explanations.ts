/**
 * What the demo application says about each thing it receives: parameters of an answer, headers and claims of a token.
 * OpenID Connect Core sections 2 and 5.1, RFC 6749, RFC 7519, RFC 9207, authentication-api 2.9.
 */

/** Parameters of the authorization answer and members of the token answer. */
export const parameterMeanings: Readonly<Record<string, string>> = {
  code: 'The authorization code: worth tokens once, for a minute, to this application alone.',
  state: 'What the application sent along, to recognise its own request.',
  iss: 'Who answers. An application that knows several servers checks it against the one it asked.',
  access_token: 'The key to APIs, sent as a bearer token.',
  token_type: 'How the access token is to be sent.',
  expires_in: 'Seconds until the access token expires.',
  scope: 'What was granted.',
  id_token: 'Who signed on, how and when: for the application itself, never for an API.',
  refresh_token: 'Gets new tokens without the user.',
  session_state: 'Lets the application notice that the session has ended.',
  error: 'Why there is no code and no token.',
  error_description: 'More about the error, for developers.',
  error_uri: 'A page about the error.',
}

/** The header of a token. */
export const headerMeanings: Readonly<Record<string, string>> = {
  alg: 'The algorithm of the signature.',
  kid: 'Which key of the JWKS checks the signature.',
  typ: 'What kind of token it is; at+jwt is an access token.',
  x5t: 'Thumbprint of the certificate of the key.',
}

/** The claims of a token. */
export const claimMeanings: Readonly<Record<string, string>> = {
  iss: 'Who issued it: the issuer of the environment.',
  sub: 'Whom it is about: the id of the user.',
  aud: 'Whom it is meant for. Everybody else has to refuse it.',
  exp: 'When it expires.',
  nbf: 'From when on it is valid.',
  iat: 'When it was issued.',
  jti: 'Its own id.',
  client_id: 'The application it was issued to.',
  scope: 'What its bearer may do.',
  nonce: 'What the application sent along; it ties the token to this one request.',
  auth_time: 'When the user last proved who they are.',
  acr: 'The sign-on policy that was completed.',
  amr: 'The methods the user proved.',
  azp: 'The application it was issued to, where the audience is another.',
  sid: 'The session it belongs to.',
  at_hash: 'Half a hash of the access token issued beside it: proof that the two belong together.',
  c_hash: 'Half a hash of the code issued beside it.',
  env: 'The environment.',
  org: 'The organization.',
  name: 'The full name.',
  given_name: 'The given name.',
  family_name: 'The family name.',
  middle_name: 'The middle name.',
  nickname: 'The nickname.',
  preferred_username: 'The username.',
  email: 'The e-mail address.',
  email_verified: 'Whether the e-mail address is proved to be theirs.',
  phone_number: 'The phone number.',
  address: 'The postal address.',
  picture: 'The address of a picture.',
  locale: 'The language and region.',
  zoneinfo: 'The time zone.',
  updated_at: 'When the profile was last changed.',
  'p1.rid': 'The id of the request; the same as jti.',
  'p1.gid': 'The grant: by it, a revocation reaches the token at once.',
  'p1.userId': 'The id of the user, where sub holds something else.',
  'p1.region': 'The region of the environment.',
}

/** Claims whose value is a moment, in epoch seconds. */
export const moments: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat', 'auth_time', 'updated_at'])
