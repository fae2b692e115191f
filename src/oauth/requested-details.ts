/**
 * What a request asks for in detail: `authorization_details` beside `scope`, wherever a user is going to be asked. RFC 9396
 * sections 3 and 5.
 *
 * Never: a type that the application may not ask for, or one that its user would not be shown.
 */
import type { Application } from '../environment/application.ts'
import type { Environment } from '../environment/snapshot.ts'
import { problem } from '../errors/problem.ts'
import { type AuthorizationDetail, readAuthorizationDetails } from './rules/authorization-details.ts'

/**
 * Reads and judges the parameter.
 * @param text the parameter as it came, if it did
 * @throws Problem invalid_authorization_details
 */
export function requestedDetails(
  { settings }: Environment,
  { document: { authorizationDetailsTypes = [], requireConsent } }: Application,
  text: string | undefined,
): readonly AuthorizationDetail[] {
  if (text === undefined) return []
  const allowed = requireConsent === true ? authorizationDetailsTypes : []
  const read = readAuthorizationDetails(text, settings.authorizationDetailsTypes, allowed)
  if ('refused' in read) throw problem('invalid_authorization_details', { description: read.refused })
  return read.details
}
