/**
 * The reference app of a MOBILE device: a key of its own, and the calls of docs/reference/mobile-devices.md. What it sends is
 * put together here and not by the code that is tested.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { passcodeShown } from './authenticator-app.ts'
import type { Answer, Call } from './stile.ts'

/** Where an app calls. */
export interface Server {
  readonly authUrl: string
  readonly environmentId: string
  send(path: string, call?: Call): Promise<Answer>
}

/** A request that the app may answer. */
export interface ShownRequest {
  readonly id: string
  readonly flow: { readonly id: string }
  readonly application: { readonly id: string; readonly name: string }
  readonly numberMatching: boolean
  readonly remoteAddress: string
  readonly bindingMessage?: string
  readonly clientContext?: object
  readonly scopes?: readonly { readonly name: string }[]
  readonly authorizationDetails?: readonly object[]
}

/** What a test has the app say otherwise than it should. */
export interface Lies {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  readonly key?: KeyObject
}

export class MobileApp {
  readonly server: Server
  readonly now: () => number
  readonly privateKey: KeyObject
  readonly jwk: { readonly kty: string; readonly crv: string; readonly x: string; readonly y: string }
  deviceId = ''
  private secret: string | undefined

  /** @param now epoch milliseconds, by the clock of the device */
  constructor(server: Server, now: () => number) {
    this.server = server
    this.now = now
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.privateKey = privateKey
    const { kty = '', crv = '', x = '', y = '' } = publicKey.export({ format: 'jwk' })
    this.jwk = { kty, crv, x, y }
  }

  private get path(): string {
    return `/${this.server.environmentId}/mobileDevices`
  }

  /** RFC 7638. */
  get thumbprint(): string {
    const { crv, kty, x, y } = this.jwk
    return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
  }

  /** A token for one call. */
  token(method: string, path: string, claims: object = {}, lies: Lies = {}): string {
    const iat = Math.floor(this.now() / 1000)
    const aud = `${this.server.authUrl}${path}`
    const said = {
      iss: this.deviceId || this.thumbprint,
      aud,
      htm: method,
      iat,
      exp: iat + 60,
      ...claims,
      ...lies.claims,
    }
    const parts = [{ alg: 'ES256', typ: 'device+jwt', ...lies.header }, said]
    const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    const signature = sign('sha256', Buffer.from(input), {
      key: lies.key ?? this.privateKey,
      dsaEncoding: 'ieee-p1363',
    })
    return `${input}.${signature.toString('base64url')}`
  }

  /** Claims a pairing key; the device it becomes is remembered. */
  async pair(code: string, applicationId: string, more: object = {}, lies: Lies = {}): Promise<Answer> {
    const body = { pairingKey: code, application: { id: applicationId }, key: this.jwk, ...more }
    const answer = await this.server.send(this.path, { body, token: this.token('POST', this.path, {}, lies) })
    if (answer.status === 201) {
      this.deviceId = answer.json.id
      this.secret = answer.json.otp?.secret
    }
    return answer
  }

  /** Whatever of the device, by a token for it. */
  call(method: string, rest: string, body?: unknown, claims: object = {}, lies: Lies = {}): Promise<Answer> {
    const path = `${this.path}/${this.deviceId}${rest}`
    return this.server.send(path, {
      method,
      token: this.token(method, path, claims, lies),
      ...(body === undefined ? {} : { body }),
    })
  }

  /** The requests that it may answer now. */
  async requests(): Promise<readonly ShownRequest[]> {
    const answer = await this.call('GET', '/authenticationRequests')
    if (answer.status !== 200) throw new Error(answer.text)
    return answer.json._embedded.authenticationRequests
  }

  /** Answers a request. */
  answer(
    { id, flow }: Pick<ShownRequest, 'id' | 'flow'>,
    decision: 'APPROVE' | 'DENY',
    number?: string,
    lies: Lies = {},
  ): Promise<Answer> {
    const said = { request: { id }, flow: { id: flow.id }, decision, ...(number === undefined ? {} : { number }) }
    return this.call('POST', `/authenticationRequests/${id}`, undefined, { answer: said }, lies)
  }

  /** The passcode that it shows. @param offset in half minutes */
  passcode(offset = 0): string {
    return passcodeShown(this.secret ?? '', offset, this.now())
  }
}
