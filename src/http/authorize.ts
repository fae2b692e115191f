/**
 * Whether an actor may call an operation: the permission that its declaration names, at the environment of the path
 * (platform-api 1.2, 3.21). What no role reaches is 403, whether the environment exists or not (row N02).
 */
import { type Actor, allows, forbidden, populationsAllowed } from '../access/actor.ts'
import type { Permission } from '../contract/operation.ts'
import type { Environment } from '../environment/snapshot.ts'
import { invalidToken } from '../errors/problem.ts'
import type { Kernel } from '../kernel.ts'

/**
 * Throws unless the actor may.
 * @param environment the environment of the path; undefined where the path has none, or it does not exist
 * @param params the path parameters as received
 * @throws Problem FORBIDDEN; INVALID_TOKEN for a user where only an application may
 */
export async function authorize(
  kernel: Kernel,
  permission: Extract<Permission, { kind: 'role' }>,
  actor: Actor,
  environment: Environment | undefined,
  params: Readonly<Record<string, string>>,
): Promise<void> {
  if (actor.kind === 'anonymous') throw forbidden()
  if (actor.kind === 'user' && permission.applicationOnly) throw invalidToken('the token is not valid here')
  const isOwn = actor.kind === 'user' && actor.environmentId === environment?.id && actor.userId === params['userId']
  if (isOwn && permission.self && actor.scopes.has(permission.self)) return

  const home = environment ?? (await kernel.environments.get(actor.environmentId))
  const organizationId = home?.organizationId ?? ''
  const environmentId = params['environmentId']
  const place = environmentId === undefined ? { organizationId } : { organizationId, environmentId }
  if (permission.population) {
    const populations = populationsAllowed(actor, permission.permission, place)
    if (populations === 'all' || populations.length > 0) return
  } else if (allows(actor, permission.permission, place)) return
  throw forbidden()
}
