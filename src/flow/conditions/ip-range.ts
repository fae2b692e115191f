/**
 * `{ "contains": "${flow.request.http.remoteIp}", "ipRange": ["10.0.0.0/8"] }`: true when the client's address lies in
 * one of the networks; usually inside `not`. authentication-api 5.5.
 *
 * Never: a result from an address that is missing or unreadable (security catalogue J23).
 */
import { z } from 'zod'
import { defineCondition } from '../condition.ts'
import { contains, edges, parseAddress, parseNetwork } from '../network.ts'
import { networkText } from './network-text.ts'

const ipRangeSchema = z.strictObject({
  contains: z.literal('${flow.request.http.remoteIp}'),
  ipRange: z.array(networkText).min(1).max(100),
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
