/**
 * The client of the FAPI 2.0 conformance suite: what it sends at each step, each of which a module may send otherwise, and
 * what it checks of every answer. Modules are named as the suite names them; a letter after `-final-` is never left out.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import type { Held } from '../harness/client-certificates.ts'
import type { MutualTlsStile } from '../harness/mutual-tls.ts'
import { type Browser, pkce } from '../harness/sign-on.ts'
import type { Answer, Stile } from '../harness/stile.ts'
import { assertion, assertionType, type ClientKey, clientKey, keySet } from '../oauth/assertions.ts'
import { type Proof, proofOf } from '../oauth/proofs.ts'
import { type Registered, register, web } from '../oauth/registrations.ts'
import { requestObject, type Signer } from '../oauth/request-objects.ts'

/** How a client proves who it is, what its tokens are bound to, and whether what is exchanged is signed. */
export interface Variant {
  readonly auth: 'private_key_jwt' | 'mtls'
  readonly constraint: 'dpop' | 'mtls'
  readonly signed: boolean
}

export const profileAlgorithms = ['PS256', 'ES256', 'EdDSA']

type Form = Readonly<Record<string, string | undefined>>
type Claims = Readonly<Record<string, unknown>>

/** What a request has otherwise than usual; `null` leaves a thing out. */
export interface Otherwise {
  /** Claims of the client assertion. */
  readonly assertion?: Claims | null
  readonly assertionKey?: ClientKey
  /** The `client_id` of the form. */
  readonly clientId?: string
  /** Members of the DPoP proof. */
  readonly proof?: Proof | null
  readonly dpopKey?: ClientKey
  readonly certificate?: Held | null
  /** The request object: its claims, header and signature. */
  readonly object?: Claims
  readonly objectHeader?: Claims
  readonly signer?: Signer
  /** Parameters that stand beside the request object. */
  readonly beside?: Form
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What is left of an authorization request once it was pushed. */
export interface Pushed {
  readonly requestUri: string
  readonly verifier: string
  readonly request: Form
}

/** Tokens, as they came. */
export interface Tokens {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in: number
  readonly refresh_token?: string
  readonly id_token?: string
}

const given = (form: Form): Record<string, string> =>
  Object.fromEntries(Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined))

/** A registered client that keeps a profile. */
export class FapiClient {
  readonly node: MutualTlsStile
  readonly stile: Stile
  readonly variant: Variant
  readonly key: ClientKey
  readonly dpopKey = clientKey('ES256')
  readonly held: Held
  readonly app: Registered

  private constructor(node: MutualTlsStile, variant: Variant, key: ClientKey, held: Held, app: Registered) {
    this.node = node
    this.stile = node.stile
    this.variant = variant
    this.key = key
    this.held = held
    this.app = app
  }

  /** Registers one. @param held a certificate whose common name is its own */
  static async register(
    node: MutualTlsStile,
    variant: Variant,
    held: Held,
    more: object = {},
    key: ClientKey = clientKey('ES256', 'signing'),
  ): Promise<FapiClient> {
    const commonName = held.certificate.subject.split('\n').find((line) => line.startsWith('CN='))
    const byCertificate = {
      tokenEndpointAuthMethod: 'TLS_CLIENT_AUTH',
      tlsClientAuthSubjectDn: `${commonName},O=Example,C=DE`,
    }
    const app = await register(node.stile, {
      ...web,
      grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'],
      fapiProfile: variant.signed ? 'FAPI_2_0_MESSAGE_SIGNING' : 'FAPI_2_0_SECURITY',
      ...(variant.auth === 'mtls' ? byCertificate : { tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT' }),
      dpopBoundAccessTokens: variant.constraint === 'dpop',
      tlsClientCertificateBoundAccessTokens: variant.constraint === 'mtls',
      ...(variant.auth === 'mtls' && !variant.signed ? {} : { jwks: keySet(key) }),
      ...more,
    })
    return new FapiClient(node, variant, key, held, app)
  }

  /** Sends a form to an endpoint, as this client does. */
  async send(
    endpoint: 'par' | 'token' | 'userinfo' | 'bc-authorize',
    form: Form,
    otherwise: Otherwise = {},
  ): Promise<Answer> {
    const { auth, constraint } = this.variant
    const isResource = endpoint === 'userinfo'
    const needsTls = constraint === 'mtls' || (auth === 'mtls' && !isResource)
    const base = needsTls ? this.stile.issuer.replace(/^http:\/\/[^/]+/, 'https://mtls.example.com') : this.stile.issuer
    const url = `${base}/${endpoint}`
    const body = new URLSearchParams(given(isResource ? form : { ...form, ...(await this.#credentials(otherwise)) }))
    const method = otherwise.method ?? 'POST'
    const headers = {
      ...(await this.#proof(endpoint, url, method, otherwise)),
      ...(isResource || method === 'GET' ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...otherwise.headers,
    }
    const held = otherwise.certificate === undefined ? this.held : (otherwise.certificate ?? undefined)
    const query = method === 'GET' && !isResource ? `?${body}` : ''
    const fetch = this.node.fetchAs(needsTls ? held : undefined)
    const response = await fetch(url + query, {
      method,
      headers,
      ...(method === 'GET' ? {} : { body: body.toString() }),
    })
    const text = await response.text()
    const isJson = /^application\/json\b/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
  }

  async #credentials({ assertion: claims = {}, assertionKey = this.key, clientId }: Otherwise): Promise<Form> {
    if (this.variant.auth === 'mtls' || claims === null) return { client_id: clientId ?? this.app.clientId }
    return {
      ...(clientId === undefined ? {} : { client_id: clientId }),
      client_assertion_type: assertionType,
      client_assertion: await assertion(this.stile, this.app.clientId, assertionKey, claims),
    }
  }

  async #proof(endpoint: string, url: string, method: string, { proof = {}, dpopKey = this.dpopKey }: Otherwise) {
    if (this.variant.constraint !== 'dpop' || proof === null) return {}
    // Where no token is given out a proof is optional: modules that want one there say so.
    if (!['token', 'userinfo'].includes(endpoint) && Object.keys(proof).length === 0) return {}
    const { claims, ...rest } = proof
    return { dpop: await proofOf(this.stile, dpopKey, { method, ...rest, claims: { htu: url, ...claims } }) }
  }

  /** The parameters of an authorization request. */
  parameters(more: Form = {}): { readonly verifier: string; readonly request: Form } {
    const { verifier, challenge } = pkce()
    const request = {
      client_id: this.app.clientId,
      response_type: 'code',
      redirect_uri: this.app.redirectUri,
      scope: 'openid profile email',
      state: randomUUID(),
      nonce: randomUUID(),
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...(this.variant.signed ? { response_mode: 'jwt' } : {}),
    }
    return { verifier, request: { ...request, ...more } }
  }

  /** Pushes a request, signed where the variant is. */
  async push(request: Form, otherwise: Otherwise = {}): Promise<Answer> {
    if (!this.variant.signed) return this.send('par', { ...request, ...otherwise.beside }, otherwise)
    return this.send('par', { request: await this.sign(request, otherwise), ...otherwise.beside }, otherwise)
  }

  /** The request object of a request. */
  sign(request: Form, { object = {}, objectHeader = {}, signer = this.key }: Otherwise = {}): Promise<string> {
    const now = this.seconds()
    const header = { typ: 'oauth-authz-req+jwt', kid: 'signing', ...objectHeader }
    return requestObject(this.stile, this.app, signer, { nbf: now, ...given(request), ...object }, header)
  }

  /** The clock of the node, in seconds. */
  seconds(): number {
    return Math.floor(this.stile.node.kernel.world.now() / 1000)
  }

  /** Pushes a request that is taken, and looks at the answer (PAR 2.2, 7.1). */
  async pushed(more: Form = {}, otherwise: Otherwise = {}): Promise<Pushed> {
    const { verifier, request } = this.parameters(more)
    const { status, headers, json, text } = await this.push(request, otherwise)
    assert.equal(status, 201, text)
    assert.match(headers.get('content-type') ?? '', /^application\/json\b/)
    assert.ok(Number.isInteger(json.expires_in) && json.expires_in > 0 && json.expires_in < 600)
    assert.match(json.request_uri, /^urn:ietf:params:oauth:request_uri:[\w-]{43,}$/)
    return { requestUri: json.request_uri, verifier, request }
  }

  /** Sends the browser with what was pushed, and gives the response: of JARM where the variant is signed. */
  async authorize(browser: Browser, { requestUri }: Pick<Pushed, 'requestUri'>, more: Form = {}): Promise<JWTPayload> {
    const request = { client_id: this.app.clientId, request_uri: requestUri, ...more }
    return this.response((await browser.authorize(given(request))).headers.get('location'))
  }

  /** The response in an address; its `state` and `iss` are for the module, everything else is checked (JARM 2.4). */
  async response(location: string | null): Promise<JWTPayload> {
    const landed = new URL(location ?? assert.fail('no redirect'))
    const registered = new URL(this.app.redirectUri)
    assert.equal(landed.origin + landed.pathname, registered.origin + registered.pathname)
    assert.equal(landed.hash, '')
    const parameters = Object.fromEntries(landed.searchParams)
    for (const [name, value] of registered.searchParams) {
      assert.equal(parameters[name], value, 'what was registered stays')
      delete parameters[name]
    }
    if (!this.variant.signed) return parameters
    assert.deepEqual(Object.keys(parameters), ['response'], 'nothing stands beside the signed response')
    const { response = '' } = parameters
    const { alg, kid } = decodeProtectedHeader(response)
    assert.ok(profileAlgorithms.includes(alg ?? '') && kid, `signed by ${alg}`)
    const claims = await this.verified(response, { audience: this.app.clientId })
    assert.ok((claims.exp ?? 0) <= this.seconds() + 600)
    return claims
  }

  /** Verifies what the server has signed by the keys that it publishes. */
  async verified(jwt: string, more: { readonly audience?: string } = {}): Promise<JWTPayload> {
    const { json } = await this.stile.send(`/${this.stile.environmentId}/as/jwks`)
    const currentDate = new Date(this.stile.node.kernel.world.now())
    const { payload } = await jwtVerify(jwt, createLocalJWKSet(json), {
      issuer: this.stile.issuer,
      currentDate,
      ...more,
    })
    return payload
  }

  /** A response that brings a code (RFC 6749 10.10, RFC 9207). */
  async code(browser: Browser, pushed: Pushed, more: Form = {}): Promise<string> {
    const response = await this.authorize(browser, pushed, more)
    assert.equal(response['error'], undefined, String(response['error_description']))
    assert.equal(response['state'], pushed.request['state'])
    assert.equal(response.iss, this.stile.issuer)
    const known = ['code', 'state', 'iss', ...(this.variant.signed ? ['aud', 'exp'] : [])]
    assert.deepEqual(Object.keys(response).toSorted(), known.filter((name) => name in response).toSorted())
    const { code } = response
    assert.ok(typeof code === 'string' && code.length >= 22, 'at least 128 bits')
    return code
  }

  /** The form that redeems a code. */
  redemption(code: string, { verifier }: Pick<Pushed, 'verifier'>, more: Form = {}): Form {
    return {
      grant_type: 'authorization_code',
      code,
      redirect_uri: this.app.redirectUri,
      code_verifier: verifier,
      ...more,
    }
  }

  /** From the beginning up to the form that redeems the code. */
  async redeemable(browser: Browser, more: Form = {}, otherwise: Otherwise = {}): Promise<Form> {
    const pushed = await this.pushed(more, otherwise)
    return this.redemption(await this.code(browser, pushed), pushed)
  }

  /** From the beginning to tokens that were looked at. */
  async tokens(browser: Browser, more: Form = {}, otherwise: Otherwise = {}): Promise<Tokens> {
    const pushed = await this.pushed(more, otherwise)
    const code = await this.code(browser, pushed)
    const { proof = {}, dpopKey = this.dpopKey } = otherwise
    const reply = await this.send('token', this.redemption(code, pushed), { proof, dpopKey })
    const tokens = this.expectTokens(reply)
    await this.expectIdToken(tokens, pushed.request['nonce'])
    return tokens
  }

  /** A token response (RFC 6749 5.1), bound as the variant says. */
  expectTokens({ status, headers, json, text }: Answer): Tokens {
    assert.equal(status, 200, text)
    assert.match(headers.get('content-type') ?? '', /^application\/json\b/)
    assert.match(headers.get('cache-control') ?? '', /no-store/)
    assert.ok(Number.isInteger(json.expires_in) && json.expires_in > 0)
    assert.equal(json.token_type, this.variant.constraint === 'dpop' ? 'DPoP' : 'Bearer')
    const { cnf } = decodeJwt(json.access_token)
    assert.deepEqual(Object.keys(cnf ?? {}), [this.variant.constraint === 'dpop' ? 'jkt' : 'x5t#S256'])
    assert.ok(profileAlgorithms.includes(decodeProtectedHeader(json.access_token).alg ?? ''))
    return json as Tokens
  }

  /** The ID token of a response (OpenID Connect Core 3.1.3.7), signed by an algorithm of the profile. */
  async expectIdToken({ id_token = '', access_token }: Tokens, nonce: string | undefined): Promise<JWTPayload> {
    const { alg, kid } = decodeProtectedHeader(id_token)
    assert.ok(profileAlgorithms.includes(alg ?? '') && kid, `signed by ${alg}`)
    const claims = await this.verified(id_token, { audience: this.app.clientId })
    assert.equal(claims['nonce'], nonce)
    assert.equal(claims.sub, this.stile.user.id)
    assert.ok(access_token)
    return claims
  }

  /** Calls the resource, as the profile has it: the token in the header (section 5.3.4). */
  async resource(accessToken: string, otherwise: Otherwise & { readonly scheme?: string } = {}): Promise<Answer> {
    const scheme = otherwise.scheme ?? (this.variant.constraint === 'dpop' ? 'DPoP' : 'Bearer')
    const proof = otherwise.proof === null ? null : { accessToken, ...otherwise.proof }
    return this.send(
      'userinfo',
      {},
      {
        method: 'GET',
        ...otherwise,
        proof,
        headers: { authorization: `${scheme} ${accessToken}`, ...otherwise.headers },
      },
    )
  }

  /** Expects that the resource answers. */
  async expectResource(accessToken: string, otherwise: Parameters<FapiClient['resource']>[1] = {}): Promise<Answer> {
    const reply = await this.resource(accessToken, otherwise)
    assert.equal(reply.status, 200, reply.text)
    assert.ok(reply.headers.get('date'))
    return reply
  }
}

/** Expects an error in JSON as RFC 6749 section 5.2 writes it. @param errors those that the suite takes */
export function expectError({ status, headers, json, text }: Answer, ...errors: readonly string[]): void {
  assert.ok(status === 400 || (status === 401 && json?.error === 'invalid_client'), `${status} ${text}`)
  assert.match(headers.get('content-type') ?? '', /^application\/json\b/)
  assert.ok(errors.includes(json.error), `${json.error} is none of ${errors.join(', ')}: ${text}`)
  assert.equal(json.access_token, undefined)
  // Of all that is printed but quotes and backslashes (RFC 6749 appendix A.8).
  assert.match(json.error_description, /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/)
  if (json.error_uri !== undefined) assert.ok(URL.canParse(json.error_uri))
}

/** Expects a page of the server, and nobody sent anywhere. */
export function expectPage({ status, headers }: Pick<Answer, 'status' | 'headers'>): void {
  assert.deepEqual([status, headers.get('location')], [400, null])
  assert.match(headers.get('content-type') ?? '', /^text\/html/)
}
