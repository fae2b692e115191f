/** PROGRESSIVE_PROFILING, purely: authentication-api 4.2 `user.update`, 5.4. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { chosenOf, filledBy, lackingOf } from '../../../src/flow/profile.ts'
import { compilePolicy, validatePolicy } from '../../../src/flow/policy.ts'
import { viewFlow } from '../../../src/flow/view.ts'
import { Rig } from '../rig.ts'

const profiling = (more: object = {}) => ({
  id: 'profile',
  type: 'PROGRESSIVE_PROFILING' as const,
  priority: 2,
  attributes: [
    { name: 'nickname' as const, required: true },
    { name: 'address.postalCode' as const, required: false },
  ],
  preventMultiplePromptsPerFlow: true,
  promptIntervalSeconds: 3600,
  promptText: 'Please tell us',
  ...more,
})
const login = { id: 'login', type: 'LOGIN' as const, priority: 1 }

function begun(...actions: readonly ReturnType<typeof profiling>[]) {
  const rig = new Rig()
  rig.begin(compilePolicy({ id: 'policy', name: 'Profile', version: 1, actions: [login, ...actions] }))
  return rig
}

suite('PROGRESSIVE_PROFILING', () => {
  test('asks for what is lacking, once, and writes what was said', () => {
    const rig = begun(profiling())
    rig.signOn('alice')
    assert.equal(rig.state?.status, 'PROFILE_DATA_REQUIRED')
    assert.deepEqual(rig.state.slot, { lacking: ['nickname', 'address.postalCode'] })
    rig.post('user.update', { nickname: 'Ally', address: { postalCode: '10115', region: 'x' }, title: 'Queen' })
    assert.equal(rig.state.status, 'COMPLETED')
    const { nickname, address, title } = rig.people.alice.facts.attributes
    assert.deepEqual([nickname, address, title], ['Ally', { postalCode: '10115' }, undefined])
    assert.deepEqual(rig.state.outcome?.amr, ['pwd'])
    rig.begin(compilePolicy({ id: 'policy', name: 'Profile', version: 1, actions: [login, profiling()] }))
    rig.signOn('alice')
    assert.equal(rig.state.status, 'COMPLETED')
  })

  test('what is required has to be said; what is not may be left out', () => {
    const rig = begun(profiling())
    rig.signOn('alice')
    const refused = rig.post('user.update', { address: { postalCode: '10115' } })
    assert.ok(refused.kind === 'refused')
    assert.deepEqual(
      refused.refusal.details.map(({ code, target }) => [code, target]),
      [['REQUIRED_VALUE', 'nickname']],
    )
    rig.post('user.update', { nickname: 'Ally' })
    assert.equal(rig.state?.status, 'COMPLETED')
    const optional = begun(profiling({ attributes: [{ name: 'title', required: false }] }))
    optional.signOn('alice')
    optional.post('user.update', {})
    assert.equal(optional.state?.status, 'COMPLETED')
  })

  test('nobody is asked more often than the interval, nor twice in a flow unless the policy wants it', () => {
    const rig = begun(profiling())
    rig.people.alice.facts = { ...rig.people.alice.facts, profileAskedAt: rig.now - 3_599_000 }
    rig.signOn('alice')
    assert.equal(rig.state?.status, 'COMPLETED')
    const due = begun(profiling())
    due.people.alice.facts = { ...due.people.alice.facts, profileAskedAt: due.now - 3_600_000 }
    due.signOn('alice')
    assert.equal(due.state?.status, 'PROFILE_DATA_REQUIRED')
    const second = { id: 'second', priority: 3, attributes: [{ name: 'title', required: false }] }
    const once = begun(profiling(), profiling(second))
    once.signOn('alice')
    once.post('user.update', { nickname: 'Ally' })
    assert.equal(once.state?.status, 'COMPLETED')
    const twice = begun(profiling(), profiling({ ...second, preventMultiplePromptsPerFlow: false }))
    twice.signOn('alice')
    twice.post('user.update', { nickname: 'Ally' })
    assert.equal(twice.state?.status, 'PROFILE_DATA_REQUIRED')
  })

  test('nobody is asked who has not proved who they are', () => {
    const rig = new Rig()
    const names = { id: 'name', type: 'IDENTIFIER_FIRST' as const, priority: 1 }
    rig.begin(compilePolicy({ id: 'policy', name: 'Profile', version: 1, actions: [names, profiling()] }))
    rig.post('user.lookup', { username: 'alice' })
    assert.equal(rig.state?.status, 'FAILED')
  })

  test('the flow shows what is asked for, and no value', () => {
    const rig = begun(profiling())
    rig.people.alice.facts = {
      ...rig.people.alice.facts,
      attributes: { ...rig.people.alice.facts.attributes, nickname: 'CANARY-nickname' },
    }
    rig.signOn('alice')
    assert.ok(rig.state && !JSON.stringify(rig.state).includes('CANARY-nickname'))
    const attributes = [{ name: 'address.postalCode', required: false }] as const
    const display = {
      application: { name: 'App' },
      user: { id: rig.people.alice.facts.id, username: 'alice' },
      action: { attributes, promptText: 'Please tell us' },
    }
    const links = { self: 's', resume: 'r', step: () => 'x', authenticate: () => 'a' }
    const view = viewFlow(rig.state, display, links as never)
    assert.deepEqual([view._embedded.attributes, view.promptText], [attributes, 'Please tell us'])
  })

  test('what cannot be asked for is refused when written', () => {
    const written = (attributes: unknown) =>
      validatePolicy([login, { ...profiling(), attributes } as never]).map(({ target }) => target)
    assert.deepEqual(written([{ name: 'username', required: true }]), ['attributes[0].name'])
    assert.deepEqual(written([{ name: 'population.id', required: true }]), ['attributes[0].name'])
    assert.deepEqual(written([{ name: 'email' }]), ['attributes[0].required'])
    assert.deepEqual(
      written([
        { name: 'email', required: true },
        { name: 'email', required: false },
      ]),
      ['attributes[1].name'],
    )
    assert.equal(written([]).length, 1)
  })

  test('values that are there stay, and only what is asked for is taken', () => {
    const user = { nickname: 'Ada', name: { given: 'Augusta' } }
    assert.deepEqual(lackingOf(user, ['nickname', 'name.given', 'name.family']), ['name.family'])
    const said = { nickname: 'Eve', name: { given: 'Eve', family: 'Byron' }, title: 'x' }
    assert.deepEqual(chosenOf(said, ['name.family', 'nickname']), { nickname: 'Eve', name: { family: 'Byron' } })
    assert.deepEqual(filledBy(user, said), { nickname: 'Ada', name: { given: 'Augusta', family: 'Byron' }, title: 'x' })
  })
})
