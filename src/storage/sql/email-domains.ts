/** Statements on the e-mail domains of an environment and the addresses it may send from. */
import type { Statement } from '../port.ts'

/** A row of `email_domains`. */
export interface EmailDomainRow {
  readonly id: string
  readonly domain_name: string
  /** In lower case: what has to be unique. */
  readonly domain_key: string
  readonly sealed_dkim_key: string
  readonly dkim_public_key: string
  readonly created_at: number
  readonly updated_at: number
}

/** Every domain, the oldest first. */
export function emailDomainsOf(environmentId: string): Statement<EmailDomainRow> {
  return {
    text: 'SELECT * FROM email_domains WHERE environment_id = $1 ORDER BY created_at, id',
    values: [environmentId],
  }
}

/** One domain. */
export function emailDomainById(environmentId: string, id: string): Statement<EmailDomainRow> {
  return { text: 'SELECT * FROM email_domains WHERE environment_id = $1 AND id = $2', values: [environmentId, id] }
}

/** Whether mail may go out from an address. */
export type TrustedEmailStatus = 'ACTIVE' | 'VERIFICATION_REQUIRED'

/** A row of `trusted_emails`. */
export interface TrustedEmailRow {
  readonly id: string
  readonly domain_id: string
  readonly email_address: string
  /** In lower case: what has to be unique, and what a sender is compared with. */
  readonly address_key: string
  readonly status: TrustedEmailStatus
  readonly created_at: number
  readonly updated_at: number
}

/** The addresses of a domain, the oldest first. */
export function trustedEmailsOf(environmentId: string, domainId: string): Statement<TrustedEmailRow> {
  return {
    text: 'SELECT * FROM trusted_emails WHERE environment_id = $1 AND domain_id = $2 ORDER BY created_at, id',
    values: [environmentId, domainId],
  }
}

/** One address of a domain. */
export function trustedEmailById(environmentId: string, domainId: string, id: string): Statement<TrustedEmailRow> {
  return {
    text: 'SELECT * FROM trusted_emails WHERE environment_id = $1 AND domain_id = $2 AND id = $3',
    values: [environmentId, domainId, id],
  }
}

/** The domain of an address from which mail may go out; no row: it may not. @param addressKey in lower case */
export function domainOfTrustedEmail(environmentId: string, addressKey: string): Statement<EmailDomainRow> {
  return {
    text: `SELECT d.* FROM trusted_emails t
           JOIN email_domains d ON d.environment_id = t.environment_id AND d.id = t.domain_id
           WHERE t.environment_id = $1 AND t.address_key = $2 AND t.status = 'ACTIVE'`,
    values: [environmentId, addressKey],
  }
}
