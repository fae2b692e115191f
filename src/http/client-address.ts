/**
 * The trusted address of a caller: the socket's peer, or, while the peer is a trusted proxy, the last address of
 * X-Forwarded-For that is not one (rows O24, J24). Never: a header of a peer that is not listed.
 */
import { type BlockList, isIP } from 'node:net'

/**
 * @param peer the address of the socket's other end
 * @param forwardedFor the X-Forwarded-For header, several joined by commas
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, trusted: BlockList | undefined): string {
  let address = plain(peer)
  if (!trusted || !forwardedFor || !isTrusted(trusted, address)) return address
  for (const hop of forwardedFor.split(',').toReversed()) {
    const candidate = plain(hop.trim())
    if (isIP(candidate) === 0) return address
    address = candidate
    if (!isTrusted(trusted, address)) return address
  }
  return address
}

/** Whether the socket's other end is a proxy that the operator trusts. */
export function isTrustedPeer(peer: string, trusted: BlockList | undefined): boolean {
  return trusted !== undefined && isTrusted(trusted, plain(peer))
}

function plain(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

function isTrusted(trusted: BlockList, address: string): boolean {
  const family = isIP(address)
  return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4')
}
