/** Signing on by a passkey alone: what it proves, and for whom. Rows J12, J20, J26, L22; decisions D7, D20. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { compilePolicy, type CompiledPolicy, type PolicyAction } from '../../../src/flow/policy.ts'
import { codeOf, deviceOf, plainRequest, Rig } from '../rig.ts'

const passkeys = { enabled: true }
const name = { type: 'IDENTIFIER_FIRST', passkeys } as const
const login = { type: 'LOGIN', passkeys } as const
const passwordOnly = { type: 'LOGIN' } as const
const secondFactor = { type: 'MULTI_FACTOR_AUTHENTICATION' } as const
const since = (path: 'lastSignOn.at' | 'lastSignOn.withAuthenticator.pwd.at') =>
  ({ secondsSince: `\${session.${path}}`, greater: 3600 }) as const

type Plan = PolicyAction extends infer Action ? Omit<Action & object, 'priority'> : never

function policyOf(plans: readonly Plan[], version = 1): CompiledPolicy {
  const actions = plans.map((plan, at) => ({ ...plan, id: `action-${at + 1}`, priority: at + 1 }) as never)
  return compilePolicy({ id: 'policy', name: 'Passkeys', version, actions })
}

function begin(rig: Rig, ...plans: readonly Plan[]): Rig {
  rig.begin(policyOf(plans))
  return rig
}

function sign(rig: Rig, who: 'alice' | 'bob' = 'alice') {
  return rig.post('assertion.check', { origin: 'https://auth.example.com', assertion: codeOf(who) })
}

const outcomeOf = ({ state }: Rig) => state?.outcome

suite('a passkey in the place of a password', () => {
  test('is taken only where the policy says so', () => {
    for (const plan of [{ type: 'LOGIN' }, { type: 'IDENTIFIER_FIRST' }, { ...login, passkeys: { enabled: false } }]) {
      const rig = begin(new Rig(), plan as Plan)
      assert.ok(!('assertion.check' in rig.view()._links))
      const refused = sign(rig)
      assert.ok(refused.kind === 'refused' && refused.refusal.reason === 'action-not-allowed')
    }
  })

  test('signs on: two factors, of which neither is a password', () => {
    for (const plans of [[login], [name], [name, login], [login, secondFactor], [name, secondFactor]]) {
      const rig = begin(new Rig(), ...plans)
      sign(rig)
      assert.equal(rig.state?.status, 'COMPLETED', JSON.stringify(plans))
      assert.deepEqual([outcomeOf(rig)?.amr, Object.keys(outcomeOf(rig)?.proved ?? {})], [['pop', 'mfa'], ['mfa']])
    }
  })

  test('a LOGIN that does not take one asks for the password all the same', () => {
    const rig = begin(new Rig(), name, passwordOnly)
    sign(rig)
    assert.equal(rig.state?.status, 'PASSWORD_REQUIRED')
    rig.signOn('alice')
    assert.deepEqual(outcomeOf(rig)?.amr, ['pwd', 'pop', 'mfa'])
  })

  test('a second factor that FIDO2 devices prove by another FIDO2 policy is asked for', () => {
    const rig = new Rig()
    const strict = {
      ...rig.configuration.defaultDeviceAuthenticationPolicy,
      fido2: { enabled: true, fido2PolicyId: 'x' },
    }
    rig.configuration.deviceAuthenticationPolicies.set('strict', strict as never)
    begin(rig, login, { ...secondFactor, deviceAuthenticationPolicy: { id: 'strict' } })
    sign(rig)
    assert.equal(rig.state?.status, 'DEVICE_SELECTION_REQUIRED')
  })

  test('the signature of a second factor is none: the device may not have verified its user', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 10, pwd: 10 })
    rig.request = { ...plainRequest, maxAge: 0 }
    begin(rig, secondFactor, login)
    rig.post('device.select', { device: { id: deviceOf('alice', 'FIDO2') } })
    sign(rig)
    assert.equal(rig.state?.status, 'PASSWORD_REQUIRED')
    sign(rig)
    assert.equal(rig.state?.status, 'COMPLETED')
  })

  test('is a fresh sign-on for prompt=login and max_age', () => {
    for (const request of [{ forcesLogin: true }, { maxAge: 0 }]) {
      const rig = new Rig()
      rig.signIn('alice', { at: 10, pwd: 10, mfa: 10 })
      rig.request = { ...plainRequest, ...request }
      begin(rig, login)
      assert.match(rig.state?.status ?? '', /PASSWORD_REQUIRED$/)
      sign(rig)
      assert.equal(outcomeOf(rig)?.authTime, Math.floor(rig.now / 1000))
    }
  })

  test('leaves no password in the session: what is skipped for one is asked for', () => {
    const spared = new Rig()
    spared.signIn('alice', { at: 10, mfa: 10 })
    begin(spared, { ...login, condition: since('lastSignOn.at') })
    assert.deepEqual([spared.state?.status, outcomeOf(spared)?.amr], ['COMPLETED', ['mfa']])
    const asked = new Rig()
    asked.signIn('alice', { at: 10, mfa: 10 })
    begin(asked, { ...login, condition: since('lastSignOn.withAuthenticator.pwd.at') })
    assert.equal(asked.state?.status, 'PASSWORD_REQUIRED')
  })

  test('a session is not more than its policy asks for: mfa is claimed where passkeys are', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 10, pwd: 10, mfa: 10 })
    begin(rig, { ...passwordOnly, condition: since('lastSignOn.at') })
    assert.deepEqual(outcomeOf(rig)?.amr, ['pwd'])
  })

  test('a password that must be changed does not stand in its way', () => {
    for (const password of ['MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED', 'NO_PASSWORD'] as const) {
      const rig = new Rig()
      rig.people.alice.facts = { ...rig.people.alice.facts, password, mfaEnabled: false }
      sign(begin(rig, login))
      assert.equal(rig.state?.status, 'COMPLETED', password)
    }
  })

  test('J20: an address that has to be verified does; then it counts as what it was', () => {
    for (const plans of [
      [login, secondFactor],
      [name, login, secondFactor],
    ]) {
      const rig = new Rig()
      rig.people.alice.facts = { ...rig.people.alice.facts, verification: 'REQUIRED' }
      sign(begin(rig, ...plans))
      assert.deepEqual([rig.state?.status, rig.state?.proofs], ['VERIFICATION_CODE_REQUIRED', []])
      rig.post('user.verify', { verificationCode: codeOf('alice') })
      assert.equal(rig.state?.status, 'COMPLETED')
      assert.deepEqual(outcomeOf(rig)?.amr, ['pop', 'mfa'])
    }
  })

  test('whoever may not sign on is told no more than whoever has none', () => {
    const rig = new Rig()
    rig.people.alice.facts = { ...rig.people.alice.facts, enabled: false }
    rig.isCareless = true
    const disabled = sign(begin(rig, login))
    const unknown = begin(new Rig(), login).post('assertion.check', { origin: '', assertion: 'x' })
    assert.deepEqual(disabled, unknown)
    assert.ok(disabled.kind === 'refused' && disabled.refusal.reason === 'wrong-assertion')
  })

  test('D7, J26: once somebody is named only they sign on, and it makes no difference whether anybody has the name', () => {
    const answers = (['alice', 'nobody'] as const).map((username) => {
      const rig = begin(new Rig(), { type: 'IDENTIFIER_FIRST' }, login)
      rig.post('user.lookup', { username })
      assert.equal(rig.state?.status, 'PASSWORD_REQUIRED')
      assert.deepEqual(rig.view()._embedded.user, undefined)
      return sign(rig, 'bob')
    })
    assert.deepEqual(answers[0], answers[1])
    assert.ok(answers[0]?.kind === 'refused' && answers[0].refusal.reason === 'wrong-assertion')
    const rig = begin(new Rig(), { type: 'IDENTIFIER_FIRST' }, login)
    rig.post('user.lookup', { username: 'alice' })
    sign(rig)
    assert.deepEqual(rig.state?.user, { id: 'id-of-alice', knownBy: 'credentials' })
    assert.equal(rig.state?.status, 'COMPLETED')
  })

  test('J12: a runtime that takes anybody’s does not sign a stranger on', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 10, pwd: 10 })
    rig.isCareless = true
    begin(rig, login)
    const refused = sign(rig, 'bob')
    assert.ok(refused.kind === 'refused' && refused.refusal.reason === 'other-user')
    const hinted = new Rig()
    hinted.request = { ...plainRequest, hintedUserId: 'id-of-alice' }
    const other = sign(begin(hinted, login), 'bob')
    assert.ok(other.kind === 'refused' && other.refusal.reason === 'other-user')
  })

  test('D20: it does not count where it was switched off meanwhile', () => {
    const profile = {
      type: 'PROGRESSIVE_PROFILING',
      attributes: [{ name: 'nickname', required: true }],
      preventMultiplePromptsPerFlow: true,
      promptIntervalSeconds: 0,
      promptText: '',
    } as const
    for (const [first, off, asked] of [
      [login, passwordOnly, 'PASSWORD_REQUIRED'],
      [name, { type: 'IDENTIFIER_FIRST' }, 'SIGN_ON_REQUIRED'],
    ] as const) {
      const rig = begin(new Rig(), first, profile)
      sign(rig)
      assert.equal(rig.state?.status, 'PROFILE_DATA_REQUIRED')
      rig.current.set('policy', policyOf([off, profile], 2))
      rig.post('user.update', { nickname: 'Ada' })
      assert.equal(rig.state?.status, asked)
    }
  })
})
