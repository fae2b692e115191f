/** Statements on `organizations` and their `licenses`. */
import type { Statement } from '../port.ts'
import { among, type Condition, equal, pageOf, type Span } from './page.ts'

/** A row of `organizations`. */
export interface OrganizationRow {
  readonly id: string
  readonly name: string
  readonly type: 'PAID' | 'TRIAL' | 'INTERNAL'
  readonly created_at: number
  readonly updated_at: number
}

/** One row when an organization exists. */
export function firstOrganization(): Statement<{ readonly id: string }> {
  return { text: 'SELECT id FROM organizations LIMIT 1', values: [] }
}

/** One organization. */
export function organizationById(id: string): Statement<OrganizationRow> {
  return { text: 'SELECT * FROM organizations WHERE id = $1', values: [id] }
}

/** A page of those organizations whose ids are named. */
export function organizationsPage(
  ids: readonly string[],
  filter: readonly Condition[],
  span: Span,
): Statement<OrganizationRow> {
  return pageOf('SELECT o.* FROM organizations o', 'o', [among('o.id', ids), ...filter], span)
}

/**
 * Makes units that touch the administrators of an organization serial: the row stays locked until the unit ends, so that
 * two of them cannot both count the other's administrator.
 */
export function lockOrganization(id: string): Statement<{ readonly id: string }> {
  return { text: 'UPDATE organizations SET updated_at = updated_at WHERE id = $1 RETURNING id', values: [id] }
}

/** A row of `licenses`, with the number of environments it serves. */
export interface LicenseRow {
  readonly id: string
  readonly organization_id: string
  readonly name: string
  readonly package: string
  readonly status: 'ACTIVE' | 'EXPIRED' | 'FUTURE' | 'TERMINATED'
  readonly begins_at: number
  readonly created_at: number
  readonly environments: number
}

const licenses = `SELECT l.*,
    (SELECT COUNT(*) FROM environments e WHERE e.organization_id = l.organization_id AND e.license_id = l.id AND e.deleted_at IS NULL)
      AS environments
  FROM licenses l`

/** One license, whichever organization it belongs to. */
export function licenseById(id: string): Statement<LicenseRow> {
  return { text: `${licenses} WHERE l.id = $1`, values: [id] }
}

/** A page of the licenses of an organization. */
export function licensesPage(organizationId: string, filter: readonly Condition[], span: Span): Statement<LicenseRow> {
  return pageOf(licenses, 'l', [equal('l.organization_id', organizationId), ...filter], span)
}
