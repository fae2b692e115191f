/**
 * No module of the plans is missing: the names as version 5.2.4 of the suite has them, written down here once more, against
 * the tests that the plans define. A module stands where the suite names it first; implicit, hybrid and form post run what
 * basic runs, with other variants.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Entry, type PlanName, plans } from './suite/plans.ts'

const published: Readonly<Partial<Record<PlanName, string>>> = {
  'oidcc-config-certification-test-plan': `oidcc-discovery-endpoint-verification`,
  'oidcc-basic-certification-test-plan': `oidcc-server
    oidcc-response-type-missing
    oidcc-idtoken-signature
    oidcc-idtoken-unsigned
    oidcc-userinfo-get
    oidcc-userinfo-post-header
    oidcc-userinfo-post-body
    oidcc-ensure-request-without-nonce-succeeds-for-code-flow
    oidcc-scope-profile
    oidcc-scope-email
    oidcc-scope-address
    oidcc-scope-phone
    oidcc-scope-all
    oidcc-alternate-happy-flow
    oidcc-display-page
    oidcc-display-popup
    oidcc-prompt-login
    oidcc-prompt-none-not-logged-in
    oidcc-prompt-none-logged-in
    oidcc-max-age-1
    oidcc-max-age-10000
    oidcc-ensure-request-with-unknown-parameter-succeeds
    oidcc-id-token-hint
    oidcc-login-hint
    oidcc-ui-locales
    oidcc-claims-locales
    oidcc-ensure-request-with-acr-values-succeeds
    oidcc-codereuse
    oidcc-codereuse-30seconds
    oidcc-ensure-registered-redirect-uri
    oidcc-ensure-post-request-succeeds
    oidcc-server-client-secret-post
    oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported
    oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported
    oidcc-claims-essential
    oidcc-ensure-request-object-with-redirect-uri
    oidcc-refresh-token
    oidcc-ensure-request-with-valid-pkce-succeeds`,
  'oidcc-implicit-certification-test-plan': `oidcc-ensure-request-without-nonce-fails`,
  'oidcc-dynamic-certification-test-plan': `oidcc-idtoken-rs256
    oidcc-userinfo-rs256
    oidcc-ensure-redirect-uri-in-authorization-request
    oidcc-redirect-uri-query-OK
    oidcc-redirect-uri-query-mismatch
    oidcc-redirect-uri-query-added
    oidcc-redirect-uri-regfrag
    oidcc-registration-logo-uri
    oidcc-registration-policy-uri
    oidcc-registration-tos-uri
    oidcc-registration-jwks-uri
    oidcc-registration-sector-uri
    oidcc-registration-sector-bad
    oidcc-server-rotate-keys
    oidcc-refresh-token-rp-key-rotation
    oidcc-request-uri-unsigned
    oidcc-request-uri-signed-rs256
    oidcc-ensure-client-assertion-with-iss-aud-succeeds`,
  'oidcc-3rdparty-init-login-certification-test-plan': `oidcc-3rd_party-init-login
    oidcc-3rd_party-init-login-nohttps`,
  'oidcc-rp-initiated-logout-certification-test-plan': `oidcc-rp-initiated-logout-discovery-endpoint-verification
    oidcc-rp-initiated-logout
    oidcc-rp-initiated-logout-bad-post-logout-redirect-uri
    oidcc-rp-initiated-logout-modified-id-token-hint
    oidcc-rp-initiated-logout-no-id-token-hint
    oidcc-rp-initiated-logout-no-params
    oidcc-rp-initiated-logout-no-post-logout-redirect-uri
    oidcc-rp-initiated-logout-no-state
    oidcc-rp-initiated-logout-only-state
    oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri
    oidcc-rp-initiated-logout-bad-id-token-hint`,
  'oidcc-backchannel-rp-initiated-logout-certification-test-plan': `oidcc-backchannel-logout-discovery-endpoint-verification
    oidcc-backchannel-rp-initiated-logout`,
  'oidcc-frontchannel-rp-initiated-logout-certification-test-plan': `oidcc-frontchannel-logout-discovery-endpoint-verification
    oidcc-frontchannel-rp-initiated-logout`,
  'oidcc-session-management-certification-test-plan': `oidcc-session-management-discovery-endpoint-verification
    oidcc-session-management-rp-initiated-logout`,
}

/** The modules that the suite leaves out of a plan that is otherwise the basic one. */
const notOf = {
  implicit: [
    'oidcc-idtoken-unsigned',
    'oidcc-ensure-request-without-nonce-succeeds-for-code-flow',
    'oidcc-codereuse',
    'oidcc-codereuse-30seconds',
    'oidcc-ensure-post-request-succeeds',
    'oidcc-server-client-secret-post',
    'oidcc-refresh-token',
    'oidcc-ensure-request-with-valid-pkce-succeeds',
  ],
  hybrid: ['oidcc-idtoken-unsigned', 'oidcc-ensure-post-request-succeeds'],
} as const

const namesOf = (text = '') => text.split(/\s+/).filter((name) => name !== '')
const modulesOf = (entries: readonly Entry[]) => [...new Set(entries.flatMap(({ modules }) => modules))].toSorted()
const basic = namesOf(published['oidcc-basic-certification-test-plan'])
const added = namesOf(published['oidcc-implicit-certification-test-plan'])

/** All names of a plan, in order of the alphabet. */
function expectedOf(plan: PlanName): readonly string[] {
  const [, base] = /^oidcc-(?:formpost-)?(basic|implicit|hybrid)-/.exec(plan) ?? []
  if (base === undefined || base === 'basic') return (base ? basic : namesOf(published[plan])).toSorted()
  const left: readonly string[] = notOf[base as keyof typeof notOf]
  return [...basic.filter((name) => !left.includes(name)), ...added].toSorted()
}

/** What dynamic runs beside what it adds. */
const alsoDynamic = [
  'oidcc-idtoken-unsigned',
  'oidcc-discovery-endpoint-verification',
  'oidcc-server',
  'oidcc-ensure-request-object-with-redirect-uri',
  'oidcc-refresh-token',
]

test('every module of every plan is run, and no other', () => {
  for (const [plan, entries] of Object.entries(plans) as [PlanName, readonly Entry[]][]) {
    const more = plan === 'oidcc-dynamic-certification-test-plan' ? alsoDynamic : []
    assert.deepEqual(modulesOf(entries), [...expectedOf(plan), ...more].toSorted(), plan)
  }
})

test('every response type is put to the same modules', () => {
  for (const flow of ['implicit', 'hybrid'] as const) {
    const entries: readonly Entry[] = plans[`oidcc-${flow}-certification-test-plan`]
    const types = [...new Set(entries.map(({ variant }) => variant.responseType))]
    assert.deepEqual(
      types,
      flow === 'implicit' ? ['id_token', 'id_token token'] : ['code id_token', 'code token', 'code id_token token'],
    )
    const counts = types.map((type) => modulesOf(entries.filter(({ variant }) => variant.responseType === type)).length)
    // Without an access token there is no userinfo; a missing response type, and PKCE, are looked at once.
    assert.deepEqual(counts, flow === 'implicit' ? [27, 31] : [36, 34, 34])
  }
})

test('every plan has its file, and every file runs what it names', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'))
  const run = files.flatMap((name) => {
    const text = readFileSync(`${import.meta.dirname}/${name}`, 'utf8')
    return [...text.matchAll(/^runPlan\('([^']+)'\)$/gm)].map(([, plan = '']) => plan)
  })
  assert.deepEqual(run.toSorted(), Object.keys(plans).toSorted())
})
