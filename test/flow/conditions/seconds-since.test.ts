import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { evaluate } from '../../../src/flow/condition.ts'
import { readCondition } from '../../../src/flow/conditions/index.ts'
import { now, sessionAged, truthOf } from './truth.ts'

const older = (path: string, greater = 3600) => ({ secondsSince: `\${session.lastSignOn.${path}}`, greater })

suite('secondsSince', () => {
  test('is true beyond the number of seconds, false up to it', () => {
    assert.equal(truthOf(older('at'), { ages: { at: 3601 } }), 'true')
    assert.equal(truthOf(older('at'), { ages: { at: 3600 } }), 'false')
    assert.equal(truthOf(older('at', 0), { ages: { at: 0 } }), 'false')
  })

  test('reads the authenticator that it names', () => {
    const ages = { at: 0, pwd: 10_000, mfa: 5 }
    assert.equal(truthOf(older('withAuthenticator.pwd.at'), { ages }), 'true')
    assert.equal(truthOf(older('withAuthenticator.mfa.at'), { ages }), 'false')
    assert.equal(truthOf(older('at'), { ages }), 'false')
  })

  test('is unknown without a session or without that authenticator, also under not', () => {
    assert.equal(truthOf(older('at')), 'unknown')
    assert.equal(truthOf(older('withAuthenticator.mfa.at'), { ages: { at: 0, pwd: 0 } }), 'unknown')
    assert.equal(truthOf({ not: older('at') }), 'unknown')
  })

  test('tolerates a minute of clock skew and no more', () => {
    assert.equal(truthOf(older('at'), { ages: { at: -60 } }), 'false')
    assert.equal(truthOf(older('at'), { ages: { at: -61 } }), 'unknown')
  })

  test('is unknown for a time that is no number', () => {
    const { condition } = readCondition(older('at'))
    const broken = { ...sessionAged({ at: 0 }), lastSignOn: { at: Number.NaN, withAuthenticator: {} } }
    assert.equal(evaluate(condition, { session: broken, user: null, request: null, now }), 'unknown')
  })

  test('refuses other values, fractions and negative numbers when written', () => {
    const refused = [
      { secondsSince: '${user.lastSignOn.at}', greater: 1 },
      { secondsSince: '${session.lastSignOn.at}', greater: 1.5 },
      { secondsSince: '${session.lastSignOn.at}', greater: -1 },
      { secondsSince: '${session.lastSignOn.at}' },
      { secondsSince: '${session.lastSignOn.at}', greater: 1, less: 2 },
    ]
    for (const json of refused) assert.equal(readCondition(json).problems.length, 1, JSON.stringify(json))
  })
})
