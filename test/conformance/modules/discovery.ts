/** Modules that read what the server says of itself. */
import { expectStatus } from '../../oauth/registrations.ts'
import { vendor } from '../../platform/people.ts'
import * as disc from '../conditions/discovery.ts'
import * as keys from '../conditions/keys.ts'
import { fetchServerKeys, serverConfiguration } from '../suite/relying-party.ts'
import type { Module, Run } from '../suite/run.ts'

/** Reads the document, with what is checked of each answer. */
async function metadataOf(run: Run) {
  const answer = await serverConfiguration(run)
  disc.ensureDiscoveryEndpointResponseStatusCodeIs200(answer)
  disc.checkDiscoveryEndpointReturnedJsonContentType(answer)
  return answer.json
}

/** OIDCCDiscoveryEndpointVerification. */
export const discoveryEndpoint: Module = async (run) => {
  const metadata = await metadataOf(run)
  disc.checkDiscEndpointResponseTypesSupported(metadata, run.variant)
  disc.checkDiscEndpointIssuer(metadata, `${run.suite.stile.issuer}/.well-known/openid-configuration`)
  disc.validateServerMetadataAgainstSchema(metadata)
  run.warns(disc.checkForUnexpectedParametersInServerMetadata, metadata)
  disc.checkDiscEndpointSubjectTypesSupported(metadata)
  disc.checkDiscEndpointIdTokenSigningAlgValuesSupported(metadata)
  disc.checkDiscEndpointUserinfoSigningAlgValuesSupported(metadata)
  disc.checkDiscEndpoints(metadata)
  await fetchServerKeys(run)
  disc.checkDiscEndpointRequestParametersSupported(metadata)
  run.warns(disc.checkDiscEndpointRequestObjectSigningAlgValuesSupportedIncludesRS256, metadata)
  run.warns(disc.checkDiscEndpointClaimsSupported, metadata)
  disc.checkDiscEndpointGrantTypesSupported(metadata, run.variant)
  disc.checkDiscEndpointScopesSupportedContainsOpenId(metadata)
  disc.checkDiscEndpointScopesSupportedSyntax(metadata)
  disc.checkDiscEndpointLocales(metadata)
  disc.checkDiscEndpointAllEndpointsAreHttps(metadata)
  disc.ensureServerConfigurationCodeChallengeMethodsSupportedIsAnArray(metadata)
}

/** The modules of the logout plans that look at the same document. */
const logoutDiscovery =
  (...conditions: readonly ((metadata: Readonly<Record<string, unknown>>) => void)[]): Module =>
  async (run) => {
    const metadata = await metadataOf(run)
    disc.checkDiscEndpointAllEndpointsAreHttps(metadata)
    for (const condition of [...conditions, disc.checkDiscEndSessionEndpoint]) condition(metadata)
  }

export const logoutDiscoveryEndpoint = logoutDiscovery()
export const sessionManagementDiscoveryEndpoint = logoutDiscovery(disc.checkDiscCheckSessionIframe)
export const frontchannelDiscoveryEndpoint = logoutDiscovery((metadata) =>
  disc.checkDiscEndpointLogoutSupported(metadata, 'frontchannel'),
)
export const backchannelDiscoveryEndpoint = logoutDiscovery((metadata) =>
  disc.checkDiscEndpointLogoutSupported(metadata, 'backchannel'),
)

/** OIDCCServerRotateKeys: an administrator rotates the keys between the two looks. */
export const rotateKeys: Module = async (run) => {
  const before = await fetchServerKeys(run)
  await tellUserToRotateOpKeys(run)
  const after = await fetchServerKeys(run)
  keys.verifyNewJwksHasNewSigningKey(before, after)
  run.warns(keys.verifyNewJwksStillHasOldSigningKey, before, after)
}

async function tellUserToRotateOpKeys({ suite: { stile } }: Run): Promise<void> {
  const { _embedded } = expectStatus(await stile.api('GET', '/keyRotationPolicies'), 200)
  const { id } = _embedded.keyRotationPolicies.find((each: { readonly default: boolean }) => each.default)
  const rotated = await stile.api('POST', `/keyRotationPolicies/${id}`, {}, vendor('keyRotationPolicy.rotate'))
  expectStatus(rotated, 200)
}
