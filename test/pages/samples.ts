/** One rendered page of every kind and state, for the tests that look at all of them: rules, browser, size, pictures. */
import { problem } from '../../src/errors/problem.ts'
import { asksForPasskey } from '../../src/flow/actions/account/passkey.ts'
import { type ActionStatus, type AnyAction, everyAction, offers } from '../../src/flow/actions/index.ts'
import { bootstrapPasswordPolicies } from '../../src/directory/passwords/policy.ts'
import { renderElsewhere } from '../../src/pages/elsewhere-page.ts'
import { renderEmailChange } from '../../src/pages/email-change-page.ts'
import { type InvitationEnd, renderInvitationEnd } from '../../src/pages/invitation-page.ts'
import { errorPage } from '../../src/pages/error.ts'
import { formPostPage } from '../../src/pages/form-post.ts'
import { renderSignOff, signOffForm } from '../../src/pages/sign-off.ts'
import { explainRefusal } from '../../src/pages/sign-on-error.ts'
import { renderSignOnNotice } from '../../src/pages/sign-on-notice.ts'
import { renderSignOn, type SignOnView } from '../../src/pages/sign-on.ts'
import { type UntrustedReturn, untrustedReturnPage } from '../../src/pages/untrusted-return.ts'
import { defaultLanguage, type Language } from '../../src/pages/texts/language.ts'

export const environmentId = '5caa81af-ec05-41ff-a709-c7378007a99c'
export const flowId = '72df1cd2-3b99-4225-a1fa-6dc9ec0f78fc'
export const pageUrl = `/${environmentId}/signon/?flowId=${flowId}`
const resumeUrl = `/${environmentId}/as/resume?flowId=${flowId}`
const applicationName = 'Lantern Books'
const user = { username: 'ada.byron', name: { given: 'Ada', family: 'Byron' } }
const [passwordPolicy] = bootstrapPasswordPolicies

const providers = [
  { name: 'Analytical Engines', href: `/${environmentId}/rp/authenticate?providerId=1&flowId=${flowId}` },
  { name: 'Difference & Co', href: `/${environmentId}/rp/authenticate?providerId=2&flowId=${flowId}` },
]

const devices = [
  { id: '0c9f1a2e-3ad1-4bcf-9a4c-6fb7d9b8c001', type: 'EMAIL', status: 'ACTIVE', email: 'a*****@example.com' },
  { id: '0c9f1a2e-3ad1-4bcf-9a4c-6fb7d9b8c002', type: 'TOTP', status: 'ACTIVE', nickname: 'Old phone' },
  { id: '0c9f1a2e-3ad1-4bcf-9a4c-6fb7d9b8c003', type: 'FIDO2', status: 'ACTIVE' },
  { id: '0c9f1a2e-3ad1-4bcf-9a4c-6fb7d9b8c004', type: 'MOBILE', status: 'ACTIVE' },
] as const

const publicKeyCredentialRequestOptions = JSON.stringify({ challenge: [1], rpId: 'localhost', allowCredentials: [] })

const attributes = [
  { name: 'name.given', required: true },
  { name: 'mobilePhone', required: false },
] as const

const agreement = {
  id: '1',
  name: 'Terms',
  displayName: 'Terms of use',
  locale: 'en',
  language: { id: '2' },
  revision: { id: '3' },
  contentType: 'text/html',
  declineOption: true,
  userExperience: { declineButtonText: 'No, thank you' },
} as const
const agreementText =
  '<h1>Lending</h1><p>Books come back <b>in time</b>; <a href="https://books.example/terms">more of that</a>.</p>' +
  '<ul><li>Two weeks</li><li>No pens</li></ul><table><tbody><tr><th>Late</th><td>1 coin</td></tr></tbody></table>'
const client = {
  policyUri: 'https://books.example/privacy',
  tosUri: 'https://books.example/terms',
  unverified: { clientHost: 'reader.example', returnHost: 'books.example' },
} as const
const scopes = [
  { name: 'openid', resource: { name: 'openid' } },
  { name: 'orders:read', description: 'Read your orders', resource: { name: 'Orders' } },
] as const

const authorizationDetails = [
  {
    description: 'Pay somebody',
    lines: [
      { label: 'Amount', value: '30.00 EUR' },
      { label: 'To', value: 'Lantern Books' },
    ],
  },
] as const

const deviceAuthorization = {
  userCode: 'BVKV-2GZ2',
  remoteAddress: '203.0.113.7',
  requestedAt: '2026-11-22T10:42:00.000Z',
  expiresAt: '2026-11-22T10:52:00.000Z',
}

/** A configuration that offers whatever can be offered. */
const offering = { passkeys: { enabled: true }, recovery: { enabled: true }, registration: { enabled: true } }

/** A view of a waiting flow, with every action that its status offers. */
export function viewOf(status: ActionStatus, more: Partial<SignOnView> = {}): SignOnView {
  const known = status === 'USERNAME_PASSWORD_REQUIRED' || status === 'SIGN_ON_REQUIRED' ? {} : { user }
  const chooses = (everyAction as readonly AnyAction[]).some(({ setsPasswordIn }) => setsPasswordIn.includes(status))
    ? { passwordPolicy }
    : {}
  return {
    status,
    pageUrl,
    applicationName,
    offers: [...new Set(everyAction.flatMap((action) => offers(action, offering, status)))],
    ...known,
    ...chooses,
    ...(status === 'OTP_REQUIRED' ? { devices, selectedDevice: { id: devices[0].id } } : {}),
    ...(status === 'ASSERTION_REQUIRED'
      ? { devices, selectedDevice: { id: devices[2].id }, publicKeyCredentialRequestOptions }
      : {}),
    ...(asksForPasskey({ status, offers: ['assertion.check'] }) ? { publicKeyCredentialRequestOptions } : {}),
    ...(status.startsWith('PUSH_CONFIRMATION') ? { devices, selectedDevice: { id: devices[3].id }, number: '42' } : {}),
    ...(status === 'DEVICE_SELECTION_REQUIRED' ? { devices } : {}),
    ...(status === 'PROFILE_DATA_REQUIRED' ? { attributes } : {}),
    ...(status === 'INVITATION_REQUIRED' ? { inviteCode: 'n0t-a-real-c0de' } : {}),
    ...(status === 'AGREEMENT_CONSENT_REQUIRED' ? { agreement, agreementText } : {}),
    ...(status === 'CONSENT_REQUIRED' || status === 'DAG_CONSENT_REQUIRED' ? { scopes } : {}),
    ...(status === 'DAG_CONSENT_REQUIRED' ? { deviceAuthorization } : {}),
    ...more,
  }
}

const signOffFields = { confirmation: 'c', kept: { client_id: '1', state: 's' } }

/** Every kind of page by name. */
export function samples(language: Language = defaultLanguage): Readonly<Record<string, string>> {
  const refused = (code: string, target?: string, innerError?: Record<string, unknown>) =>
    explainRefusal([{ code, ...(target ? { target } : {}), ...(innerError ? { innerError } : {}) }], false, language)
  const missed = refused('INVALID_VALUE', 'newPassword', {
    unsatisfiedRequirements: ['length', 'excludesCommonlyUsed'],
  })
  const untrustedReturn = (onward: UntrustedReturn['onward']) =>
    untrustedReturnPage({ applicationName, client, code: 'invalid_scope', onward }, language).html
  const signOn = (status: ActionStatus, more: Partial<SignOnView> = {}) => renderSignOn(viewOf(status, more), language)
  return {
    'username and password': signOn('USERNAME_PASSWORD_REQUIRED'),
    'username and password, hint': signOn('USERNAME_PASSWORD_REQUIRED', { values: { username: 'ada.byron' } }),
    'username and password, wrong': signOn('USERNAME_PASSWORD_REQUIRED', {
      values: { username: 'ada.byron' },
      error: refused('INVALID_CREDENTIALS'),
    }),
    'username and password, no username': signOn('USERNAME_PASSWORD_REQUIRED', {
      error: refused('REQUIRED_VALUE', 'username'),
    }),
    'username and password, locked': signOn('USERNAME_PASSWORD_REQUIRED', {
      values: { username: 'ada.byron' },
      error: refused('PASSWORD_LOCKED_OUT', undefined, { secondsUntilUnlock: 871 }),
    }),
    password: signOn('PASSWORD_REQUIRED'),
    'password, wrong': signOn('PASSWORD_REQUIRED', {
      error: explainRefusal([{ code: 'INVALID_CREDENTIALS' }], true, language),
    }),
    'password must change': signOn('MUST_CHANGE_PASSWORD'),
    'password must change, missed': signOn('MUST_CHANGE_PASSWORD', { error: missed }),
    'password expired': signOn('PASSWORD_EXPIRED'),
    'password expired, wrong current': signOn('PASSWORD_EXPIRED', {
      error: refused('INVALID_VALUE', 'currentPassword'),
    }),
    profile: signOn('PROFILE_DATA_REQUIRED'),
    'profile, optional': signOn('PROFILE_DATA_REQUIRED', {
      attributes: [{ name: 'address.countryCode', required: false }],
      promptText: 'So that we know what to ship.',
    }),
    'profile, missing': signOn('PROFILE_DATA_REQUIRED', { error: refused('REQUIRED_VALUE', 'name.given') }),
    agreement: signOn('AGREEMENT_CONSENT_REQUIRED'),
    'agreement, plain': signOn('AGREEMENT_CONSENT_REQUIRED', {
      agreement: { ...agreement, contentType: 'text/plain', declineOption: false },
      agreementText: 'One.\n\nTwo.',
    }),
    'agreement, not accepted': signOn('AGREEMENT_CONSENT_REQUIRED', { error: refused('REQUIRED_VALUE', 'accept') }),
    invitation: signOn('INVITATION_REQUIRED'),
    'invitation, without its code': signOn('INVITATION_REQUIRED', { inviteCode: undefined }),
    'invitation, a poor password': signOn('INVITATION_REQUIRED', {
      error: refused('INVALID_VALUE', 'password', { unsatisfiedRequirements: ['length'] }),
    }),
    'invitation, over': renderInvitationEnd('over', language),
    ...Object.fromEntries(
      (['done', 'INVITATION_DECLINED', 'APPLICATION_ACCESS_DENIED'] satisfies InvitationEnd[]).map((end) => [
        `invitation, ${end}`,
        renderInvitationEnd(end, language, applicationName),
      ]),
    ),
    consent: signOn('CONSENT_REQUIRED'),
    'consent, by the backchannel': signOn('CONSENT_REQUIRED', { bindingMessage: 'Order 42 – 30.00 €' }),
    'code of a device': signOn('DAG_USER_CODE_REQUIRED'),
    'code of a device, to compare': signOn('DAG_USER_CODE_REQUIRED', {
      deviceAuthorization: { userCode: 'BVKV-2GZ2' },
    }),
    'code of a device, wrong': signOn('DAG_USER_CODE_REQUIRED', {
      values: { userCode: 'BVKV-2GZ3' },
      error: refused('INVALID_VALUE', 'userCode'),
    }),
    'device to connect': signOn('DAG_CONSENT_REQUIRED'),
    'device to connect, a client that nobody has verified': signOn('DAG_CONSENT_REQUIRED', {
      client: { ...client, unverified: { clientHost: 'reader.example', returnHost: undefined } },
    }),
    'device to connect, in detail': signOn('DAG_CONSENT_REQUIRED', { authorizationDetails }),
    'consent, by the backchannel, in detail': signOn('CONSENT_REQUIRED', {
      authorizationDetails,
      bindingMessage: 'Order 42 – 30.00 €',
    }),
    'device connected': renderElsewhere({ end: 'approved', where: 'device', applicationName }, language),
    'device not connected': renderElsewhere(
      { end: 'denied', where: 'device', applicationName, failure: 'CONSENT_DENIED' },
      language,
    ),
    'request approved': renderElsewhere({ end: 'approved', where: 'backchannel', applicationName }, language),
    'request, too late': renderElsewhere({ end: 'late', where: 'backchannel' }, language),
    'goes on elsewhere': renderSignOnNotice({ kind: 'elsewhere', applicationName, resumeUrl }, language),
    'consent, a client that nobody has verified': signOn('CONSENT_REQUIRED', { client }),
    'sign on, a client that nobody has verified': signOn('USERNAME_PASSWORD_REQUIRED', { client }),
    'return that nobody vouches for': untrustedReturn({ href: 'https://books.example/cb?error=invalid_scope&state=1' }),
    'return that nobody vouches for, form post': untrustedReturn({
      action: 'https://books.example/cb',
      fields: { error: 'invalid_scope', state: '1' },
    }),
    'choose a device': signOn('DEVICE_SELECTION_REQUIRED'),
    'passcode by e-mail': signOn('OTP_REQUIRED'),
    'passcode of an app': signOn('OTP_REQUIRED', { devices: [devices[1]], selectedDevice: { id: devices[1].id } }),
    'passcode, browser may be remembered': signOn('OTP_REQUIRED', {
      rememberMe: { lifeTime: { duration: 30, timeUnit: 'DAYS' } },
    }),
    'passcode, wrong': signOn('OTP_REQUIRED', { error: refused('INVALID_OTP', 'otp') }),
    passkey: signOn('ASSERTION_REQUIRED'),
    push: signOn('PUSH_CONFIRMATION_REQUIRED'),
    'push, no number and no passcode': signOn('PUSH_CONFIRMATION_REQUIRED', {
      number: undefined,
      offers: ['device.select', 'cancel.push.authentication'],
    }),
    'push, over': signOn('PUSH_CONFIRMATION_TIMED_OUT'),
    'passkey, wrong': signOn('ASSERTION_REQUIRED', { error: refused('INVALID_VALUE', 'assertion') }),
    'identifier first': signOn('SIGN_ON_REQUIRED'),
    'passkey alone': signOn('SIGN_ON_REQUIRED', { aside: 'passkey' }),
    'passkey alone, wrong': signOn('USERNAME_PASSWORD_REQUIRED', {
      aside: 'passkey',
      error: refused('INVALID_VALUE', 'assertion'),
    }),
    'forgot password': signOn('USERNAME_PASSWORD_REQUIRED', { aside: 'forgot', values: { username: 'ada.byron' } }),
    'forgot password, too often': signOn('USERNAME_PASSWORD_REQUIRED', {
      aside: 'forgot',
      error: refused('LIMIT_EXCEEDED'),
    }),
    register: signOn('SIGN_ON_REQUIRED', { aside: 'register', passwordPolicy }),
    'register, taken': signOn('USERNAME_PASSWORD_REQUIRED', {
      aside: 'register',
      passwordPolicy,
      values: { username: 'ada.byron', email: 'ada@example.com' },
      error: refused('UNIQUENESS_VIOLATION', 'username'),
    }),
    'recovery code': signOn('RECOVERY_CODE_REQUIRED', { user: { username: 'ada.byron' } }),
    'recovery code, wrong': signOn('RECOVERY_CODE_REQUIRED', { error: refused('INVALID_VALUE', 'recoveryCode') }),
    'verification code': signOn('VERIFICATION_CODE_REQUIRED'),
    'verification code, wrong': signOn('VERIFICATION_CODE_REQUIRED', {
      error: refused('INVALID_VALUE', 'verificationCode'),
    }),
    'sign on elsewhere': signOn('EXTERNAL_AUTHENTICATION_REQUIRED', { providers }),
    'with providers': signOn('USERNAME_PASSWORD_REQUIRED', { providers }),
    'account to confirm': signOn('ACCOUNT_CONFIRMATION_REQUIRED', {
      values: { username: 'ada.byron', email: 'ada@example.com' },
    }),
    'account to link': signOn('ACCOUNT_LINKING_REQUIRED'),
    completed: renderSignOnNotice({ kind: 'completed', applicationName, resumeUrl }, language),
    failed: renderSignOnNotice(
      { kind: 'failed', applicationName, resumeUrl, failure: 'POLICY_NOT_SATISFIED' },
      language,
    ),
    gone: renderSignOnNotice({ kind: 'gone' }, language),
    'sign off': renderSignOff({ kind: 'ask', form: signOffFields, username: user.username, applicationName }, language),
    'sign off, nobody known': renderSignOff(
      { kind: 'ask', form: signOffFields, username: undefined, applicationName: undefined },
      language,
    ),
    'signed off': renderSignOff(
      { kind: 'done', returnTo: undefined, applicationName: undefined, frames: [] },
      language,
    ),
    'signed off, going back': renderSignOff(
      { kind: 'done', returnTo: 'https://app.example.com/bye', applicationName, frames: [] },
      language,
    ),
    'sign off, refused': errorPage(
      problem('post_logout_redirect_uri_rejected'),
      flowId,
      language,
      signOffForm(signOffFields, language),
    ),
    'e-mail address changed': renderEmailChange({ kind: 'ask', token: 'v1.AAAA' }, language),
    'e-mail address changed, another typed': renderEmailChange(
      { kind: 'ask', token: 'v1.AAAA', isWrong: true },
      language,
    ),
    'e-mail address taken back': renderEmailChange({ kind: 'done' }, language),
    'e-mail address, over': renderEmailChange({ kind: 'over' }, language),
    'error, redirect URI': errorPage(problem('redirect_uri_rejected'), flowId, language),
    'error, not found': errorPage(problem('NOT_FOUND'), flowId, language),
    'error, unexpected': errorPage(problem('UNEXPECTED_ERROR'), flowId, language),
    'error, unavailable': errorPage(problem('UNAVAILABLE'), flowId, language),
    'form post': formPostPage('https://app.example.com/callback', { code: 'c1', state: 's1' }, language).html,
  }
}
