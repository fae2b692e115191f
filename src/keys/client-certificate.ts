/**
 * Certificates of clients, and of authenticators that attest: whether somebody who is trusted has issued one (RFC 5280 section
 * 6), and what it names (RFC 8705 section 2.1.2). There is no look at revocation: whoever wants a client out disables the
 * application, and a model of authenticators is taken out of the policy.
 *
 * Never: an issuer that is no authority, whatever it has signed; a critical extension passed over; the X.509 library in a
 * process that is shown no certificate.
 */
import { X509Certificate } from 'node:crypto'
import type { X509Certificate as ParsedCertificate } from '@peculiar/x509'

/** What a certificate names. */
export interface CertificateNames {
  /** The sets of attributes of the subject, in the order of the certificate. */
  readonly subject: readonly Readonly<Record<string, readonly string[]>>[]
  readonly dns: readonly string[]
  readonly uri: readonly string[]
  readonly ip: readonly string[]
  readonly email: readonly string[]
}

/** Most certificates between a client and the authority that is trusted. */
const mostIntermediates = 4
const leastRsaBits = 2048

/** Extensions that are understood here or have no part in the decision; any other that is critical ends it. */
const knownExtensions: readonly string[] = [
  '2.5.29.14', // subjectKeyIdentifier
  '2.5.29.15', // keyUsage
  '2.5.29.17', // subjectAltName
  '2.5.29.19', // basicConstraints
  '2.5.29.35', // authorityKeyIdentifier
  '2.5.29.37', // extKeyUsage
]
const clientAuthentication = '1.3.6.1.5.5.7.3.2'
const anyPurpose = '2.5.29.37.0'

/** The library, which finds its parts through metadata on classes: the polyfill for that must be there before it. */
async function x509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

/** The certificates of a PEM text; undefined when one of them is none, or there is none. */
export function readCertificates(pem: string): readonly X509Certificate[] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  try {
    return blocks.length > 0 ? blocks.map((block) => new X509Certificate(block)) : undefined
  } catch {
    return undefined
  }
}

const longestAuthorities = 64 * 1024
const mostAuthorities = 20

/** What is wrong with a PEM text of authorities; undefined when nothing is. */
export function authoritiesProblem(pem: string): string | undefined {
  if (pem.length > longestAuthorities) return `must not be longer than ${longestAuthorities} characters`
  const certificates = readCertificates(pem)
  if (!certificates) return 'must hold certificates as PEM'
  if (certificates.length > mostAuthorities) return `must not hold more than ${mostAuthorities} certificates`
  return certificates.every(({ ca }) => ca) ? undefined : 'must hold certificates of authorities only'
}

/** Whether a certificate is in its time. */
export function isInTime(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo)
}

/**
 * Whether a certificate of a client was issued, perhaps by way of others, by one of those that are trusted, and everything
 * on the way may be used like that now.
 * @param intermediates what the client has sent with it, in any order
 * @param now epoch milliseconds
 * @param use what the certificate is for: of an authenticator's no purpose is asked, and it may be trusted itself
 */
export async function isIssuedBy(
  certificate: X509Certificate,
  intermediates: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  now: number,
  use: 'client authentication' | 'attestation' = 'client authentication',
): Promise<boolean> {
  const library = await x509()
  const parse = ({ raw }: X509Certificate) => new library.X509Certificate(raw)
  const isFit = (candidate: X509Certificate, parsed: ParsedCertificate) =>
    isInTime(candidate, now) && isStrong(candidate, parsed) && isUnderstood(parsed)

  /** @param below how many intermediates lie between the client and the issuer that is looked for */
  const hasTrustedIssuer = (issued: X509Certificate, below: number, unused: readonly X509Certificate[]): boolean => {
    const mayIssue = (issuer: X509Certificate) => {
      if (!issuer.ca || !issued.checkIssued(issuer) || !issued.verify(issuer.publicKey)) return false
      const parsed = parse(issuer)
      const { pathLength } = parsed.getExtension(library.BasicConstraintsExtension) ?? {}
      const usages = parsed.getExtension(library.KeyUsagesExtension)?.usages
      const signsCertificates = usages === undefined || (usages & library.KeyUsageFlags.keyCertSign) !== 0
      return isFit(issuer, parsed) && signsCertificates && (pathLength === undefined || pathLength >= below)
    }
    if (anchors.some(mayIssue)) return true
    if (below === mostIntermediates) return false
    return unused.filter(mayIssue).some((issuer) => {
      const rest = unused.filter((other) => other !== issuer)
      return hasTrustedIssuer(issuer, below + 1, rest)
    })
  }

  try {
    const parsed = parse(certificate)
    const purposes = parsed.getExtension(library.ExtendedKeyUsageExtension)?.usages.map(String)
    const mayAuthenticate =
      (use === 'attestation' ||
        purposes?.some((purpose) => purpose === clientAuthentication || purpose === anyPurpose)) ??
      true
    const isBounded = intermediates.length <= mostIntermediates
    const isAnchor = use === 'attestation' && anchors.some(({ raw }) => raw.equals(certificate.raw))
    if (isAnchor) return isInTime(certificate, now)
    return isBounded && mayAuthenticate && isFit(certificate, parsed) && hasTrustedIssuer(certificate, 0, intermediates)
  } catch {
    return false
  }
}

function isStrong({ publicKey }: X509Certificate, { signatureAlgorithm }: ParsedCertificate): boolean {
  const { modulusLength } = publicKey.asymmetricKeyDetails ?? {}
  const { hash } = signatureAlgorithm as { readonly hash?: { readonly name?: string } | string }
  const digest = typeof hash === 'string' ? hash : hash?.name
  return (modulusLength ?? leastRsaBits) >= leastRsaBits && (digest === undefined || /^SHA-(256|384|512)$/.test(digest))
}

function isUnderstood({ extensions }: ParsedCertificate): boolean {
  return extensions.every(({ critical, type }) => !critical || knownExtensions.includes(type))
}

/** What a certificate names; undefined when it cannot be read. */
export async function certificateNames({ raw }: X509Certificate): Promise<CertificateNames | undefined> {
  const library = await x509()
  try {
    const parsed = new library.X509Certificate(raw)
    const names = parsed.getExtension(library.SubjectAlternativeNameExtension)?.names.items ?? []
    const of = (kind: string) => names.filter(({ type }) => type === kind).map(({ value }) => value)
    return {
      subject: parsed.subjectName.toJSON(),
      dns: of('dns'),
      uri: of('url'),
      ip: of('ip'),
      email: of('email'),
    }
  } catch {
    return undefined
  }
}
