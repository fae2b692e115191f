/** Certificates of clients and of those who issue them, for tests of mutual TLS. */
import 'reflect-metadata'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  type JsonNameParams,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'

const day = 86_400_000

/** A certificate with its key. */
export interface Held {
  readonly certificate: X509Certificate
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly subject: JsonNameParams
  /** PEM. */
  readonly cert: string
  readonly key: string
}

/** What a certificate says; by default one of a client that is good for a day. */
export interface Content {
  readonly subject?: JsonNameParams
  readonly names?: JsonGeneralName[]
  /** The one who issues it; default: itself. */
  readonly issuer?: Held
  readonly authority?: boolean
  readonly pathLength?: number
  readonly purposes?: readonly string[] | 'any'
  readonly usages?: KeyUsageFlags
  /** Epoch milliseconds. */
  readonly notBefore?: number
  readonly notAfter?: number
  readonly hash?: 'SHA-1' | 'SHA-256'
  readonly weak?: boolean
  /** An EC key pair of P-256; default: a new one. */
  readonly keys?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  readonly extensions?: readonly Extension[]
}

const rsaPair = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength })

/** Makes a certificate. */
export async function certificate(content: Content = {}): Promise<Held> {
  const { issuer, authority = false, purposes = [ExtendedKeyUsage.clientAuth], hash = 'SHA-256' } = content
  const subject = content.subject ?? [{ C: ['DE'] }, { O: ['Example'] }, { CN: ['client'] }]
  const pair = content.weak ? rsaPair(1024) : (content.keys ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }))
  const own = content.weak ? { name: 'RSASSA-PKCS1-v1_5', hash } : { name: 'ECDSA', namedCurve: 'P-256', hash }
  const signer = issuer?.privateKey ?? pair.privateKey
  const signing = signer.asymmetricKeyType === 'rsa' ? own : { name: 'ECDSA', namedCurve: 'P-256', hash }
  const usages = content.usages ?? (authority ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature)
  const made = await X509CertificateGenerator.create({
    subject: new Name(subject),
    issuer: new Name(issuer?.subject ?? subject),
    serialNumber: '01',
    notBefore: new Date(content.notBefore ?? Date.now() - day),
    notAfter: new Date(content.notAfter ?? Date.now() + day),
    signingAlgorithm: signing,
    publicKey: pair.publicKey.toCryptoKey(own, true, ['verify']),
    signingKey: signer.toCryptoKey(signing, false, ['sign']),
    extensions: [
      new BasicConstraintsExtension(authority, content.pathLength, true),
      new KeyUsagesExtension(usages, true),
      ...(authority || purposes === 'any' ? [] : [new ExtendedKeyUsageExtension([...purposes])]),
      ...(content.names ? [new SubjectAlternativeNameExtension(content.names)] : []),
      ...(content.extensions ?? []),
    ],
  })
  return {
    certificate: new X509Certificate(Buffer.from(made.rawData)),
    ...pair,
    subject,
    cert: made.toString('pem'),
    key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** Makes an authority. */
export function authority(name: string, content: Content = {}): Promise<Held> {
  return certificate({ subject: [{ CN: [name] }], authority: true, ...content })
}
