/**
 * PURE: what the DNS of a domain has to say so that mail may go out in its name, and whether it does. platform-api 3.18
 * (`emailDomains`), PingOne "Trusted Email Domains"; RFC 6376 section 3.6.1 (DKIM), RFC 7208 section 4.5 (SPF).
 *
 * - ownership: the domain names this environment, so that no other environment can claim it by the same record;
 * - SPF: the servers that may send for the sender of this installation may send for the domain;
 * - DKIM: the key by which messages in its name are signed.
 */
import { z } from 'zod'

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i

/** The name of a domain: labels of letters, digits and hyphens (RFC 1123 section 2.1), no address, no wildcard. */
export const domainName = z
  .string()
  .min(3)
  .max(253)
  .refine(
    (name) => name.includes('.') && name.split('.').every((each) => label.test(each)) && !/\.\d+$/.test(name),
    'must be the name of a domain',
  )

/** A record of the DNS as clients read it. */
export interface DnsRecord {
  readonly key: string
  readonly value: string
}

/** The record by which a domain names the environment that may send for it. */
export function ownershipRecord(domain: string, environmentId: string): DnsRecord {
  return { key: `_stile.${domain}`, value: `stile-environment=${environmentId}` }
}

/** Whether a domain names the environment. @param texts the records at the key of `ownershipRecord` */
export function isOwned(texts: readonly string[], environmentId: string): boolean {
  return texts.some((text) => text.trim().toLowerCase() === `stile-environment=${environmentId}`)
}

/** The record by which the servers of `sending` may send for a domain. @param sending the domain of their own sender */
export function spfRecord(domain: string, sending: string): DnsRecord {
  return { key: domain, value: `v=spf1 include:${sending} ~all` }
}

/** Whether it lets them. More than one such record is an error, in which none of them counts. */
export function allowsSending(texts: readonly string[], sending: string): boolean {
  const records = texts.filter((text) => /^v=spf1(?: |$)/i.test(text))
  const [record = ''] = records
  const terms = record.toLowerCase().split(/ +/)
  const wanted = `include:${sending.toLowerCase()}`
  return records.length === 1 && (terms.includes(wanted) || terms.includes(`+${wanted}`))
}

/** The record that publishes a key. @param publicKey SubjectPublicKeyInfo, base64 */
export function dkimRecord(domain: string, selector: string, publicKey: string): DnsRecord {
  return { key: `${selector}._domainkey.${domain}`, value: `v=DKIM1; k=rsa; p=${publicKey}` }
}

/** Whether a key is published. @param texts the records at the key of `dkimRecord` */
export function publishesKey(texts: readonly string[], publicKey: string): boolean {
  return texts.some((text) => {
    const tags = new Map(
      text.split(';').map((tag) => [tagName(tag), tag.slice(tag.indexOf('=') + 1).replaceAll(/\s/g, '')]),
    )
    return (tags.get('v') ?? 'DKIM1') === 'DKIM1' && (tags.get('k') ?? 'rsa') === 'rsa' && tags.get('p') === publicKey
  })
}

function tagName(tag: string): string {
  return tag.split('=')[0]?.trim() ?? ''
}

/** The domain of an e-mail address, in lower case; empty where there is none. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}

/** The form in which addresses of senders are compared. */
export function addressKey(address: string): string {
  return address.toLowerCase()
}
