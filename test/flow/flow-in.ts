/** Flows of one action that offers everything it can, driven into each status there is. */
import assert from 'node:assert/strict'
import type { FlowState } from '../../src/flow/state.ts'
import { compilePolicy } from '../../src/flow/policy.ts'
import { deviceOf, loginPolicy, partner, Rig, terms, userCode } from './rig.ts'

const offering = {
  passkeys: { enabled: true },
  recovery: { enabled: true },
  registration: { enabled: true },
  socialProviders: [{ id: partner.id }],
}
/** LOGIN that asks whether what a provider said is right. */
const confirming = () =>
  loginPolicy([null], 1, {
    ...offering,
    registration: { enabled: true, confirmIdentityProviderAttributes: true },
  })
const elsewhere = () =>
  compilePolicy({
    id: 'policy',
    name: 'Partner',
    version: 1,
    actions: [{ id: 'partner', type: 'IDENTITY_PROVIDER', priority: 1, identityProvider: { id: partner.id } }],
  })
/** LOGIN with recovery and registration. */
const policy = () => loginPolicy([null], 1, offering)
const namesFirst = () =>
  compilePolicy({
    id: 'policy',
    name: 'Identifier_First',
    version: 1,
    actions: [
      { id: 'name', type: 'IDENTIFIER_FIRST', priority: 1, ...offering },
      { id: 'login', type: 'LOGIN', priority: 2 },
    ],
  })

const twoFactors = () =>
  compilePolicy({
    id: 'policy',
    name: 'Multi_Factor',
    version: 1,
    actions: [
      { id: 'login', type: 'LOGIN', priority: 1 },
      { id: 'mfa', type: 'MULTI_FACTOR_AUTHENTICATION', priority: 2 },
    ],
  })

const asking = () =>
  compilePolicy({
    id: 'policy',
    name: 'Profile',
    version: 1,
    actions: [
      { id: 'login', type: 'LOGIN', priority: 1 },
      {
        id: 'profile',
        type: 'PROGRESSIVE_PROFILING',
        priority: 2,
        attributes: [{ name: 'nickname', required: true }],
        preventMultiplePromptsPerFlow: true,
        promptIntervalSeconds: 0,
        promptText: '',
      },
    ],
  })

const agreeing = () =>
  compilePolicy({
    id: 'policy',
    name: 'Terms',
    version: 1,
    actions: [
      { id: 'login', type: 'LOGIN', priority: 1 },
      { id: 'terms', type: 'AGREEMENT', priority: 2, agreement: { id: terms.id }, disableDeclineOption: false },
    ],
  })

/** A flow in this status. */
export function flowIn(status: FlowState['status']): Rig {
  const rig = new Rig()
  const { alice: person } = rig.people
  switch (status) {
    case 'USERNAME_PASSWORD_REQUIRED':
      rig.begin(policy())
      break
    case 'PASSWORD_REQUIRED':
      rig.signIn('alice', { at: 10, pwd: 10 })
      rig.begin(policy())
      break
    case 'MUST_CHANGE_PASSWORD':
    case 'PASSWORD_EXPIRED':
      person.facts = { ...person.facts, password: status }
      rig.begin(policy())
      rig.signOn('alice')
      break
    case 'SIGN_ON_REQUIRED':
      rig.begin(namesFirst())
      break
    case 'RECOVERY_CODE_REQUIRED':
      rig.begin(policy())
      rig.post('password.forgot', { username: 'alice' })
      break
    case 'VERIFICATION_CODE_REQUIRED':
      person.facts = { ...person.facts, verification: 'REQUIRED' }
      rig.begin(policy())
      rig.signOn('alice')
      break
    case 'EXTERNAL_AUTHENTICATION_REQUIRED':
      rig.begin(elsewhere())
      break
    case 'ACCOUNT_CONFIRMATION_REQUIRED':
      rig.begin(confirming())
      rig.comeBack('carol')
      break
    case 'ACCOUNT_LINKING_REQUIRED':
      rig.begin(policy())
      rig.comeBack('alice')
      break
    case 'AGREEMENT_CONSENT_REQUIRED':
      rig.begin(agreeing())
      rig.signOn('alice')
      break
    case 'PROFILE_DATA_REQUIRED':
      rig.begin(asking())
      rig.signOn('alice')
      break
    case 'CONSENT_REQUIRED':
      rig.request = { ...rig.request, consent: { scopeIds: ['id-of-openid', 'id-of-read'], isAsked: false } }
      rig.begin(policy())
      rig.signOn('alice')
      break
    case 'DAG_USER_CODE_REQUIRED':
    case 'DAG_CONSENT_REQUIRED':
      rig.request = { ...rig.request, deviceGrant: { userCode: null, applicationId: 'application' } }
      rig.begin(policy())
      rig.signOn('alice')
      if (status === 'DAG_CONSENT_REQUIRED') rig.post('deviceAuthGrant.userCode.verify', { userCode })
      break
    case 'INVITATION_REQUIRED':
      rig.invite('alice')
      rig.begin(policy())
      break
    case 'DEVICE_SELECTION_REQUIRED':
      rig.begin(twoFactors())
      rig.signOn('alice')
      break
    case 'ASSERTION_REQUIRED':
      rig.begin(twoFactors())
      rig.signOn('alice')
      rig.post('device.select', { device: { id: deviceOf('alice', 'FIDO2') } })
      break
    case 'PUSH_CONFIRMATION_REQUIRED':
    case 'PUSH_CONFIRMATION_TIMED_OUT':
      rig.begin(twoFactors())
      rig.signOn('alice')
      rig.post('device.select', { device: { id: deviceOf('alice', 'MOBILE') } })
      if (status === 'PUSH_CONFIRMATION_TIMED_OUT') rig.wait(40)
      break
    case 'OTP_REQUIRED':
      rig.begin(twoFactors())
      rig.signOn('alice')
      rig.post('device.select', { device: { id: deviceOf('alice', 'EMAIL') } })
      break
    case 'COMPLETED':
      rig.begin(policy())
      rig.signOn('alice')
      break
    case 'FAILED':
      rig.begin(policy())
      rig.current.clear()
      rig.signOn('alice')
      break
  }
  assert.equal(rig.state?.status, status)
  return rig
}
