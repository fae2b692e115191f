/**
 * `{ "geoVelocity": "${flow.request.http.remoteIp}", "valid": { … } }`: true when nobody can have travelled from where the
 * user last signed on to where the client is now. authentication-api 5.5.
 *
 * Never: a result where one of the two places is not known, or the user has not signed on before (catalogue J23).
 */
import { z } from 'zod'
import { defineCondition } from '../condition.ts'
import { distance } from '../client-network.ts'

const geoVelocitySchema = z.strictObject({
  geoVelocity: z.literal('${flow.request.http.remoteIp}'),
  valid: z.strictObject({
    previousSuccessfulAuthenticationIp: z.literal('${user.lastSignOn.remoteIp}'),
    previousSuccessfulAuthenticationTime: z.literal('${user.lastSignOn.at}'),
  }),
})

type Written = z.infer<typeof geoVelocitySchema>
export type GeoVelocity = Pick<Written, 'geoVelocity'> & { readonly valid: Readonly<Written['valid']> }

/** Faster than an airliner, kilometres an hour. */
const fastest = 1000
/** Places are known to the city at best: what lies nearer is one place, kilometres. */
const nearby = 100
const hour = 3_600_000

export const geoVelocity = defineCondition({
  operator: 'geoVelocity',
  schema: () => geoVelocitySchema,
  compile: () => ({
    reads: [
      { fact: 'flow.request.network.speed', points: [0, fastest + 1] },
      { fact: 'user.lastSignOn.at', points: [] },
    ],
    evaluate({ request, user, now }) {
      const here = request?.network?.location
      const last = user?.lastSignOn
      if (!here || !last?.location) return 'unknown'
      const travelled = distance(here, last.location)
      if (travelled <= nearby) return 'false'
      return travelled / (Math.max(0, now - last.at) / hour) > fastest ? 'true' : 'false'
    },
  }),
})
