/**
 * Client metadata: what a client says of itself (RFC 7591 section 2, OpenID Connect Dynamic Client Registration 1.0
 * section 2), and how it lies in an application, both ways and nowhere else. A member is one line of the table below;
 * those that depend on each other or on the policy (`grant_types`, `scope` …) are in `registered-client.ts`.
 *
 * Members that are not understood are left out, and the answer says so by not holding them (RFC 7591 section 2).
 * Never: a name that could be read in two directions, or as a line of a log.
 */
import { z } from 'zod'
import type { ApplicationDocument, ClientRegistration } from '../../environment/application.ts'
import { applicationTokenMembers, responseAlgorithms } from '../../environment/application-tokens.ts'
import { clientSecurity } from '../../environment/client-security.ts'
import { problem } from '../../errors/problem.ts'

/** What a member changes in an application. */
interface Part {
  readonly document?: Partial<ApplicationDocument>
  readonly registration?: Partial<ClientRegistration>
}

/** A member of the metadata, its type erased. */
interface Member {
  readonly name: string
  /** Where an application has it. */
  readonly member: string
  readonly schema: z.ZodType
  readonly read: (document: ApplicationDocument) => unknown
  readonly write: (value: never) => Part
}

const address = z.string().min(1).max(2048)
const addresses = z.array(address).max(100)
const shortText = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Zl}\p{Zp}]+$/u, 'must not hold control or direction characters')
/** The name of an application has the name and the end of the id. */
const clientName = shortText.max(100).refine((text) => text.trim() !== '', 'must not be blank')

/** A member that is kept as it is sent, in the document of the application. */
function kept<K extends keyof ApplicationDocument>(name: string, member: K, schema: z.ZodType<ApplicationDocument[K]>) {
  const write = (value: ApplicationDocument[K]): Part => ({ document: { [member]: value } })
  return { name, member, schema, read: (document: ApplicationDocument) => document[member], write } satisfies Member
}

/** A member that says how the client proves who it is, with the schema that administrators write it by. */
function security<K extends keyof typeof clientSecurity>(name: string, member: K) {
  return kept(name, member, clientSecurity[member] as z.ZodType<ApplicationDocument[K]>)
}

/** A member that says what the answers to a client are like, with the schema that administrators write it by. */
function answer<K extends Exclude<keyof typeof applicationTokenMembers, 'signing' | 'includeX5t'>>(
  name: string,
  member: K,
) {
  return kept(name, member, applicationTokenMembers[member] as z.ZodType<ApplicationDocument[K]>)
}

/** A member that means nothing to an application that administrators make. */
function own<K extends keyof ClientRegistration>(name: string, member: K, schema: z.ZodType<ClientRegistration[K]>) {
  const write = (value: ClientRegistration[K]): Part => ({ registration: { [member]: value } })
  return {
    name,
    member,
    schema,
    read: ({ registration }: ApplicationDocument) => registration?.[member],
    write,
  } satisfies Member
}

/** Userinfo as plain JSON, as discovery names it; there is no JWT without a signature. */
const unsignedUserinfo = 'none'

const members: readonly Member[] = [
  kept('redirect_uris', 'redirectUris', addresses),
  own('client_name', 'clientName', clientName),
  kept('client_uri', 'homePageUrl', address),
  {
    name: 'logo_uri',
    member: 'icon',
    schema: address,
    read: ({ icon }) => icon?.href,
    write: (href: string) => ({ document: { icon: { id: 'logo_uri', href } } }),
  },
  kept('policy_uri', 'policyUri', address),
  kept('tos_uri', 'tosUri', address),
  own('contacts', 'contacts', z.array(shortText).max(20)),
  own('software_id', 'softwareId', shortText),
  own('software_version', 'softwareVersion', shortText),
  answer('sector_identifier_uri', 'sectorIdentifierUri'),
  answer('subject_type', 'subjectType'),
  answer('id_token_signed_response_alg', 'idTokenSignedResponseAlg'),
  answer('id_token_encrypted_response_alg', 'idTokenEncryptedResponseAlg'),
  answer('id_token_encrypted_response_enc', 'idTokenEncryptedResponseEnc'),
  {
    name: 'userinfo_signed_response_alg',
    member: 'userinfoSignedResponseAlg',
    schema: z.enum([...responseAlgorithms, unsignedUserinfo]),
    read: ({ userinfoSignedResponseAlg }) => userinfoSignedResponseAlg,
    write: (algorithm: (typeof responseAlgorithms)[number] | typeof unsignedUserinfo) =>
      algorithm === unsignedUserinfo ? {} : { document: { userinfoSignedResponseAlg: algorithm } },
  },
  answer('userinfo_encrypted_response_alg', 'userinfoEncryptedResponseAlg'),
  answer('userinfo_encrypted_response_enc', 'userinfoEncryptedResponseEnc'),
  answer('authorization_signed_response_alg', 'authorizationSignedResponseAlg'),
  answer('authorization_encrypted_response_alg', 'authorizationEncryptedResponseAlg'),
  answer('authorization_encrypted_response_enc', 'authorizationEncryptedResponseEnc'),
  kept('jwks_uri', 'jwksUrl', address),
  {
    name: 'jwks',
    member: 'jwks',
    schema: z.looseObject({}),
    read: ({ jwks }) => (jwks === undefined ? undefined : (JSON.parse(jwks) as unknown)),
    write: (keys: object) => ({ document: { jwks: JSON.stringify(keys) } }),
  },
  kept('initiate_login_uri', 'initiateLoginUri', address),
  kept('post_logout_redirect_uris', 'postLogoutRedirectUris', addresses),
  {
    name: 'require_pushed_authorization_requests',
    member: 'parRequirement',
    schema: z.boolean(),
    read: ({ parRequirement }) => (parRequirement === 'REQUIRED' ? true : undefined),
    write: (isRequired: boolean) => ({ document: { parRequirement: isRequired ? 'REQUIRED' : 'OPTIONAL' } }),
  },
  kept('frontchannel_logout_uri', 'frontchannelLogoutUri', address),
  kept('frontchannel_logout_session_required', 'frontchannelLogoutSessionRequired', z.boolean()),
  kept('backchannel_logout_uri', 'backchannelLogoutUri', address),
  kept('backchannel_logout_session_required', 'backchannelLogoutSessionRequired', z.boolean()),
  kept('request_uris', 'requestUris', addresses),
  {
    name: 'require_signed_request_object',
    member: 'requireSignedRequestObject',
    schema: z.boolean(),
    read: ({ requireSignedRequestObject }) => requireSignedRequestObject || undefined,
    write: (requireSignedRequestObject: boolean) => ({ document: { requireSignedRequestObject } }),
  },
  security('request_object_signing_alg', 'requestObjectSigningAlg'),
  security('token_endpoint_auth_signing_alg', 'tokenEndpointAuthSigningAlg'),
  security('tls_client_auth_subject_dn', 'tlsClientAuthSubjectDn'),
  security('tls_client_auth_san_dns', 'tlsClientAuthSanDns'),
  security('tls_client_auth_san_uri', 'tlsClientAuthSanUri'),
  security('tls_client_auth_san_ip', 'tlsClientAuthSanIp'),
  security('tls_client_auth_san_email', 'tlsClientAuthSanEmail'),
  security('tls_client_certificate_bound_access_tokens', 'tlsClientCertificateBoundAccessTokens'),
  security('dpop_bound_access_tokens', 'dpopBoundAccessTokens'),
]

/** Members whose values depend on each other, as they were sent. */
const dependent = z.object({
  application_type: z.enum(['web', 'native']).optional(),
  grant_types: z.array(z.string().max(200)).max(20).optional(),
  response_types: z.array(z.string().max(200)).max(20).optional(),
  token_endpoint_auth_method: z.string().max(200).optional(),
  scope: z.string().max(8192).optional(),
})

/** Metadata as a client sent it. */
export interface ClientMetadata extends z.output<typeof dependent> {
  readonly document: Partial<ApplicationDocument>
  readonly registration: ClientRegistration
}

const sent = z.object({
  ...dependent.shape,
  ...Object.fromEntries(members.map(({ name, schema }) => [name, schema.optional()])),
})

/** What a client may send, for the reference. */
export const clientMetadataRequest = sent.extend({ software_statement: z.string().max(16_384).optional() })

/**
 * Reads what a client says of itself.
 * @param said the members as parsed; null is the same as absent (RFC 7592 section 2.2)
 * @throws Problem invalid_redirect_uri, invalid_client_metadata naming the member
 */
export function readClientMetadata(said: Readonly<Record<string, unknown>>): ClientMetadata {
  const present = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null))
  const read = sent.safeParse(present)
  if (!read.success) {
    const [issue] = read.error.issues
    throw metadataProblem((issue?.path ?? []).map(String), issue?.message ?? '')
  }
  const values: Readonly<Record<string, unknown>> = read.data
  let document: Partial<ApplicationDocument> = {}
  let registration: ClientRegistration = {}
  for (const { name, write } of members) {
    if (values[name] === undefined) continue
    const part = write(values[name] as never)
    document = { ...document, ...part.document }
    registration = { ...registration, ...part.registration }
  }
  return { ...dependent.parse(values), document, registration }
}

/** What an application says of itself: the members of the table that it has. */
export function writeClientMetadata(document: ApplicationDocument): Readonly<Record<string, unknown>> {
  const values = members.map(({ name, read }) => [name, read(document)] as const)
  return Object.fromEntries(
    values.filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  )
}

/** The name under which a member of an application is sent, for errors. @param target with its place, `redirectUris.0` */
export function metadataName(target: string): string {
  const [member = '', ...place] = target.split('.')
  const found = members.find((candidate) => candidate.member === member)
  return [found?.name ?? snakeCase(member), ...place].join('.')
}

function snakeCase(member: string): string {
  return member.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** The failure of a member (RFC 7591 section 3.2.2). @param path the names that lead to it */
export function metadataProblem(path: readonly string[], message: string): Error {
  const isRedirect = path[0] === 'redirect_uris'
  const description = path.length === 0 ? message : `${path.join('.')}: ${message}`
  return problem(isRedirect ? 'invalid_redirect_uri' : 'invalid_client_metadata', { description })
}
