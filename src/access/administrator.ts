/**
 * The first administrator: an organization with its licence, an environment, and a worker application that is
 * Organization Admin, all in one unit. Exists once: dev makes it with random credentials, serve with those of
 * STILE_BOOTSTRAP_ADMIN_* and only while no organization exists (row N36: no default credentials, ever).
 */
import { createHash } from 'node:crypto'
import { roleNamed } from './roles.ts'
import type { Kernel } from '../kernel.ts'
import { seal } from '../keys/sealing.ts'
import { insert } from '../storage/operations.ts'
import { firstOrganization } from '../storage/sql/organizations.ts'
import type { ApplicationDocument } from '../environment/application.ts'
import { applicationDefaults, applicationSecretContext } from '../environment/application.ts'
import { coreMapping } from '../environment/application-claims.ts'
import { insertEnvironment, prepareEnvironment } from '../environment/bootstrap.ts'
import type { EnvironmentSettings } from '../environment/settings.ts'

/** The name of the worker application that the first administrator is. */
export const administratorName = 'Administrator'

/** What the first administrator is made from. */
export interface AdministratorRequest {
  readonly organizationName: string
  readonly environmentName: string
  readonly clientId: string
  readonly clientSecret: string
  readonly settings?: EnvironmentSettings
}

/** Whether an organization, and so an administrator, exists. */
export async function administratorExists(kernel: Kernel): Promise<boolean> {
  return (await kernel.storage.read(firstOrganization())).length > 0
}

/**
 * Makes the first administrator.
 * @returns the ids of the organization and of the environment that the worker application lives in
 */
export async function createAdministrator(
  kernel: Kernel,
  request: AdministratorRequest,
): Promise<{ readonly organizationId: string; readonly environmentId: string }> {
  const { world, storage } = kernel
  const now = world.now()
  const organizationId = world.uuid()
  const licenseId = world.uuid()
  const prepared = await prepareEnvironment(kernel, {
    organizationId,
    licenseId,
    name: request.environmentName,
    type: 'SANDBOX',
    region: 'NA',
    now,
    ...(request.settings ? { settings: request.settings } : {}),
  })
  const environmentId = prepared.id
  const document: ApplicationDocument = {
    ...applicationDefaults,
    grantTypes: ['CLIENT_CREDENTIALS'],
    tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
  }
  const scopes = [
    { role: 'Organization Admin', type: 'ORGANIZATION', id: organizationId, environmentId: null },
    { role: 'Environment Admin', type: 'ORGANIZATION', id: organizationId, environmentId: null },
    { role: 'Identity Data Admin', type: 'ENVIRONMENT', id: environmentId, environmentId },
  ]
  await storage.commit({
    name: 'create-administrator',
    *run() {
      yield* insert('organizations', {
        id: organizationId,
        name: request.organizationName,
        type: 'INTERNAL',
        created_at: now,
        updated_at: now,
      })
      yield* insert('licenses', {
        id: licenseId,
        organization_id: organizationId,
        name: 'Stile',
        package: 'OPEN_SOURCE',
        status: 'ACTIVE',
        begins_at: now,
        created_at: now,
      })
      yield* insertEnvironment(prepared)
      yield* insert('applications', {
        environment_id: environmentId,
        id: request.clientId,
        name: administratorName,
        type: 'WORKER',
        enabled: 1,
        document: JSON.stringify(document),
        version: 1,
        created_at: now,
        updated_at: now,
      })
      yield* insert('client_index', { client_id: request.clientId, environment_id: environmentId })
      yield* insert('application_attributes', coreMapping(environmentId, request.clientId, world.uuid(), now))
      yield* insert('application_secrets', {
        environment_id: environmentId,
        application_id: request.clientId,
        sealed: seal(
          prepared.dataKey,
          request.clientSecret,
          applicationSecretContext(environmentId, request.clientId),
          world,
        ),
        hash: createHash('sha256').update(request.clientSecret).digest('base64url'),
        previous_sealed: null,
        previous_hash: null,
        previous_expires_at: null,
        created_at: now,
      })
      for (const scope of scopes) {
        yield* insert('role_assignments', {
          id: world.uuid(),
          environment_id: environmentId,
          actor_type: 'APPLICATION',
          actor_id: request.clientId,
          role_id: roleNamed(scope.role).id,
          scope_type: scope.type,
          scope_id: scope.id,
          scope_environment_id: scope.environmentId,
          read_only: 0,
          created_at: now,
        })
      }
    },
  })
  return { organizationId, environmentId }
}
