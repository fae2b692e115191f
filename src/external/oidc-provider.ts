/**
 * Signing on at an OpenID provider: the code is redeemed, the ID token says who it is, the user information may add to
 * it. OpenID Connect Core 3.1, Discovery 4.3, RFC 9207; rows M02 to M07, M11, M23, M24.
 *
 * Never: an identity from anything but a verified ID token.
 */
import type { World } from '../world.ts'
import type { Egress } from './egress.ts'
import type { ExternalIdentity } from './external-identity.ts'
import { subjectFrom } from './id-token-claims.ts'
import { verifyIdToken } from './id-token.ts'
import { providerAttributes, providerEmail } from './provider-attributes.ts'
import type { ProviderDocuments } from './provider-documents.ts'
import type { Returned, RoundTrip } from './round-trip.ts'
import { exchangeCode } from './token-exchange.ts'
import type { Upstream } from './upstream.ts'
import { UpstreamRefused } from './upstream-refused.ts'
import { userInformation } from './user-information.ts'

/** What asking a provider takes. */
export interface UpstreamPorts {
  readonly egress: Egress
  readonly providerDocuments: ProviderDocuments
  readonly world: World
}

const configurationKept = 3_600_000

/**
 * Finds out who came back.
 * @param secret the client's secret, in the clear
 * @throws UpstreamRefused
 */
export async function authenticateByOidc(
  ports: UpstreamPorts,
  upstream: Upstream,
  secret: string,
  trip: RoundTrip,
  { code, issuer: returnedIssuer }: Returned,
): Promise<ExternalIdentity> {
  const { egress, world, providerDocuments: documents } = ports
  const { issuer, jwksEndpoint, userInfoEndpoints, subject, aliases } = upstream
  if (issuer === null || jwksEndpoint === null) throw new UpstreamRefused('issuer-mismatch')
  await requireIssuer(documents, upstream, issuer, returnedIssuer)
  if (code === undefined) throw new UpstreamRefused('code-missing')
  const { accessToken, idToken } = await exchangeCode(egress, world, upstream, secret, trip, code)
  if (idToken === null) throw new UpstreamRefused('id-token-missing')
  const expected = { issuer, clientId: trip.clientId, nonce: trip.nonce, now: world.now(), jwksEndpoint, accessToken }
  const claims = await verifyIdToken(documents, idToken, expected)
  const externalId = subjectFrom(claims['sub'], false)
  if (externalId === undefined) throw new UpstreamRefused('subject-unusable')
  const sources = [claims]
  for (const url of userInfoEndpoints) {
    const information = await userInformation(egress, url, accessToken)
    if (information['sub'] !== claims['sub']) throw new UpstreamRefused('subject-mismatch')
    sources.push(information)
  }
  const named = subject.claim === 'sub' ? externalId : subjectFrom(claims[subject.claim], subject.isInteger)
  if (named === undefined) throw new UpstreamRefused('subject-unusable')
  return { subject: named, email: providerEmail(sources), attributes: providerAttributes(sources, aliases) }
}

/** The issuer as configured, as the provider publishes it, and as it came with the browser, are one. */
async function requireIssuer(
  documents: ProviderDocuments,
  { discoveryEndpoint }: Upstream,
  issuer: string,
  returned: string | undefined,
): Promise<void> {
  if (returned !== undefined && returned !== issuer) throw new UpstreamRefused('issuer-mismatch')
  if (discoveryEndpoint === null) return
  const document = await documents.read(discoveryEndpoint, configurationKept).catch((error: unknown) => {
    throw new UpstreamRefused('provider-unreachable', error)
  })
  if (document['issuer'] !== issuer) throw new UpstreamRefused('issuer-mismatch')
  const isPromised = document['authorization_response_iss_parameter_supported'] === true
  if (isPromised && returned === undefined) throw new UpstreamRefused('issuer-mismatch')
}
