/**
 * What an attestation says of the authenticator that made a credential, and whether it is believed: Web Authentication Level 3
 * sections 6.5, 7.1 (steps 21 to 24), 8; platform-api 3.14.4 `attestationRequirements`, `mdsAuthenticatorsRequirements`; row L30.
 * Formats: none, packed, fido-u2f, tpm and apple, whose statements the library judges, and android-key. Whom a certificate has
 * to come from is judged here, by the roots that the policy and the operator name, and by those of Apple and Google.
 *
 * Never: trust where no root is named; a look at the network, which the library would take for revocations (row G01).
 */
import { X509Certificate } from 'node:crypto'
import type { Fido2Policy } from '../environment/fido2-policy.ts'
import { decodeBase64url } from '../keys/base64url.ts'
import { isIssuedBy, readCertificates } from '../keys/client-certificate.ts'
import { provesAndroidKey } from './android-key.ts'

/** An attestation object: CBOR with these members. */
export interface AttestationObject {
  readonly format: string
  readonly statement: ReadonlyMap<unknown, unknown>
  readonly authData: Uint8Array<ArrayBuffer>
}

/** What is known of the authenticator. */
export interface Attestation {
  readonly format: string
  /** The model, as the authenticator says. */
  readonly aaguid: string
  /** Whether somebody who is trusted vouches for that. */
  readonly isTrusted: boolean
}

const formats = ['none', 'packed', 'fido-u2f', 'tpm', 'apple', 'android-key']

type Library = typeof import('@simplewebauthn/server')
type Roots = Readonly<Record<string, readonly X509Certificate[]>>

let loaded: Promise<Library & { readonly roots: Roots }> | undefined

/** The library, from which its roots are taken away: with them it would judge certificates, and ask the network. */
export function webauthn(): Promise<Library & { readonly roots: Roots }> {
  loaded ??= import('@simplewebauthn/server').then((library) => {
    const roots = ['apple', 'android-key'].map((identifier) => {
      const certificates = library.SettingsService.getRootCertificates({ identifier: identifier as 'apple' })
      return [identifier, certificates.map((pem) => new X509Certificate(pem))] as const
    })
    for (const identifier of ['apple', 'android-key', 'android-safetynet'] as const) {
      library.SettingsService.setRootCertificates({ identifier, certificates: [] })
    }
    return { ...library, roots: Object.fromEntries(roots) }
  })
  return loaded
}

/**
 * Reads an attestation object of a format that is known; undefined when it is none, or not one CBOR item and nothing more: the
 * library overlooks what follows it (row L32).
 */
export async function readAttestationObject(text: string): Promise<AttestationObject | undefined> {
  const bytes = decodeBase64url(text)
  if (!bytes) return undefined
  const { isoCBOR } = await import('@simplewebauthn/server/helpers')
  try {
    const item = isoCBOR.decodeFirst<ReadonlyMap<string, unknown>>(new Uint8Array(bytes))
    if (isoCBOR.encode(item as never).length !== bytes.length) return undefined
    const [format, statement, authData] = ['fmt', 'attStmt', 'authData'].map((name) => item.get(name))
    if (typeof format !== 'string' || !formats.includes(format)) return undefined
    if (!(statement instanceof Map) || !(authData instanceof Uint8Array)) return undefined
    return { format, statement, authData: new Uint8Array(authData) }
  } catch {
    return undefined
  }
}

/** What the library may judge of an object, base64url: all of it, but for the statement that is judged here. */
export async function objectForLibrary(object: AttestationObject, text: string): Promise<string> {
  if (object.format !== 'android-key') return text
  const { isoBase64URL, isoCBOR } = await import('@simplewebauthn/server/helpers')
  const bare = new Map<string, unknown>([
    ['fmt', 'none'],
    ['attStmt', new Map()],
    ['authData', object.authData],
  ])
  return isoBase64URL.fromBuffer(isoCBOR.encode(bare as never))
}

/** What of a credential its attestation is about. */
export interface Attested {
  readonly aaguid: string
  /** COSE. */
  readonly publicKey: Uint8Array<ArrayBuffer>
  readonly clientDataJSON: Buffer
  /** PEM: the authorities that are trusted beside those of Apple and Google. */
  readonly roots: readonly string[]
  /** Epoch milliseconds. */
  readonly now: number
}

/** What an object proves, once the library has found no fault with it; undefined when it is a lie. */
export async function attestationOf(object: AttestationObject, attested: Attested): Promise<Attestation | undefined> {
  const { format, statement } = object
  if (format === 'android-key' && !(await isAndroidKey(object, attested))) return undefined
  const said = { format, aaguid: attested.aaguid }
  const x5c: unknown = statement.get('x5c')
  if (!Array.isArray(x5c) || !x5c.every((each) => each instanceof Uint8Array)) return { ...said, isTrusted: false }
  const [certificate, ...intermediates] = x5c.map((raw) => new X509Certificate(raw))
  const own = (await webauthn()).roots[format] ?? []
  const anchors = [...own, ...attested.roots.flatMap((pem) => readCertificates(pem) ?? [])]
  const between = intermediates.filter(({ raw }) => !anchors.some((anchor) => anchor.raw.equals(raw)))
  const isTrusted = certificate && (await isIssuedBy(certificate, between, anchors, attested.now, 'attestation'))
  return { ...said, isTrusted: isTrusted ?? false }
}

async function isAndroidKey({ statement, authData }: AttestationObject, attested: Attested): Promise<boolean> {
  const { decodeCredentialPublicKey } = await import('@simplewebauthn/server/helpers')
  const key = decodeCredentialPublicKey(attested.publicKey) as unknown as ReadonlyMap<number, unknown>
  const [x, y] = [key.get(-2), key.get(-3)]
  if (!(x instanceof Uint8Array) || !(y instanceof Uint8Array)) return false
  return provesAndroidKey({ statement, authData, clientDataJSON: attested.clientDataJSON, x, y })
}

/** Whether a policy takes a credential of such an authenticator. `isNew`: while it is registered. */
export function isTaken(
  { attestationRequirements, mdsAuthenticatorsRequirements }: AttestationPolicy,
  attestation: Pick<Attestation, 'aaguid' | 'isTrusted'> | undefined,
  isNew: boolean,
): boolean {
  const { option, allowedAuthenticators = [], enforceDuringAuthentication } = mdsAuthenticatorsRequirements
  if (attestationRequirements === 'NONE' || option === 'AUDIT_ONLY') return true
  if (!isNew && !enforceDuringAuthentication) return true
  if (!attestation?.isTrusted) return false
  return option !== 'SPECIFIC' || allowedAuthenticators.some(({ id }) => id.toLowerCase() === attestation.aaguid)
}

/** The part of a policy that is about authenticators. */
export type AttestationPolicy = Pick<Fido2Policy, 'attestationRequirements' | 'mdsAuthenticatorsRequirements'>
