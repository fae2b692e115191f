/**
 * What the suite would say of each module where that is not PASSED, and why. A WARNING names the conditions that are
 * missed, a REVIEW wants a picture of a page uploaded; neither stands in the way of a certification.
 */
import type { ModuleName } from '../modules/index.ts'
import type { Result } from './run.ts'
import { includes, type Variant } from './variants.ts'

/** A result, with the conditions that are warned of. */
interface Expectation {
  readonly result: readonly [Result, ...string[]]
  readonly why?: string
}

const passed: Expectation = { result: ['PASSED'] }

const review = (why: string): Expectation => ({ result: ['REVIEW'], why })

/** A page in the place of an answer. */
const errorPage = review('a picture of the error page')
const secondSignOn = review('a picture of the second sign-on page')
const signOnPage = review('a picture of the sign-on page')
const signedOffPage = review('a picture of the page that says it is done')

const hasAccessToken = (variant: Variant) => includes(variant, 'code') || includes(variant, 'token')

/** Scopes some of whose standard claims no user of a directory has: an administrator may map them to something else. */
const partOfScope =
  (missing: string) =>
  (variant: Variant): Expectation => ({
    result: [
      'WARNING',
      hasAccessToken(variant)
        ? 'VerifyScopesReturnedInUserInfoClaims'
        : 'VerifyScopesReturnedInAuthorizationEndpointIdToken',
    ],
    why: `users have no ${missing}, unless an administrator maps it`,
  })

/** PingOne's attribute mappings bring claims to both places; `idToken: false` of a mapping leaves one out. */
const email = (variant: Variant): Expectation =>
  hasAccessToken(variant)
    ? {
        result: ['WARNING', 'EnsureIdTokenDoesNotContainEmailForScopeEmail'],
        why: 'claims of scopes come with the ID token too, as on the wire',
      }
    : passed

const expectations: Partial<Record<ModuleName, Expectation | ((variant: Variant) => Expectation)>> = {
  'oidcc-discovery-endpoint-verification': {
    result: ['WARNING', 'CheckForUnexpectedParametersInServerMetadata'],
    why: 'the document names an endpoint of PingOne, ping_end_idp_session_endpoint',
  },
  'oidcc-server': {
    result: ['WARNING', 'EnsureIdTokenDoesNotContainNonRequestedClaims'],
    why: 'ID tokens name their environment by env, org and p1.region, as on the wire',
  },
  'oidcc-idtoken-unsigned': { result: ['SKIPPED'], why: 'no ID token goes without a signature' },
  'oidcc-scope-profile': partOfScope('profile, website, gender and birthdate'),
  'oidcc-scope-phone': partOfScope('phone_number_verified'),
  'oidcc-scope-all': partOfScope('profile, website, gender, birthdate and phone_number_verified'),
  'oidcc-scope-email': email,
  'oidcc-alternate-happy-flow': email,
  'oidcc-prompt-login': secondSignOn,
  'oidcc-max-age-1': secondSignOn,
  'oidcc-ensure-registered-redirect-uri': errorPage,
  'oidcc-ensure-redirect-uri-in-authorization-request': errorPage,
  'oidcc-redirect-uri-query-mismatch': errorPage,
  'oidcc-redirect-uri-query-added': errorPage,
  'oidcc-registration-logo-uri': signOnPage,
  'oidcc-registration-policy-uri': signOnPage,
  'oidcc-registration-tos-uri': signOnPage,
  'oidcc-rp-initiated-logout-bad-post-logout-redirect-uri': errorPage,
  'oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri': errorPage,
  'oidcc-rp-initiated-logout-modified-id-token-hint': errorPage,
  'oidcc-rp-initiated-logout-bad-id-token-hint': errorPage,
  'oidcc-rp-initiated-logout-no-id-token-hint': errorPage,
  'oidcc-rp-initiated-logout-no-params': signedOffPage,
  'oidcc-rp-initiated-logout-only-state': signedOffPage,
  'oidcc-rp-initiated-logout-no-post-logout-redirect-uri': signedOffPage,
}

/** What is expected of a module with a variant. */
export function expectationOf(name: ModuleName, variant: Variant): Expectation {
  const expected = expectations[name] ?? passed
  return typeof expected === 'function' ? expected(variant) : expected
}
