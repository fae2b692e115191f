import assert from 'node:assert/strict'
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { contains, formatAddress, parseAddress, parseNetwork } from '../../src/flow/network.ts'

suite('addresses and networks', () => {
  test('reads the forms of RFC 4291', () => {
    const same = ['2001:db8:0:0:8:800:200c:417a', '2001:DB8::8:800:200C:417A', '2001:0db8::0008:0800:200c:417a']
    const [first, ...others] = same.map(parseAddress)
    for (const other of others) assert.deepEqual(other, first)
    assert.deepEqual(parseAddress('::'), { family: 6, value: 0n })
    assert.deepEqual(parseAddress('::1'), { family: 6, value: 1n })
    assert.deepEqual(parseAddress('::ffff:192.0.2.1'), parseAddress('192.0.2.1'))
    assert.deepEqual(parseAddress('::192.0.2.1'), { family: 6, value: 0xc0000201n })
  })

  test('agrees with the platform about what is an address', () => {
    const text = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ unit: fc.constantFrom(':', '.', '0', '1', 'f', '255', '256', '%', '01', '::'), maxLength: 12 }),
      fc.tuple(fc.ipV6(), fc.ipV4()).map(([six, four]) => `${six}:${four}`),
    )
    fc.assert(
      fc.property(text, (candidate) => {
        const isAddress = isIP(candidate) !== 0 && !candidate.includes('%')
        assert.equal(parseAddress(candidate) !== null, isAddress, candidate)
      }),
      { numRuns: 20_000 },
    )
  })

  test('agrees with the platform about what lies in a network', () => {
    const near = fc.tuple(fc.ipV4(), fc.nat(32), fc.nat(0xffff)).map(([base, bits, noise]) => {
      const { value } = parseAddress(base) ?? { value: 0n }
      return { base, bits, candidate: formatAddress({ family: 4, value: (value ^ BigInt(noise)) & 0xffffffffn }) }
    })
    const near6 = fc.tuple(fc.ipV6(), fc.nat(128), fc.bigInt(0n, 1n << 70n)).map(([base, bits, noise]) => {
      const parsed = parseAddress(base)
      const value = parsed?.family === 6 ? parsed.value : 1n << 100n
      const other = formatAddress({ family: 6, value: (value ^ noise) & ((1n << 128n) - 1n) })
      return { base: formatAddress({ family: 6, value }), bits, candidate: other }
    })
    fc.assert(
      fc.property(fc.oneof(near, near6), ({ base, bits, candidate }) => {
        const family = isIPv4(base) ? 'ipv4' : 'ipv6'
        const list = new BlockList()
        list.addSubnet(base, bits, family)
        const network = parseNetwork(`${base}/${bits}`)
        const address = parseAddress(candidate)
        assert.ok(network && address && (family === 'ipv4' || isIPv6(candidate)))
        if (address.family === network.family) assert.equal(contains(network, address), list.check(candidate, family))
      }),
      { numRuns: 5000 },
    )
  })

  test('formatting and reading are inverse', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, (1n << 128n) - 1n), (value) => {
        const read = parseAddress(formatAddress({ family: 6, value }))
        assert.equal(read?.value, value >> 32n === 0xffffn ? value & 0xffffffffn : value)
      }),
    )
  })
})
