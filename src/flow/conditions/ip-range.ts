/**
 * `{ "contains": "${flow.request.http.remoteIp}", "ipRange": ["10.0.0.0/8"] }`: true when the client's address lies in
 * one of the networks; usually inside `not`. authentication-api 5.5.
 *
 * Never: a result from an address that is missing or unreadable (security catalogue J23).
 */
import { z } from 'zod'
import { defineCondition } from '../condition.ts'
import { type Network, contains, formatAddress, parseAddress, parseNetwork } from '../network.ts'

const ipRangeSchema = z.strictObject({
  contains: z.literal('${flow.request.http.remoteIp}'),
  ipRange: z
    .array(
      z
        .string()
        .max(64)
        .refine((text) => parseNetwork(text) !== null, 'must be a network in CIDR notation'),
    )
    .min(1)
    .max(100),
})

type Written = z.infer<typeof ipRangeSchema>
export type IpRange = { readonly [Member in keyof Written]: Readonly<Written[Member]> }

export const ipRange = defineCondition({
  operator: 'ipRange',
  schema: () => ipRangeSchema,
  compile(json) {
    const networks = json.ipRange.map(parseNetwork).filter((network) => network !== null)
    return {
      reads: [
        { fact: 'flow.request.http.remoteIp', points: [...new Set([...networks.flatMap(edges), '0.0.0.0', '::'])] },
      ],
      evaluate({ request }) {
        const address = request && parseAddress(request.remoteIp)
        if (!address) return 'unknown'
        return networks.some((network) => contains(network, address)) ? 'true' : 'false'
      },
    }
  },
})

/** The first and last address of a network and their neighbours outside: between edges the result cannot change. */
function edges({ family, first, last }: Network): string[] {
  const end = family === 4 ? 1n << 32n : 1n << 128n
  return [first - 1n, first, last, last + 1n]
    .filter((value) => value >= 0n && value < end)
    .map((value) => formatAddress({ family, value }))
}
