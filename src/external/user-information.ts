/** What a provider says of whoever an access token is of: OpenID Connect Core 5.3, and the likes of it with OAuth 2. */
import type { Egress } from './egress.ts'
import type { Claims } from './id-token-claims.ts'
import { UpstreamRefused } from './upstream-refused.ts'

const maximumBytes = 256 * 1024

/**
 * Asks for the claims of the token's owner.
 * @throws UpstreamRefused when what comes is not a JSON object: signed answers are not read
 */
export async function userInformation(egress: Egress, url: string, accessToken: string): Promise<Claims> {
  const headers = { accept: 'application/json', authorization: `Bearer ${accessToken}` }
  try {
    const answer = await egress({ method: 'GET', url, headers, maximumBytes })
    const claims: unknown = answer.status === 200 ? JSON.parse(answer.body.toString('utf8')) : null
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return { ...claims }
  } catch (error) {
    throw new UpstreamRefused('provider-unreachable', error)
  }
  throw new UpstreamRefused('provider-unreachable')
}
