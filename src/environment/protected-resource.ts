/**
 * PURE: which custom resources are protected resources of RFC 9728: those whose audience is the address of the resource
 * server. Section 1.2 wants https; http is for a loopback host, where a resource server is being written.
 */
import { webAddressProblem } from './registered-urls.ts'

/** Whether an audience is the address of a resource server. */
export function isResourceAddress(audience: string | null | undefined): audience is string {
  return audience != null && !audience.includes('#') && webAddressProblem(audience, true) === undefined
}
