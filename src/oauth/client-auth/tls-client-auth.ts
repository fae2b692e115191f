/**
 * tls_client_auth: the connection is authenticated by a certificate that an authority has issued, for the subject that the
 * application has registered. RFC 8705 sections 2.1 and 2.1.2; row D22.
 *
 * Never: a certificate of whatever name that merely has a good issuer, or of the right name that merely says so.
 */
import { isIPv6 } from 'node:net'
import type { Application } from '../../environment/application.ts'
import { type CertificateNames, certificateNames, isIssuedBy } from '../../keys/client-certificate.ts'
import { isSameName, nameOfCertificate, parseDistinguishedName } from '../rules/distinguished-name.ts'
import type { ClientCredentials } from './credentials.ts'
import { type ClientAuthMethod, proved } from './method.ts'

export const tlsClientAuth: ClientAuthMethod<ClientCredentials & { readonly method: 'NONE' }> = {
  name: 'tls_client_auth',
  registered: 'TLS_CLIENT_AUTH',
  async prove({ context, environment, application }) {
    const { certificate: presented, kernel, now } = context
    if (!presented) return undefined
    const { certificate, chain } = presented
    const authorities = environment.clientCertificateAuthorities ?? kernel.clientCertificateAuthorities
    if (!(await isIssuedBy(certificate, chain, authorities, now))) return undefined
    const names = await certificateNames(certificate)
    return names && isNamed(application.document, names) ? proved : undefined
  },
}

/** Whether the one name that is registered is among those of the certificate. */
function isNamed(document: Application['document'], names: CertificateNames): boolean {
  const { tlsClientAuthSubjectDn: dn, tlsClientAuthSanDns: dns, tlsClientAuthSanUri: uri } = document
  const { tlsClientAuthSanIp: ip, tlsClientAuthSanEmail: email } = document
  if (dn !== undefined) {
    const registered = parseDistinguishedName(dn)
    const subject = nameOfCertificate(names.subject)
    return registered !== undefined && subject !== undefined && isSameName(registered, subject)
  }
  if (dns !== undefined) return names.dns.some((name) => name.toLowerCase() === dns.toLowerCase())
  if (uri !== undefined) return names.uri.includes(uri)
  if (ip !== undefined) return names.ip.some((address) => normalIp(address) === normalIp(ip))
  return email !== undefined && names.email.includes(email)
}

/** An IPv6 address as everybody else writes it. */
function normalIp(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address}]`).hostname : address
}
