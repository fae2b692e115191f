/** What url-inputs.ts must not miss: members of requests that may hold an address, and files of the server that ask. */
import { readFile } from 'node:fs/promises'

interface Schema {
  readonly type?: string
  readonly $ref?: string
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly requestBody?: Body }>>>>
}
interface Body {
  readonly content: Readonly<Record<string, { readonly schema?: Schema }>>
}

const namesAnAddress = /(?:ur[il]s?|endpoint|href|host|link|issuer|icon)$/i

/** The members of all requests that have the name of an address; those of an object in dotted form. */
export async function addressMembers(): Promise<ReadonlySet<string>> {
  const document = JSON.parse(await readFile('openapi.json', 'utf8')) as Document
  const found = new Set<string>()
  function look(schema: Schema, name: string, above: readonly Schema[]): void {
    if (above.includes(schema)) return
    const inside = [...above, schema]
    if (schema.$ref !== undefined) return look(referred(document, schema.$ref), name, inside)
    for (const each of [...(schema.oneOf ?? []), ...(schema.anyOf ?? []), ...(schema.allOf ?? [])]) {
      look(each, name, inside)
    }
    if (schema.items) look(schema.items, name, inside)
    if (schema.type === 'string' && namesAnAddress.test(name)) found.add(name)
    for (const [member, each] of Object.entries(schema.properties ?? {})) {
      look(each, name === '' ? member : `${name}.${member}`, inside)
    }
  }
  for (const operation of Object.values(document.paths).flatMap((each) => Object.values(each))) {
    for (const { schema } of Object.values(operation.requestBody?.content ?? {})) if (schema) look(schema, '', [])
  }
  return found
}

function referred(document: object, reference: string): Schema {
  const steps = reference.split('/').slice(1)
  return steps.reduce<unknown>((at, step) => (at as Readonly<Record<string, unknown>>)[step], document) as Schema
}

/** Addresses that browsers are sent to, or that are compared and no more. */
export const askedByNobody: ReadonlySet<string> = new Set(
  `redirect_uri post_logout_redirect_uri redirect_uris post_logout_redirect_uris redirectUris postLogoutRedirectUris
  client_uri policy_uri tos_uri policyUri tosUri initiate_login_uri initiateLoginUri frontchannel_logout_uri
  frontchannelLogoutUri tls_client_auth_san_uri tlsClientAuthSanUri loginPageUrl homePageUrl targetLinkUri
  deviceCustomVerificationUri authorizationEndpoint registration.external.href photo.href icon loginButtonIcon.href
  billOfMaterials.products.console.href billOfMaterials.products.bookmarks.href products.console.href
  products.bookmarks.href softwareStatements.trustedIssuers.issuer
  clientAttestation.attesters.issuer request_uri`.split(/\s+/),
)

/** What a file does that asks, or has something asked. */
export const asks =
  /\begress\(|ocuments\.read\(|\bpictures\.read\(|\bresolveMailHost\(|\bcreateTransport\(|lientTokens\.token\(|\basked\(egress|\bask(?:Custom)?Provider\(|\baskWebhook\(|\bexchangeCode\(|\buserInformation\(/

/** The files that ask, by the names of the inputs that say where. */
export const askingFiles: Readonly<Record<string, RegExp | 'nobody outside says where'>> = {
  'delivery/apns.ts': 'nobody outside says where',
  'delivery/ask-provider.ts': /^(?:requests|authentication)/,
  'delivery/email.ts': /^(?:host|requests.*email)/,
  'delivery/fcm.ts': /^token_uri/,
  'delivery/phone.ts': /^requests.*phone/,
  'delivery/send-logout-token.ts': /^backchannel/,
  'delivery/syniverse.ts': 'nobody outside says where',
  'environment/sector-identifier.ts': /^sector/,
  'external/client-documents.ts': /^client_id$/,
  'external/client-tokens.ts': /^authentication\.authUrl/,
  'external/id-token.ts': /^jwksEndpoint/,
  'external/mail-host.ts': /^host/,
  'external/oauth-provider.ts': 'nobody outside says where',
  'external/oidc-provider.ts': /^discoveryEndpoint/,
  'external/pictures.ts': /^logo_uri/,
  'external/provider-documents.ts': /^jwksUrl/,
  'external/token-exchange.ts': /^tokenEndpoint/,
  'external/user-information.ts': /^userInfoEndpoint/,
  'external/webhook.ts': /^webhook/,
  'flow-runtime/asks/call-webhook.ts': /^webhook/,
  'oauth/authorize/given-request.ts': /^requestUris/,
  'oauth/client-keys.ts': /^jwks(?:Url|_uri)/,
  'oauth/registration/document-client.ts': /^client_id$/,
  'pages/application-logo.ts': /^icon/,
}
