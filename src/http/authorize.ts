/**
 * Whether an actor may call an operation: the permission that its declaration names, at the environment of the path
 * (platform-api 1.2, 3.21). What no role reaches is 403, whether the environment exists or not (row N02).
 */
import { type Actor, allows, forbidden, populationsAllowed } from '../access/actor.ts'
import { requireRecentAuthentication } from '../access/recent-authentication.ts'
import type { Permission } from '../contract/operation.ts'
import type { Environment } from '../environment/snapshot.ts'
import { invalidToken } from '../errors/problem.ts'
import type { Kernel } from '../kernel.ts'

/**
 * Throws unless the actor may.
 * @param environment the environment of the path; undefined where the path has none, or it does not exist
 * @param params the path parameters as received
 * @throws Problem FORBIDDEN; insufficient_user_authentication; INVALID_TOKEN for a user where only an application may
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
  await requireReach(kernel, permission, actor, environment, params)
  if (permission.recent && isOwn(actor, environment, params)) requireRecentAuthentication(actor, kernel.world.now())
}

function isOwn(actor: Actor, environment: Environment | undefined, params: Readonly<Record<string, string>>): boolean {
  return actor.kind === 'user' && actor.environmentId === environment?.id && actor.userId === params['userId']
}

async function requireReach(
  kernel: Kernel,
  permission: Extract<Permission, { kind: 'role' }>,
  actor: Exclude<Actor, { kind: 'anonymous' }>,
  environment: Environment | undefined,
  params: Readonly<Record<string, string>>,
): Promise<void> {
  const isByScope = actor.kind === 'user' && permission.self !== undefined && actor.scopes.has(permission.self)
  if (isByScope && isOwn(actor, environment, params)) return

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
