/**
 * The client of an authorization request, and whether an answer may go where the request says: RFC 6749 sections 3.1.2 and
 * 4.1.2.1, decisions D10 and D13. The rule itself is `rules/redirect-uri.ts`.
 */
import { eventOrigin } from '../../contract/event-origin.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import { eventRow } from '../../events/record.ts'
import { findClient } from '../find-client.ts'
import type { RequestParameters } from '../parameters.ts'
import { redirectUriAllowed } from '../rules/redirect-uri.ts'
import { readReturnPath } from './request.ts'
import { isCodeAlone } from './response.ts'

/** Finds the client of a request: one id, known, enabled. */
export async function readClient(
  context: Context,
  { values, repeated }: RequestParameters,
): Promise<Application | undefined> {
  const id = values['client_id']
  if (id === undefined || repeated.includes('client_id')) return undefined
  const found = findClient(context, context.environment, id)
  const application = found instanceof Promise ? await found : found
  return application?.enabled ? application : undefined
}

/** Whether an answer may go where the request says; with `pi.flow` it need not say anything. */
export function returnPathAllowed(client: Application, { values, repeated }: RequestParameters): boolean {
  if (repeated.includes('redirect_uri')) return false
  const { redirectUri, mode, type } = readReturnPath(values, repeated)
  if (redirectUri === null) return mode === 'pi.flow'
  const { redirectUris, allowWildcardInRedirectUris } = client.document
  const codeWithPkce = isCodeAlone(type) && values['code_challenge'] !== undefined
  const registration = { redirectUris, native: client.type === 'NATIVE_APP', wildcards: allowWildcardInRedirectUris }
  return redirectUriAllowed(registration, redirectUri, codeWithPkce)
}

/** Tells the audit log of an address that is not the client's. */
export function auditRejectedRedirect(context: Context, client: Application): void {
  const event = { action: 'REDIRECT.REJECTED', result: 'FAILED', clientId: client.id } as const
  context.kernel.volumeEvents.add(eventRow(eventOrigin(context, context.environment.id), event))
}
