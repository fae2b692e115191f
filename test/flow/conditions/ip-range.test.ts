import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readCondition } from '../../../src/flow/conditions/index.ts'
import { truthOf } from './truth.ts'

const within = (...ipRange: string[]) => ({ contains: '${flow.request.http.remoteIp}', ipRange })

suite('ipRange', () => {
  test('is true inside one of the networks, false outside all of them', () => {
    const json = within('10.0.0.0/8', '2001:db8::/32')
    assert.equal(truthOf(json, { remoteIp: '10.255.255.255' }), 'true')
    assert.equal(truthOf(json, { remoteIp: '2001:db8:ffff::1' }), 'true')
    assert.equal(truthOf(json, { remoteIp: '11.0.0.0' }), 'false')
    assert.equal(truthOf({ not: json }, { remoteIp: '11.0.0.0' }), 'true')
  })

  test('is unknown for a missing or unreadable address, also under not', () => {
    for (const remoteIp of [undefined, '', 'unknown', '10.1', '010.0.0.1', '10.0.0.1, 192.0.2.1', 'fe80::1%eth0']) {
      assert.equal(truthOf(within('10.0.0.0/8'), remoteIp === undefined ? {} : { remoteIp }), 'unknown', remoteIp)
      assert.equal(
        truthOf({ not: within('10.0.0.0/8') }, remoteIp === undefined ? {} : { remoteIp }),
        'unknown',
        remoteIp,
      )
    }
  })

  test('refuses what is no network when written', () => {
    for (const range of ['10.0.0.0', '10.0.0.0/33', '10.0.0/8', '::/129', 'x/8', '10.0.0.0/08', '10.0.0.0/8/8']) {
      assert.equal(readCondition(within(range)).problems.length, 1, range)
    }
    assert.equal(readCondition(within()).problems.length, 1)
    assert.equal(readCondition({ ...within('10.0.0.0/8'), contains: '${identifier}' }).problems.length, 1)
  })
})
