/**
 * Signing on at a provider that speaks OAuth 2 alone: the code is redeemed, and a resource of the provider says whose
 * access token it is. The token comes straight from the provider over TLS, for a code that is bound to this client, this
 * address and, with PKCE, this round trip.
 *
 * Never: an access token from anywhere else; an e-mail address taken as verified, which none of these providers vouches
 * for in a signed statement.
 */
import type { ExternalIdentity } from './external-identity.ts'
import { type Claims, subjectFrom } from './id-token-claims.ts'
import type { UpstreamPorts } from './oidc-provider.ts'
import { providerAttributes, providerEmail } from './provider-attributes.ts'
import type { Returned, RoundTrip } from './round-trip.ts'
import { exchangeCode } from './token-exchange.ts'
import type { Upstream } from './upstream.ts'
import { UpstreamRefused } from './upstream-refused.ts'
import { userInformation } from './user-information.ts'

/**
 * Finds out who came back.
 * @param secret the client's secret, in the clear
 * @throws UpstreamRefused
 */
export async function authenticateByOauth(
  { egress, world }: UpstreamPorts,
  upstream: Upstream,
  secret: string,
  trip: RoundTrip,
  { code }: Returned,
): Promise<ExternalIdentity> {
  if (code === undefined) throw new UpstreamRefused('code-missing')
  const { accessToken } = await exchangeCode(egress, world, upstream, secret, trip, code)
  const sources: Claims[] = []
  for (const url of upstream.userInfoEndpoints) sources.push(await userInformation(egress, url, accessToken))
  const { claim, isInteger } = upstream.subject
  const subject = subjectFrom(at(sources[0], claim), isInteger)
  if (subject === undefined) throw new UpstreamRefused('subject-unusable')
  const email = providerEmail(sources)
  return {
    subject,
    email: email && { address: email.address, verified: false },
    attributes: providerAttributes(sources, upstream.aliases),
  }
}

/** The claim at a dotted path. */
function at(claims: Claims | undefined, path: string): unknown {
  return path.split('.').reduce<unknown>((value, member) => {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, member)
    return isObject ? (value as Claims)[member] : undefined
  }, claims)
}
