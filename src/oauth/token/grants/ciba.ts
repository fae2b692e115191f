/**
 * urn:openid:params:grant-type:ciba: an application gets what a user approved whom it asked at their own device. OpenID CIBA
 * Core section 10.1, authentication-api 2.16. Rows Q05, Q08.
 * Never: a public client; a claim in the ID token that the push mode alone wants (section 10.3.1).
 */
import { z } from 'zod'
import { defineGrant } from '../grant.ts'
import { judgePoll, pollParams } from '../poll.ts'
import { readPolled } from '../polled-facts.ts'

export const ciba = defineGrant({
  type: 'urn:openid:params:grant-type:ciba',
  grantType: 'CIBA',
  params: z.object({
    ...pollParams,
    auth_req_id: z.string().max(512).describe('The id from the answer of the backchannel authentication endpoint.'),
  }),
  clientAuth: 'required',
  gather: ({ kernel, now }, { environment, params }) =>
    readPolled(kernel.storage, environment.id, params.auth_req_id, now),
  decide: (request) => judgePoll('ciba', request),
})
