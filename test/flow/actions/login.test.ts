/** LOGIN: every status by every event, first as the action decides alone, then through the machine. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { login } from '../../../src/flow/actions/login.ts'
import type { UserFacts } from '../../../src/flow/facts.ts'
import type { Answer } from '../../../src/flow/question.ts'
import { flowIn } from '../flow-in.ts'
import { canary, noon, type Outcome, Rig } from '../rig.ts'

const alice: UserFacts = new Rig().people.alice.facts
type Event = Parameters<typeof login.decide>[0]['event']

function decide(event: Event, user: { id: string } | null = null, identifier: string | null = null) {
  const turn = {
    config: {},
    slot: { proved: [] },
    status: 'USERNAME_PASSWORD_REQUIRED',
    facts: {},
    now: noon,
    flowId: 'flow',
    isVouched: false,
    flow: { id: 'flow', applicationId: 'application', proofs: [] },
  }
  return login.decide({ ...turn, event, user: user && { id: user.id, knownBy: 'credentials' }, identifier })
}

const answered = (answer: Answer) => decide({ type: 'answer', answer })

suite('LOGIN decides', () => {
  test('to ask for username and password when nobody is known, for the password otherwise', () => {
    const unknown = decide({ type: 'enter' })
    const known = decide({ type: 'enter' }, alice)
    assert.ok(unknown.outcome === 'wait' && unknown.status === 'USERNAME_PASSWORD_REQUIRED')
    assert.ok(known.outcome === 'wait' && known.status === 'PASSWORD_REQUIRED')
  })

  test('to check the password of whoever is named, or of the user it knows', () => {
    const check = (username?: string) => ({
      type: 'usernamePassword.check' as const,
      body: username === undefined ? {} : { username },
    })
    assert.deepEqual(decide(check('alice')), {
      outcome: 'ask',
      question: { kind: 'checkPassword', username: 'alice', userId: null },
    })
    assert.deepEqual(decide(check(), alice), {
      outcome: 'ask',
      question: { kind: 'checkPassword', username: null, userId: 'id-of-alice' },
    })
    assert.deepEqual(decide(check('bob'), alice), {
      outcome: 'ask',
      question: { kind: 'checkPassword', username: 'bob', userId: 'id-of-alice' },
    })
    const nobody = decide(check())
    assert.ok(nobody.outcome === 'refuse')
    assert.deepEqual(nobody.refusal.details[0], {
      code: 'REQUIRED_VALUE',
      target: 'username',
      message: 'must not be null',
    })
  })

  test('by the answer: right, to be changed, expired', () => {
    const accepted = { to: 'checkPassword', result: 'accepted', user: alice } as const
    const right = answered({ ...accepted, password: 'OK' })
    assert.ok(right.outcome === 'prove' && right.methods.join() === 'pwd' && right.user === alice)
    for (const password of ['MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED'] as const) {
      const decision = answered({ ...accepted, password })
      assert.ok(decision.outcome === 'wait' && decision.status === password && decision.user === alice)
    }
  })

  test('the same about a wrong password and about a user who may not sign on', () => {
    const wrong = answered({ to: 'checkPassword', result: 'rejected' })
    for (const change of [{ enabled: false }, { locked: true }, { canAuthenticate: false }]) {
      const user = { ...alice, ...change }
      assert.deepEqual(answered({ to: 'checkPassword', result: 'accepted', user, password: 'OK' }), wrong)
    }
    assert.ok(wrong.outcome === 'refuse')
    assert.deepEqual(wrong.refusal, {
      status: 400,
      code: 'INVALID_DATA',
      details: [{ code: 'INVALID_CREDENTIALS', message: 'Invalid username and/or password.' }],
      reason: 'wrong-credentials',
    })
  })

  /** Rows: the answer, then code, target and innerError of the refusal. */
  const refusals: readonly (readonly [Answer, string, string | undefined, object | undefined])[] = [
    [{ to: 'checkPassword', result: 'otherUser' }, 'INVALID_VALUE', 'username', undefined],
    [
      { to: 'checkPassword', result: 'lockedOut', secondsUntilUnlock: 900 },
      'PASSWORD_LOCKED_OUT',
      undefined,
      { secondsUntilUnlock: 900 },
    ],
    [{ to: 'evaluateNewPassword', result: 'wrongCurrent' }, 'INVALID_VALUE', 'currentPassword', undefined],
    [
      { to: 'evaluateNewPassword', result: 'lockedOut', secondsUntilUnlock: 5 },
      'PASSWORD_LOCKED_OUT',
      undefined,
      { secondsUntilUnlock: 5 },
    ],
    [
      {
        to: 'evaluateNewPassword',
        result: 'unsatisfied',
        requirements: [
          { name: 'history', message: 'used before' },
          { name: 'length', message: 'too short' },
        ],
      },
      'INVALID_VALUE',
      'newPassword',
      { unsatisfiedRequirements: ['history', 'length'], history: 'used before', length: 'too short' },
    ],
  ]

  for (const [answer, code, target, innerError] of refusals) {
    test(`${answer.to} ${'result' in answer && answer.result} is refused with ${code}`, () => {
      const decision = answered(answer)
      assert.ok(decision.outcome === 'refuse')
      const [detail, ...others] = decision.refusal.details
      assert.deepEqual([decision.refusal.status, decision.refusal.code, others], [400, 'INVALID_DATA', []])
      assert.deepEqual([detail?.code, detail?.target, detail?.innerError], [code, target, innerError])
    })
  }

  test('that a changed password is stored and proves the password', () => {
    const decision = answered({ to: 'evaluateNewPassword', result: 'accepted', user: alice })
    assert.ok(decision.outcome === 'prove')
    assert.deepEqual(decision.effects, [{ kind: 'setPassword', userId: 'id-of-alice' }])
  })

  test('nothing about a reset without a user', () => {
    assert.equal(decide({ type: 'password.reset', body: {} }).outcome, 'refuse')
  })
})

const right = { username: 'alice', password: `${canary}-1-alice` }
const changed = { currentPassword: `${canary}-1-alice`, newPassword: `${canary}-new` }
const check = 'usernamePassword.check' as const
const reset = 'password.reset' as const

/** Rows: status, media type, body; then the status it leads to, or the reason it is refused. */
const table = [
  ['USERNAME_PASSWORD_REQUIRED', check, right, 'COMPLETED'],
  ['USERNAME_PASSWORD_REQUIRED', check, { ...right, password: 'wrong' }, 'wrong-credentials'],
  ['USERNAME_PASSWORD_REQUIRED', check, { ...right, username: 'nobody' }, 'wrong-credentials'],
  ['USERNAME_PASSWORD_REQUIRED', check, { password: 'x' }, 'value-missing'],
  ['USERNAME_PASSWORD_REQUIRED', check, { username: 'alice' }, 'malformed-body'],
  ['USERNAME_PASSWORD_REQUIRED', reset, changed, 'action-not-allowed'],
  ['USERNAME_PASSWORD_REQUIRED', 'session.reset', {}, 'action-not-allowed'],
  ['PASSWORD_REQUIRED', check, right, 'COMPLETED'],
  ['PASSWORD_REQUIRED', check, { password: right.password }, 'COMPLETED'],
  ['PASSWORD_REQUIRED', check, { password: 'wrong' }, 'wrong-credentials'],
  ['PASSWORD_REQUIRED', check, { username: 'bob', password: `${canary}-1-bob` }, 'other-user'],
  ['PASSWORD_REQUIRED', check, { username: 'nobody', password: 'x' }, 'other-user'],
  ['PASSWORD_REQUIRED', reset, changed, 'action-not-allowed'],
  ['PASSWORD_REQUIRED', 'session.reset', {}, 'USERNAME_PASSWORD_REQUIRED'],
  ['MUST_CHANGE_PASSWORD', check, right, 'action-not-allowed'],
  ['MUST_CHANGE_PASSWORD', reset, changed, 'COMPLETED'],
  ['MUST_CHANGE_PASSWORD', reset, { ...changed, currentPassword: 'wrong' }, 'wrong-current-password'],
  ['MUST_CHANGE_PASSWORD', reset, { ...changed, newPassword: 'weak' }, 'password-unsatisfied'],
  ['MUST_CHANGE_PASSWORD', reset, {}, 'malformed-body'],
  ['MUST_CHANGE_PASSWORD', 'session.reset', {}, 'action-not-allowed'],
  ['PASSWORD_EXPIRED', check, right, 'action-not-allowed'],
  ['PASSWORD_EXPIRED', reset, changed, 'COMPLETED'],
  ['PASSWORD_EXPIRED', reset, { ...changed, currentPassword: 'wrong' }, 'wrong-current-password'],
  ['PASSWORD_EXPIRED', 'session.reset', {}, 'action-not-allowed'],
  ['COMPLETED', check, right, 'action-not-allowed'],
  ['COMPLETED', reset, changed, 'action-not-allowed'],
  ['COMPLETED', 'session.reset', {}, 'action-not-allowed'],
  ['FAILED', check, right, 'action-not-allowed'],
  ['FAILED', reset, changed, 'action-not-allowed'],
  ['FAILED', 'session.reset', {}, 'action-not-allowed'],
] as const

suite('LOGIN in the machine', () => {
  for (const [status, mediaType, body, expected] of table) {
    test(`${status}: ${mediaType} ${JSON.stringify(body)} -> ${expected}`, () => {
      const rig = flowIn(status)
      const before = rig.state
      const effects = rig.effects.length
      const outcome: Outcome = rig.post(mediaType, body)
      if (outcome.kind === 'done') {
        assert.equal(outcome.state.status, expected)
      } else {
        assert.equal(outcome.refusal.reason, expected)
        assert.equal(rig.state, before)
        assert.equal(rig.effects.length, effects)
      }
    })
  }

  test('a locked password is refused with the time that is left', () => {
    const rig = flowIn('USERNAME_PASSWORD_REQUIRED')
    for (let guess = 0; guess < 5; guess++) rig.post(check, { username: 'alice', password: 'wrong' })
    const outcome = rig.post(check, right)
    assert.ok(outcome.kind === 'refused')
    assert.deepEqual(outcome.refusal.details[0]?.innerError, { secondsUntilUnlock: 900 })
  })

  test('a new password is stored together with the state it completes', () => {
    const rig = flowIn('MUST_CHANGE_PASSWORD')
    const outcome = rig.post(reset, changed)
    assert.ok(outcome.kind === 'done')
    assert.deepEqual(
      outcome.effects.map(({ kind }) => kind),
      ['setPassword', 'signOn'],
    )
    assert.equal(rig.people.alice.password, changed.newPassword)
  })
})
