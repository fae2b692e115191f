/**
 * Whom an application lets in, asked outside a flow: when tokens are issued to it a while after the sign-on (row E07). What
 * it takes is read at use (decision D23), and only where the application has such rules.
 */
import { assignmentsOf } from '../access/bearer.ts'
import { groupIdsOf } from '../directory/groups.ts'
import { filteredUser } from '../directory/user-filter.ts'
import type { User } from '../directory/users.ts'
import type { Application } from '../environment/application.ts'
import { isAdmitted } from '../flow/access-control.ts'
import type { ApplicationFacts } from '../flow/facts.ts'
import type { Kernel } from '../kernel.ts'

/** What a flow may know of the application it was begun for. */
export function applicationFacts({ document }: Pick<Application, 'document'>): ApplicationFacts {
  const { group = null, role } = document.accessControl ?? {}
  return { groupRule: group, administratorsOnly: role?.type === 'ADMIN_USERS_ONLY' }
}

/** Whether a user holds a role of the platform; one read. */
export async function isAdministrator(
  kernel: Pick<Kernel, 'storage'>,
  environmentId: string,
  userId: string,
): Promise<boolean> {
  return (await assignmentsOf(kernel, environmentId, userId)).length > 0
}

/** Whether an application still lets a user in: no read where it lets in everybody, three at most. */
export async function isStillAdmitted(
  kernel: Pick<Kernel, 'storage'>,
  application: Application,
  user: User,
): Promise<boolean> {
  const { environmentId, id: userId } = user
  const rules = applicationFacts(application)
  const isOne = rules.administratorsOnly && (await isAdministrator(kernel, environmentId, userId))
  const ids = rules.groupRule ? await groupIdsOf(kernel, environmentId, userId, filteredUser(user)) : null
  return isAdmitted({ application: rules, groups: { userId, ids }, administrator: { userId, isOne } }, userId)
}
