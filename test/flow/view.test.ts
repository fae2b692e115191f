import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type FlowDisplay, viewFlow, viewSteps } from '../../src/flow/view.ts'
import { loginPolicy, Rig } from './rig.ts'

const links = {
  self: 'https://auth.example/env/flows/flow',
  resume: 'https://auth.example/env/as/resume?flowId=flow',
  signOnPage: 'https://auth.example/env/signon/?flowId=flow',
  authenticate: (id: string) => `https://auth.example/rp/authenticate?providerId=${id}`,
  step: (id: string) => `https://auth.example/env/flows/flow/steps/${id}`,
}
const alice = { id: 'id-of-alice', username: 'alice', name: { given: 'Alice' } }
const display: FlowDisplay = { application: { name: 'Shop' }, user: alice, passwordPolicy: { name: 'Standard' } }
const to = (href: string) => ({ href })

suite('the flow resource', () => {
  test('USERNAME_PASSWORD_REQUIRED names nobody and links to nothing else', () => {
    const rig = new Rig()
    rig.begin(loginPolicy([null]))
    assert.ok(rig.state)
    const step = {
      _links: { self: to(links.step('login-1')), flow: to(links.self) },
      id: 'login-1',
      type: 'LOGIN',
      status: 'REQUIRED',
      reason: { code: 'unconditional', message: 'The action has no condition.' },
    }
    assert.deepEqual(viewFlow(rig.state, display, links), {
      _links: {
        'usernamePassword.check': to(links.self),
        self: to(links.self),
        signOnPage: to(links.signOnPage),
        requiredStep: to(links.step('login-1')),
      },
      _embedded: { application: { name: 'Shop' }, requiredStep: step },
      id: 'flow',
      environment: { id: 'environment' },
      resumeUrl: links.resume,
      status: 'USERNAME_PASSWORD_REQUIRED',
      createdAt: '2026-11-22T12:00:00.000Z',
      expiresAt: '2026-11-22T12:15:00.000Z',
    })
  })

  test('PASSWORD_REQUIRED names the user of the browser’s own session, and offers another', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 5, pwd: 5 })
    rig.begin(loginPolicy([null]))
    assert.ok(rig.state)
    const view = viewFlow(rig.state, display, links)
    assert.equal(view.status, 'PASSWORD_REQUIRED')
    assert.deepEqual(view._embedded.user, alice)
    assert.deepEqual(view.session, { id: 'session-of-alice' })
    const expected = ['requiredStep', 'self', 'session.reset', 'signOnPage', 'usernamePassword.check']
    assert.deepEqual(Object.keys(view._links).toSorted(), expected)
  })

  test('the password policy is shown exactly where a password may be set', () => {
    for (const password of ['OK', 'MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED'] as const) {
      const rig = new Rig()
      rig.people.alice.facts = { ...rig.people.alice.facts, password }
      rig.begin(loginPolicy([null]))
      assert.ok(rig.state && !('passwordPolicy' in viewFlow(rig.state, display, links)._embedded))
      rig.signOn('alice')
      const view = viewFlow(rig.state, display, links)
      assert.equal(view.status, password === 'OK' ? 'COMPLETED' : password)
      assert.equal('passwordPolicy' in view._embedded, password !== 'OK')
      assert.deepEqual(view._embedded.user, alice)
    }
  })

  test('COMPLETED has a session and only the self link', () => {
    const rig = new Rig()
    rig.begin(loginPolicy([null]))
    rig.signOn('alice')
    assert.ok(rig.state)
    const { signOnPage: _, ...inAction } = links
    const view = viewFlow(rig.state, display, inAction)
    assert.deepEqual(view._links, { self: to(links.self) })
    assert.deepEqual(view.session, { id: 'new-session' })
    assert.ok(!('requiredStep' in view._embedded) && !('error' in view))
  })

  test('FAILED says why', () => {
    const rig = new Rig()
    rig.signIn('alice', { at: 5 })
    rig.begin(loginPolicy([null]))
    rig.people.alice.facts = { ...rig.people.alice.facts, enabled: false }
    rig.signOn('alice')
    assert.ok(rig.state)
    const view = viewFlow(rig.state, display, links)
    assert.deepEqual(view.error, { code: 'ACCOUNT_NOT_USABLE', message: 'The account cannot be used to sign on.' })
    assert.ok(!('user' in view._embedded))
  })

  test('a user the state does not name is never shown', () => {
    const rig = new Rig()
    rig.begin(loginPolicy([null]))
    rig.signOn('bob')
    assert.ok(rig.state && !('user' in viewFlow(rig.state, display, links)._embedded))
  })
})

test('the steps of the first edition, each with the reason it runs or does not', () => {
  const recent = { secondsSince: '${session.lastSignOn.at}', greater: 3600 } as const
  const older = { secondsSince: '${session.lastSignOn.at}', greater: 1 } as const
  const rig = new Rig()
  rig.signIn('alice', { at: 60, pwd: 60 })
  rig.begin(loginPolicy([recent, older, null]))
  const steps = () => viewSteps(rig.state ?? assert.fail(), links).map(({ status, reason }) => [status, reason.code])
  const before = [
    ['SKIPPED', 'satisfied-by-session'],
    ['REQUIRED', 'condition-met'],
    ['PENDING', 'not-reached'],
  ]
  assert.deepEqual(steps(), before)
  rig.signOn('alice')
  assert.deepEqual(steps(), [before[0], ['COMPLETED', 'condition-met'], ['COMPLETED', 'unconditional']])
})
