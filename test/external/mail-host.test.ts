/** Mail servers that tenants name: which addresses and ports they may have (rows G01-G06). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { blockList } from '../../src/address-ranges.ts'
import { EgressFailed } from '../../src/external/egress.ts'
import { mailHostProblem, resolveMailHost } from '../../src/external/mail-host.ts'
import { refusedMailHosts } from './refused-urls.ts'

const listed = blockList(['127.0.0.0/8', '10.1.0.0/16'])

suite('mail servers', () => {
  test('a name or a public address; nothing that readers of addresses differ about', () => {
    for (const host of ['mail.example', 'mx-1.mail.example', 'MAIL.example', '192.0.0.0.example', '93.184.215.14']) {
      assert.equal(mailHostProblem(host, undefined), undefined, host)
    }
    for (const host of refusedMailHosts) assert.notEqual(mailHostProblem(host, undefined), undefined, host)
    assert.equal(mailHostProblem('127.0.0.1', listed), undefined, 'the operator lists it')
    assert.equal(mailHostProblem('localhost', listed), undefined)
    assert.notEqual(mailHostProblem('10.2.0.1', listed), undefined)
  })

  test('the address that is connected to is judged, whatever the name says, and so is the port', async () => {
    const rows: readonly (readonly [string, number, string])[] = [
      ['127.0.0.1', 25, 'address'],
      ['::1', 465, 'address'],
      ['localhost', 25, 'address'],
      ['93.184.215.14', 22, 'port'],
      ['93.184.215.14', 6379, 'port'],
    ]
    for (const [host, port, reason] of rows) {
      await assert.rejects(
        resolveMailHost(host, port, undefined),
        (error) => error instanceof EgressFailed && error.reason === reason,
        `${host}:${port}`,
      )
    }
    for (const port of [25, 465, 587, 2525]) {
      const found = { address: '93.184.215.14', isListed: false }
      assert.deepEqual(await resolveMailHost('93.184.215.14', port, undefined), found)
    }
    assert.deepEqual(await resolveMailHost('127.0.0.1', 4025, listed), { address: '127.0.0.1', isListed: true })
  })
})
