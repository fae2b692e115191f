/** The resources and scopes that an application was granted, out of the snapshot, as the scope rule wants them. */
import type { Application } from '../environment/application.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { GrantedResource } from './rules/scopes.ts'

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
