/**
 * The attribute mappings of an application, as the runtime sees them: platform-api 3.9. They become claims of its ID tokens
 * and of its userinfo, in the place of those that a scope brings; `sub` is one that every application has.
 */
import type { ApplicationAttributeRow } from '../storage/sql/attributes.ts'
import { isReservedClaim, type MappedValue, mappedValue } from './attribute-mapping.ts'
import { type MappedClaim, usualSubject } from './resource.ts'

/** A claim that an application has of its own. */
export interface ApplicationClaim extends MappedClaim {
  /** Whether nothing is issued to a user who has no value for it. */
  readonly required: boolean
  /** The ids of the scopes it comes with; null: with `openid`. */
  readonly scopeIds: readonly string[] | null
}

/** The claims of an application. */
export interface ApplicationClaims {
  readonly claims: readonly ApplicationClaim[]
  /** What its users have as `sub`, where that is not their id. */
  readonly subject: MappedValue | undefined
}

/** The mappings of stored rows. */
export function applicationClaimsFrom(rows: readonly ApplicationAttributeRow[]): ApplicationClaims {
  const subject = rows.find(({ name }) => name === 'sub')?.value ?? usualSubject
  return {
    claims: rows
      .filter(({ name }) => !isReservedClaim(name))
      .map(({ name, value, required, id_token, user_info, oidc_scopes }) => ({
        name,
        value: mappedValue(value),
        required: required === 1,
        idToken: id_token === 1,
        userInfo: user_info === 1,
        scopeIds: oidc_scopes === null ? null : (JSON.parse(oidc_scopes) as string[]),
      })),
    subject: subject === usualSubject ? undefined : mappedValue(subject),
  }
}

/** The mapping by which an application knows its users. */
export function coreMapping(environmentId: string, applicationId: string, id: string, now: number) {
  return {
    environment_id: environmentId,
    application_id: applicationId,
    id,
    name: 'sub',
    mapping_type: 'CORE',
    required: 1,
    value: usualSubject,
    id_token: 1,
    user_info: 1,
    oidc_scopes: null,
    created_at: now,
    updated_at: now,
  } as const
}
