import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { distance } from '../../../src/flow/client-network.ts'
import { readCondition } from '../../../src/flow/conditions/index.ts'
import { validatePolicy } from '../../../src/flow/policy.ts'
import { now, truthOf } from './truth.ts'

const valid = '${flow.request.http.remoteIp}'
const remoteIp = '203.0.113.9'
const berlin = { latitude: 52.52, longitude: 13.4 }
const potsdam = { latitude: 52.4, longitude: 13.07 }
const tokyo = { latitude: 35.68, longitude: 139.69 }
const hour = 3_600_000

const risk = { valid, ipRisk: { minScore: 80, maxScore: 95 } }
const anonymous = { valid, anonymousNetwork: ['198.51.100.0/24'] }
const velocity = {
  geoVelocity: valid,
  valid: {
    previousSuccessfulAuthenticationIp: '${user.lastSignOn.remoteIp}',
    previousSuccessfulAuthenticationTime: '${user.lastSignOn.at}',
  },
}

suite('conditions on the network of the client', () => {
  test('ipRisk is true between the scores, both included', () => {
    for (const [riskScore, truth] of [
      [79, 'false'],
      [80, 'true'],
      [95, 'true'],
      [96, 'false'],
    ] as const) {
      assert.equal(truthOf(risk, { remoteIp, network: { riskScore } }), truth)
    }
  })

  test('anonymousNetwork is true where the network hides its users and is not one of those listed', () => {
    assert.equal(truthOf(anonymous, { remoteIp, network: { isAnonymous: true } }), 'true')
    assert.equal(truthOf(anonymous, { remoteIp, network: { isAnonymous: false } }), 'false')
    assert.equal(truthOf(anonymous, { remoteIp: '198.51.100.7', network: { isAnonymous: true } }), 'false')
    assert.equal(truthOf({ valid, anonymousNetwork: [] }, { remoteIp, network: { isAnonymous: true } }), 'true')
  })

  test('geoVelocity is true where nobody can have travelled so fast', () => {
    const signedOn = (place: typeof berlin, hoursAgo: number) =>
      truthOf(velocity, {
        remoteIp,
        network: { location: berlin },
        attributes: {},
        lastSignOn: { at: now - hoursAgo * hour, location: place },
      })
    assert.equal(signedOn(tokyo, 2), 'true')
    assert.equal(signedOn(tokyo, 12), 'false')
    assert.equal(signedOn(potsdam, 0), 'false', 'places that are near are one place')
    assert.equal(signedOn(tokyo, 0), 'true')
    assert.equal(signedOn(tokyo, -1), 'true', 'a clock that went back excuses nothing')
  })

  test('J23: what nobody knows is unknown, also under not', () => {
    const unknown = [
      [risk, { remoteIp }],
      [risk, {}],
      [anonymous, { remoteIp, network: { riskScore: 1 } }],
      [anonymous, { remoteIp: 'nonsense', network: { isAnonymous: false } }],
      [velocity, { remoteIp, network: { location: berlin }, attributes: {} }],
      [velocity, { remoteIp, network: { location: berlin }, attributes: {}, lastSignOn: { at: now } }],
      [velocity, { remoteIp, attributes: {}, lastSignOn: { at: now, location: berlin } }],
    ] as const
    for (const [json, situation] of unknown) {
      assert.equal(truthOf(json, situation), 'unknown')
      assert.equal(truthOf({ not: json }, situation), 'unknown')
    }
  })

  test('what is not one of them is refused when written', () => {
    for (const json of [
      { valid, ipRisk: { minScore: 90, maxScore: 80 } },
      { valid, ipRisk: { minScore: -1, maxScore: 80 } },
      { valid, ipRisk: { minScore: 1.5, maxScore: 80 } },
      { valid, ipRisk: { minScore: 1 } },
      { valid: '${user.ip}', ipRisk: { minScore: 1, maxScore: 2 } },
      { valid, anonymousNetwork: ['10.0.0.1'] },
      { ...velocity, geoVelocity: '10.0.0.1' },
      { ...velocity, valid: {} },
    ]) {
      assert.ok(readCondition(json).problems.length > 0, JSON.stringify(json))
    }
  })

  test('they are for actions that prove a second factor, as in PingOne', () => {
    for (const condition of [risk, anonymous, velocity]) {
      const login = [
        { type: 'LOGIN', priority: 1 },
        { type: 'LOGIN', priority: 2, condition },
      ]
      assert.equal(validatePolicy(login)[0]?.code, 'CONSTRAINT_VIOLATION')
      const multi = [
        { type: 'LOGIN', priority: 1 },
        { type: 'MULTI_FACTOR_AUTHENTICATION', priority: 2, condition },
      ]
      assert.deepEqual(validatePolicy(multi), [])
    }
  })

  test('distances are those of the earth', () => {
    assert.ok(Math.abs(distance(berlin, tokyo) - 8918) < 20)
    assert.equal(distance(berlin, berlin), 0)
    assert.ok(Math.abs(distance({ latitude: 0, longitude: 0 }, { latitude: 0, longitude: 180 }) - 20_015) < 1)
  })
})
