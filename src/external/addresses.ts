/**
 * PURE: which network addresses the server may connect to. Public ones; anything special (loopback, private, shared,
 * link-local, metadata, multicast, reserved, and every form that wraps an IPv4 address) only where the operator lists it.
 * IANA special-purpose address registries (RFC 6890); security catalogue rows G01, G02, G06, G14.
 *
 * Never: a list of forbidden IPv6 ranges alone (only global unicast is public); a judgement by name instead of address.
 */
import { BlockList, isIP } from 'node:net'

/** What may be done with an address. `listed`: the operator allows it, whatever it is, on any port and without TLS. */
export type Reach = 'public' | 'listed' | 'closed'

const special = new BlockList()
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Azure's host service answers at a public address to its own machines alone.
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  special.addSubnet(address, bits, 'ipv4')
}
for (const [address, bits] of [
  // Protocol assignments with Teredo and ORCHID, documentation, 6to4, more documentation.
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  special.addSubnet(address, bits, 'ipv6')
}

const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')

/**
 * Judges an address.
 * @param address as a resolver or a socket gives it; anything that is no address is closed
 * @param listed what the operator allows beside public addresses
 */
export function reachOf(address: string, listed: BlockList | undefined): Reach {
  const plain = unwrapped(address)
  switch (isIP(plain)) {
    case 4:
      if (listed?.check(plain, 'ipv4')) return 'listed'
      return special.check(plain, 'ipv4') ? 'closed' : 'public'
    case 6:
      if (listed?.check(plain, 'ipv6')) return 'listed'
      return globalUnicast.check(plain, 'ipv6') && !special.check(plain, 'ipv6') ? 'public' : 'closed'
    default:
      return 'closed'
  }
}

/** An IPv4-mapped address (RFC 4291 section 2.5.5.2) is the IPv4 address inside it. */
function unwrapped(address: string): string {
  const mapped = /^::ffff:(?:(\d{1,3}(?:\.\d{1,3}){3})|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(address)
  if (!mapped) return address
  const [, dotted, high = '', low = ''] = mapped
  if (dotted) return dotted
  const [upper, lower] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [upper >> 8, upper & 255, lower >> 8, lower & 255].join('.')
}

/** Ports beyond 1023 at which something other than a web server is known to listen (row G06). */
const servicePorts: ReadonlySet<number> = new Set([
  1433, 1521, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5060, 5432, 5672, 5900, 6000, 6379, 6443, 6667, 8086,
  9042, 9092, 9200, 9300, 10250, 11211, 15672, 26257, 27017, 50070,
])

/** Whether a public address may be asked at this port. */
export function isWebPort(port: number): boolean {
  return port === 443 || (port > 1023 && !servicePorts.has(port))
}
