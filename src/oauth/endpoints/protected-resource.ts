/**
 * Protected resource metadata: RFC 9728 section 2, for every custom resource whose audience is an address. A resource server
 * names this address in its challenge (section 5.1), or serves the document at an address of its own, proxied from here
 * (`docs/how-to/mcp.md`).
 *
 * Never: a built-in resource, or one that is no address: nobody could check that the document is about it (section 3.3).
 */
import { z } from 'zod'
import { defineOperation, type Operation } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { isResourceAddress } from '../../environment/protected-resource.ts'
import { notFound } from '../../errors/problem.ts'

export const protectedResourceOperations: readonly Operation[] = [
  defineOperation({
    id: 'protectedResourceMetadata',
    method: 'GET',
    path: '/{environmentId}/as/.well-known/oauth-protected-resource/{resourceId}',
    surface: 'oauth',
    tag: 'OAuth 2 and OpenID Connect',
    summary: 'Read the metadata of a resource: which tokens it takes, and where to get them',
    source: 'RFC 9728 section 2',
    extension: true,
    permission: { kind: 'public' },
    cors: 'any',
    servesWhenStale: true,
    params: z.object({ environmentId: uuid, resourceId: uuid }),
    replies: {
      200: z.object({
        resource: z.string(),
        resource_name: z.string(),
        authorization_servers: z.array(z.string()),
        scopes_supported: z.array(z.string()),
        bearer_methods_supported: z.array(z.string()),
      }),
    },
    errors: ['NOT_FOUND'],
    handle({ params: { resourceId } }, { environment, site }) {
      const resource = environment.resources.get(resourceId)
      if (resource?.type !== 'CUSTOM' || !isResourceAddress(resource.audience)) throw notFound()
      const scopes = [...environment.scopes.values()].filter((scope) => scope.resourceId === resourceId)
      return {
        status: 200,
        body: {
          resource: resource.audience,
          resource_name: resource.name,
          authorization_servers: [site.issuer],
          scopes_supported: scopes.map(({ name }) => name).toSorted(),
          bearer_methods_supported: ['header'],
        },
        headers: { 'cache-control': 'public, max-age=300', pragma: '' },
      }
    },
  }),
]
