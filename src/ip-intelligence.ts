/**
 * What is known of networks: a port, and the default that needs nobody else. It reads a file of the operator's, one
 * network a line, and knows nothing of any other; what nobody knows lets no step be skipped (catalogue J23).
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { NetworkFacts } from './flow/client-network.ts'
import { parseAddress, parseNetwork } from './flow/network.ts'

/** Knows networks. */
export interface IpIntelligence {
  /** What is known of the network of an address; the most narrow one that is listed counts. */
  lookUp(remoteIp: string): NetworkFacts
}

const line = z.strictObject({
  network: z.string().refine((text) => parseNetwork(text) !== null, 'must be a network in CIDR notation'),
  anonymous: z.boolean().optional(),
  riskScore: z.int().min(0).max(100).optional(),
  latitude: z.number().min(-90).max(90).optional(),
  longitude: z.number().min(-180).max(180).optional(),
})

/** A file that is not what it should be, in one sentence. */
export class IpIntelligenceError extends Error {}

/**
 * Reads a file of JSON lines: `{ "network": "203.0.113.0/24", "anonymous": true, "riskScore": 90, "latitude": 52.5,
 * "longitude": 13.4 }`, each member but the first optional.
 * @param path undefined: nothing is known of any network
 * @throws IpIntelligenceError naming the line, or where the file cannot be read
 */
export function readIpIntelligence(path: string | undefined): IpIntelligence {
  if (path === undefined) return listedNetworks('')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new IpIntelligenceError('the file cannot be read')
  }
  return listedNetworks(text)
}

/** The networks of the text of such a file. @throws IpIntelligenceError */
export function listedNetworks(text: string): IpIntelligence {
  /** By family and size; looked at from the narrowest on. */
  const sizes = new Map<string, { readonly size: bigint; readonly networks: Map<bigint, NetworkFacts> }>()
  for (const [at, written] of text.split('\n').entries()) {
    if (written.trim() === '') continue
    const parsed = line.safeParse(json(written))
    const network = parsed.success ? parseNetwork(parsed.data.network) : null
    if (!parsed.success || !network)
      throw new IpIntelligenceError(`line ${at + 1} is not a network and what is known of it`)
    const size = network.last - network.first + 1n
    const key = `${network.family}/${size}`
    const same = sizes.get(key) ?? { size, networks: new Map<bigint, NetworkFacts>() }
    sizes.set(key, same)
    same.networks.set(network.first, factsOf(parsed.data))
  }
  const narrowestFirst = [...sizes].toSorted(([, one], [, other]) => (one.size < other.size ? -1 : 1))
  return {
    lookUp(remoteIp) {
      const address = parseAddress(remoteIp)
      if (!address) return {}
      for (const [key, { size, networks }] of narrowestFirst) {
        if (!key.startsWith(`${address.family}/`)) continue
        const found = networks.get(address.value - (address.value % size))
        if (found) return found
      }
      return {}
    },
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function factsOf({ anonymous, riskScore, latitude, longitude }: z.output<typeof line>): NetworkFacts {
  return {
    ...(anonymous === undefined ? {} : { isAnonymous: anonymous }),
    ...(riskScore === undefined ? {} : { riskScore }),
    ...(latitude === undefined || longitude === undefined ? {} : { location: { latitude, longitude } }),
  }
}
