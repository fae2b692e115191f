/**
 * The secret of a custom resource: `~/resources/{id}/secret`. platform-api 3.8 and 3.11; what the resource server proves
 * itself with at the introspection endpoint (authentication-api 2.11).
 */
import { z } from 'zod'
import type { Context } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { resourceSecretContext } from '../environment/resource.ts'
import { notFound } from '../errors/problem.ts'
import { resourceById, resourceSecret } from '../storage/sql/resources.ts'
import type { SecretStore } from '../environment/client-secret.ts'
import { secretOperations } from './client-secret.ts'

/** Where the secrets of resources are. */
export const resourceSecrets: SecretStore = {
  table: 'resource_secrets',
  owner: 'resource_id',
  context: resourceSecretContext,
  read: resourceSecret,
}

/** A resource that came with the environment has no secret. */
async function requireCustomResource({ kernel, environment }: Context, id: string): Promise<void> {
  const [resource] = await kernel.storage.read(resourceById(environment.id, id))
  if (resource?.type !== 'CUSTOM') throw notFound()
}

export const resourceSecretOperations = secretOperations({
  ...resourceSecrets,
  path: '/v1/environments/{environmentId}/resources/{resourceId}/secret',
  params: z.object({ environmentId: uuid, resourceId: uuid }),
  tag: 'Resource secret',
  source: 'platform-api 3.8, 3.11',
  what: 'a custom resource',
  ids: { read: 'readResourceSecret', rotate: 'rotateResourceSecret', forget: 'forgetPreviousResourceSecret' },
  permissions: { read: 'resources:read:secret', update: 'resources:update:secret' },
  events: {
    read: 'RESOURCE_SECRET.READ',
    rotated: 'RESOURCE_SECRET.ROTATED',
    forgotten: 'RESOURCE_SECRET.PREVIOUS_REMOVED',
  },
  subject: 'RESOURCE',
  place: (id) => `resources/${id}`,
  idOf: ({ resourceId }) => resourceId,
  requireControl: requireCustomResource,
  change: () => ({ kind: 'snapshot' }),
})
