import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { IpIntelligenceError, listedNetworks, readIpIntelligence } from '../src/ip-intelligence.ts'
import {
  bodyOf,
  enableMfa,
  addEmailDevice,
  newApplication,
  newPerson,
  newPolicy,
  assign,
  begin,
} from './flow-runtime/arrange.ts'
import { Browser } from './harness/sign-on.ts'
import { startStile } from './harness/stile.ts'

const lines = (...networks: readonly object[]) => networks.map((network) => JSON.stringify(network)).join('\n')

suite('what is known of networks', () => {
  test('the narrowest network that is listed counts; of others nothing is known', () => {
    const known = listedNetworks(
      lines(
        { network: '203.0.113.0/24', riskScore: 90, anonymous: true },
        { network: '203.0.113.64/26', riskScore: 10 },
        { network: '203.0.113.65/32', latitude: 52.5, longitude: 13.4 },
        { network: '2001:db8::/32', riskScore: 50 },
      ),
    )
    assert.deepEqual(known.lookUp('203.0.113.9'), { riskScore: 90, isAnonymous: true })
    assert.deepEqual(known.lookUp('203.0.113.127'), { riskScore: 10 })
    assert.deepEqual(known.lookUp('203.0.113.65'), { location: { latitude: 52.5, longitude: 13.4 } })
    assert.deepEqual(known.lookUp('::ffff:203.0.113.9'), { riskScore: 90, isAnonymous: true })
    assert.deepEqual(known.lookUp('2001:db8:1::9'), { riskScore: 50 })
    for (const address of ['203.0.114.1', '::1', '', 'nonsense']) assert.deepEqual(known.lookUp(address), {})
  })

  test('a file that is not one is refused with its line', () => {
    for (const wrong of [
      '{}',
      '[]',
      'x',
      '{"network":"10.0.0.0"}',
      '{"network":"10.0.0.0/8","riskScore":101}',
      '{"network":"10.0.0.0/8","risk":1}',
    ]) {
      assert.throws(
        () => listedNetworks(`${lines({ network: '10.0.0.0/8' })}\n${wrong}`),
        (error) => error instanceof IpIntelligenceError && error.message.startsWith('line 2 '),
      )
    }
    assert.deepEqual(readIpIntelligence(undefined).lookUp('10.0.0.1'), {})
    assert.throws(() => readIpIntelligence(join(tmpdir(), 'no-such-file')), IpIntelligenceError)
  })

  for (const [riskScore, status] of [
    [90, 'OTP_REQUIRED'],
    [10, 'COMPLETED'],
    [undefined, 'OTP_REQUIRED'],
  ] as const) {
    test(`a second factor where the risk is high: with ${riskScore ?? 'no'} score the flow is ${status}`, async (context) => {
      const directory = await mkdtemp(join(tmpdir(), 'stile-networks-'))
      context.after(() => rm(directory, { recursive: true, force: true }))
      const path = join(directory, 'networks.jsonl')
      const score = riskScore === undefined ? {} : { riskScore }
      await writeFile(path, lines({ network: '127.0.0.0/8', ...score }, { network: '::1/128', ...score }))
      const stile = await startStile({ environment: { STILE_IP_INTELLIGENCE: path } })
      context.after(() => stile.close())
      const person = await newPerson(stile)
      await enableMfa(stile, person)
      await addEmailDevice(stile, person)
      const condition = { valid: '${flow.request.http.remoteIp}', ipRisk: { minScore: 80, maxScore: 100 } } as const
      const application = await newApplication(stile)
      const policy = await newPolicy(stile, { type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION', condition })
      await assign(stile, application, policy)
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'pi.flow', { client_id: application })
      const answer = await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
      assert.equal(answer.json.status, status, answer.text)
    })
  }
})
