/** Where clients, and those who vouch for them and their users, send JWTs that they have signed. */
import { randomUUID } from 'node:crypto'
import { Browser } from '../harness/sign-on.ts'
import type { Answer } from '../harness/stile.ts'
import { assertionType } from './assertions.ts'
import { codeRequest } from './journeys.ts'
import { directory, type JwtBench } from './jwt-bench.ts'
import { signJwtAs } from './jwt-forging.ts'
import { type JwtPlace, oneKey } from './jwt-place.ts'
import { registering, webClient } from './registering.ts'

/** The places. */
export function clientJwtPlaces(bench: JwtBench): readonly JwtPlace[] {
  const { stile, app, bySecret, user, signers, sendForm, asApp, clientJwt, at } = bench
  const { issuer } = stile
  const isOk = ({ status }: Answer) => status === 200
  const authorize = (request: Readonly<Record<string, string>>, browser = bench.signedOn) => browser.authorize(request)
  const hasCode = (answer: Answer) => /[?&]code=/.test(answer.headers.get('location') ?? '')
  const client = { signer: signers.client, audience: issuer, goodHere: [] }
  const authenticating = {
    grant_type: 'client_credentials',
    client_assertion_type: assertionType,
    scope: 'orders:read',
  }
  const hinting = {
    ...client,
    kind: 'login_hint_token',
    make: async () => clientJwt({ sub: user.id }),
  }
  const requesting = {
    ...client,
    kind: 'request object',
    goodHere: [[/^claims: (exp missing|aud with another)$/, 'RFC 9101 does not forbid it']] as JwtPlace['goodHere'],
    make: async () => clientJwt({ ...codeRequest(app), prompt: 'none' }, { typ: 'oauth-authz-req+jwt' }),
  }
  const jwtBearer = (jwt: string) =>
    asApp('token', { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: jwt, scope: 'orders:read' })

  return [
    {
      ...hinting,
      name: 'login_hint_token of an authorization request',
      send: (login_hint_token) => authorize(codeRequest(app, { login_hint_token }), new Browser(stile)),
      isTaken: ({ headers }) => /\/signon\//.test(headers.get('location') ?? ''),
      refusal: /^302 invalid_request$/,
    },
    {
      ...hinting,
      name: 'login_hint_token of a backchannel request',
      send: (login_hint_token) => asApp('cibaAuthorization', { scope: 'openid', login_hint_token }),
      isTaken: isOk,
      refusal: /^400 (invalid_request|expired_login_hint_token)$/,
    },
    {
      ...hinting,
      name: 'login_hint_token at the challenge endpoint',
      send: (login_hint_token) => asApp('authorization_challenge', { scope: 'openid', login_hint_token }),
      isTaken: ({ json }) => json.error === 'insufficient_authorization',
      refusal: /^400 invalid_request$/,
    },
    {
      ...requesting,
      name: 'request object by value',
      send: (request) => authorize({ client_id: app.clientId, redirect_uri: app.redirectUri, request }),
      isTaken: hasCode,
      refusal: /^302 invalid_request_object$/,
    },
    {
      ...requesting,
      name: 'request object that is pushed',
      send: (request) => asApp('par', { client_id: app.clientId, request }),
      isTaken: ({ status }) => status === 201,
      refusal: /^400 invalid_request_object$/,
    },
    {
      ...client,
      name: 'signed backchannel request',
      kind: 'backchannel request',
      make: async () => clientJwt({ scope: 'openid', login_hint: user.username }),
      send: (request) => asApp('cibaAuthorization', { request }),
      isTaken: isOk,
      refusal: /^400 invalid_request$/,
    },
    {
      ...client,
      name: 'client assertion by a key',
      kind: 'client assertion',
      make: async () => clientJwt({ sub: app.clientId }, { typ: 'client-authentication+jwt' }),
      send: (client_assertion) => sendForm('token', { ...authenticating, client_id: app.clientId, client_assertion }),
      isTaken: isOk,
      refusal: /^401 invalid_client$/,
    },
    {
      ...client,
      name: 'client assertion by the secret',
      kind: 'client assertion by the secret',
      signer: signers.secret,
      goodHere: [oneKey],
      make: async () =>
        signJwtAs(
          signers.secret,
          { alg: 'HS256' },
          {
            ...{ iss: bySecret.clientId, sub: bySecret.clientId, aud: issuer, jti: randomUUID() },
            ...{ iat: at(), exp: at() + 60 },
          },
        ),
      send: (client_assertion) =>
        sendForm('token', { ...authenticating, client_id: bySecret.clientId, client_assertion }),
      isTaken: isOk,
      refusal: /^401 invalid_client$/,
    },
    {
      ...client,
      name: 'assertion of the client',
      kind: 'authorization grant',
      takes: ['authorization grant of a provider'],
      make: async () => clientJwt({ sub: app.clientId }, { typ: 'authorization-grant+jwt' }),
      send: jwtBearer,
      isTaken: isOk,
      refusal: /^400 invalid_grant$/,
    },
    {
      name: 'assertion of an identity provider',
      kind: 'authorization grant of a provider',
      takes: ['authorization grant'],
      signer: signers.upstream,
      audience: issuer,
      goodHere: [],
      make: async () =>
        bench.upstream.sign(
          {
            ...{ iss: bench.upstream.issuer, sub: bench.subject, aud: issuer, jti: randomUUID() },
            ...{ iat: at(), exp: at() + 60 },
          },
          { typ: 'authorization-grant+jwt' },
        ),
      send: jwtBearer,
      isTaken: isOk,
      refusal: /^400 invalid_grant$/,
    },
    {
      ...client,
      name: 'software statement',
      kind: 'software statement',
      goodHere: [
        [/^claims: exp (missing|far)$/, 'it need not end'],
        [/^claims: aud missing$/, 'most name none'],
        [/^claims: aud with another$/, 'one statement is for many servers'],
      ],
      make: async () => clientJwt({ iss: directory, client_name: 'Verified Reader', aud: issuer }),
      send: (software_statement) => registering(stile, { ...webClient, software_statement }),
      isTaken: ({ status }) => status === 201,
      refusal: /^400 (invalid_software_statement|unapproved_software_statement|invalid_client_metadata)$/,
    },
  ]
}
