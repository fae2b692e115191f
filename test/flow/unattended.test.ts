/**
 * Flows without a browser: the app of the hinted user is asked or nobody is, and the flow is answered with its last step.
 * OpenID CIBA Core section 8; rows Q08, J23.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { compilePolicy, type PolicyAction } from '../../src/flow/policy.ts'
import { canary, codeOf, loginPolicy, noon, plainRequest, Rig, terms } from './rig.ts'

const mfa = { id: 'mfa', type: 'MULTI_FACTOR_AUTHENTICATION' } as const
const agreement = { id: 'terms', type: 'AGREEMENT', agreement: { id: terms.id }, disableDeclineOption: false } as const

/** A policy of these actions, in their order. */
function policy(...actions: readonly object[]) {
  const sources = actions.map(
    (action, at) => ({ ...action, priority: at + 1 }) as unknown as PolicyAction & { id: string },
  )
  return compilePolicy({ id: 'policy', name: 'By_App', version: 1, actions: sources })
}

function rigFor(hintedUserId: string | null = 'id-of-alice'): Rig {
  const rig = new Rig()
  rig.door = 'backchannel'
  const backchannel = {
    grantId: 'grant',
    scopeIds: ['id-of-openid'],
    bindingMessage: 'Order 42',
    expiresAt: noon + 120_000,
  }
  rig.request = { ...plainRequest, hintedUserId, backchannel }
  return rig
}

const kinds = ({ effects }: Rig) => effects.map(({ kind }) => kind)

suite('flows without a browser', () => {
  test('the app is asked; what it approves completes the flow, signs on and is issued, in one step', () => {
    const rig = rigFor()
    rig.begin(policy(mfa))
    assert.equal(rig.state?.status, 'PUSH_CONFIRMATION_REQUIRED')
    assert.deepEqual(rig.state.user, { id: 'id-of-alice', knownBy: 'hint' })
    assert.equal(rig.view()._embedded.user, undefined, 'nobody has proved anything')
    rig.answerPush('APPROVE')
    const { status, outcome, resumedAt, signOnDue, steps } = rig.state
    assert.deepEqual([status, resumedAt, signOnDue], ['COMPLETED', rig.now, undefined])
    assert.deepEqual([outcome?.userId, outcome?.amr, outcome?.consentId], ['id-of-alice', ['pop', 'mfa'], undefined])
    assert.deepEqual(
      steps.map(({ type, standing }) => [type, standing]),
      [
        ['MULTI_FACTOR_AUTHENTICATION', 'SATISFIED'],
        ['BACKCHANNEL_CONSENT', 'SATISFIED'],
      ],
    )
    assert.deepEqual(kinds(rig), ['signOn', 'issue'])
    assert.equal(rig.resume().kind, 'refused', 'it is answered')
    assert.equal(rig.answerPush('APPROVE').kind, 'refused')
  })

  test('what it denies is denied in that step', () => {
    const rig = rigFor()
    rig.begin(policy(mfa))
    rig.answerPush('DENY')
    assert.deepEqual([rig.state?.status, rig.state?.failure?.code], ['FAILED', 'PUSH_DENIED'])
    assert.deepEqual(kinds(rig), ['deny'])
  })

  test('a policy that needs somebody at a browser fails at once, and nobody is written to', () => {
    for (const needing of [
      loginPolicy([null]),
      policy({ id: 'login', type: 'LOGIN' }, mfa),
      policy({ id: 'name', type: 'IDENTIFIER_FIRST' }, { id: 'login', type: 'LOGIN' }),
      policy({ id: 'hook', type: 'WEBHOOK', webhook: { url: 'https://hook.example', onError: 'DENY' } }, mfa),
      policy(agreement, mfa),
    ]) {
      const rig = rigFor()
      rig.begin(needing)
      assert.equal(rig.state?.status, 'FAILED', needing.actions.map(({ type }) => type).join())
      assert.equal(rig.asked, undefined)
      assert.deepEqual(rig.calls, [], 'a webhook is asked only about somebody who has proved who they are')
      assert.deepEqual(kinds(rig), ['deny'])
    }
  })

  test('a policy that needs somebody after the app has answered fails then', () => {
    const rig = rigFor()
    rig.begin(policy(mfa, agreement))
    assert.equal(rig.state?.status, 'PUSH_CONFIRMATION_REQUIRED')
    rig.answerPush('APPROVE')
    assert.deepEqual([rig.state.status, rig.state.failure?.code], ['FAILED', 'POLICY_NOT_SATISFIED'])
    assert.deepEqual(kinds(rig), ['deny'])
    assert.equal(
      rig.state.trace.some(({ reason }) => reason === 'unattended'),
      true,
    )
  })

  test('nobody who was hinted at, or who may not sign on, is asked', () => {
    const nobody = rigFor(null)
    nobody.begin(policy(mfa))
    const disabled = rigFor()
    disabled.people.alice.facts = { ...disabled.people.alice.facts, enabled: false }
    disabled.begin(policy(mfa))
    for (const rig of [nobody, disabled]) {
      assert.equal(rig.state?.status, 'FAILED')
      assert.equal(rig.asked, undefined)
    }
    const meanwhile = rigFor()
    meanwhile.begin(policy(mfa))
    meanwhile.people.alice.facts = { ...meanwhile.people.alice.facts, enabled: false }
    meanwhile.answerPush('APPROVE')
    assert.deepEqual([meanwhile.state?.status, kinds(meanwhile)], ['FAILED', ['deny']])
  })

  test('nothing but the app reaches it: what would be typed is refused', () => {
    const rig = rigFor()
    rig.begin(policy(mfa))
    for (const [name, body] of [
      ['oauth.consent', { accept: true }],
      ['usernamePassword.check', { username: 'alice', password: `${canary}-1-alice` }],
    ] as const) {
      assert.equal(rig.post(name, body).kind, 'refused')
    }
    const typed = rig.post('otp.check', { otp: codeOf('alice') })
    assert.ok(typed.kind === 'done' && typed.state.status === 'FAILED', 'a passcode is no answer of an app')
  })

  test('the same request in a browser asks for the answer there, unless the app was asked', () => {
    const rig = rigFor()
    rig.door = 'redirect'
    rig.begin(loginPolicy([null]))
    rig.signOn('alice')
    assert.equal(rig.state?.status, 'CONSENT_REQUIRED')
    rig.post('oauth.consent', { accept: true })
    assert.deepEqual([rig.state.status, rig.state.resumedAt], ['COMPLETED', null])
    assert.equal(rig.state.outcome?.consentId, 'consent-of-id-of-alice')
    rig.resume()
    assert.deepEqual(kinds(rig), ['signOn', 'issue'])

    const late = rigFor()
    late.door = 'redirect'
    late.begin(loginPolicy([null]))
    late.signOn('alice')
    late.wait(121)
    late.post('oauth.consent', { accept: true })
    assert.equal(late.state?.failure?.code, 'REQUEST_EXPIRED')

    const other = rigFor()
    other.door = 'redirect'
    other.begin(loginPolicy([null]))
    assert.equal(other.signOn('bob').kind, 'refused', 'nobody but the hinted user signs on')
  })
})
