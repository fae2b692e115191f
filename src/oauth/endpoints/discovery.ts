/**
 * Discovery: OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3, authentication-api 2.1. One document at three
 * addresses: under the issuer as OpenID Connect wants it, and with the path of the issuer behind the well-known part, as
 * RFC 8414 section 3.1 wants it, for either name. Each part of the server contributes the lines that it keeps
 * (`metadata.ts`); this is the list of the parts. Never: a line of its own beside the issuer.
 */
import { z } from 'zod'
import { type Context, defineOperation, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { challengeMetadata } from '../authorize/challenge.ts'
import { requestMetadata } from '../authorize/request.ts'
import { responseMetadata } from '../authorize/response.ts'
import { clientAuthenticationMetadata } from '../client-auth/metadata.ts'
import { mtlsAliases, mtlsAliasesOf } from '../client-auth/mtls-metadata.ts'
import { defineMetadata, type Metadata, metadataOf, metadataSchema } from '../metadata.ts'
import { tokenMetadata } from '../token/endpoint.ts'
import { grantMetadata } from '../token/grants/index.ts'
import { refreshTokenMetadata } from '../token/grants/refresh-token.ts'
import { claimMetadata } from '../tokens/claims.ts'
import { idTokenMetadata } from '../tokens/id-token.ts'
import { backchannelMetadata } from './backchannel-authentication.ts'
import { checksessionMetadata } from './checksession.ts'
import { deviceAuthorizationMetadata } from './device-authorization.ts'
import { idpSignoffMetadata } from './idp-signoff.ts'
import { introspectionMetadata } from './introspect.ts'
import { clientDocumentMetadata } from '../registration/document-client.ts'
import { registrationMetadata } from '../registration/register.ts'
import { userinfoResponseMetadata } from '../tokens/userinfo-response.ts'
import { jwksMetadata } from './jwks.ts'
import { parMetadata } from './par.ts'
import { attestationMetadata } from './attestation-challenge.ts'
import { revocationMetadata } from './revoke.ts'
import { signoffMetadata } from './signoff.ts'
import { userinfoMetadata } from './userinfo.ts'

const issuer = defineMetadata({ issuer: z.string() }, (_environment, site) => ({ issuer: site.issuer }))

/** Whoever adds an endpoint, a grant or a rule with lines of its own names it here. */
const parts: readonly Metadata[] = [
  issuer,
  requestMetadata,
  responseMetadata,
  parMetadata,
  attestationMetadata,
  deviceAuthorizationMetadata,
  backchannelMetadata,
  challengeMetadata,
  tokenMetadata,
  grantMetadata,
  clientAuthenticationMetadata,
  userinfoMetadata,
  introspectionMetadata,
  revocationMetadata,
  userinfoResponseMetadata,
  jwksMetadata,
  signoffMetadata,
  idpSignoffMetadata,
  checksessionMetadata,
  idTokenMetadata,
  claimMetadata,
  refreshTokenMetadata,
  registrationMetadata,
  clientDocumentMetadata,
]

const declaration = {
  method: 'GET',
  surface: 'oauth',
  tag: 'OAuth 2 and OpenID Connect',
  permission: { kind: 'public' },
  cors: 'any',
  servesWhenStale: true,
  params: z.object({ environmentId: uuid }),
  replies: { 200: metadataSchema(parts).extend(mtlsAliases) },
  errors: ['NOT_FOUND'],
} as const

function handle(_input: unknown, { environment, site }: Context): Reply {
  const document = metadataOf(parts, environment, site)
  return {
    status: 200,
    body: { ...document, ...mtlsAliasesOf(document, site) },
    headers: { 'cache-control': 'public, max-age=300', pragma: '' },
  }
}

export const discoveryOperations: readonly Operation[] = [
  defineOperation({
    ...declaration,
    id: 'discovery',
    path: '/{environmentId}/as/.well-known/openid-configuration',
    aliases: ['/.well-known/openid-configuration/{environmentId}/as'],
    summary: 'Read the metadata of the authorization server',
    source: 'authentication-api 2.1; OpenID Connect Discovery 1.0 section 4',
    handle,
  }),
  defineOperation({
    ...declaration,
    id: 'authorizationServerMetadata',
    path: '/.well-known/oauth-authorization-server/{environmentId}/as',
    summary: 'Read the metadata of the authorization server, at the address of RFC 8414',
    source: 'RFC 8414 section 3',
    extension: true,
    handle,
  }),
]
