/** Whose address a request has (rows O24, J24): the peer's, unless the peer is a proxy that the operator trusts. */
import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { test } from 'node:test'
import { clientAddress } from '../../src/http/client-address.ts'

const trusted = new BlockList()
trusted.addSubnet('10.0.0.0', 8, 'ipv4')
trusted.addAddress('2001:db8::1', 'ipv6')

test('without trusted proxies no header counts', () => {
  assert.equal(clientAddress('192.0.2.1', '203.0.113.7', undefined), '192.0.2.1')
  assert.equal(clientAddress('10.0.0.1', '203.0.113.7', undefined), '10.0.0.1')
})

test('the header of a peer that is not trusted does not count', () => {
  assert.equal(clientAddress('192.0.2.1', '203.0.113.7', trusted), '192.0.2.1')
})

test('from the right, the first address that is no trusted proxy; what the client wrote before it does not count', () => {
  for (const [header, address] of [
    ['203.0.113.7', '203.0.113.7'],
    ['198.51.100.9, 203.0.113.7', '203.0.113.7'],
    ['198.51.100.9, 203.0.113.7, 10.1.1.1', '203.0.113.7'],
    ['10.9.9.9, 10.1.1.1', '10.9.9.9'],
    ['2001:db8::7, 2001:db8::1', '2001:db8::7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
  ] as const) {
    assert.equal(clientAddress('10.0.0.1', header, trusted), address, header)
    assert.equal(clientAddress('::ffff:10.0.0.1', header, trusted), address, header)
  }
})

test('at what is no address the last trusted proxy is all that is known', () => {
  for (const header of ['', 'unknown', '_hidden', '203.0.113.7:443', '[2001:db8::7]:443', '203.0.113.7, x', 'x, ,']) {
    assert.equal(clientAddress('10.0.0.1', header, trusted), '10.0.0.1', header)
  }
  assert.equal(clientAddress('10.0.0.1', '203.0.113.7, x, 10.2.2.2', trusted), '10.2.2.2')
})
