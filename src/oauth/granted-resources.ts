/** The resources and scopes that an application was granted, out of the snapshot, as the scope rule wants them. */
import type { Application } from '../environment/application.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { Target } from './rules/resource-indicators.ts'
import type { GrantedResource } from './rules/scopes.ts'

/** Whether one token for the application may serve several resources. */
export function mayServeMany({ document }: Application): boolean {
  return document.echoed['requestScopesForMultipleResourcesEnabled'] === true
}

/**
 * The ids of scopes that a request was granted by their names, found where `grantScopes` finds them: in the first resource
 * that has one of the name; where resources are named, in each of these.
 */
export function scopeIdsOf(
  { resources, scopes }: Environment,
  { grants }: Application,
  names: readonly string[],
  { resources: named, platformAudience }: Target,
): readonly string[] {
  const serves = (resourceId: string) => {
    const { type, audience } = resources.get(resourceId) ?? {}
    if (named.length === 0 || type === 'OPENID_CONNECT') return true
    return named.includes((type === 'PINGONE_API' ? platformAudience : audience) ?? '')
  }
  const granted = grants
    .filter(({ resourceId }) => serves(resourceId))
    .flatMap(({ scopeIds }) => scopeIds.map((id) => scopes.get(id)))
  // `openid` itself is never granted explicitly.
  const own = [...scopes.values()].find(
    ({ name, resourceId }) => name === 'openid' && resources.get(resourceId)?.type === 'OPENID_CONNECT',
  )
  return names.flatMap((name) => {
    const found = name === 'openid' ? [own] : granted.filter((candidate) => candidate?.name === name)
    const ids = found.flatMap((scope) => scope?.id ?? [])
    if (ids.length === 0) throw new Error('a scope was granted that there is not')
    return named.length === 0 ? ids.slice(0, 1) : ids
  })
}

const known = new WeakMap<
  Application,
  { readonly environment: Environment; readonly resources: readonly GrantedResource[] }
>()

/** Resolves grants to names; remembered as long as neither the application nor the snapshot changes. */
export function grantedResources(environment: Environment, application: Application): readonly GrantedResource[] {
  const before = known.get(application)
  if (before?.environment === environment) return before.resources
  const resources: GrantedResource[] = []
  for (const grant of application.grants) {
    const resource = environment.resources.get(grant.resourceId)
    if (!resource) continue
    const scopes = grant.scopeIds.map((id) => environment.scopes.get(id)?.name).filter((name) => name !== undefined)
    resources.push({
      type: resource.type,
      audience: resource.audience,
      accessTokenSeconds: resource.accessTokenSeconds,
      scopes,
    })
  }
  known.set(application, { environment, resources })
  return resources
}
