/** The machine by scenario: sessions, re-authentication, several policies, versions, questions, the end of a flow. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { start, step } from '../../src/flow/machine.ts'
import { flowLifetime, type FlowState } from '../../src/flow/state.ts'
import { canary, loginPolicy, neverTrue, noon, type Outcome, plainOrigin, plainRequest, policyOf, Rig } from './rig.ts'
import { secondSecretAction } from './second-secret.ts'

const olderThan = (seconds: number) =>
  ({ secondsSince: '${session.lastSignOn.withAuthenticator.pwd.at}', greater: seconds }) as const
const singleFactor = loginPolicy([olderThan(28_800)])
const [login] = loginPolicy([null]).actions
assert.ok(login)
const twoFactors = policyOf('two', [login, secondSecretAction('second', 1, 2)])

function stateOf(outcome: Outcome): FlowState {
  assert.ok(outcome.kind === 'done', JSON.stringify(outcome))
  return outcome.state
}

function outcomeOf(outcome: Outcome) {
  return stateOf(outcome).outcome ?? assert.fail(stateOf(outcome).status)
}

const second = (rig: Rig, name: 'alice' | 'bob') =>
  rig.post('usernamePassword.check', { password: rig.people[name].second })

suite('single sign-on', () => {
  test('a fresh session completes the flow at once, with the proofs of the session', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 100, pwd: 200, mfa: 100 })
    const state = stateOf(rig.begin(singleFactor))
    assert.equal(state.status, 'COMPLETED')
    assert.deepEqual(state.outcome, {
      userId: 'id-of-alice',
      session: { id: 'session-of-alice', kept: true, replaces: null },
      policyId: 'policy',
      policyVersion: 1,
      acr: 'Single_Factor',
      amr: ['pwd'],
      authTime: noon / 1000 - 100,
      proved: {},
    })
    assert.deepEqual(
      state.trace.map(({ event, reason, before, after }) => [event, reason, before, after]),
      [['start', 'policy-satisfied', null, 'COMPLETED']],
    )
  })

  test('an old one asks its user for the password, and is kept', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 28_801, pwd: 28_801 })
    assert.equal(stateOf(rig.begin(singleFactor)).status, 'PASSWORD_REQUIRED')
    const { session, authTime, proved } = outcomeOf(rig.signOn('alice'))
    assert.deepEqual(session, { id: 'session-of-alice', kept: true, replaces: null })
    assert.deepEqual([authTime, proved], [noon / 1000, { pwd: noon }])
  })

  test('LOGIN without a condition always runs', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 0, pwd: 0 })
    assert.equal(stateOf(rig.begin(loginPolicy([null]))).status, 'PASSWORD_REQUIRED')
  })

  test('a session without the authenticator the condition reads does not satisfy it', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 0 })
    assert.equal(stateOf(rig.begin(singleFactor)).status, 'PASSWORD_REQUIRED')
  })

  test('the session of somebody who is gone or may not sign on does not count, and names nobody', () => {
    for (const change of [{ enabled: false }, { locked: true }, { canAuthenticate: false }]) {
      const rig = new Rig()
      rig.signIn('alice', { at: 0, pwd: 0 })
      rig.people.alice.facts = { ...rig.people.alice.facts, ...change }
      const state = stateOf(rig.begin(singleFactor))
      assert.deepEqual([state.status, state.user], ['USERNAME_PASSWORD_REQUIRED', null])
    }
  })

  test('a password that must be changed is not passed by with a session', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 0, pwd: 0 })
    rig.people.alice.facts = { ...rig.people.alice.facts, password: 'MUST_CHANGE_PASSWORD' }
    const state = stateOf(rig.begin(singleFactor))
    assert.deepEqual([state.status, state.steps[0]?.reason], ['PASSWORD_REQUIRED', 'account-demands'])
    assert.equal(stateOf(rig.signOn('alice')).status, 'MUST_CHANGE_PASSWORD')
  })

  test('what the session spared is judged again: a session that ended meanwhile spares nothing', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 0, pwd: 0 })
    const [conditional] = singleFactor.actions
    assert.ok(conditional)
    const state = stateOf(rig.begin(policyOf('p', [conditional, secondSecretAction('second', 1, 2)])))
    assert.deepEqual(
      state.steps.map(({ standing }) => standing),
      ['SKIPPED', 'REQUIRED'],
    )
    rig.session = null
    const after = stateOf(second(rig, 'alice'))
    assert.deepEqual([after.status, after.action?.id], ['PASSWORD_REQUIRED', 'login-1'])
    const { session } = outcomeOf(rig.signOn('alice'))
    assert.deepEqual(session, { id: 'new-session', kept: false, replaces: null })
  })

  test('amr holds what was proved here and what spared a step, nothing else the session may have', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 50, pwd: 100, mfa: 50 })
    const [conditional] = singleFactor.actions
    assert.ok(conditional)
    rig.begin(policyOf('p', [conditional, secondSecretAction('second', 1, 2)]))
    const { amr, authTime, proved } = outcomeOf(second(rig, 'alice'))
    assert.deepEqual([amr, authTime, proved], [['pwd', 'mfa'], noon / 1000, { mfa: noon }])
  })
})

test('a step the network spares is not put down to the session, and not to what the session once proved', () => {
  const mfaOlder = { secondsSince: '${session.lastSignOn.withAuthenticator.mfa.at}', greater: 60 } as const
  const outside = { not: { contains: '${flow.request.http.remoteIp}', ipRange: ['192.0.2.0/24'] } } as const
  for (const [remoteIp, mfa, reason, amr] of [
    ['192.0.2.1', 5000, 'condition-not-met', ['pwd']],
    ['203.0.113.1', 5, 'satisfied-by-session', ['pwd', 'mfa']],
  ] as const) {
    const [, conditional] = loginPolicy([null, { and: [mfaOlder, outside] }]).actions
    const rig = new Rig()
    rig.remoteIp = remoteIp
    rig.signIn('alice', { at: 5, pwd: 5, mfa })
    rig.begin(policyOf('p', [login, secondSecretAction('second', 1, 2, conditional?.condition ?? null)]))
    const state = stateOf(rig.signOn('alice'))
    assert.deepEqual([state.steps[1]?.standing, state.steps[1]?.reason], ['SKIPPED', reason])
    assert.deepEqual(outcomeOf({ kind: 'done', state, effects: [], reason: '' }).amr, amr)
  }
})

suite('re-authentication', () => {
  test('prompt=login behaves as without a session, and keeps its id for the same user', () => {
    const rig = new Rig()
    rig.request = { ...plainRequest, forcesLogin: true }
    rig.signIn('alice', { at: 0, pwd: 0 })
    const state = stateOf(rig.begin(singleFactor))
    assert.deepEqual([state.status, state.user], ['USERNAME_PASSWORD_REQUIRED', null])
    assert.deepEqual(outcomeOf(rig.signOn('alice')).session, { id: 'session-of-alice', kept: true, replaces: null })
  })

  test('prompt=login replaces the session when somebody else signs on', () => {
    const rig = new Rig()
    rig.request = { ...plainRequest, forcesLogin: true }
    rig.signIn('alice', { at: 0, pwd: 0 })
    rig.begin(singleFactor)
    const { userId, session } = outcomeOf(rig.signOn('bob'))
    assert.equal(userId, 'id-of-bob')
    assert.deepEqual(session, { id: 'new-session', kept: false, replaces: 'session-of-alice' })
  })

  /** Rows: max_age, age of the last sign-on; then the status the flow starts in. */
  const table = [
    [100, 99, 'COMPLETED'],
    [100, 100, 'PASSWORD_REQUIRED'],
    [0, 0, 'PASSWORD_REQUIRED'],
    [0, -5, 'PASSWORD_REQUIRED'],
  ] as const
  for (const [maxAge, age, status] of table) {
    test(`max_age=${maxAge} with a sign-on ${age} s ago: ${status}`, () => {
      const rig = new Rig()
      rig.request = { ...plainRequest, maxAge }
      rig.signIn('alice', { at: age, pwd: age })
      const state = stateOf(rig.begin(singleFactor))
      assert.equal(state.status, status)
      if (status === 'PASSWORD_REQUIRED') assert.equal(state.steps[0]?.reason, 're-authentication')
    })
  }

  test('max_age forces LOGIN alone; a policy without one runs every action', () => {
    const rig = new Rig()
    rig.request = { ...plainRequest, maxAge: 10 }
    rig.signIn('alice', { at: 50, pwd: 50, mfa: 50 })
    rig.begin(policyOf('p', [login, secondSecretAction('second', 1, 2, neverTrue)]))
    assert.equal(stateOf(rig.signOn('alice')).status, 'COMPLETED')
    const other = new Rig()
    other.request = rig.request
    other.signIn('alice', { at: 50, pwd: 50, mfa: 50 })
    const state = stateOf(other.begin(policyOf('p', [secondSecretAction('second', 1, 1, neverTrue)])))
    assert.equal(state.steps[0]?.reason, 're-authentication')
  })
})

suite('session.reset', () => {
  test('drops user and proofs, keeps application, request, policies, versions and what was required', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 0, pwd: 0 })
    const first = stateOf(rig.begin(twoFactors))
    stateOf(rig.signOn('alice'))
    assert.deepEqual(
      rig.state?.proofs.map(({ method }) => method),
      ['pwd'],
    )
    const state = stateOf(rig.post('session.reset', {}))
    assert.deepEqual([state.status, state.user, state.proofs], ['USERNAME_PASSWORD_REQUIRED', null, []])
    for (const member of [
      'application',
      'request',
      'candidates',
      'candidate',
      'door',
      'createdAt',
      'endsAt',
    ] as const) {
      assert.deepEqual(state[member], first[member], member)
    }
    assert.deepEqual(
      state.steps.map(({ standing }) => standing),
      ['REQUIRED', 'REQUIRED'],
    )
    assert.equal(stateOf(rig.signOn('bob')).status, 'PASSWORD_REQUIRED')
    const { userId, session, proved } = outcomeOf(second(rig, 'bob'))
    assert.deepEqual([userId, Object.keys(proved)], ['id-of-bob', ['pwd', 'mfa']])
    assert.equal(session.replaces, 'session-of-alice')
  })

  test('the session does not come back, not even for its own user', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 28_801, pwd: 28_801, mfa: 0 })
    const mfaOlder = { secondsSince: '${session.lastSignOn.withAuthenticator.mfa.at}', greater: 60 } as const
    const [, again] = loginPolicy([null, mfaOlder]).actions
    const condition = again?.condition ?? null
    rig.begin(policyOf('p', [login, secondSecretAction('second', 1, 2, condition)]))
    rig.post('session.reset', {})
    assert.equal(stateOf(rig.signOn('alice')).action?.id, 'second')
  })
})

suite('several policies', () => {
  test('one that fails hands over to the next; what was proved still counts', () => {
    const rig = new Rig()
    rig.begin(twoFactors, loginPolicy([null]))
    rig.signOn('alice')
    rig.people.alice.failures = 5
    const state = stateOf(second(rig, 'alice'))
    assert.deepEqual([state.status, state.candidate, state.outcome?.acr], ['COMPLETED', 1, 'Single_Factor'])
    assert.deepEqual(
      state.trace.slice(-2).map(({ reason, before, after }) => [reason, before, after]),
      [
        ['action-failed', 'PASSWORD_REQUIRED', null],
        ['policy-satisfied', null, 'COMPLETED'],
      ],
    )
  })

  test('when the last has failed, so has the flow', () => {
    const rig = new Rig()
    rig.begin(twoFactors)
    rig.signOn('alice')
    rig.people.alice.failures = 5
    const state = stateOf(second(rig, 'alice'))
    assert.deepEqual([state.status, state.failure?.code], ['FAILED', 'POLICY_NOT_SATISFIED'])
    const resumed = rig.resume()
    assert.ok(resumed.kind === 'done')
    assert.deepEqual(resumed.effects, [{ kind: 'deny', failure: state.failure }])
    assert.ok(!rig.effects.some(({ kind }) => kind === 'signOn' || kind === 'issue'))
  })

  test('a policy that was deleted or unassigned is left at the next event', () => {
    const rig = new Rig()
    rig.begin(twoFactors, loginPolicy([null]))
    rig.current.delete('two')
    const state = stateOf(rig.signOn('alice'))
    assert.deepEqual([state.candidate, state.status], [1, 'USERNAME_PASSWORD_REQUIRED'])
    assert.equal(state.trace.at(-2)?.reason, 'policy-not-available')
    assert.equal(outcomeOf(rig.signOn('alice')).policyId, 'policy')
  })

  test('without any policy the flow has failed', () => {
    const state = stateOf(new Rig().begin())
    assert.deepEqual([state.status, state.failure?.code], ['FAILED', 'POLICY_NOT_AVAILABLE'])
  })

  test('a policy that starts with an action nobody can begin hands over', () => {
    const rig = new Rig()
    const state = stateOf(rig.begin(policyOf('p', [secondSecretAction('second', 1, 1)]), loginPolicy([null])))
    assert.deepEqual([state.candidate, state.status], [1, 'USERNAME_PASSWORD_REQUIRED'])
  })
})

suite('a user who may not sign on any more', () => {
  const changes = [{ enabled: false }, { locked: true }, { canAuthenticate: false }]
  for (const change of changes) {
    test(`${JSON.stringify(change)}: the next event fails the policy, the next policy begins without them`, () => {
      const rig = new Rig()
      rig.begin(twoFactors, loginPolicy([null]))
      rig.signOn('alice')
      rig.people.alice.facts = { ...rig.people.alice.facts, ...change }
      const state = stateOf(second(rig, 'alice'))
      assert.deepEqual([state.candidate, state.user, state.proofs], [1, null, []])
      assert.equal(state.status, 'USERNAME_PASSWORD_REQUIRED')
    })

    test(`${JSON.stringify(change)} after COMPLETED: resume denies`, () => {
      const rig = new Rig()
      rig.begin(loginPolicy([null]))
      rig.signOn('alice')
      rig.people.alice.facts = { ...rig.people.alice.facts, ...change }
      const outcome = rig.resume()
      assert.ok(outcome.kind === 'done' && outcome.state.status === 'FAILED' && outcome.state.outcome === null)
      assert.deepEqual(
        outcome.effects.map(({ kind }) => kind),
        ['deny'],
      )
    })
  }

  test('one who is disabled while the answer is on its way proves nothing', () => {
    const rig = new Rig()
    const policy = loginPolicy([null])
    const state = stateOf(rig.begin(policy))
    const request = { type: 'usernamePassword.check', body: { username: 'alice' } } as const
    const asked = step(rig.policies(), state, request, { session: null }, noon)
    assert.ok(asked.kind === 'ask')
    const user = { ...rig.people.alice.facts, enabled: false }
    const answer = { to: 'checkPassword', result: 'accepted', user, password: 'MUST_CHANGE_PASSWORD' } as const
    const result = step(
      rig.policies(),
      asked.state,
      { type: 'answer', ask: asked.ask, answer },
      { session: null },
      noon,
    )
    assert.ok(result.kind === 'refused' && result.refusal.reason === 'wrong-credentials')
  })
})

suite('policy versions', () => {
  test('an action added meanwhile is asked for before the flow completes', () => {
    const rig = new Rig()
    rig.begin(policyOf('p', [login]))
    rig.current.set('p', policyOf('p', [{ ...login, policyVersion: 2 }, secondSecretAction('second', 2, 2)], 2))
    const state = stateOf(rig.signOn('alice'))
    assert.deepEqual([state.status, state.action], ['PASSWORD_REQUIRED', { id: 'second', policyVersion: 2 }])
    assert.equal(outcomeOf(second(rig, 'alice')).policyVersion, 1)
  })

  test('an action removed meanwhile is still asked for', () => {
    const rig = new Rig()
    rig.begin(policyOf('two', twoFactors.actions))
    rig.current.set('two', policyOf('two', [{ ...login, policyVersion: 2 }], 2))
    assert.equal(stateOf(rig.signOn('alice')).action?.id, 'second')
  })

  test('a condition made stricter meanwhile adds the step it had spared', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 50, pwd: 50 })
    const [conditional] = singleFactor.actions
    assert.ok(conditional)
    rig.begin(policyOf('p', [conditional, secondSecretAction('second', 1, 2)]))
    rig.current.set('p', policyOf('p', [{ ...login, policyVersion: 2 }], 2))
    assert.equal(stateOf(second(rig, 'alice')).action?.id, 'login-1')
  })

  test('an event for an action that has changed under it begins that action again', () => {
    const rig = new Rig()
    rig.begin(policyOf('p', [login]))
    const withSecond = (version: number) =>
      policyOf('p', [{ ...login, policyVersion: version }, secondSecretAction('second', version, 2)], version)
    rig.current.set('p', withSecond(2))
    rig.signOn('alice')
    rig.current.set('p', withSecond(3))
    const state = stateOf(second(rig, 'alice'))
    assert.deepEqual([state.status, state.action], ['PASSWORD_REQUIRED', { id: 'second', policyVersion: 3 }])
    assert.deepEqual(
      state.proofs.map(({ method }) => method),
      ['pwd'],
    )
    assert.equal(stateOf(second(rig, 'alice')).status, 'COMPLETED')
  })

  test('a version the caller leaves out is not guessed', () => {
    const rig = new Rig()
    const state = stateOf(rig.begin(loginPolicy([null])))
    const request = { type: 'usernamePassword.check', body: { username: 'alice' } } as const
    assert.throws(() => step([], state, request, { session: null }, noon), /was not handed in/)
  })
})

suite('facts and questions', () => {
  test('facts are asked for before anything is judged, and only those that matter', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 0, pwd: 0 })
    const { session } = rig
    assert.ok(session)
    const again = (facts: Parameters<typeof start>[2], policy = singleFactor) =>
      start([policy], plainOrigin, facts, noon)
    assert.deepEqual(again({}), { kind: 'needs', facts: ['session', 'user'], userId: null })
    const vouched = {
      ...plainOrigin,
      request: { ...plainRequest, hintedUserId: 'id-of-bob', isVouched: true as const },
    }
    assert.deepEqual(start([singleFactor], vouched, {}, noon), { kind: 'needs', facts: ['session'], userId: null })
    assert.deepEqual(again({ session }), { kind: 'needs', facts: ['user'], userId: 'id-of-alice' })
    assert.deepEqual(again({ session, user: rig.people.bob.facts }), {
      kind: 'needs',
      facts: ['user'],
      userId: 'id-of-alice',
    })
    const known = { session, user: rig.people.alice.facts }
    assert.deepEqual(again(known), { kind: 'needs', facts: ['application'], userId: 'id-of-alice' })
    assert.equal(again({ ...known, application: { groupRule: null, administratorsOnly: false } }).kind, 'done')
    const forced = { ...plainOrigin, request: { ...plainRequest, forcesLogin: true } }
    assert.equal(start([singleFactor], forced, { session }, noon).kind, 'done')
    const inNetwork = loginPolicy([{ contains: '${flow.request.http.remoteIp}', ipRange: ['192.0.2.0/24'] }])
    assert.deepEqual(again({ session: null }, inNetwork), { kind: 'needs', facts: ['request'], userId: null })
  })

  test('what was decided before a question comes out with its answer', () => {
    const rig = new Rig()
    const action = secondSecretAction('second', 1, 2, null, { asksDeviceFirst: true })
    rig.people.alice.facts = { ...rig.people.alice.facts, password: 'MUST_CHANGE_PASSWORD' }
    rig.begin(policyOf('p', [login, action]))
    rig.signOn('alice')
    const outcome = rig.post('password.reset', {
      currentPassword: rig.people.alice.password,
      newPassword: `${canary}-new`,
    })
    const state = stateOf(outcome)
    assert.deepEqual([state.status, state.action?.id], ['PASSWORD_REQUIRED', 'second'])
    assert.ok(outcome.kind === 'done')
    assert.deepEqual(outcome.effects, [{ kind: 'setPassword', userId: 'id-of-alice' }])
    const trail = state.trace.slice(-3).map(({ event, reason }) => [event, reason])
    assert.deepEqual(trail, [
      ['password.reset', 'password-changed'],
      ['password.reset', 'action-entered'],
      ['password.reset', 'password-needed'],
    ])
    assert.equal(stateOf(second(rig, 'alice')).status, 'COMPLETED')
  })

  test('configuration decides which links there are', () => {
    for (const resettable of [true, false]) {
      const rig = new Rig()
      rig.begin(policyOf('p', [login, secondSecretAction('second', 1, 2, null, { resettable })]))
      rig.signOn('alice')
      assert.equal('session.reset' in rig.view()._links, resettable)
      assert.equal(rig.post('session.reset', {}).kind, resettable ? 'done' : 'refused')
    }
  })

  test('an action that proves less than it asks for is a defect, not a sign-on', () => {
    const definition = { ...login.definition, isSatisfied: () => false }
    const rig = new Rig()
    rig.begin(policyOf('p', [{ ...login, definition }]))
    assert.throws(() => rig.signOn('alice'), /proved too little/)
  })
})

suite('the life of a flow', () => {
  test('accepted requests prolong it, refused ones do not, and never beyond an hour', () => {
    const rig = new Rig()
    rig.begin(loginPolicy([null]))
    rig.now += 10 * 60_000
    rig.post('usernamePassword.check', { username: 'alice', password: 'wrong' })
    assert.equal(rig.state?.expiresAt, noon + flowLifetime.idle)
    rig.people.alice.facts = { ...rig.people.alice.facts, password: 'PASSWORD_EXPIRED' }
    rig.signOn('alice')
    assert.equal(rig.state?.expiresAt, noon + 25 * 60_000)
    const late: FlowState = { ...rig.state, expiresAt: rig.state.endsAt }
    const now = noon + 59 * 60_000
    const asked = step(rig.policies(), late, { type: 'password.reset', body: {} }, facts(rig), now)
    assert.ok(asked.kind === 'ask')
    const answer = { to: 'evaluateNewPassword', result: 'accepted', user: rig.people.alice.facts } as const
    const done = step(rig.policies(), asked.state, { type: 'answer', ask: asked.ask, answer }, facts(rig), now)
    assert.ok(done.kind === 'done' && done.state.expiresAt === noon + flowLifetime.absolute)
  })

  test('an expired flow is gone for every event', () => {
    const rig = new Rig()
    rig.begin(loginPolicy([null]))
    rig.now += flowLifetime.idle
    for (const outcome of [rig.signOn('alice'), rig.resume()]) {
      assert.ok(outcome.kind === 'refused')
      assert.deepEqual([outcome.refusal.status, outcome.refusal.code], [404, 'NOT_FOUND'])
    }
  })

  test('resume answers a finished flow once, and no other flow ever', () => {
    const rig = new Rig()
    rig.begin(loginPolicy([null]))
    const early = rig.resume()
    assert.ok(early.kind === 'refused' && early.refusal.reason === 'not-finished')
    const completed = stateOf(rig.signOn('alice'))
    rig.now += 1000
    const resumed = rig.resume()
    assert.ok(resumed.kind === 'done' && resumed.reason === 'resumed')
    assert.deepEqual(resumed.effects, [{ kind: 'issue', outcome: completed.outcome }])
    assert.deepEqual([resumed.state.resumedAt, resumed.state.expiresAt], [rig.now, completed.expiresAt])
    const again = rig.resume()
    assert.ok(again.kind === 'refused' && again.refusal.code === 'NOT_FOUND')
  })

  test('the trace forgets its oldest entries rather than grow without end', () => {
    const rig = new Rig()
    rig.begin(twoFactors)
    for (let round = 0; round < 60; round++) {
      rig.signOn('alice')
      rig.post('session.reset', {})
    }
    assert.equal(rig.state?.trace.length, 50)
    assert.ok(JSON.stringify(rig.state).length < 10_000)
  })

  function facts(rig: Rig) {
    return { session: rig.session, user: rig.people.alice.facts, application: rig.application }
  }
})
