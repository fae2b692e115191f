/**
 * Authentication of the server of a custom resource, which introspects tokens for its audience: by the id of the resource,
 * its secret, and the method that the resource says (platform-api 3.11, authentication-api 2.11).
 */
import type { Context } from '../../contract/operation.ts'
import type { Resource } from '../../environment/resource.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { auditingRefusals, clientRefused } from './authenticate.ts'
import { secretMatches } from './client-secret.ts'
import type { ClientCredentials } from './credentials.ts'

/**
 * Authenticates a resource server; a refusal is audited as that of a client.
 * @returns undefined when the id is no custom resource's
 * @throws Problem invalid_client
 */
export async function authenticateResource(
  context: Context,
  environment: Environment,
  credentials: ClientCredentials,
): Promise<Resource | undefined> {
  const resource = environment.resources.get(credentials.clientId)
  if (resource?.type !== 'CUSTOM') return undefined
  return auditingRefusals(context, environment, credentials, async () => {
    if ('secret' in credentials && !secretMatches(resource, credentials.secret, context.now)) {
      throw clientRefused(credentials)
    }
    if (resource.introspectEndpointAuthMethod !== credentials.method) {
      throw clientRefused(credentials, 'Unsupported authentication method')
    }
    return resource
  })
}
