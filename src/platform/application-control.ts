/**
 * Who may change an application, or anything that belongs to it, beyond holding the permission: rows N08 and N10,
 * platform-api 3.21. Whoever changes an application could act as it.
 *
 * - An application that holds roles: only who could give every one of these roles.
 * - A WORKER that people sign on to: its tokens carry the roles of its users (`access/bearer.ts`), so only who may give
 *   roles to applications. A developer could otherwise send an administrator to a worker of their own.
 */
import { requireDominance, requirePermission } from '../access/actor.ts'
import { assignmentsOf } from '../access/bearer.ts'
import type { Context } from '../contract/operation.ts'
import { type ApplicationDocument, applicationDocument } from '../environment/application.ts'
import { notFound } from '../errors/problem.ts'
import { type ApplicationRow, applicationById } from '../storage/sql/applications.ts'

/**
 * Reads an application of the environment.
 * @throws Problem NOT_FOUND
 */
export async function existingApplication({ kernel, environment }: Context, id: string): Promise<ApplicationRow> {
  const [row] = await kernel.storage.read(applicationById(environment.id, id))
  if (!row) throw notFound()
  return row
}

/** Reads the stored document of an application. */
export function documentOf(row: ApplicationRow): ApplicationDocument {
  return applicationDocument(row.document)
}

/**
 * Reads an application that the actor may change.
 * @throws Problem NOT_FOUND or FORBIDDEN
 */
export async function controlledApplication(context: Context, id: string): Promise<ApplicationRow> {
  const row = await existingApplication(context, id)
  const { actor, environment, kernel } = context
  requireDominance(actor, await assignmentsOf(kernel, environment.id, id), environment.organizationId)
  requireControlOfWorker(context, { type: row.type, grantTypes: documentOf(row).grantTypes })
  return row
}

/**
 * Refuses a worker that people sign on to, unless the actor may give roles to applications.
 * @throws Problem FORBIDDEN
 */
export function requireControlOfWorker(
  { actor, environment }: Context,
  { type, grantTypes }: { readonly type: string; readonly grantTypes: ApplicationDocument['grantTypes'] },
): void {
  if (type !== 'WORKER' || grantTypes.every((grant) => grant === 'CLIENT_CREDENTIALS')) return
  const place = { organizationId: environment.organizationId, environmentId: environment.id }
  requirePermission(actor, 'permissions:create:applicationRoleAssignments', place)
}
