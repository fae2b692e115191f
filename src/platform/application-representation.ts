/**
 * How an OpenID Connect application looks on the wire, and how what was sent becomes what is stored: platform-api 3.7,
 * authentication-api 2.19.
 *
 * What is left out of a PUT goes back to its default, and a default is never weaker than what a new application gets
 * (row N17). URLs are stored byte by byte. Never: a secret (row N25), a member that `ApplicationDocument` does not know.
 */
import type { BlockList } from 'node:net'
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import {
  accessControlGroup,
  accessControlRole,
  type ApplicationDocument,
  applicationDefaults,
  applicationType,
  type ClientRegistration,
  corsSettings,
  grantType,
  parRequirement,
  pkceEnforcement,
  refreshTokenType,
  responseType,
  tokenEndpointAuthMethod,
} from '../environment/application.ts'
import { type ClientSecurity, clientSecurity } from '../environment/client-security.ts'
import { applicationProblems, defaultPkceEnforcement } from '../environment/application-rules.ts'
import { tokenProblems } from '../environment/application-token-rules.ts'
import { applicationTokenMembers } from '../environment/application-tokens.ts'
import { wildcardsNotAllowed } from '../environment/registered-urls.ts'
import { problem } from '../errors/problem.ts'
import type { ApplicationRow } from '../storage/sql/applications.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { documentOf } from './application-control.ts'
import { registrationBody, registrationMembers } from './application-registration.ts'
import { echoedOf, keptAsSent, unavailable } from './later-features.ts'
import { mobileMember, mobileOf, mobileProblems, mobileRequest } from './mobile-members.ts'
import { description, name } from './names.ts'

const url = z.string().max(2048)
const refreshSeconds = z.int().min(60).max(2_147_483_647)

const members = {
  name,
  description: description.optional(),
  enabled: z.boolean(),
  type: applicationType,
  protocol: z.literal('OPENID_CONNECT'),
  hiddenFromAppPortal: z.boolean().default(false),
  loginPageUrl: url
    .optional()
    .describe('An own sign-on page: authorize redirects there with environmentId and flowId.'),
  homePageUrl: url.optional(),
  initiateLoginUri: url.optional(),
  targetLinkUri: url.optional(),
  icon: z.object({ id: z.string().max(64), href: url }).optional(),
  grantTypes: z.array(grantType).min(1).max(20),
  tokenEndpointAuthMethod,
  allowWildcardInRedirectUris: z.boolean().default(false),
  parRequirement: parRequirement
    .default('OPTIONAL')
    .describe('REQUIRED: authorization requests have to be pushed (RFC 9126).'),
  parTimeout: z.int().min(1).max(600).default(60).describe('Life of a pushed request in seconds.'),
  requireSignedRequestObject: z
    .boolean()
    .default(false)
    .describe(
      'Authorization requests have to come in a signed request object (RFC 9101); what is beside it does not count.',
    ),
  supportUnsignedRequestObject: z.boolean().default(false).describe('Request objects may be unsigned.'),
  requestUris: z
    .array(url)
    .max(20)
    .optional()
    .describe('Extension: addresses from which request objects of the application may be fetched (`request_uri`).'),
  corsSettings: corsSettings.optional(),
  accessControl: z
    .object({ role: accessControlRole.optional(), group: accessControlGroup.optional() })
    .optional()
    .describe(
      'Who may sign on: those who hold a role, the members of one of the groups, or of all; absent: everybody.',
    ),
  devicePathId: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,50}$/)
    .optional()
    .describe('The last part of the address where the codes of its devices are entered; default: its id.'),
  deviceCustomVerificationUri: url
    .optional()
    .describe('An own address that devices show; it has to lead to the page for user codes.'),
  deviceTimeout: z.int().min(1).max(3600).default(600).describe('Life of a device code in seconds.'),
  devicePollingInterval: z.int().min(1).max(60).default(5).describe('Seconds between two polls of a device.'),
  assignActorRoles: z.boolean().default(false).describe('On creation of a WORKER: gives it the roles of its creator.'),
  refreshTokenDuration: refreshSeconds
    .default(applicationDefaults.refreshTokenDuration)
    .describe('Life of one refresh token, in seconds.'),
  refreshTokenRollingDuration: refreshSeconds
    .default(applicationDefaults.refreshTokenRollingDuration)
    .describe('Life of a chain of refresh tokens, from the first one on, in seconds.'),
  refreshTokenRollingGracePeriodDuration: z
    .int()
    .min(0)
    .max(86_400)
    .optional()
    .describe('How long a refresh token may be sent once more after it was rotated, in seconds. Default: 10.'),
  refreshTokenType: refreshTokenType.optional().describe('Default: OPAQUE_TOKEN.'),
  additionalRefreshTokenReplayProtectionEnabled: z
    .boolean()
    .default(true)
    .describe('Whether a refresh token that comes back after it was rotated ends everything that came of it.'),
  jwks: z.string().optional().describe('The public keys of the application: a JSON Web Key Set as JSON text.'),
  jwksUrl: url.optional().describe('Where the application publishes its public keys.'),
  isFirstParty: z
    .boolean()
    .optional()
    .describe('Extension: it may sign users on without a browser, by the authorization challenge endpoint.'),
  requireConsent: z
    .boolean()
    .optional()
    .describe('Extension: users are asked, on the sign-on page, to grant the scopes it requests.'),
  ...clientSecurity,
  frontchannelLogoutUri: url
    .optional()
    .describe('Extension: a page of its own that is loaded in a hidden frame when a session ends in a browser.'),
  frontchannelLogoutSessionRequired: z
    .boolean()
    .optional()
    .describe('Extension: that page is given `iss` and `sid`, to tell which session has ended.'),
  backchannelLogoutUri: url
    .optional()
    .describe('Extension: the server posts a logout token there when a session ends, in whichever way.'),
  backchannelLogoutSessionRequired: z
    .boolean()
    .optional()
    .describe('Extension: every logout token names one session by `sid`.'),
  authorizationDetailsTypes: z
    .array(z.string().min(1).max(128))
    .max(50)
    .optional()
    .describe('Extension: types of `authorization_details` (RFC 9396) that it may ask for; needs requireConsent.'),
  ...applicationTokenMembers,
  policyUri: url.optional().describe('Extension: its privacy policy, linked on the sign-on pages.'),
  tosUri: url.optional().describe('Extension: its terms of service, linked on the sign-on pages.'),
  ...keptAsSent,
}
const listOfUrls = z.array(url).max(100)
const listOfResponseTypes = z.array(responseType).max(20)

/** What a client sends, to create or to replace. */
export const applicationRequest = nullMeansAbsent(
  z.object({
    ...members,
    responseTypes: listOfResponseTypes.default([]),
    redirectUris: listOfUrls.default([]),
    postLogoutRedirectUris: listOfUrls.default([]),
    pkceEnforcement: pkceEnforcement
      .optional()
      .describe('Default: S256_REQUIRED for public applications, OPTIONAL for confidential ones.'),
    mobile: mobileRequest,
    ...unavailable,
  }),
)

/** A request, its defaults filled in. */
export type ApplicationRequest = z.output<typeof applicationRequest>

/** What a client is answered. */
export const application = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  ...members,
  responseTypes: listOfResponseTypes.optional(),
  redirectUris: listOfUrls.optional(),
  postLogoutRedirectUris: listOfUrls.optional(),
  pkceEnforcement,
  mobile: mobileMember,
  ...registrationMembers,
  createdAt: timestamp,
  updatedAt: timestamp,
})
const withDefaults = z.object(keptAsSent)
const tokens = z.object(applicationTokenMembers)

/** An application as the wire has it. Empty lists are left out, since clients take them for a change. */
export function applicationBody({ site }: Context, row: ApplicationRow) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const self = `${environment}/applications/${row.id}`
  const { echoed, responseTypes, redirectUris, postLogoutRedirectUris, registration, ...document } = documentOf(row)
  const lists = Object.entries({ responseTypes, redirectUris, postLogoutRedirectUris })
  return {
    _links: links({
      self,
      environment,
      ...(document.tokenEndpointAuthMethod === 'NONE' ? {} : { secret: `${self}/secret` }),
      attributes: `${self}/attributes`,
      grants: `${self}/grants`,
      signOnPolicyAssignments: `${self}/signOnPolicyAssignments`,
      roleAssignments: `${self}/roleAssignments`,
    }),
    id: row.id,
    environment: { id: site.environmentId },
    name: row.name,
    enabled: row.enabled === 1,
    type: row.type,
    protocol: 'OPENID_CONNECT',
    ...document,
    ...Object.fromEntries(lists.filter(([, list]) => list.length > 0)),
    ...withDefaults.parse(echoed),
    ...registrationBody(registration),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

/**
 * Judges a request and makes the document to store.
 * @param listed addresses the operator lets the server ask beside public ones
 * @param registration what is kept of a client that has registered itself
 * @throws Problem INVALID_DATA naming everything that is wrong
 */
export function judgedDocument(
  body: ApplicationRequest,
  assignActorRoles: boolean,
  listed: BlockList | undefined,
  registration?: ClientRegistration,
): ApplicationDocument {
  const document = {
    ...applicationDefaults,
    description: body.description,
    loginPageUrl: body.loginPageUrl,
    homePageUrl: body.homePageUrl,
    initiateLoginUri: body.initiateLoginUri,
    targetLinkUri: body.targetLinkUri,
    icon: body.icon,
    hiddenFromAppPortal: body.hiddenFromAppPortal,
    grantTypes: [...new Set(body.grantTypes)],
    responseTypes: [...new Set(body.responseTypes)],
    tokenEndpointAuthMethod: body.tokenEndpointAuthMethod,
    pkceEnforcement: body.pkceEnforcement ?? defaultPkceEnforcement(body.tokenEndpointAuthMethod),
    redirectUris: body.redirectUris,
    postLogoutRedirectUris: body.postLogoutRedirectUris,
    allowWildcardInRedirectUris: body.allowWildcardInRedirectUris,
    parRequirement: body.parRequirement,
    parTimeout: body.parTimeout,
    devicePathId: body.devicePathId,
    deviceCustomVerificationUri: body.deviceCustomVerificationUri,
    deviceTimeout: body.deviceTimeout,
    devicePollingInterval: body.devicePollingInterval,
    requireSignedRequestObject: body.requireSignedRequestObject,
    supportUnsignedRequestObject: body.supportUnsignedRequestObject,
    requestUris: body.requestUris,
    corsSettings: body.corsSettings,
    accessControl: body.accessControl?.group || body.accessControl?.role ? body.accessControl : undefined,
    assignActorRoles,
    refreshTokenDuration: body.refreshTokenDuration,
    refreshTokenRollingDuration: body.refreshTokenRollingDuration,
    refreshTokenRollingGracePeriodDuration: body.refreshTokenRollingGracePeriodDuration,
    refreshTokenType: body.refreshTokenType,
    additionalRefreshTokenReplayProtectionEnabled: body.additionalRefreshTokenReplayProtectionEnabled,
    jwks: body.jwks,
    jwksUrl: body.jwksUrl,
    isFirstParty: body.isFirstParty,
    ...securityOf(body),
    frontchannelLogoutUri: body.frontchannelLogoutUri,
    frontchannelLogoutSessionRequired: body.frontchannelLogoutSessionRequired,
    backchannelLogoutUri: body.backchannelLogoutUri,
    backchannelLogoutSessionRequired: body.backchannelLogoutSessionRequired,
    authorizationDetailsTypes: body.authorizationDetailsTypes,
    ...tokens.parse(body),
    // Left out is not switched off: nobody has vouched for a client that has registered itself (row N17).
    requireConsent: body.requireConsent ?? (registration ? true : undefined),
    policyUri: body.policyUri,
    tosUri: body.tosUri,
    mobile: mobileOf(body.mobile),
    registration,
    echoed: echoedOf(body),
  }
  const candidate = { ...document, type: body.type }
  const details = [
    ...applicationProblems(candidate, listed),
    ...tokenProblems(candidate, listed),
    ...mobileProblems(body.type, document.mobile),
  ]
  // Clients know a refused wildcard by the text at the top (platform-api 1.11).
  const wildcard = details.some(({ message }) => message === wildcardsNotAllowed)
  if (details.length > 0) throw problem(wildcard ? 'WILDCARD_REDIRECT_URI' : 'INVALID_DATA', { details })
  return document
}

function securityOf(body: ApplicationRequest): ClientSecurity {
  const names = Object.keys(clientSecurity) as (keyof ClientSecurity)[]
  return Object.fromEntries(names.map((member) => [member, body[member]]))
}
