/**
 * A FIDO2 authenticator in software, with the browser around it: real ES256 keys, attestation "none" or whatever a test makes,
 * and every part of what it says can be made a lie (Web Authentication Level 3, sections 5.8.1, 6.1, 6.5.4).
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** What an answer says; each member has an honest default. */
export interface Said {
  readonly challenge: string
  readonly origin: string
  readonly rpId: string
  readonly type?: string
  readonly isPresent?: boolean
  readonly isVerified?: boolean
  readonly isBackupEligible?: boolean
  readonly isBackedUp?: boolean
  readonly counter?: number
  readonly userHandle?: string
  /** Of what the browser says of the page. */
  readonly more?: Readonly<Record<string, unknown>>
  /** The model it says it is; default: none. */
  readonly aaguid?: Buffer
  /** Attests otherwise than with "none". */
  readonly statement?: (signed: Signed) => Statement
  /** Bytes after the attestation object or the authenticator data. */
  readonly trailing?: Buffer
}

/** What an attestation may be about. */
export interface Signed {
  readonly authData: Buffer
  readonly clientDataHash: Buffer
  readonly credentialId: Buffer
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
}

/** An attestation statement. */
export interface Statement {
  readonly fmt: string
  readonly attStmt: ReadonlyMap<string, unknown>
}

/** CBOR (RFC 8949) of what an attestation needs: text, bytes, integers, lists and maps. */
function cbor(value: unknown): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)])
  if (value instanceof Map) {
    return Buffer.concat([head(5, value.size), ...[...value].flatMap(([name, member]) => [cbor(name), cbor(member)])])
  }
  throw new Error('not needed')
}

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length])
  if (length < 256) return Buffer.from([(major << 5) | 24, length])
  return Buffer.from([(major << 5) | 25, length >> 8, length & 255])
}

export class SoftwareAuthenticator {
  readonly credentialId: Buffer
  private readonly privateKey: KeyObject
  private readonly publicKey: KeyObject
  private counter = 0
  private readonly counts: boolean

  /** @param counts whether it counts its signatures; those whose keys are copied to other devices do not */
  constructor(credentialId: Buffer = randomBytes(32), counts = true) {
    this.credentialId = credentialId
    this.counts = counts
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.privateKey = privateKey
    this.publicKey = publicKey
  }

  /** What `navigator.credentials.create` gives, as JSON. */
  attest(said: Said): string {
    const { x = '', y = '' } = this.publicKey.export({ format: 'jwk' })
    const cose = new Map<number, unknown>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x, 'base64url')],
      [-3, Buffer.from(y, 'base64url')],
    ])
    const length = Buffer.alloc(2)
    length.writeUInt16BE(this.credentialId.length)
    const attested = Buffer.concat([said.aaguid ?? Buffer.alloc(16), length, this.credentialId, cbor(cose)])
    const authData = Buffer.concat([this.authenticatorData(said, 0x40), attested])
    const client = clientData('webauthn.create', said)
    const { fmt, attStmt } = said.statement?.({
      authData,
      clientDataHash: createHash('sha256').update(client).digest(),
      credentialId: this.credentialId,
      keys: { publicKey: this.publicKey, privateKey: this.privateKey },
    }) ?? { fmt: 'none', attStmt: new Map() }
    const statement = new Map<string, unknown>([
      ['fmt', fmt],
      ['attStmt', attStmt],
      ['authData', authData],
    ])
    const attestationObject = Buffer.concat([cbor(statement), said.trailing ?? Buffer.alloc(0)])
    return this.answer({
      clientDataJSON: client.toString('base64url'),
      attestationObject: attestationObject.toString('base64url'),
    })
  }

  /** What `navigator.credentials.get` gives, as JSON. */
  assert(said: Said): string {
    const authenticatorData = Buffer.concat([this.authenticatorData(said, 0), said.trailing ?? Buffer.alloc(0)])
    const client = clientData('webauthn.get', said)
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(client).digest()])
    return this.answer({
      clientDataJSON: client.toString('base64url'),
      authenticatorData: authenticatorData.toString('base64url'),
      signature: sign('sha256', signed, this.privateKey).toString('base64url'),
      ...(said.userHandle === undefined ? {} : { userHandle: Buffer.from(said.userHandle).toString('base64url') }),
    })
  }

  private answer(response: object): string {
    const id = this.credentialId.toString('base64url')
    return JSON.stringify({ id, rawId: id, type: 'public-key', response, clientExtensionResults: {} })
  }

  private authenticatorData(said: Said, more: number): Buffer {
    const flags =
      ((said.isPresent ?? true) ? 0x01 : 0) |
      ((said.isVerified ?? true) ? 0x04 : 0) |
      (said.isBackupEligible ? 0x08 : 0) |
      (said.isBackedUp ? 0x10 : 0) |
      more
    const rest = Buffer.alloc(5)
    rest.writeUInt8(flags)
    this.counter = said.counter ?? (this.counts ? this.counter + 1 : 0)
    rest.writeUInt32BE(this.counter, 1)
    return Buffer.concat([createHash('sha256').update(said.rpId).digest(), rest])
  }
}

function clientData(type: string, said: Said): Buffer {
  const { challenge, origin, more } = said
  return Buffer.from(JSON.stringify({ type: said.type ?? type, challenge, origin, crossOrigin: false, ...more }))
}
