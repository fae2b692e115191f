/** Where keys are proved: DPoP, client attestations, apps of users; and the ID tokens of identity providers. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  assign,
  begin,
  mobileApplicationOf,
  newApplication,
  newPairingKey,
  newPolicy,
} from '../flow-runtime/arrange.ts'
import { roundTrip } from '../flow-runtime/external.ts'
import { MobileApp } from '../harness/mobile-app.ts'
import { Browser } from '../harness/sign-on.ts'
import type { Answer } from '../harness/stile.ts'
import { codeRequest } from './journeys.ts'
import { attester, type JwtBench, signerOf } from './jwt-bench.ts'
import { signJwtAs } from './jwt-forging.ts'
import { type JwtPlace, lifeByIat, noAudience, noIssuer, oneKey } from './jwt-place.ts'
import { proofOf } from './proofs.ts'

/** The places. */
export function proofPlaces(bench: JwtBench): readonly JwtPlace[] {
  const { stile, app, attested, signers, send, as, sendForm, asApp, at, tokens } = bench
  const { issuer } = stile
  const isOk = ({ status }: Answer) => status === 200
  const dpop = {
    kind: 'DPoP proof',
    signer: signers.dpop,
    goodHere: [
      oneKey,
      lifeByIat,
      noAudience,
      noIssuer,
      [/^key in jwk/, 'any key is good that brings itself'],
    ] as JwtPlace['goodHere'],
    refusal: /^400 invalid_dpop_proof$/,
  }
  const proof = (endpoint: string) => () => proofOf(stile, bench.dpopKey, { path: as(endpoint) })
  const attestation = () =>
    signJwtAs(
      signers.attester,
      { alg: 'ES256', typ: 'oauth-client-attestation+jwt', kid: 'a1' },
      { iss: attester, sub: attested.clientId, exp: at() + 300, cnf: { jwk: bench.instance.jwk } },
    )
  const attestationProof = () =>
    signJwtAs(
      signers.instance,
      { alg: 'ES256', typ: 'oauth-client-attestation-pop+jwt' },
      { iss: attested.clientId, aud: issuer, jti: randomUUID(), iat: at() },
    )
  const attest = (first: string, second: string) =>
    sendForm(
      'token',
      { grant_type: 'client_credentials', client_id: attested.clientId },
      { 'oauth-client-attestation': first, 'oauth-client-attestation-pop': second },
    )
  const mobile = {
    kind: 'device token',
    signer: signers.mobile,
    goodHere: [oneKey, [/^claims: exp far$/, 'its life goes by iat']] as JwtPlace['goodHere'],
    refusal: /^401 ACCESS_FAILED$/,
  }
  const requests = `/${stile.environmentId}/mobileDevices/${bench.mobileApp.deviceId}/authenticationRequests`
  let bound = ''
  const pairings = `/${stile.environmentId}/mobileDevices`
  /** An app that is not paired, and the body by which it asks for that. */
  let pairing: { readonly app: MobileApp; readonly body: object } | undefined

  return [
    {
      ...dpop,
      name: 'DPoP proof at the token endpoint',
      make: proof('token'),
      send: (proved) => asApp('token', { grant_type: 'client_credentials', scope: 'orders:read' }, { dpop: proved }),
      isTaken: ({ json }) => json.token_type === 'DPoP',
    },
    {
      ...dpop,
      name: 'DPoP proof with a pushed request',
      make: proof('par'),
      send: (proved) => asApp('par', codeRequest(app), { dpop: proved }),
      isTaken: ({ status }) => status === 201,
    },
    {
      ...dpop,
      name: 'DPoP proof at the challenge endpoint',
      make: proof('authorization_challenge'),
      send: (proved) => asApp('authorization_challenge', { scope: 'openid' }, { dpop: proved }),
      isTaken: ({ json }) => json.error === 'insufficient_authorization',
    },
    {
      ...dpop,
      name: 'DPoP proof at a resource',
      async make() {
        const dpopOfToken = await proof('token')()
        bound = (await tokens('openid', { dpop: dpopOfToken })).access_token
        return proofOf(stile, bench.dpopKey, { method: 'GET', path: as('userinfo'), accessToken: bound })
      },
      send: (proved) => send(as('userinfo'), { headers: { authorization: `DPoP ${bound}`, dpop: proved } }),
      isTaken: isOk,
      goodHere: dpop.goodHere.filter(([which]) => which.source !== '^key in jwk'),
      refusal: /^401 ACCESS_FAILED$/,
    },
    {
      name: 'client attestation',
      kind: 'client attestation',
      signer: signers.attester,
      goodHere: [noAudience, [/^claims: exp far$/, 'the attester says how long it is good']],
      make: async () => attestation(),
      send: (jwt) => attest(jwt, attestationProof()),
      isTaken: isOk,
      refusal: /^(401 invalid_client|400 use_fresh_attestation)$/,
    },
    {
      name: 'proof beside a client attestation',
      kind: 'client attestation proof',
      signer: signers.instance,
      audience: issuer,
      goodHere: [oneKey, lifeByIat, [/^claims: iss missing$/, 'later drafts have none']],
      make: async () => attestationProof(),
      send: (jwt) => attest(attestation(), jwt),
      isTaken: isOk,
      refusal: /^401 invalid_client$/,
    },
    {
      ...mobile,
      name: 'token of an app that calls',
      audience: `${stile.authUrl}${requests}`,
      make: async () => bench.mobileApp.token('GET', requests),
      send: (token) => send(requests, { token }),
      isTaken: isOk,
    },
    {
      ...mobile,
      name: 'token of an app that pairs',
      kind: 'device token of an app to pair',
      audience: `${stile.authUrl}${pairings}`,
      get signer() {
        return signerOf(pairing?.app.privateKey ?? assert.fail())
      },
      async make() {
        const application = await mobileApplicationOf(stile)
        const unpaired = new MobileApp(stile, () => stile.node.kernel.world.now())
        const pairingKey = await newPairingKey(stile, bench.owner, application)
        pairing = { app: unpaired, body: { pairingKey, application: { id: application }, key: unpaired.jwk } }
        return unpaired.token('POST', pairings)
      },
      send: (token) => send(pairings, { token, body: pairing?.body }),
      isTaken: ({ status }) => status === 201,
    },
    {
      name: 'ID token of a provider',
      kind: 'ID token of a provider',
      signer: signers.upstream,
      audience: 'stile',
      goodHere: [[/^claims: exp far$/, 'the provider says how long it is good; iat has to be of now']],
      make: async () => '',
      send: () => assert.fail('each attempt has a nonce of its own'),
      attempt: attempts(bench),
      isTaken: ({ headers }) => !(headers.get('location') ?? 'error=').includes('error='),
      refusal: /^302 EXTERNAL_AUTHENTICATION_FAILED$/,
    },
  ]
}

/** Signs on at the identity provider, with what becomes of its ID token on the way. */
function attempts({ stile, upstream, providerId, subject }: JwtBench): NonNullable<JwtPlace['attempt']> {
  let made: Promise<string> | undefined
  const make = async () => {
    const id = await newApplication(stile)
    await assign(stile, id, await newPolicy(stile, { type: 'LOGIN', socialProviders: [{ id: providerId }] }))
    return id
  }
  return async (forge) => {
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: await (made ??= make()) })
    upstream.user = { sub: subject }
    upstream.lies = { token: forge }
    return browser.send(await roundTrip(browser, flowId, providerId, upstream))
  }
}
