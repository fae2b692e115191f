/** Conditions on the discovery document, each by the name of its class in the suite (without OIDCC before it). */
import assert from 'node:assert/strict'
import type { Answer } from '../../harness/stile.ts'
import type { Variant } from '../suite/variants.ts'

type Metadata = Readonly<Record<string, unknown>>

/** What the document may hold: OpenID Discovery, RFC 8414 and their extensions in the registry of IANA. */
const known =
  `issuer authorization_endpoint token_endpoint userinfo_endpoint jwks_uri registration_endpoint scopes_supported
  response_types_supported response_modes_supported grant_types_supported acr_values_supported subject_types_supported
  id_token_signing_alg_values_supported id_token_encryption_alg_values_supported id_token_encryption_enc_values_supported
  userinfo_signing_alg_values_supported userinfo_encryption_alg_values_supported userinfo_encryption_enc_values_supported
  request_object_signing_alg_values_supported request_object_encryption_alg_values_supported
  request_object_encryption_enc_values_supported token_endpoint_auth_methods_supported
  token_endpoint_auth_signing_alg_values_supported display_values_supported claim_types_supported claims_supported
  service_documentation claims_locales_supported ui_locales_supported claims_parameter_supported request_parameter_supported
  request_uri_parameter_supported require_request_uri_registration op_policy_uri op_tos_uri revocation_endpoint
  revocation_endpoint_auth_methods_supported revocation_endpoint_auth_signing_alg_values_supported introspection_endpoint
  introspection_endpoint_auth_methods_supported introspection_endpoint_auth_signing_alg_values_supported
  introspection_signing_alg_values_supported introspection_encryption_alg_values_supported
  introspection_encryption_enc_values_supported code_challenge_methods_supported signed_metadata device_authorization_endpoint
  tls_client_certificate_bound_access_tokens mtls_endpoint_aliases require_signed_request_object
  pushed_authorization_request_endpoint require_pushed_authorization_requests authorization_signing_alg_values_supported
  authorization_encryption_alg_values_supported authorization_encryption_enc_values_supported
  authorization_response_iss_parameter_supported check_session_iframe end_session_endpoint frontchannel_logout_supported
  frontchannel_logout_session_supported backchannel_logout_supported backchannel_logout_session_supported
  backchannel_authentication_endpoint backchannel_token_delivery_modes_supported
  backchannel_authentication_request_signing_alg_values_supported backchannel_user_code_parameter_supported
  dpop_signing_alg_values_supported authorization_details_types_supported prompt_values_supported
  client_attestation_signing_alg_values_supported client_attestation_pop_signing_alg_values_supported
  authorization_challenge_endpoint client_id_metadata_document_supported`.split(/\s+/)

/** An array that holds only texts, and at least what is asked for. */
function validateArray(metadata: Metadata, name: string, ...wanted: readonly string[]): void {
  const values = metadata[name]
  assert.ok(Array.isArray(values) && values.every((value) => typeof value === 'string'), name)
  for (const each of wanted) assert.ok(values.includes(each), `${name}: ${each}`)
}

/** Words in any order are the same response type. */
const inOrder = (responseType: string) => responseType.split(' ').toSorted().join(' ')

function requireHttps(metadata: Metadata, name: string): void {
  assert.equal(new URL(String(metadata[name])).protocol, 'https:', name)
}

export function ensureDiscoveryEndpointResponseStatusCodeIs200({ status }: Answer): void {
  assert.equal(status, 200)
}

export function checkDiscoveryEndpointReturnedJsonContentType({ headers }: Answer): void {
  assert.match(headers.get('content-type') ?? '', /^application\/json(;|$)/)
}

/** OIDCCCheckDiscEndpointResponseTypesSupported, and what a server for dynamic clients has to support beside it. */
export function checkDiscEndpointResponseTypesSupported(metadata: Metadata, { registration }: Variant): void {
  validateArray(metadata, 'response_types_supported')
  const types = (metadata['response_types_supported'] as string[]).map(inOrder)
  const demanded = registration === 'dynamic_client' ? ['code', 'id_token', 'id_token token'] : ['code']
  for (const type of demanded) assert.ok(types.includes(type), type)
}

export function checkDiscEndpointIssuer(metadata: Metadata, discoveryUrl: string): void {
  assert.equal(discoveryUrl, `${String(metadata['issuer'])}/.well-known/openid-configuration`)
  const { search, hash } = new URL(String(metadata['issuer']))
  assert.equal(search + hash, '')
  requireHttps(metadata, 'issuer')
}

export function checkForUnexpectedParametersInServerMetadata(metadata: Metadata): void {
  assert.deepEqual(
    Object.keys(metadata).filter((name) => !known.includes(name)),
    [],
  )
}

/** ValidateServerMetadataAgainstSchema: what is required is there, and lists are lists. */
export function validateServerMetadataAgainstSchema(metadata: Metadata): void {
  for (const name of Object.keys(metadata)) {
    if (/_(values|types|modes|methods|algs)_supported$/.test(name)) validateArray(metadata, name)
    if (/_(parameter|session)_supported$/.test(name)) assert.equal(typeof metadata[name], 'boolean', name)
  }
}

export function checkDiscEndpointSubjectTypesSupported(metadata: Metadata): void {
  validateArray(metadata, 'subject_types_supported')
  const types = metadata['subject_types_supported'] as string[]
  assert.ok(types.length > 0 && types.every((type) => ['public', 'pairwise'].includes(type)))
}

export function checkDiscEndpointIdTokenSigningAlgValuesSupported(metadata: Metadata): void {
  validateArray(metadata, 'id_token_signing_alg_values_supported', 'RS256')
}

export function checkDiscEndpointUserinfoSigningAlgValuesSupported(metadata: Metadata): void {
  validateArray(metadata, 'userinfo_signing_alg_values_supported')
}

/** CheckDiscEndpointAuthorizationEndpoint and the others, each of them. */
export function checkDiscEndpoints(metadata: Metadata): void {
  const names = ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'registration_endpoint', 'jwks_uri']
  for (const name of names) requireHttps(metadata, name)
}

export function checkDiscEndpointAllEndpointsAreHttps(metadata: Metadata): void {
  const names = Object.keys(metadata).filter((name) => name.endsWith('_endpoint'))
  assert.ok(names.length > 0)
  for (const name of names) requireHttps(metadata, name)
}

/** INFO in the suite: what we say is asserted all the same. */
export function checkDiscEndpointRequestParametersSupported(metadata: Metadata): void {
  const names = ['request_parameter_supported', 'request_uri_parameter_supported', 'claims_parameter_supported']
  for (const name of names) assert.equal(metadata[name], true, name)
}

export function checkDiscEndpointRequestObjectSigningAlgValuesSupportedIncludesRS256(metadata: Metadata): void {
  validateArray(metadata, 'request_object_signing_alg_values_supported', 'RS256')
}

export function checkDiscEndpointClaimsSupported(metadata: Metadata): void {
  validateArray(metadata, 'claims_supported')
}

export function checkDiscEndpointGrantTypesSupported(metadata: Metadata, { registration }: Variant): void {
  const demanded = registration === 'dynamic_client' ? ['authorization_code', 'implicit'] : ['authorization_code']
  validateArray(metadata, 'grant_types_supported', ...demanded)
}

export function checkDiscEndpointScopesSupportedContainsOpenId(metadata: Metadata): void {
  validateArray(metadata, 'scopes_supported', 'openid')
}

/** RFC 6749 section 3.3. */
export function checkDiscEndpointScopesSupportedSyntax(metadata: Metadata): void {
  for (const scope of metadata['scopes_supported'] as string[]) assert.match(scope, /^[\x21\x23-\x5b\x5d-\x7e]+$/)
}

/** BCP 47, in its canonical form. */
export function checkDiscEndpointLocales(metadata: Metadata): void {
  for (const name of ['ui_locales_supported', 'claims_locales_supported']) {
    const tags = (metadata[name] ?? []) as string[]
    assert.deepEqual(Intl.getCanonicalLocales(tags), tags, name)
  }
}

export function ensureServerConfigurationCodeChallengeMethodsSupportedIsAnArray(metadata: Metadata): void {
  validateArray(metadata, 'code_challenge_methods_supported')
}

export function checkDiscEndSessionEndpoint(metadata: Metadata): void {
  requireHttps(metadata, 'end_session_endpoint')
}

export function checkDiscCheckSessionIframe(metadata: Metadata): void {
  requireHttps(metadata, 'check_session_iframe')
}

/** CheckDiscEndpointBackchannelLogoutSupported, …FrontchannelLogoutSupported, and those of sessions. */
export function checkDiscEndpointLogoutSupported(metadata: Metadata, channel: 'backchannel' | 'frontchannel'): void {
  assert.equal(metadata[`${channel}_logout_supported`], true)
  assert.equal(metadata[`${channel}_logout_session_supported`], true)
}
