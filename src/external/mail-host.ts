/**
 * Where a mail server that a tenant names may be reached: its name is resolved here, every answer is judged, and the
 * caller connects to the address that came out, so that a second answer of the DNS changes nothing. Rows G01-G06.
 *
 * Never: an address that is not public, or a port that no mail server listens on, unless the operator lists it.
 */
import { lookup } from 'node:dns/promises'
import { type BlockList, isIP } from 'node:net'
import { reachOf } from './addresses.ts'
import { EgressFailed } from './egress.ts'

/** Ports of mail servers: relay, submission with TLS from the start, submission, and what hosters offer beside it. */
const mailPorts: ReadonlySet<number> = new Set([25, 465, 587, 2525])

/** Where to connect. */
export interface MailHost {
  readonly address: string
  /** The operator allows the address, whatever it is: there TLS is not demanded. */
  readonly isListed: boolean
}

/**
 * Finds the address of a mail server.
 * @param listed what the operator allows beside public addresses
 * @throws EgressFailed
 */
export async function resolveMailHost(host: string, port: number, listed: BlockList | undefined): Promise<MailHost> {
  const addresses = isIP(host)
    ? [host]
    : await lookup(host, { all: true }).then(
        (found) => found.map(({ address }) => address),
        (error: unknown) => {
          throw new EgressFailed('unreachable', error)
        },
      )
  const reaches = addresses.map((address) => reachOf(address, listed))
  const [address] = addresses
  if (address === undefined) throw new EgressFailed('unreachable')
  if (reaches.includes('closed')) throw new EgressFailed('address')
  const isListed = reaches.every((reach) => reach === 'listed')
  if (!isListed && !mailPorts.has(port)) throw new EgressFailed('port')
  return { address, isListed }
}

/** What is wrong with the name of a mail server; undefined when nothing is, as far as the name says it. */
export function mailHostProblem(host: string, listed: BlockList | undefined): string | undefined {
  const literal = isIP(host) > 0 ? host : /^(?:.+\.)?localhost$/i.test(host) ? '127.0.0.1' : undefined
  if (literal !== undefined) {
    if (host.includes('%')) return 'must not name a network interface'
    return reachOf(literal, listed) === 'closed' ? 'must not name an address that is not public' : undefined
  }
  if (host.length > 253 || !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(host)) {
    return 'must be the name or the address of a server'
  }
  // What ends in a number is read as an address by some, in forms that others do not know.
  return /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i.test(host) ? 'must be a well-formed address' : undefined
}
