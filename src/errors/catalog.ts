/**
 * Every error Stile answers with, once: HTTP status, PingOne code and text, OAuth code, cause and fix.
 * `docs/reference/errors.md` is generated from this table. Sources: authentication-api section 7, platform-api section 1.11,
 * RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, OpenID Connect Core section 3.1.2.6.
 *
 * Never: an error text written anywhere else, or a text that quotes a secret.
 */

/** PingOne's top-level codes (authentication-api 7.2). */
export type PingOneCode =
  | 'INVALID_DATA'
  | 'INVALID_REQUEST'
  | 'REQUEST_FAILED'
  | 'ACCESS_FAILED'
  | 'NOT_FOUND'
  | 'REQUEST_LIMITED'
  | 'UNEXPECTED_ERROR'

/** PingOne's detail codes (authentication-api 7.3, platform-api 1.11). */
export type DetailCode =
  | 'CONSTRAINT_VIOLATION'
  | 'EMPTY_VALUE'
  | 'INSUFFICIENT_PERMISSIONS'
  | 'INVALID_CREDENTIALS'
  | 'INVALID_FILTER'
  | 'INVALID_OTP'
  | 'INVALID_PARAMETER'
  | 'INVALID_TOKEN'
  | 'INVALID_VALUE'
  | 'LIMIT_EXCEEDED'
  | 'LOGIN_REQUIRED'
  | 'NO_PASSWORD'
  | 'OUT_OF_RANGE'
  | 'PASSWORD_LOCKED_OUT'
  | 'REQUIRED_VALUE'
  | 'SIZE_LIMIT_EXCEEDED'
  | 'UNIQUENESS_VIOLATION'

/** The `error` values of the OAuth family that Stile sends. */
export type OAuthCode =
  | 'access_denied'
  | 'authorization_pending'
  | 'expired_token'
  | 'expired_login_hint_token'
  | 'invalid_binding_message'
  | 'slow_down'
  | 'insufficient_scope'
  | 'insufficient_user_authentication'
  | 'invalid_authorization_details'
  | 'invalid_client'
  | 'invalid_dpop_proof'
  | 'invalid_client_metadata'
  | 'invalid_grant'
  | 'invalid_redirect_uri'
  | 'invalid_request'
  | 'invalid_request_object'
  | 'invalid_request_uri'
  | 'invalid_scope'
  | 'invalid_target'
  | 'invalid_token'
  | 'invalid_session'
  | 'invalid_software_statement'
  | 'login_required'
  | 'consent_required'
  | 'request_uri_not_supported'
  | 'server_error'
  | 'temporarily_unavailable'
  | 'unmet_authentication_requirements'
  | 'unapproved_software_statement'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'use_attestation_challenge'
  | 'use_dpop_nonce'
  | 'use_fresh_attestation'
  | 'unsupported_token_type'

/** One row of the catalogue. */
export interface CatalogEntry {
  readonly status: number
  readonly code: PingOneCode
  readonly message: string
  /** How the same failure is named on an OAuth endpoint. */
  readonly oauth: OAuthCode
  readonly cause: string
  readonly fix: string
}

const general = 'The request could not be completed.'
const validation = `${general} One or more validation errors were in the request.`
const malformed = `${general} The request was malformed or invalid.`
const issue = `${general} There was an issue processing the request.`
const noAccess = `${general} You do not have access to this resource.`

export const catalog = {
  INVALID_DATA: {
    status: 400,
    code: 'INVALID_DATA',
    message: validation,
    oauth: 'invalid_request',
    cause: 'One or more members of the request have a value that is missing, of the wrong form, or not allowed.',
    fix: 'Read `details`: each names its `target` and what is expected there.',
  },
  INVALID_REQUEST: {
    status: 400,
    code: 'INVALID_REQUEST',
    message: malformed,
    oauth: 'invalid_request',
    cause:
      'The request is not well-formed (JSON, encoding, repeated members, depth), or the action is not allowed now.',
    fix: 'Send well-formed JSON; on a flow, follow one of the links of its current status.',
  },
  REQUEST_FAILED: {
    status: 400,
    code: 'REQUEST_FAILED',
    message: issue,
    oauth: 'invalid_request',
    cause: 'The request is well-formed but cannot be carried out in the present state.',
    fix: 'Read `details`; change the state it names and try again.',
  },
  INVALID_TOKEN: {
    status: 401,
    code: 'ACCESS_FAILED',
    message: noAccess,
    oauth: 'invalid_token',
    cause: 'The bearer token is missing, malformed, expired, revoked, or meant for another audience.',
    fix: 'Get a new access token and send it as `Authorization: Bearer …`.',
  },
  UNKNOWN_ACTION: {
    status: 401,
    code: 'ACCESS_FAILED',
    message: 'You do not have access to this resource.',
    oauth: 'invalid_request',
    cause: 'A POST on a flow carried no media type that names a flow action.',
    fix: 'Send `Content-Type: application/vnd.pingidentity.<action>+json`.',
  },
  FORBIDDEN: {
    status: 403,
    code: 'ACCESS_FAILED',
    message: `${general} You do not have permissions or are not licensed to make this request.`,
    oauth: 'insufficient_scope',
    cause: 'The actor holds no role that allows this operation here.',
    fix: 'Assign a role with the permission the reference names, at this scope or a broader one.',
  },
  CROSS_SITE: {
    status: 403,
    code: 'ACCESS_FAILED',
    message: `${general} Requests from this origin are not allowed.`,
    oauth: 'access_denied',
    cause: 'A browser sent the request from an origin that the application does not list.',
    fix: 'Add the origin to the `corsSettings` of the application.',
  },
  NOT_FOUND: {
    status: 404,
    code: 'NOT_FOUND',
    message: `${general} The requested resource was not found.`,
    oauth: 'invalid_request',
    cause: 'Nothing exists at this address, it has expired, or it belongs to another environment or browser.',
    fix: 'Check the ids in the path; start a new flow when the old one has expired.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    code: 'INVALID_REQUEST',
    message: `${general} The method is not allowed here.`,
    oauth: 'invalid_request',
    cause: 'The resource exists but does not answer this method.',
    fix: 'Use a method that the `Allow` header lists.',
  },
  EXPIRED: {
    status: 410,
    code: 'NOT_FOUND',
    message: `${general} The requested resource has expired.`,
    oauth: 'invalid_request',
    cause: 'A stand-alone authentication was not finished in time.',
    fix: 'Begin a new one.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    code: 'INVALID_REQUEST',
    message: `${general} The request took too long to arrive.`,
    oauth: 'invalid_request',
    cause: 'Headers or body arrived too slowly.',
    fix: 'Send the whole request within 30 seconds.',
  },
  TOO_LARGE: {
    status: 413,
    code: 'INVALID_REQUEST',
    message: `${general} The request body is too large.`,
    oauth: 'invalid_request',
    cause: 'The body passes 64 KiB on the authentication endpoints or 1 MiB on the management API.',
    fix: 'Send less in one request.',
  },
  URI_TOO_LONG: {
    status: 414,
    code: 'INVALID_REQUEST',
    message: `${general} The request address is too long.`,
    oauth: 'invalid_request',
    cause: 'Path and query pass 8 KiB.',
    fix: 'Send long parameters in a form body by POST.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    code: 'INVALID_REQUEST',
    message: `${general} The media type is not supported.`,
    oauth: 'invalid_request',
    cause: 'The Content-Type is missing or not one that this operation accepts.',
    fix: 'Send the media type the reference names for the operation.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    code: 'INVALID_REQUEST',
    message: `${general} The request headers are too large.`,
    oauth: 'invalid_request',
    cause: 'The headers pass 16 KiB or 100 lines.',
    fix: 'Clear cookies of this host, or send fewer headers.',
  },
  LIMITED: {
    status: 429,
    code: 'REQUEST_LIMITED',
    message: `${general} Too many requests.`,
    oauth: 'temporarily_unavailable',
    cause: 'A rate limit was reached.',
    fix: 'Wait for the seconds that `Retry-After` names.',
  },
  UNEXPECTED_ERROR: {
    status: 500,
    code: 'UNEXPECTED_ERROR',
    message: `${general} An unexpected error occurred.`,
    oauth: 'server_error',
    cause: 'A defect in Stile. The log holds the reason under the correlation id.',
    fix: 'Report it with the correlation id.',
  },
  UNAVAILABLE: {
    status: 503,
    code: 'REQUEST_FAILED',
    message: `${general} The service is not available right now.`,
    oauth: 'temporarily_unavailable',
    cause: 'Storage is away, this node is out of date, or all password hashing slots are taken.',
    fix: 'Try again after the seconds that `Retry-After` names.',
  },
  SPECULATIVE: {
    status: 503,
    code: 'REQUEST_FAILED',
    message: `${general} This page is not loaded ahead of time.`,
    oauth: 'temporarily_unavailable',
    cause: 'A browser asked for a page before anybody went there (`Sec-Purpose: prefetch`).',
    fix: 'Nothing: it asks once more when somebody goes there.',
  },
  invalid_request: {
    status: 400,
    code: 'INVALID_REQUEST',
    message: malformed,
    oauth: 'invalid_request',
    cause: 'A parameter is missing, repeated, malformed, or does not fit the others.',
    fix: 'Read `error_description`: it names the parameter.',
  },
  invalid_client: {
    status: 401,
    code: 'ACCESS_FAILED',
    message: noAccess,
    oauth: 'invalid_client',
    cause: 'The client is unknown, disabled, or did not authenticate by its registered method.',
    fix: 'Check the client id, its secret or key, and its `tokenEndpointAuthMethod`.',
  },
  invalid_dpop_proof: {
    status: 400,
    code: 'INVALID_REQUEST',
    message: malformed,
    oauth: 'invalid_dpop_proof',
    cause:
      'The DPoP proof is missing, malformed, was used before, is for another request, or its key is not the one that is expected.',
    fix: 'Read `error_description`. Make a new proof for each request, for its method and its address, with a clock that is right.',
  },
  use_attestation_challenge: {
    status: 400,
    code: 'INVALID_REQUEST',
    message: malformed,
    oauth: 'use_attestation_challenge',
    cause: 'The proof beside a client attestation has no challenge of this server, or one that is too old.',
    fix: 'Send the request again, with a new proof that holds the `OAuth-Client-Attestation-Challenge` of the answer.',
  },
  use_fresh_attestation: {
    status: 400,
    code: 'INVALID_REQUEST',
    message: malformed,
    oauth: 'use_fresh_attestation',
    cause: 'The client attestation has expired.',
    fix: 'Ask the attester for a new one.',
  },
  use_dpop_nonce: {
    status: 400,
    code: 'INVALID_REQUEST',
    message: malformed,
    oauth: 'use_dpop_nonce',
    cause: 'The DPoP proof has no nonce of this server, or one that is too old.',
    fix: 'Send the request again, with a new proof that holds the `DPoP-Nonce` of the answer as its `nonce`.',
  },
  invalid_grant: {
    status: 400,
    code: 'REQUEST_FAILED',
    message: issue,
    oauth: 'invalid_grant',
    cause:
      'The authorization code is unknown, used, expired, of another client, or its proof (redirect_uri, PKCE) fails.',
    fix: 'Start a new authorization request.',
  },
  unauthorized_client: {
    status: 400,
    code: 'REQUEST_FAILED',
    message: issue,
    oauth: 'unauthorized_client',
    cause: 'The application is not configured for this grant or response type.',
    fix: 'Add it to `grantTypes` and `responseTypes` of the application.',
  },
  unsupported_grant_type: {
    status: 400,
    code: 'REQUEST_FAILED',
    message: issue,
    oauth: 'unsupported_grant_type',
    cause: 'The token endpoint does not know this `grant_type`.',
    fix: 'Use one that `grant_types_supported` of the discovery document lists.',
  },
  unsupported_token_type: {
    status: 400,
    code: 'REQUEST_FAILED',
    message: issue,
    oauth: 'unsupported_token_type',
    cause: 'Tokens of this kind cannot be revoked: those for the platform, of no user, exchanged ones, and ID tokens.',
    fix: 'Revoke the refresh token, or end the session.',
  },
  unsupported_response_type: {
    status: 400,
    code: 'REQUEST_FAILED',
    message: issue,
    oauth: 'unsupported_response_type',
    cause: 'The authorization endpoint does not know this `response_type`.',
    fix: 'Use one that `response_types_supported` of the discovery document lists.',
  },
  invalid_scope: {
    status: 400,
    code: 'INVALID_DATA',
    message: validation,
    oauth: 'invalid_scope',
    cause: 'A scope is malformed, unknown, or not granted to the application.',
    fix: 'Grant the scope to the application, or ask for less.',
  },
  invalid_authorization_details: {
    status: 400,
    code: 'INVALID_DATA',
    message: validation,
    oauth: 'invalid_authorization_details',
    cause:
      'An entry of `authorization_details` has a type that is unknown or not allowed, or members other than declared.',
    fix: 'Declare the type in the settings of the environment, and allow it for the application.',
  },
  invalid_target: {
    status: 400,
    code: 'INVALID_DATA',
    message: validation,
    oauth: 'invalid_target',
    cause:
      'A `resource` is no absolute URI, unknown, not granted to the application, or there are more than one token serves.',
    fix: 'Name a resource by its audience, one for each token.',
  },
  access_denied: {
    status: 403,
    code: 'ACCESS_FAILED',
    message: noAccess,
    oauth: 'access_denied',
    cause: 'The flow ended without authorizing the application.',
    fix: 'Read the trace of the flow: it names the step that failed and why.',
  },
  authorization_pending: {
    status: 400,
    code: 'REQUEST_FAILED',
    message: issue,
    oauth: 'authorization_pending',
    cause: 'The user has not yet answered the request of the device or of the backchannel.',
    fix: 'Poll again after `interval` seconds.',
  },
  slow_down: {
    status: 400,
    code: 'REQUEST_FAILED',
    message: issue,
    oauth: 'slow_down',
    cause: 'The client polled again before the interval was over; the interval is five seconds longer from now on.',
    fix: 'Wait five seconds longer than before between any two polls.',
  },
  polling_denied: {
    status: 400,
    code: 'REQUEST_FAILED',
    message: issue,
    oauth: 'access_denied',
    cause: 'The user refused the request of the device or of the backchannel, or could not sign on.',
    fix: 'Stop polling. Begin again only when the user wants to.',
  },
  expired_token: {
    status: 400,
    code: 'REQUEST_FAILED',
    message: issue,
    oauth: 'expired_token',
    cause: 'The `device_code` or `auth_req_id` has expired before the user answered.',
    fix: 'Begin again: ask for a new one.',
  },
  expired_login_hint_token: {
    status: 400,
    code: 'INVALID_DATA',
    message: validation,
    oauth: 'expired_login_hint_token',
    cause: 'The `login_hint_token` has expired.',
    fix: 'Make a new one for each request; one to five minutes of life are enough.',
  },
  invalid_binding_message: {
    status: 400,
    code: 'INVALID_DATA',
    message: validation,
    oauth: 'invalid_binding_message',
    cause: 'The `binding_message` is too long, or holds characters that not every device shows.',
    fix: 'Send at most 100 printable characters, in one line.',
  },
  login_required: {
    status: 400,
    code: 'REQUEST_FAILED',
    message: issue,
    oauth: 'login_required',
    cause: 'The request said `prompt=none`, but the user has to do something first.',
    fix: 'Send the request again without `prompt=none`.',
  },
  consent_required: {
    status: 400,
    code: 'REQUEST_FAILED',
    message: issue,
    oauth: 'consent_required',
    cause: 'The request said `prompt=none`, but the user has to grant what the application asks for first.',
    fix: 'Send the request again without `prompt=none`.',
  },
  unmet_authentication_requirements: {
    status: 400,
    code: 'REQUEST_FAILED',
    message: issue,
    oauth: 'unmet_authentication_requirements',
    cause: 'The request demands an `acr` that no sign-on policy of the application gives.',
    fix: 'Name a sign-on policy that is assigned to the application, or assign it.',
  },
  invalid_session: {
    status: 400,
    code: 'INVALID_REQUEST',
    message: malformed,
    oauth: 'invalid_session',
    cause: 'The `auth_session` of the request never was, has ended, belongs to another client, or was used up.',
    fix: 'Begin again without `auth_session`; send each time the one of the answer before.',
  },
  invalid_request_object: {
    status: 400,
    code: 'INVALID_REQUEST',
    message: malformed,
    oauth: 'invalid_request_object',
    cause:
      'The request object is no JWT that the client has signed for this server, has expired, was used before, or holds a parameter of the wrong kind.',
    fix: 'Read `error_description`. Sign by the client secret or a registered key; `iss` is the client id, `aud` the issuer.',
  },
  invalid_request_uri: {
    status: 400,
    code: 'INVALID_REQUEST',
    message: malformed,
    oauth: 'invalid_request_uri',
    cause: 'The pushed request that `request_uri` names never was, was used, has expired, or is of another client.',
    fix: 'Push the request again; a `request_uri` works once, within the seconds that `expires_in` says.',
  },
  request_uri_not_supported: {
    status: 400,
    code: 'INVALID_REQUEST',
    message: malformed,
    oauth: 'request_uri_not_supported',
    cause:
      'The `request_uri` is neither a reference to a pushed request nor registered for the application (`requestUris`).',
    fix: 'Push the request first, or send the parameters themselves.',
  },
  WILDCARD_REDIRECT_URI: {
    status: 400,
    code: 'INVALID_DATA',
    message: 'Wildcards are not allowed in redirect URIs.',
    oauth: 'invalid_request',
    cause: 'A redirect URI of the application holds `*` and `allowWildcardInRedirectUris` is off.',
    fix: 'Register every redirect URI in full.',
  },
  unknown_client: {
    status: 400,
    code: 'NOT_FOUND',
    message: `${general} The application is not known here.`,
    oauth: 'invalid_request',
    cause:
      'The `client_id` of the authorization request is missing, repeated, unknown, or its application is disabled.',
    fix: 'Check the client id and the environment id in the address.',
  },
  redirect_uri_rejected: {
    status: 400,
    code: 'INVALID_DATA',
    message: `${general} The address to return to is not registered for the application.`,
    oauth: 'invalid_request',
    cause: 'The `redirect_uri` is missing, repeated, or differs by at least one character from those registered.',
    fix: 'Register exactly the URI that the application sends.',
  },
  id_token_hint_rejected: {
    status: 400,
    code: 'INVALID_DATA',
    message: `${general} The ID token is not one that can end a session here.`,
    oauth: 'invalid_request',
    cause:
      'The `id_token_hint` is missing, was changed, is no ID token of this environment, or its application is another than `client_id`, gone or disabled.',
    fix: 'Send the ID token that the application got here, as it came; it may have expired.',
  },
  post_logout_redirect_uri_rejected: {
    status: 400,
    code: 'INVALID_DATA',
    message: `${general} The address to go to after sign-off is not registered for the application.`,
    oauth: 'invalid_request',
    cause:
      'The `post_logout_redirect_uri` differs by at least one character from those registered, or nothing says whose it is.',
    fix: 'Register exactly that URI in `postLogoutRedirectUris`, and send it with an `id_token_hint` or a `client_id`.',
  },
  invalid_redirect_uri: {
    status: 400,
    code: 'INVALID_DATA',
    message: validation,
    oauth: 'invalid_redirect_uri',
    cause: 'A redirect URI that a client wants to register is missing, malformed, or not allowed.',
    fix: 'Read `error_description`; register https addresses, or loopback addresses of native applications.',
  },
  invalid_client_metadata: {
    status: 400,
    code: 'INVALID_DATA',
    message: validation,
    oauth: 'invalid_client_metadata',
    cause: 'A member of the metadata that a client registers is malformed, not allowed, or does not fit the others.',
    fix: 'Read `error_description`: it names the member.',
  },
  invalid_software_statement: {
    status: 400,
    code: 'INVALID_DATA',
    message: validation,
    oauth: 'invalid_software_statement',
    cause: 'The software statement is malformed, expired, or its signature does not hold.',
    fix: 'Get a new one from whoever signs them.',
  },
  unapproved_software_statement: {
    status: 400,
    code: 'INVALID_DATA',
    message: validation,
    oauth: 'unapproved_software_statement',
    cause: 'The software statement is missing, or signed by somebody whom the environment does not trust.',
    fix: 'Register with a statement of an issuer that `softwareStatements.trustedIssuers` of the policy names.',
  },
  insufficient_scope: {
    status: 403,
    code: 'ACCESS_FAILED',
    message: noAccess,
    oauth: 'insufficient_scope',
    cause: 'The access token does not carry the scope this endpoint needs.',
    fix: 'Ask for the `openid` scope when the token is issued.',
  },
  insufficient_user_authentication: {
    status: 401,
    code: 'ACCESS_FAILED',
    message: noAccess,
    oauth: 'insufficient_user_authentication',
    cause:
      'The operation changes how the user of the token is recognised or recovered, and they authenticated too long ago.',
    fix: 'Send the user through authorize with the `max_age` of the challenge (RFC 9470), and use the new access token.',
  },
} as const satisfies Record<string, CatalogEntry>

/** The name of a row of the catalogue. */
export type CatalogKey = keyof typeof catalog
