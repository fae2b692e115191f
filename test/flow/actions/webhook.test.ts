/** WEBHOOK (extension, D24): first as the action decides alone, then through the machine with other actions around it. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { webhook } from '../../../src/flow/actions/webhook.ts'
import type { UserFacts } from '../../../src/flow/facts.ts'
import { compilePolicy, type PolicyAction, validatePolicy } from '../../../src/flow/policy.ts'
import type { Questions } from '../../../src/flow/question.ts'
import { type Outcome, noon, partner, Rig } from '../rig.ts'

const alice: UserFacts = new Rig().people.alice.facts
const url = 'https://hook.example/judge'
type Config = Parameters<typeof webhook.decide>[0]['config']
type Event = Parameters<typeof webhook.decide>[0]['event']
type Said = Questions['callWebhook']['answer']
type Known = 'session' | 'identifier' | 'credentials'

const configured = (more: Partial<Config['webhook']> = {}): Config => ({
  webhook: { url, timeoutMilliseconds: 2000, onError: 'DENY', ...more },
})
const flow = { id: 'flow', applicationId: 'application', proofs: [] }

function decide(event: Event, knownBy: Known | null = 'credentials', config = configured(), facts = { user: alice }) {
  const user = knownBy && { id: alice.id, knownBy }
  const status = 'PASSWORD_REQUIRED'
  const about = { user, isVouched: false, flow, flowId: flow.id, identifier: null, facts }
  return webhook.decide({ config, slot: {}, status, event, ...about, now: noon })
}
const answered = (said: Said, config = configured()) =>
  decide({ type: 'answer', answer: { to: 'callWebhook', ...said } }, 'credentials', config)

/** An action of a policy without its place there. */
type Source = Readonly<Record<string, unknown>> & { readonly type: PolicyAction['type'] }

const hook = (more: Partial<Config['webhook']> = {}): Source => ({ type: 'WEBHOOK', ...configured(more) })
const login: Source = { type: 'LOGIN' }
/** A condition that a session of this minute makes false. */
const unlessFresh = { secondsSince: '${session.lastSignOn.at}', greater: 60 } as const
const skippedByIts: Source = { type: 'IDENTITY_PROVIDER', identityProvider: { id: partner.id }, condition: unlessFresh }

function policy(id: string, sources: readonly Source[], version = 1) {
  const actions = sources.map(
    (source, at) => ({ id: `${id}-${at + 1}`, priority: at + 1, ...source }) as PolicyAction & { id: string },
  )
  return compilePolicy({ id, name: id, version, actions })
}

function stateOf(outcome: Outcome) {
  assert.ok(outcome.kind === 'done')
  return outcome.state
}
const trace = (outcome: Outcome) => stateOf(outcome).trace.map(({ reason }) => reason)

suite('WEBHOOK decides', () => {
  test('to ask about somebody who has proved who they are, telling the flow and no more', () => {
    const question = { kind: 'callWebhook', url, timeoutMilliseconds: 2000, userId: alice.id, flow }
    for (const knownBy of ['session', 'credentials'] as const) {
      assert.deepEqual(decide({ type: 'enter' }, knownBy), { outcome: 'ask', question })
    }
  })

  test('never to ask about nobody, or about somebody who was only named (D6, D7)', () => {
    for (const knownBy of [null, 'identifier'] as const) {
      for (const event of [
        { type: 'enter' },
        { type: 'answer', answer: { to: 'callWebhook', result: 'CONTINUE' } },
      ] as const) {
        const decision = decide(event, knownBy)
        assert.ok(decision.outcome === 'fail' && decision.reason === 'webhook-without-user')
      }
    }
    const gone = decide({ type: 'enter' }, 'credentials', configured(), { user: null as unknown as UserFacts })
    assert.equal(gone.outcome, 'fail')
  })

  test('by what the endpoint says; an error is a no unless the policy says otherwise', () => {
    const prove = { outcome: 'prove', methods: ['webhook'], user: alice }
    const said = { url, answered: true }
    assert.deepEqual(answered({ result: 'CONTINUE' }), { ...prove, webhook: said, reason: 'webhook-allowed' })
    assert.deepEqual(answered({ result: 'STEP_UP', type: 'LOGIN' }), {
      ...prove,
      webhook: said,
      demands: 'LOGIN',
      reason: 'webhook-demands',
    })
    const deny = { outcome: 'fail', failure: 'WEBHOOK_DENIED', isFinal: true, reason: 'webhook-denied' }
    for (const onError of ['DENY', 'CONTINUE'] as const) {
      const config = configured({ onError })
      assert.deepEqual(answered({ result: 'DENY', code: null }, config), deny)
      assert.deepEqual(answered({ result: 'DENY', code: 'GEO' }, config), { ...deny, details: { reason: 'GEO' } })
    }
    const failed = { outcome: 'fail', failure: 'WEBHOOK_FAILED', isFinal: true, reason: 'webhook-failed' }
    assert.deepEqual(answered({ result: 'ERROR' }), failed)
    assert.deepEqual(answered({ result: 'ERROR' }, configured({ onError: 'CONTINUE' })), {
      ...prove,
      webhook: { url, answered: false },
      reason: 'webhook-failed-open',
    })
  })

  test('J23: a configuration without onError fails closed, and an odd one is refused', () => {
    assert.deepEqual(webhook.config.parse({ webhook: { url } }), configured())
    const odd: readonly (readonly [object, string])[] = [
      [{ url: `${url}?token=CANARY` }, 'webhook.url'],
      [{ url, onError: 'continue' }, 'webhook.onError'],
      [{ url, timeoutMilliseconds: 5001 }, 'webhook.timeoutMilliseconds'],
      [{ url, timeoutMilliseconds: 0 }, 'webhook.timeoutMilliseconds'],
      [{}, 'webhook.url'],
    ]
    for (const [part, target] of odd) {
      const [problem] = validatePolicy([{ type: 'WEBHOOK', priority: 2, webhook: part }])
      assert.equal(problem?.target, target)
      assert.ok(!JSON.stringify(problem).includes('CANARY'))
    }
  })
})

suite('WEBHOOK in a flow', () => {
  test('a yes lets the flow go on; it is no authentication and not remembered', () => {
    const rig = new Rig()
    rig.begin(policy('p', [login, hook()]))
    assert.equal(rig.calls.length, 0)
    const { outcome, status } = stateOf(rig.signOn('alice'))
    assert.equal(status, 'COMPLETED')
    assert.deepEqual([outcome?.amr, Object.keys(outcome?.proved ?? {})], [['pwd'], ['pwd']])
    const [call, ...others] = rig.calls
    assert.deepEqual([call?.userId, call?.flow.proofs.map(({ method }) => method)], [alice.id, ['pwd']])
    assert.deepEqual(others, [])
  })

  test('auth_time is that of the session, not that of the call', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 30, pwd: 30 })
    const { outcome } = stateOf(rig.begin(policy('p', [{ ...login, condition: unlessFresh }, hook()])))
    assert.equal(outcome?.authTime, noon / 1000 - 30)
  })

  test('nobody signs on by a webhook alone, or before it knows about whom', () => {
    for (const sources of [[hook()], [hook(), login]]) {
      const rig = new Rig()
      const outcome = rig.begin(policy('p', sources))
      assert.deepEqual([stateOf(outcome).status, stateOf(outcome).failure?.code], ['FAILED', 'POLICY_NOT_SATISFIED'])
      assert.equal(rig.calls.length, 0)
    }
  })

  test('a no and an error end the flow, whatever other policies there are', () => {
    const said: readonly (readonly [Said, string, string | undefined])[] = [
      [{ result: 'DENY', code: 'GEO' }, 'WEBHOOK_DENIED', 'GEO'],
      [{ result: 'DENY', code: null }, 'WEBHOOK_DENIED', undefined],
      [{ result: 'ERROR' }, 'WEBHOOK_FAILED', undefined],
      [{ result: 'STEP_UP', type: 'MULTI_FACTOR_AUTHENTICATION' }, 'POLICY_NOT_SATISFIED', undefined],
      [{ result: 'STEP_UP', type: 'WEBHOOK' }, 'POLICY_NOT_SATISFIED', undefined],
      [{ result: 'STEP_UP', type: 'constructor' }, 'POLICY_NOT_SATISFIED', undefined],
    ]
    for (const [answer, code, reason] of said) {
      const rig = new Rig()
      rig.webhookAnswer = answer
      rig.begin(policy('p', [login, hook()]), policy('easy', [login]))
      const state = stateOf(rig.signOn('alice'))
      assert.deepEqual([state.status, state.outcome, state.failure?.code], ['FAILED', null, code])
      assert.equal(state.failure?.reason, reason)
      assert.deepEqual(rig.view()['error'], state.failure)
    }
  })

  test('an error passes only where the policy says so, and the trace tells it from a yes', () => {
    const rig = new Rig()
    rig.webhookAnswer = { result: 'ERROR' }
    rig.begin(policy('p', [login, hook({ onError: 'CONTINUE' })]))
    const outcome = rig.signOn('alice')
    assert.equal(stateOf(outcome).status, 'COMPLETED')
    assert.ok(trace(outcome).includes('webhook-failed-open'))
  })

  test('a step that the session had spared is asked for once it is demanded, and nothing else', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 30, pwd: 30 })
    rig.webhookAnswer = { result: 'STEP_UP', type: 'IDENTITY_PROVIDER' }
    rig.links.set(`${partner.id}/alice-there`, alice.id)
    const begun = stateOf(rig.begin(policy('p', [{ ...login, condition: unlessFresh }, hook(), skippedByIts])))
    assert.equal(begun.status, 'EXTERNAL_AUTHENTICATION_REQUIRED')
    assert.deepEqual(
      begun.steps.map(({ standing, reason }) => [standing, reason]),
      [
        ['SKIPPED', 'satisfied-by-session'],
        ['SATISFIED', 'unconditional'],
        ['REQUIRED', 'demanded'],
      ],
    )
    assert.equal(stateOf(rig.comeBack('alice-there')).status, 'COMPLETED')
    assert.equal(rig.calls.length, 1, 'the endpoint is not asked again')
  })

  test('what was demanded stays demanded when the user begins anew (D20)', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 30, pwd: 30 })
    rig.webhookAnswer = { result: 'STEP_UP', type: 'IDENTITY_PROVIDER' }
    rig.begin(policy('p', [{ ...login, condition: unlessFresh }, hook(), skippedByIts]))
    rig.post('session.reset', {})
    rig.webhookAnswer = { result: 'CONTINUE' }
    assert.equal(stateOf(rig.signOn('alice')).status, 'EXTERNAL_AUTHENTICATION_REQUIRED')
    assert.equal(rig.calls.length, 2, 'and the endpoint is asked about them again')
  })

  test('each action asks for itself: a yes given to one counts for no other, not even at the same endpoint', () => {
    const rig = new Rig()
    rig.begin(policy('p', [login, hook(), hook()]))
    rig.signOn('alice')
    assert.equal(rig.calls.length, 2)
  })

  test('D20: an action that was rewritten meanwhile is asked as it was and as it is', () => {
    const rig = new Rig()
    rig.begin(policy('p', [login, hook()]))
    rig.current.set('p', policy('p', [login, hook({ url: 'https://other.example/judge' })], 2))
    assert.equal(stateOf(rig.signOn('alice')).status, 'COMPLETED')
    assert.deepEqual(
      rig.calls.map((call) => call.url),
      [url, 'https://other.example/judge'],
    )
  })

  test('D20: what passed for want of an answer does not once the policy forbids it', () => {
    const rig = new Rig()
    rig.webhookAnswer = { result: 'ERROR' }
    rig.begin(policy('p', [login, hook({ onError: 'CONTINUE' })]))
    rig.current.set('p', policy('p', [login, hook()], 2))
    assert.deepEqual(stateOf(rig.signOn('alice')).failure?.code, 'WEBHOOK_FAILED')
  })
})
