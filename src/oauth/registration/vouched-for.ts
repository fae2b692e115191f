/**
 * Whether an address of an application is to be trusted so far that a browser may be sent there before its user has seen
 * anything: RFC 9700 section 4.11.2, row A22. Vouched for are the addresses of applications that an administrator has made,
 * those whose host the policy of the environment lists, those of a client that somebody trusted has signed a statement for,
 * and those on the device of the user, which lead nowhere.
 *
 * Never: an open redirector, for whoever has registered an address for themselves.
 */
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { returnHostOf } from '../../flow-runtime/client-view.ts'
import { mayNameHost } from './registered-client.ts'

/** Whether somebody has vouched for an address that is registered for an application. */
export function isVouchedFor(
  { clientRegistrationPolicy: policy }: Pick<Environment, 'clientRegistrationPolicy'>,
  { document: { registration } }: Pick<Application, 'document'>,
  address: string,
): boolean {
  if (!registration || registration.softwareStatementIssuer !== undefined) return true
  if (policy.redirectHosts !== undefined && mayNameHost(policy, address)) return true
  return returnHostOf(address) === null && /^https?:/i.test(address)
}
