/**
 * The client that a request names: by the id of its application, or by the address of its metadata document
 * (`registration/document-client.ts`). The one way in for all endpoints; whatever its `enabled`.
 */
import type { Context } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import type { Application } from '../environment/application.ts'
import type { Environment } from '../environment/snapshot.ts'
import { isAddress } from './registration/client-id-url.ts'
import { documentClient } from './registration/document-client.ts'

/**
 * Finds a client; at once, where it is an application that this node has at hand.
 * @throws Problem LIMITED, UNAVAILABLE when the document of a client would have to be fetched
 */
export function findClient(
  context: Context,
  { id }: Environment,
  clientId: string,
): Application | undefined | Promise<Application | undefined> {
  if (uuid.safeParse(clientId).success) return context.kernel.environments.client(id, clientId)
  return isAddress(clientId) ? documentClient(context, clientId) : undefined
}
