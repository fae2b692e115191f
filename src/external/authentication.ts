/** Finding out who came back from an identity provider, whichever protocol it speaks. */
import { authenticateByOauth } from './oauth-provider.ts'
import { authenticateByOidc, type UpstreamPorts } from './oidc-provider.ts'
import type { ExternalIdentity } from './external-identity.ts'
import type { Returned, RoundTrip } from './round-trip.ts'
import type { Upstream } from './upstream.ts'
import { UpstreamRefused } from './upstream-refused.ts'

/**
 * Ends a round trip.
 * @param secret the client's secret, in the clear
 * @throws UpstreamRefused
 */
export async function authenticateExternally(
  ports: UpstreamPorts,
  upstream: Upstream,
  secret: string,
  trip: RoundTrip,
  returned: Returned,
): Promise<ExternalIdentity> {
  if (returned.error !== undefined) throw new UpstreamRefused('provider-error')
  return upstream.protocol === 'oidc'
    ? authenticateByOidc(ports, upstream, secret, trip, returned)
    : authenticateByOauth(ports, upstream, secret, trip, returned)
}
