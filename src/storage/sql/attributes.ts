/** Statements on `resource_attributes` and `application_attributes`. */
import type { Statement } from '../port.ts'

/** A row of `resource_attributes`. */
export type ResourceAttributeRow = {
  readonly resource_id: string
  readonly id: string
  readonly name: string
  readonly type: 'CORE' | 'CUSTOM' | 'PREDEFINED'
  readonly value: string
  readonly id_token: number
  readonly user_info: number
  readonly created_at: number
  readonly updated_at: number
}

const resourceColumns = 'resource_id, id, name, type, value, id_token, user_info, created_at, updated_at'

/** The attributes of all resources of an environment. */
export function resourceAttributesOf(environmentId: string): Statement<ResourceAttributeRow> {
  return {
    text: `SELECT ${resourceColumns} FROM resource_attributes WHERE environment_id = $1 ORDER BY created_at, id`,
    values: [environmentId],
  }
}

/** The attributes of one resource. */
export function attributesOfResource(environmentId: string, resourceId: string): Statement<ResourceAttributeRow> {
  return {
    text: `SELECT ${resourceColumns} FROM resource_attributes
           WHERE environment_id = $1 AND resource_id = $2 ORDER BY created_at, id`,
    values: [environmentId, resourceId],
  }
}

/** A row of `application_attributes`. */
export type ApplicationAttributeRow = {
  readonly application_id: string
  readonly id: string
  readonly name: string
  readonly mapping_type: 'CORE' | 'CUSTOM'
  readonly required: number
  readonly value: string
  readonly id_token: number
  readonly user_info: number
  /** JSON array of scope ids; null: with `openid`. */
  readonly oidc_scopes: string | null
  readonly created_at: number
  readonly updated_at: number
}

/** The attribute mappings of an application. */
export function attributesOfApplication(
  environmentId: string,
  applicationId: string,
): Statement<ApplicationAttributeRow> {
  return {
    text: `SELECT application_id, id, name, mapping_type, required, value, id_token, user_info, oidc_scopes, created_at,
             updated_at
           FROM application_attributes WHERE environment_id = $1 AND application_id = $2 ORDER BY created_at, id`,
    values: [environmentId, applicationId],
  }
}
