/**
 * Custom domains: the name that an environment has for its own (platform-api 3.17, authentication-api 1.3), and what makes a
 * certificate one of that name.
 *
 * Never: a name of the installation itself; a certificate that a browser would refuse.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { isInTime, readCertificates } from '../keys/client-certificate.ts'
import type { SealContext } from '../keys/sealing.ts'
import type { Origins } from '../site.ts'

/** What binds the sealed private key of a certificate to its row. */
export function certificateContext(environmentId: string, domainId: string): SealContext {
  return { environmentId, table: 'custom_domains', row: domainId, column: 'sealed_private_key' }
}

/** The name that the DNS has to make a custom domain an alias of: the one the installation's pages have. */
export function canonicalName({ authUrl }: Pick<Origins, 'authUrl'>): string {
  return new URL(authUrl).hostname
}

/** Whether a name is one of the installation's own. */
export function isOwnName(origins: Origins, name: string): boolean {
  const { authUrl, apiUrl, mtlsUrl } = origins
  return [authUrl, apiUrl, mtlsUrl].some((url) => url !== undefined && new URL(url).hostname === name)
}

/** A certificate as it is imported, PEM throughout. */
export interface ImportedCertificate {
  readonly certificate: string
  readonly intermediateCertificates?: string | undefined
  readonly privateKey: string
}

/** A certificate that a server may show. */
export interface DomainCertificate {
  /** PEM: it, then those between it and an authority. */
  readonly chain: string
  /** PKCS #8, PEM. */
  readonly privateKey: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/**
 * Reads a certificate for a domain.
 * @param now epoch milliseconds
 * @returns the member that is wrong and how, where one is
 */
export function readDomainCertificate(
  { certificate: pem, intermediateCertificates, privateKey }: ImportedCertificate,
  domainName: string,
  now: number,
): DomainCertificate | { readonly member: keyof ImportedCertificate; readonly message: string } {
  const read = readCertificates(pem)
  const [certificate] = read ?? []
  if (!certificate || read?.length !== 1) return { member: 'certificate', message: 'must be one certificate as PEM' }
  if (!certificate.checkHost(domainName)) return { member: 'certificate', message: `must be of the name ${domainName}` }
  if (!isInTime(certificate, now)) return { member: 'certificate', message: 'must be in its time' }
  const between = intermediateCertificates ? readCertificates(intermediateCertificates) : []
  const member = 'intermediateCertificates'
  if (!between) return { member, message: 'must be certificates as PEM' }
  if (!isChain([certificate, ...between])) {
    return { member, message: 'must lead from the certificate to its authority, each issued by the next' }
  }
  const key = readPrivateKey(privateKey)
  if (!key || !certificate.checkPrivateKey(key)) {
    return { member: 'privateKey', message: 'must be the private key of the certificate, as PEM and not encrypted' }
  }
  return {
    chain: [certificate, ...between].map(String).join(''),
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }) as string,
    expiresAt: Date.parse(certificate.validTo),
  }
}

function isChain(certificates: readonly X509Certificate[]): boolean {
  return certificates.every((each, at) => {
    const next = certificates[at + 1]
    return !next || (next.ca && each.checkIssued(next) && each.verify(next.publicKey))
  })
}

function readPrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}
