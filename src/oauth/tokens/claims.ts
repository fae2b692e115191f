/**
 * Claims about a user: what the granted scopes bring (OpenID Connect Core section 5.4; the attributes of the resource
 * `openid`, platform-api 3.11.3), what was asked for claim by claim (section 5.5), and the mappings of the application,
 * which take the place of both (platform-api 3.9). What the user does not have is left out.
 *
 * Never: a claim of a scope that was not granted, nor one by which tokens are judged; a claim where its mapping says that it
 * does not go, asked for or not.
 */
import { z } from 'zod'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import type { ApplicationClaim } from '../../environment/application-claims.ts'
import type { ReadAttribute } from '../../environment/attribute-mapping.ts'
import { claimScopes } from '../../environment/openid-attributes.ts'
import type { MappedClaim } from '../../environment/resource.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { subjectFor } from '../../environment/subject.ts'
import { problem } from '../../errors/problem.ts'
import { defineMetadata } from '../metadata.ts'
import type { RequestedClaim } from '../rules/claims-request.ts'
import { attributesOf, type ClaimSource } from './claim-source.ts'

/** Where claims go: each mapping says for either whether it is there. */
export type ClaimPlace = 'idToken' | 'userInfo'

/** What claims are asked for. */
export interface ClaimsWanted {
  readonly place: ClaimPlace
  readonly scopes: readonly string[]
  /** Claims asked for one by one. */
  readonly requested: readonly RequestedClaim[]
}

/** The claims that a name of the protocol stands for: `address` is one claim made of several attributes. */
function baseOf(name: string): string {
  return name.startsWith('address.') ? 'address' : name
}

export const claimMetadata = defineMetadata(
  {
    scopes_supported: z.array(z.string()),
    claim_types_supported: z.array(z.string()),
    claims_supported: z.array(z.string()),
  },
  ({ claimsByScope }) => ({
    scopes_supported: [...new Set(['openid', ...claimScopes, ...claimsByScope.keys()])].filter((scope) =>
      claimsByScope.has(scope),
    ),
    claim_types_supported: ['normal'],
    claims_supported: [...new Set([...claimsByScope.values()].flat().map(({ name }) => baseOf(name)))],
  }),
)

/** The scopes that bring these claims, each once; claims that no scope brings are passed over. */
export function scopesOfClaims({ claimsByScope }: Environment, names: readonly string[]): readonly string[] {
  const brings = (claims: readonly MappedClaim[]) => claims.some(({ name }) => names.includes(baseOf(name)))
  return [...claimsByScope].filter(([, claims]) => brings(claims)).map(([scope]) => scope)
}

/**
 * Works out the claims about a user, `sub` among them.
 * @throws Problem invalid_request when the user has no value for a mapping that is required
 */
export async function userClaims(
  context: Pick<Context, 'kernel' | 'now'>,
  environment: Environment,
  application: Application,
  source: ClaimSource,
  { place, scopes, requested }: ClaimsWanted,
): Promise<Record<string, unknown>> {
  const { claimsByScope } = environment
  const ofScopes = scopes.flatMap((scope) => claimsByScope.get(scope) ?? []).filter((claim) => claim[place])
  const names = new Set(requested.map(({ name }) => name))
  const single =
    names.size === 0
      ? []
      : [...claimsByScope.values()].flat().filter((claim) => claim[place] && names.has(baseOf(claim.name)))
  const own = application.claims.filter((claim) => claim[place] && comesWith(environment, claim, scopes))
  if (ofScopes.length + single.length + own.length === 0 && !application.subject) {
    return { sub: subjectFor(environment, application, source.userId) }
  }
  const values = [...ofScopes, ...single, ...own].map(({ value }) => value)
  const needs = new Set(
    [...values, ...(application.subject ? [application.subject] : [])].flatMap((value) => value.needs),
  )
  const read = await attributesOf(context.kernel, environment.id, source, needs)
  return {
    ...wanted(evaluated(single, read), requested),
    ...evaluated(ofScopes, read),
    ...evaluated(own, read),
    ...subjectClaims(environment, application, source.userId, read),
  }
}

function comesWith({ scopes: known }: Environment, { scopeIds }: ApplicationClaim, scopes: readonly string[]): boolean {
  if (scopeIds === null) return scopes.includes('openid')
  return scopeIds.some((id) => scopes.includes(known.get(id)?.name ?? ''))
}

function evaluated(claims: readonly (MappedClaim | ApplicationClaim)[], read: ReadAttribute): Record<string, unknown> {
  const result = new Map<string, unknown>()
  for (const claim of claims) {
    const value = claim.value.of(read)
    if (value === undefined) {
      if ('required' in claim && claim.required) throw valueMissing()
      continue
    }
    const base = baseOf(claim.name)
    if (base === claim.name) result.set(base, value)
    else result.set(base, { ...(result.get(base) as object | undefined), [claim.name.slice(base.length + 1)]: value })
  }
  return Object.fromEntries(result)
}

/** Of claims that were asked for one by one: those with a value that will do. */
function wanted(available: Readonly<Record<string, unknown>>, requested: readonly RequestedClaim[]) {
  const claims: Record<string, unknown> = {}
  for (const { name, values } of requested) {
    const value = Object.hasOwn(available, name) ? available[name] : undefined
    if (value !== undefined && (!values || values.some((one) => one === value))) claims[name] = value
  }
  return claims
}

/**
 * `sub` as the application has it, and who that is to this server where `sub` does not say so (`p1.userId`). A pairwise
 * subject is not mapped.
 * @throws Problem invalid_request when the user has no value for it
 */
function subjectClaims(
  environment: Environment,
  application: Application,
  userId: string,
  read: ReadAttribute,
): Record<string, string> {
  const subject = subjectFor(environment, application, userId)
  if (!application.subject || subject !== userId) return { sub: subject }
  const mapped = application.subject.of(read)
  if (mapped === undefined) throw valueMissing()
  return { sub: mapped.toString(), 'p1.userId': userId }
}

/** A user for whom nothing is issued, since something that is required would be missing. */
export function valueMissing(): Error {
  return problem('invalid_request', { description: 'the user has no value for a required attribute' })
}
