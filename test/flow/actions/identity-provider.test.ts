/** Coming back from identity providers, as the machine judges it (authentication-api 3.5, 5.2-5.4; M08, M16, M19, M25). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { compilePolicy } from '../../../src/flow/policy.ts'
import { canary, loginPolicy, type Outcome, partner, policyOf, Rig } from '../rig.ts'
import { secondSecretAction } from '../second-secret.ts'

const social = (registration: object = { enabled: true }, more: object = {}) =>
  loginPolicy([null], 1, { registration, socialProviders: [{ id: partner.id }], ...more })
const elsewhere = (more: object = {}) =>
  compilePolicy({
    id: 'policy',
    name: 'Partner',
    version: 1,
    actions: [{ id: 'partner', type: 'IDENTITY_PROVIDER', priority: 1, identityProvider: { id: partner.id }, ...more }],
  })

function begun(policy: ReturnType<typeof social>): Rig {
  const rig = new Rig()
  rig.begin(policy)
  return rig
}

const reasonOf = (outcome: Outcome) => (outcome.kind === 'refused' ? outcome.refusal.reason : outcome.state.status)

suite('coming back', () => {
  test('a linked user signs on; the proof names the provider and who trusted it, and claims no method', () => {
    const rig = begun(social())
    rig.links.set('partner/7', rig.people.bob.facts.id)
    assert.equal(reasonOf(rig.comeBack('7')), 'COMPLETED')
    assert.deepEqual(rig.state?.proofs, [
      {
        method: 'idp',
        userId: 'id-of-bob',
        at: rig.now,
        actionId: 'login-1',
        provider: { id: 'partner', trustedBy: 'LOGIN' },
      },
    ])
    assert.deepEqual(rig.state?.outcome?.amr, [])
  })

  test('nobody comes back where the status, the action or the provider does not send them', () => {
    for (const rig of [begun(loginPolicy([null])), begun(loginPolicy([null], 1, { socialProviders: [{ id: 'x' }] }))]) {
      assert.equal(reasonOf(rig.comeBack('7')), 'action-not-allowed')
    }
    const rig = begun(social())
    assert.equal(reasonOf(rig.comeBack('7', { providerId: 'unknown' })), 'action-not-allowed')
    rig.comeBack('alice')
    assert.equal(reasonOf(rig.comeBack('7')), 'action-not-allowed', 'an account waits to be linked')
    rig.signOn('alice')
    assert.equal(reasonOf(rig.comeBack('7')), 'action-not-allowed', 'the flow is completed')
  })

  test('M14: a disabled provider takes nobody', () => {
    const rig = begun(social())
    rig.configuration.identityProviders.set(partner.id, { ...partner, enabled: false })
    assert.equal(reasonOf(rig.comeBack('7')), 'action-not-allowed')
    const other = new Rig()
    other.configuration.identityProviders.clear()
    assert.equal(reasonOf(other.begin(elsewhere())), 'FAILED')
  })

  test('M19: a linked user who may not sign on ends the policy', () => {
    const rig = begun(social())
    rig.people.bob.facts = { ...rig.people.bob.facts, enabled: false }
    rig.links.set('partner/7', rig.people.bob.facts.id)
    assert.equal(reasonOf(rig.comeBack('7')), 'FAILED')
    assert.deepEqual(rig.state?.proofs, [])
  })

  test('whoever comes back is the user of the flow, if it has one', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 10, pwd: 10 })
    rig.links.set('partner/7', rig.people.bob.facts.id)
    rig.begin(social())
    assert.equal(reasonOf(rig.comeBack('7')), 'other-user')
    assert.equal(rig.state?.status, 'PASSWORD_REQUIRED')
  })

  test('M16: a second factor of the policy is asked for here, whatever the provider did', () => {
    const [first] = elsewhere({ registration: { enabled: true } }).actions
    assert.ok(first)
    const rig = begun(policyOf('policy', [first, secondSecretAction('second', 1, 2)]))
    rig.links.set('partner/7', rig.people.bob.facts.id)
    assert.equal(reasonOf(rig.comeBack('7')), 'PASSWORD_REQUIRED')
    assert.equal(rig.state?.action?.id, 'second')
    assert.equal(reasonOf(rig.post('usernamePassword.check', { password: `${canary}-2-bob` })), 'COMPLETED')
    assert.deepEqual(rig.state?.outcome?.amr, ['mfa'])
  })

  test('IDENTITY_PROVIDER does not stand for LOGIN, nor LOGIN by password for it', () => {
    const actions = [...elsewhere().actions, ...loginPolicy([null]).actions]
    const rig = begun(policyOf('policy', actions))
    rig.links.set('partner/7', rig.people.bob.facts.id)
    assert.equal(reasonOf(rig.comeBack('7')), 'PASSWORD_REQUIRED')
    assert.equal(rig.state?.action?.id, 'login-1')
    const reversed = begun(policyOf('policy', actions.toReversed()))
    assert.equal(reasonOf(reversed.signOn('bob')), 'EXTERNAL_AUTHENTICATION_REQUIRED')
  })

  test('D20: a LOGIN that no longer trusts the provider asks for the password', () => {
    const rig = begun(social())
    rig.links.set('partner/7', rig.people.bob.facts.id)
    rig.current.set('policy', loginPolicy([null], 2))
    assert.equal(reasonOf(rig.comeBack('7')), 'PASSWORD_REQUIRED')
  })
})

suite('an account that is not linked', () => {
  test('M08, M10: a namesake is linked by the password alone', () => {
    const rig = begun(social())
    assert.equal(reasonOf(rig.comeBack('alice')), 'ACCOUNT_LINKING_REQUIRED')
    assert.equal(rig.state?.user, null)
    assert.equal(
      reasonOf(rig.post('usernamePassword.check', { username: 'alice', password: 'x' })),
      'wrong-credentials',
    )
    assert.equal(rig.links.size, 0)
    assert.equal(reasonOf(rig.signOn('alice')), 'COMPLETED')
    assert.deepEqual([...rig.links], [['partner/alice', 'id-of-alice']])
  })

  test('any account whose password is known may be linked, once', () => {
    const rig = begun(social({ enabled: false }))
    assert.equal(reasonOf(rig.comeBack('nobody-here')), 'ACCOUNT_LINKING_REQUIRED')
    rig.links.set('partner/else', rig.people.alice.facts.id)
    assert.equal(reasonOf(rig.signOn('alice')), 'already-linked')
    assert.equal(reasonOf(rig.signOn('bob')), 'COMPLETED')
  })

  test('a password that has to be changed links nothing', () => {
    const rig = begun(social())
    rig.people.alice.facts = { ...rig.people.alice.facts, password: 'MUST_CHANGE_PASSWORD' }
    rig.comeBack('alice')
    assert.equal(reasonOf(rig.signOn('alice')), 'password-change-first')
    assert.equal(rig.links.size, 0)
  })

  test('somebody new gets an account where the action or the provider says so, and nowhere else', () => {
    assert.equal(reasonOf(begun(social({ enabled: true })).comeBack('carol')), 'COMPLETED')
    assert.equal(reasonOf(begun(social({ enabled: false })).comeBack('carol')), 'ACCOUNT_LINKING_REQUIRED')
    const rig = begun(elsewhere())
    rig.configuration.identityProviders.set(partner.id, { ...partner, populationId: 'guests' })
    assert.equal(reasonOf(rig.comeBack('carol')), 'COMPLETED')
  })

  test('an address that is not verified is, before anything counts', () => {
    const rig = begun(social())
    const email = { address: 'carol@idp.example', verified: false }
    assert.equal(reasonOf(rig.comeBack('carol', { email })), 'VERIFICATION_CODE_REQUIRED')
    assert.equal(rig.state?.proofs.length, 0)
    assert.equal(reasonOf(rig.post('user.verify', { verificationCode: `${canary}-code-carol` })), 'COMPLETED')
    assert.deepEqual(
      rig.state?.proofs.map((proof) => [proof.method, proof.provider?.id]),
      [['idp', 'partner']],
    )
  })

  test('what is confirmed replaces what was said, never adds to it, and loses its verification', () => {
    const rig = begun(social({ enabled: true, confirmIdentityProviderAttributes: true }))
    const email = { address: 'a@idp.example', verified: true }
    const attributes = [
      { name: 'username', value: 'carol', update: 'EMPTY_ONLY' as const },
      { name: 'email', value: 'a@idp.example', update: 'EMPTY_ONLY' as const },
    ]
    assert.equal(reasonOf(rig.comeBack('7', { email, attributes })), 'ACCOUNT_CONFIRMATION_REQUIRED')
    const said = { username: 'dora', email: 'b@idp.example', nickname: 'D' }
    assert.equal(reasonOf(rig.post('user.confirm', said)), 'VERIFICATION_CODE_REQUIRED')
    assert.equal(rig.registered[0]?.username, 'dora')
  })

  test('a name that is taken leads from the confirmation to linking', () => {
    const rig = begun(social({ enabled: true, confirmIdentityProviderAttributes: true }))
    rig.comeBack('carol')
    assert.equal(reasonOf(rig.post('user.confirm', { username: 'alice' })), 'ACCOUNT_LINKING_REQUIRED')
    assert.equal(reasonOf(rig.post('session.reset', {})), 'USERNAME_PASSWORD_REQUIRED')
    assert.equal(reasonOf(rig.signOn('alice')), 'COMPLETED')
    assert.equal(rig.links.size, 0, 'a reset forgets who came back')
  })
})
