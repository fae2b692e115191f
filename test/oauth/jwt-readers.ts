/**
 * What reads JWTs in src/, and the places of `jwt-places-*.ts` that lead there: whoever takes a JWT somewhere else has to add a
 * file here, and a place there.
 */

/** A call of what reads a JWT: the first steps, and what is built on them. */
export const readsJwts = new RegExp(
  `(?<!function |function\\* )\\b(?:${[
    // The first steps, of our own and of jose.
    'verifyJwt|verifyClientJwt|readCompactJws|signatureFailure|thumbprintOfSigner',
    'jwtVerify|compactVerify|flattenedVerify|generalVerify|decodeJwt|decodeProtectedHeader|jwtDecrypt|compactDecrypt',
    'UnsecuredJWT',
    // What is built on them.
    'readAccessToken|readIdToken|readIdTokenOf|readIdTokenHint|verifyIdTokenHint|readRefreshToken|readPresentedToken',
    'readLoginHintToken|readRequestObject|readSignedRequest|proveByAssertion|readAssertion|readSoftwareStatement',
    'requireProof|dpopProof|verifyDeviceToken|callingDevice|verifyIdToken',
  ].join('|')})\\(`,
)

const bearer = ['bearer token at userinfo', 'bearer token at the management API']
const presented = ['introspection', 'revocation']
const exchanged = [
  'subject_token, an access token',
  'subject_token, an ID token',
  'actor_token, an access token',
  'actor_token, an ID token',
]
const signingOff = ['id_token_hint of a sign-off', 'id_token_hint of a sign-off by a provider']
const hints = ['id_token_hint of an authorization request', 'id_token_hint of a backchannel request', ...signingOff]
const loginHints = [
  'login_hint_token of an authorization request',
  'login_hint_token of a backchannel request',
  'login_hint_token at the challenge endpoint',
]
const requestObjects = ['request object by value', 'request object that is pushed']
const signedRequest = ['signed backchannel request']
const assertions = ['client assertion by a key', 'client assertion by the secret']
const grants = ['assertion of the client', 'assertion of an identity provider']
const statement = ['software statement']
const attestations = ['client attestation', 'proof beside a client attestation']
const pushedProof = ['DPoP proof with a pushed request', 'DPoP proof at the challenge endpoint']
const proofs = ['DPoP proof at the token endpoint', ...pushedProof, 'DPoP proof at a resource']
const devices = ['token of an app that calls', 'token of an app that pairs']
const upstream = ['ID token of a provider']
const byClients = [...loginHints, ...requestObjects, ...signedRequest, ...assertions, ...grants, ...statement]

/** By file of src/: the places that lead there. */
export const readers: Readonly<Record<string, readonly string[]>> = {
  'access/access-token.ts': [...bearer, ...presented, ...exchanged],
  'access/bearer.ts': ['bearer token at the management API', 'DPoP proof at a resource'],
  'access/dpop.ts': proofs,
  'access/jws-signature.ts': [...byClients, ...attestations, ...proofs],
  'directory/mobile-devices.ts': devices,
  'external/id-token.ts': upstream,
  'external/oidc-provider.ts': upstream,
  'flow-runtime/device-caller.ts': devices,
  'flow-runtime/doors/mobile-devices.ts': ['token of an app that calls'],
  'oauth/authorize/auth-session.ts': ['DPoP proof at the challenge endpoint'],
  'oauth/authorize/dpop-key.ts': pushedProof,
  'oauth/authorize/given-request.ts': ['request object by value'],
  'oauth/authorize/request-object.ts': requestObjects,
  'oauth/authorize/request.ts': ['id_token_hint of an authorization request'],
  'oauth/authorize/vouched-user.ts': loginHints,
  'oauth/backchannel/hinted-user.ts': [
    'id_token_hint of a backchannel request',
    'login_hint_token of a backchannel request',
  ],
  'oauth/backchannel/signed-request.ts': signedRequest,
  'oauth/client-auth/assertion.ts': assertions,
  'oauth/client-auth/attest-jwt-client-auth.ts': attestations,
  'oauth/client-auth/authenticate.ts': assertions,
  'oauth/client-auth/client-secret-jwt.ts': ['client assertion by the secret'],
  'oauth/client-auth/credentials.ts': [...assertions, ...attestations],
  'oauth/client-auth/private-key-jwt.ts': ['client assertion by a key'],
  'oauth/client-keys.ts': byClients,
  'oauth/endpoints/backchannel-authentication.ts': signedRequest,
  'oauth/endpoints/idp-signoff.ts': signingOff,
  'oauth/endpoints/par.ts': ['request object that is pushed'],
  'oauth/endpoints/revoke.ts': ['revocation'],
  'oauth/endpoints/signoff.ts': signingOff,
  'oauth/endpoints/userinfo.ts': ['bearer token at userinfo', 'DPoP proof at a resource'],
  'oauth/id-token-hint.ts': hints,
  'oauth/introspection.ts': ['introspection'],
  'oauth/login-hint-token.ts': loginHints,
  'oauth/presented-token.ts': presented,
  'oauth/registration/client-information.ts': statement,
  'oauth/registration/software-statement.ts': statement,
  'oauth/token/assertion-facts.ts': grants,
  'oauth/token/exchange-facts.ts': exchanged,
  'oauth/token/grants/jwt-bearer.ts': grants,
  'oauth/token/refresh-facts.ts': ['refresh_token'],
  'oauth/token/sender-constraint.ts': ['DPoP proof at the token endpoint'],
  'oauth/tokens/read-id-token.ts': [...hints, ...presented, ...exchanged],
  'oauth/tokens/refresh-token.ts': [...presented, 'refresh_token'],
}
