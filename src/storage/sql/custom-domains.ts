/** Statements on `custom_domains`. */
import type { Statement } from '../port.ts'

/** How far a custom domain is (platform-api 3.17). */
export type CustomDomainStatus = 'ACTIVE' | 'SSL_CERTIFICATE_REQUIRED' | 'VERIFICATION_REQUIRED'

/** A row of `custom_domains`. */
export interface CustomDomainRow {
  readonly id: string
  /** In lower case. */
  readonly domain_name: string
  readonly status: CustomDomainStatus
  /** PEM, with those between it and an authority. */
  readonly certificate: string | null
  readonly sealed_private_key: string | null
  readonly certificate_expires_at: number | null
  readonly created_at: number
  readonly updated_at: number
}

/** The custom domain of an environment: there is one at most. */
export function customDomainOf(environmentId: string): Statement<CustomDomainRow> {
  return { text: 'SELECT * FROM custom_domains WHERE environment_id = $1', values: [environmentId] }
}

/** An active custom domain, and whose it is. */
export interface ActiveDomainRow {
  readonly environment_id: string
  readonly domain_name: string
  readonly updated_at: number
}

/** Every active custom domain of an environment that lives. */
export function activeDomains(): Statement<ActiveDomainRow> {
  return {
    text: `SELECT d.environment_id, d.domain_name, d.updated_at FROM custom_domains d
           JOIN environments e ON e.id = d.environment_id AND e.deleted_at IS NULL
           WHERE d.status = 'ACTIVE'`,
    values: [],
  }
}
