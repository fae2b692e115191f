/**
 * urn:ietf:params:oauth:grant-type:device_code: a device that has no browser gets what its user approved on another one. RFC
 * 8628 section 3.4, authentication-api 2.15. Rows Q05, Q07.
 * Never: a verifier left out where a challenge was sent with the request of the device.
 */
import { hash } from 'node:crypto'
import { z } from 'zod'
import { verifierProves } from '../../rules/pkce.ts'
import { defineGrant } from '../grant.ts'
import { judgePoll, pollParams } from '../poll.ts'
import { readPolled } from '../polled-facts.ts'

const sha256 = (text: string) => hash('sha256', text, 'base64url')

export const deviceCode = defineGrant({
  type: 'urn:ietf:params:oauth:grant-type:device_code',
  grantType: 'DEVICE_CODE',
  params: z.object({
    ...pollParams,
    device_code: z.string().max(512).describe('The code from the answer of the device authorization endpoint.'),
    code_verifier: z.string().optional().describe('The PKCE verifier, where a challenge was sent there.'),
  }),
  clientAuth: 'as registered',
  gather: ({ kernel, now }, { environment, params }) =>
    readPolled(kernel.storage, environment.id, params.device_code, now),
  decide(request) {
    const { code_verifier: verifier } = request.params
    return judgePoll('device_code', request, ({ terms }) => verifierProves(terms.challenge, verifier, sha256))
  },
})
