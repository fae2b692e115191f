/** Which addresses are public (RFC 6890; rows G01, G06, G14). */
import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { test } from 'node:test'
import { isWebPort, reachOf } from '../../src/external/addresses.ts'

const closed = [
  '127.0.0.1 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1',
  '169.254.169.254 169.254.170.2 100.64.0.1 100.100.100.200 100.127.255.255 192.0.0.192 192.0.2.1 198.18.0.1',
  '198.19.255.255 198.51.100.7 203.0.113.9 192.88.99.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255',
  '168.63.129.16 :: ::1 fd00:ec2::254 fc00::1 fe80::1 febf::1 fec0::1 ff02::1 ::ffff:127.0.0.1 ::ffff:7f00:1',
  '::ffff:a00:1 ::FFFF:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::8.8.8.8 64:ff9b:1::1',
  '2002:7f00:1:: 2002:a00:1:: 2001::1 2001:0:7f00:1:: 2001:10::1 2001:db8::1 3fff::1 100::1 5f00::1 fe80::1%eth0',
]
  .join(' ')
  .split(' ')

test('G01: every address that is not public is closed', () => {
  for (const address of closed) assert.equal(reachOf(address, undefined), 'closed', address)
})

test('what is no address is closed', () => {
  for (const text of ['', 'localhost', '127.1', '2130706433', '0x7f.0.0.1', '1.2.3.4.5', '[::1]', '1.2.3.4/8']) {
    assert.equal(reachOf(text, undefined), 'closed', text)
  }
})

test('public addresses are public, also where IPv6 carries them', () => {
  const open = '1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 172.15.0.1 172.32.0.1 100.63.255.255 100.128.0.1 192.0.1.1'
  for (const address of [...open.split(' '), '2606:4700::1111', '2a00:1450::1', '::ffff:8.8.8.8', '::ffff:808:808']) {
    assert.equal(reachOf(address, undefined), 'public', address)
  }
})

test('G14: an address the operator lists may be reached, and only that one', () => {
  const listed = new BlockList()
  listed.addAddress('10.0.0.5', 'ipv4')
  listed.addSubnet('fd12::', 16, 'ipv6')
  assert.equal(reachOf('10.0.0.5', listed), 'listed')
  assert.equal(reachOf('::ffff:10.0.0.5', listed), 'listed')
  assert.equal(reachOf('fd12::7', listed), 'listed')
  assert.equal(reachOf('10.0.0.6', listed), 'closed')
  assert.equal(reachOf('fd13::7', listed), 'closed')
  assert.equal(reachOf('8.8.8.8', listed), 'public')
})

test('G06: ports at which other services listen are refused', () => {
  for (const port of [0, 1, 21, 22, 25, 53, 80, 110, 445, 2375, 3306, 5432, 6379, 9200, 11211, 27017]) {
    assert.equal(isWebPort(port), false, String(port))
  }
  for (const port of [443, 8443, 9031, 9443, 44300]) assert.equal(isWebPort(port), true, String(port))
})
