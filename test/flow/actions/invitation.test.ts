/** Invitations through the machine: authentication-api 4.1 row 14, row K36. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { invitation } from '../../../src/flow/actions/invitation.ts'
import { compilePolicy } from '../../../src/flow/policy.ts'
import { canary, codeOf, invitationOf, loginPolicy, noon, partner, policyOf, Rig } from '../rig.ts'
import { secondSecretAction } from '../second-secret.ts'

const [login] = loginPolicy([null]).actions
assert.ok(login)
const password = `${canary}-new`
const right = { inviteCode: codeOf('alice'), password, accept: true }

function invited(...policies: Parameters<Rig['begin']>): Rig {
  const rig = new Rig()
  rig.invite('alice')
  rig.begin(...(policies.length > 0 ? policies : [loginPolicy([null])]))
  return rig
}

suite('user.acceptInvite', () => {
  test('the flow begins with it, shows whom it invites and what a password needs, and nothing else may be done', () => {
    const { _links, _embedded, status } = invited().view()
    assert.equal(status, 'INVITATION_REQUIRED')
    assert.deepEqual(Object.keys(_links).toSorted(), ['requiredStep', 'self', 'user.acceptInvite'])
    assert.deepEqual(_embedded.user, { id: 'id-of-alice', username: 'alice' })
    assert.deepEqual(_embedded.passwordPolicy, { name: 'Standard' })
    assert.deepEqual([_embedded.requiredStep?.type, _embedded.requiredStep?.reason.code], ['INVITATION', 'invited'])
  })

  test('accepted: the password is chosen and proved, the address with it, and the flow is completed', () => {
    const rig = invited()
    rig.post('user.acceptInvite', right)
    assert.deepEqual([rig.state?.status, rig.state?.outcome?.amr], ['COMPLETED', ['pwd']])
    assert.deepEqual(
      rig.state?.trace.map(({ reason, after }) => [reason, after]),
      [
        ['invitation-open', 'INVITATION_REQUIRED'],
        ['invitation-accepted', 'INVITATION_REQUIRED'],
        ['policy-satisfied', 'COMPLETED'],
      ],
    )
    assert.equal(rig.people.alice.password, password)
    assert.equal(rig.people.alice.facts.verification, 'OK')
  })

  const refused: readonly (readonly [what: string, body: object, detail: object])[] = [
    [
      'the code of somebody else',
      { ...right, inviteCode: codeOf('bob') },
      { code: 'INVALID_VALUE', target: 'inviteCode', message: 'The code is not valid.' },
    ],
    [
      'no code',
      { password, accept: true },
      { code: 'REQUIRED_VALUE', target: 'inviteCode', message: 'must not be null' },
    ],
    [
      'no password',
      { inviteCode: right.inviteCode, accept: true },
      { code: 'REQUIRED_VALUE', target: 'password', message: 'must not be null' },
    ],
    [
      'no answer',
      { inviteCode: right.inviteCode, password },
      { code: 'REQUIRED_VALUE', target: 'accept', message: 'must not be null' },
    ],
    [
      'an answer that is neither',
      { ...right, accept: 'yes' },
      { code: 'INVALID_VALUE', target: 'accept', message: 'must be of type boolean' },
    ],
    [
      'a password that the policy does not take',
      { ...right, password: `${canary}-weak` },
      {
        code: 'INVALID_VALUE',
        target: 'password',
        message: 'New password did not satisfy password policy requirements',
        innerError: { unsatisfiedRequirements: ['length'], length: 'too short' },
      },
    ],
  ]
  for (const [what, body, detail] of refused) {
    test(`K36: ${what}: refused, and the code is as good as before`, () => {
      const rig = invited()
      const { state } = rig
      const outcome = rig.post('user.acceptInvite', body)
      assert.ok(outcome.kind === 'refused')
      assert.deepEqual([outcome.refusal.code, outcome.refusal.details], ['INVALID_DATA', [detail]])
      assert.equal(rig.state, state)
      rig.post('user.acceptInvite', right)
      assert.equal(rig.state?.status, 'COMPLETED')
    })
  }

  test('declined: the flow has failed, whatever policy would be next, and no password is set', () => {
    const rig = invited(loginPolicy([null]), policyOf('other', [login]))
    rig.post('user.acceptInvite', { inviteCode: right.inviteCode, accept: false })
    assert.deepEqual([rig.state?.status, rig.state?.failure?.code], ['FAILED', 'INVITATION_DECLINED'])
    assert.equal(rig.people.alice.facts.password, 'NO_PASSWORD')
  })

  test('K36: it skips nothing: a second factor and an identity provider are asked for all the same', () => {
    const twoFactors = invited(policyOf('two', [login, secondSecretAction('second', 1, 2)]))
    twoFactors.post('user.acceptInvite', right)
    assert.deepEqual([twoFactors.state?.status, twoFactors.state?.action?.id], ['PASSWORD_REQUIRED', 'second'])
    twoFactors.post('usernamePassword.check', { password: twoFactors.people.alice.second })
    assert.deepEqual(twoFactors.state?.outcome?.amr, ['pwd', 'mfa'])

    const actions = [
      { id: 'idp', type: 'IDENTITY_PROVIDER' as const, priority: 1, identityProvider: { id: partner.id } },
    ]
    const elsewhere = invited(compilePolicy({ id: 'policy', name: 'Partner', version: 1, actions }))
    elsewhere.post('user.acceptInvite', right)
    assert.equal(elsewhere.state?.status, 'EXTERNAL_AUTHENTICATION_REQUIRED')
  })

  test('K36: a session spares nothing of it, neither that of the invited nor that of somebody else', () => {
    for (const name of ['alice', 'bob'] as const) {
      const rig = new Rig()
      rig.signIn(name, { at: 0, pwd: 0, mfa: 0 })
      rig.invite('alice')
      const never = { secondsSince: '${session.lastSignOn.at}', greater: 3600 } as const
      rig.begin(loginPolicy([never]))
      assert.deepEqual([rig.state?.status, rig.state?.user?.id], ['INVITATION_REQUIRED', 'id-of-alice'])
      assert.equal(rig.state?.sessionCounts, name === 'alice')
      rig.post('user.acceptInvite', right)
      const { outcome } = rig.state ?? {}
      assert.equal(outcome?.userId, 'id-of-alice')
      assert.equal(outcome?.session.replaces, name === 'bob' ? 'session-of-bob' : null)
    }
  })

  test('K36: somebody who may not sign on is invited to nothing, and whoever is disabled meanwhile comes no further', () => {
    const rig = new Rig()
    rig.invite('alice')
    rig.people.alice.facts = { ...rig.people.alice.facts, enabled: false, canAuthenticate: false }
    rig.begin(loginPolicy([null]))
    assert.equal(rig.state?.status, 'FAILED')

    const later = invited()
    later.people.alice.facts = { ...later.people.alice.facts, enabled: false, canAuthenticate: false }
    later.post('user.acceptInvite', right)
    assert.deepEqual([later.state?.status, later.state?.failure?.code], ['FAILED', 'ACCOUNT_NOT_USABLE'])
    assert.equal(later.people.alice.password, `${canary}-1-alice`)
  })

  test('K36: it is satisfied by a password that was chosen by it, and by no other', () => {
    const standing = { actionId: 'invitation', user: null, facts: {}, identifier: null, now: noon }
    const proof = { method: 'pwd', userId: 'id-of-alice', at: noon } as const
    const isSatisfiedBy = (actionId: string) =>
      invitation.isSatisfied([{ ...proof, actionId }], { id: invitationOf('alice') }, standing)
    assert.deepEqual([isSatisfiedBy('invitation'), isSatisfiedBy('login-1')], [true, false])
  })

  test('once accepted it stays so, where the policy goes away and the next one takes over', () => {
    const second = secondSecretAction('second', 1, 2)
    const rig = invited(policyOf('two', [login, second]), policyOf('other', [login]))
    rig.post('user.acceptInvite', right)
    rig.current.delete('two')
    rig.post('usernamePassword.check', { password: rig.people.alice.second })
    assert.deepEqual([rig.state?.status, rig.state?.outcome?.policyId], ['COMPLETED', 'other'])
    assert.equal(rig.state?.steps[0]?.standing, 'SATISFIED')
  })

  test('once accepted, and then somebody else wants to sign on: there is no invitation for them', () => {
    const rig = invited(policyOf('two', [login, secondSecretAction('second', 1, 2)]))
    rig.post('user.acceptInvite', right)
    rig.post('session.reset', {})
    assert.deepEqual([rig.state?.status, rig.state?.user], ['FAILED', null])
  })
})
