/**
 * `{ "valid": "${flow.request.http.remoteIp}", "anonymousNetwork": ["203.0.113.0/24"] }`: true when the client comes from
 * a network that hides who is behind it, and not from one of those that are listed. authentication-api 5.5.
 *
 * Never: a result where nobody knows the network (security catalogue J23).
 */
import { z } from 'zod'
import { defineCondition } from '../condition.ts'
import { contains, edges, parseAddress, parseNetwork } from '../network.ts'
import { networkText } from './network-text.ts'

const anonymousNetworkSchema = z.strictObject({
  valid: z.literal('${flow.request.http.remoteIp}'),
  anonymousNetwork: z.array(networkText).max(100),
})

type Written = z.infer<typeof anonymousNetworkSchema>
export type AnonymousNetwork = { readonly [Member in keyof Written]: Readonly<Written[Member]> }

export const anonymousNetwork = defineCondition({
  operator: 'anonymousNetwork',
  schema: () => anonymousNetworkSchema,
  compile(json) {
    const allowed = json.anonymousNetwork.map(parseNetwork).filter((network) => network !== null)
    return {
      reads: [
        {
          fact: 'flow.request.http.remoteIp',
          points: [...new Set([...allowed.flatMap(edges), '0.0.0.0', '::'])],
        },
        { fact: 'flow.request.network.isAnonymous', points: [true, false] },
      ],
      evaluate({ request }) {
        const address = request && parseAddress(request.remoteIp)
        if (!address) return 'unknown'
        if (allowed.some((network) => contains(network, address))) return 'false'
        const isAnonymous = request.network?.isAnonymous
        if (isAnonymous === undefined) return 'unknown'
        return isAnonymous ? 'true' : 'false'
      },
    }
  },
})
