/**
 * The attestation statement `android-key`: Web Authentication Level 3 section 8.4; Android, "Verify hardware-backed key pairs",
 * for the extension that describes a key. Judged here and not by the library, which would ask whatever address a certificate of
 * the client names for a list of revocations (row G01).
 *
 * Never: a key that was not made in hardware for signing, or that any app may use.
 */
import { hash, verify, X509Certificate } from 'node:crypto'

/** What a statement is judged by. */
export interface AndroidKey {
  readonly statement: ReadonlyMap<unknown, unknown>
  readonly authData: Uint8Array
  readonly clientDataJSON: Buffer
  /** The coordinates of the credential's key. */
  readonly x: Uint8Array
  readonly y: Uint8Array
}

const keyDescription = '1.3.6.1.4.1.11129.2.1.17'
const es256 = -7

/** An element of DER (X.690): its class and number, and its content. */
interface Element {
  readonly tag: string
  readonly content: Buffer
}

const names = ['universal', 'application', 'context', 'private']

/** The elements in a row. @throws RangeError when they are none */
function elements(bytes: Buffer): readonly Element[] {
  const found: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    const first = bytes.readUInt8(at++)
    let number = first & 31
    if (number === 31) {
      number = 0
      let more = 128
      while (more >= 128) {
        more = bytes.readUInt8(at++)
        number = number * 128 + (more & 127)
        if (number > 65_535) throw new RangeError('a tag')
      }
    }
    let length = bytes.readUInt8(at++)
    if (length > 128) {
      const size = length - 128
      length = bytes.readUIntBE(at, size)
      at += size
    }
    if (at + length > bytes.length) throw new RangeError('a length')
    found.push({ tag: `${names[first >> 6]} ${number}`, content: bytes.subarray(at, at + length) })
    at += length
  }
  return found
}

const purpose = 'context 1'
const allApplications = 'context 600'
const origin = 'context 702'
/** KM_PURPOSE_SIGN and KM_ORIGIN_GENERATED, as INTEGER. */
const toSign = '020102'
const generated = '020100'

/** Whether the extension describes a key made by this hardware, for this answer and for signing alone. */
function describesKey(extension: Buffer, clientDataHash: Buffer): boolean {
  const [sequence] = elements(extension)
  const [, , , , challenge, , inSoftware, inHardware] = sequence ? elements(sequence.content) : []
  if (!challenge || !inSoftware || !inHardware || !challenge.content.equals(clientDataHash)) return false
  const [software, hardware] = [elements(inSoftware.content), elements(inHardware.content)]
  if ([...software, ...hardware].some(({ tag }) => tag === allApplications)) return false
  const of = (tag: string) => hardware.find((each) => each.tag === tag)?.content
  const [set] = elements(of(purpose) ?? Buffer.alloc(0))
  return set?.content.toString('hex') === toSign && of(origin)?.toString('hex') === generated
}

/** Whether the key of the first certificate is that of the credential, and has signed what it is said to have signed. */
export async function provesAndroidKey({ statement, authData, clientDataJSON, x, y }: AndroidKey): Promise<boolean> {
  const [alg, sig, x5c] = ['alg', 'sig', 'x5c'].map((name) => statement.get(name))
  const [first] = Array.isArray(x5c) ? (x5c as readonly unknown[]) : []
  if (alg !== es256 || !(sig instanceof Uint8Array) || !(first instanceof Uint8Array)) return false
  const certificate = new X509Certificate(first)
  const { kty, crv, ...point } = certificate.publicKey.export({ format: 'jwk' })
  const isSame = point.x === Buffer.from(x).toString('base64url') && point.y === Buffer.from(y).toString('base64url')
  if (kty !== 'EC' || crv !== 'P-256' || !isSame) return false
  const clientDataHash = hash('sha256', clientDataJSON, 'buffer')
  if (!verify('sha256', Buffer.concat([authData, clientDataHash]), certificate.publicKey, sig)) return false
  await import('reflect-metadata')
  const { X509Certificate: Parsed } = await import('@peculiar/x509')
  const extension = new Parsed(first).getExtension(keyDescription)
  return extension !== null && describesKey(Buffer.from(extension.value), clientDataHash)
}
