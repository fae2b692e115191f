/** Where tokens of this server come back: as bearer tokens, to be introspected, revoked, exchanged and refreshed, and as hints. */
import type { Answer } from '../harness/stile.ts'
import { codeRequest } from './journeys.ts'
import type { JwtBench } from './jwt-bench.ts'
import { type JwtPlace, mayBeOver, oneKey, ours } from './jwt-place.ts'

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'

/** The places. */
export function ownTokenPlaces(bench: JwtBench): readonly JwtPlace[] {
  const { stile, app, signers, send, as, sendForm, asApp, tokens } = bench
  const isOk = ({ status }: Answer) => status === 200
  const exchange = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', scope: 'orders:read' }
  const introspect = (token: string) => asApp('introspect', { token })
  const authorize = (request: Readonly<Record<string, string>>, browser = bench.signedOn) => browser.authorize(request)
  const hasCode = (answer: Answer) => /[?&]code=/.test(answer.headers.get('location') ?? '')
  const own = { signer: signers.own, audience: app.clientId, goodHere: ours }
  const accessToken = { ...own, kind: 'access token', make: async () => (await tokens('openid profile')).access_token }
  const idToken = { ...own, kind: 'ID token', make: async () => (await tokens('openid')).id_token }
  const hint = { ...idToken, goodHere: [...ours, mayBeOver] }
  const ofOwnSession = async () => (await tokens('openid', {}, await bench.signOn())).id_token
  let subject: Promise<string> | undefined
  const subjectToken = () => (subject ??= accessToken.make())

  return [
    {
      ...accessToken,
      name: 'bearer token at userinfo',
      // An access token all the same, of nobody.
      takes: ['worker token'],
      send: (token) => send(as('userinfo'), { token }),
      isTaken: isOk,
      refusal: /^401 ACCESS_FAILED$/,
    },
    {
      ...accessToken,
      name: 'bearer token at the management API',
      kind: 'worker token',
      // They are for the API, and may do nothing here.
      takes: ['access token', 'access token of another environment'],
      make: async () => {
        const { worker } = stile
        const form = { grant_type: 'client_credentials', client_id: worker.clientId }
        const authorization = `Basic ${btoa(`${worker.clientId}:${worker.clientSecret}`)}`
        return (await sendForm('token', form, { authorization })).json.access_token
      },
      send: (token) => send(`/v1/environments/${stile.environmentId}/populations`, { token }),
      isTaken: isOk,
      refusal: /^401 ACCESS_FAILED$/,
    },
    {
      ...accessToken,
      name: 'introspection',
      takes: ['ID token', 'refresh token'],
      send: introspect,
      isTaken: ({ json }) => json.active === true,
      refusal: /^200 inactive$/,
    },
    {
      ...accessToken,
      name: 'revocation',
      takes: ['access token', 'refresh token'],
      make: async () => (await tokens('openid orders:read')).access_token,
      async send(jwt, good) {
        const answer = await asApp('revoke', { token: jwt })
        return answer.status === 200 ? introspect(good) : answer
      },
      isTaken: ({ json }) => json.active === false,
      // Unknown tokens are answered as those that were revoked (RFC 7009 section 2.2); the good one is as it was.
      refusal: /^(200 |400 unsupported_token_type)$/,
    },
    {
      ...accessToken,
      name: 'subject_token, an access token',
      send: (subject_token) => asApp('token', { ...exchange, subject_token, subject_token_type: accessTokenType }),
      isTaken: isOk,
      refusal: /^400 invalid_request$/,
    },
    {
      ...idToken,
      name: 'subject_token, an ID token',
      send: (subject_token) => asApp('token', { ...exchange, subject_token, subject_token_type: idTokenType }),
      isTaken: isOk,
      refusal: /^400 invalid_request$/,
    },
    {
      ...accessToken,
      name: 'actor_token, an access token',
      async send(actor_token) {
        const subject = { subject_token: await subjectToken(), subject_token_type: accessTokenType }
        return asApp('token', { ...exchange, ...subject, actor_token, actor_token_type: accessTokenType })
      },
      isTaken: isOk,
      refusal: /^400 invalid_request$/,
    },
    {
      ...idToken,
      name: 'actor_token, an ID token',
      async send(actor_token) {
        const subject = { subject_token: await subjectToken(), subject_token_type: accessTokenType }
        return asApp('token', { ...exchange, ...subject, actor_token, actor_token_type: idTokenType })
      },
      isTaken: isOk,
      refusal: /^400 invalid_request$/,
    },
    {
      name: 'refresh_token',
      kind: 'refresh token',
      signer: signers.refresh,
      goodHere: [...ours, mayBeOver, [/^claims: exp/, 'its grant says when it ends'], oneKey],
      make: async () => (await tokens('openid offline_access')).refresh_token,
      send: (refresh_token) => asApp('token', { grant_type: 'refresh_token', refresh_token }),
      isTaken: isOk,
      refusal: /^400 invalid_grant$/,
    },
    {
      ...hint,
      name: 'id_token_hint of an authorization request',
      send: (id_token_hint) => authorize(codeRequest(app, { id_token_hint, prompt: 'none' })),
      isTaken: hasCode,
      refusal: /^302 invalid_request$/,
    },
    {
      ...hint,
      name: 'id_token_hint of a sign-off',
      make: ofOwnSession,
      send: (id_token_hint) => send(`${as('signoff')}?${new URLSearchParams({ id_token_hint })}`),
      isTaken: ({ status }) => status === 200 || status === 302,
      refusal: /^400 $/,
    },
    {
      ...hint,
      name: 'id_token_hint of a sign-off by a provider',
      make: ofOwnSession,
      send: (id_token_hint) => send(`${as('idpSignoff')}?${new URLSearchParams({ id_token_hint })}`),
      isTaken: ({ status }) => status === 204,
      refusal: /^400 invalid_request$/,
    },
    {
      ...hint,
      name: 'id_token_hint of a backchannel request',
      send: (id_token_hint) => asApp('cibaAuthorization', { scope: 'openid', id_token_hint }),
      isTaken: isOk,
      refusal: /^400 invalid_request$/,
    },
  ]
}
