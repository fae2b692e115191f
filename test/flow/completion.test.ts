/** The judgement alone, on states no sequence of events leads to. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { judge } from '../../src/flow/completion.ts'
import type { Facts } from '../../src/flow/facts.ts'
import type { CompiledPolicy } from '../../src/flow/policy.ts'
import { type FlowState, newFlow } from '../../src/flow/state.ts'
import { loginPolicy, neverTrue, noon, plainOrigin, policyOf, Rig } from './rig.ts'
import { secondSecretAction } from './second-secret.ts'

const { alice, bob } = new Rig().people
const pwd = { method: 'pwd', userId: alice.facts.id, at: noon, actionId: 'login-1' } as const
const mfa = { method: 'mfa', userId: alice.facts.id, at: noon + 5000, actionId: 'second' } as const
const [login] = loginPolicy([null]).actions
assert.ok(login)
const twoFactors = policyOf('policy', [login, secondSecretAction('second', 1, 2)])

function flow(changes: Partial<FlowState>): FlowState {
  const user = { id: alice.facts.id, knownBy: 'credentials' } as const
  return { ...newFlow(plainOrigin, [{ policyId: 'policy', version: 1 }], null, noon), user, ...changes }
}

function judged(
  state: FlowState,
  policy: CompiledPolicy = twoFactors,
  facts: Facts = { session: null, user: alice.facts },
) {
  return judge({ atStart: policy, current: policy }, state, facts, noon + 10_000)
}

suite('judging a flow', () => {
  test('proofs of one user for every action complete it', () => {
    const judgement = judged(flow({ proofs: [pwd, mfa] }))
    assert.ok(judgement.kind === 'complete')
    assert.deepEqual(judgement.outcome.amr, ['pwd', 'mfa'])
    assert.equal(judgement.outcome.authTime, (noon + 5000) / 1000)
    assert.deepEqual(judgement.outcome.proved, { pwd: noon, mfa: noon + 5000 })
  })

  test('proofs of two users never do, in whatever order and whoever is the user of the flow', () => {
    const bobs = { ...mfa, userId: bob.facts.id }
    for (const proofs of [
      [pwd, bobs],
      [bobs, pwd],
      [pwd, mfa, bobs],
      [bobs, pwd, mfa],
    ]) {
      for (const { facts: user } of [alice, bob]) {
        const state = flow({ proofs, user: { id: user.id, knownBy: 'credentials' } })
        assert.notEqual(judged(state, twoFactors, { session: null, user }).kind, 'complete')
      }
    }
  })

  test('one proof is not two, whatever the state claims about its steps and its status', () => {
    const claim = { type: 'LOGIN', standing: 'SATISFIED', reason: 'unconditional' } as const
    const steps = ['login-1', 'second'].map((id) => ({ id, ...claim }))
    const judgement = judged(flow({ proofs: [pwd], steps, status: 'COMPLETED', action: null }))
    assert.ok(judgement.kind === 'next')
    assert.equal(judgement.action.id, 'second')
  })

  test('nothing is complete without a user, or for one who may not sign on', () => {
    const proofs = [pwd, mfa]
    assert.notEqual(judged(flow({ proofs, user: null })).kind, 'complete')
    for (const user of [null, bob.facts, { ...alice.facts, enabled: false }, { ...alice.facts, locked: true }]) {
      assert.notEqual(judged(flow({ proofs }), twoFactors, { session: null, user }).kind, 'complete')
    }
  })

  test('a policy without actions completes for nobody, session or not', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 1, pwd: 1 })
    const facts = { session: rig.session, user: alice.facts }
    const state = flow({ session: rig.session, sessionCounts: true })
    assert.equal(judged(state, policyOf('policy', []), facts).kind, 'unprovable')
    assert.equal(judged(flow({ proofs: [pwd] }), policyOf('policy', [])).kind, 'unprovable')
  })

  test('a known user without any proof or session is nobody: no step is skipped', () => {
    const policy = policyOf('policy', [{ ...login, condition: neverTrue }])
    const judgement = judged(flow({}), policy)
    assert.ok(judgement.kind === 'next')
    assert.equal(judgement.steps[0]?.reason, 'user-unknown')
  })

  test('an action in both versions has to satisfy both configurations', () => {
    const definition = { ...login.definition, isSatisfied: (proofs: readonly unknown[]) => proofs.length > 1 }
    const current = policyOf('policy', [{ ...login, policyVersion: 2, definition }], 2)
    const atStart = policyOf('policy', [login])
    const facts = { session: null, user: alice.facts }
    const one = judge({ atStart, current }, flow({ proofs: [pwd] }), facts, noon)
    assert.ok(one.kind === 'next' && one.action.policyVersion === 2)
    assert.equal(judge({ atStart, current }, flow({ proofs: [pwd, pwd] }), facts, noon).kind, 'complete')
  })
})
