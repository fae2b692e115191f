/**
 * Asking an endpoint of the customer: a JWT in, a word out (extension, decision D24). The JWT is signed with the key of the
 * environment, so that the endpoint knows by the published keys who asks, about what, and when; its `typ` and audience
 * keep it from passing as any other token. Rows Q01, G01 to G12.
 *
 * Never: an answer that is understood in part.
 */
import { z } from 'zod'
import type { Egress } from './egress.ts'

/** What an endpoint may answer. */
export type WebhookAnswer =
  | { readonly result: 'CONTINUE' | 'ERROR' }
  | { readonly result: 'DENY'; readonly code: string | null }
  | { readonly result: 'STEP_UP'; readonly type: string }

const word = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/)
const answerSchema = z.discriminatedUnion('decision', [
  z.object({ decision: z.literal('CONTINUE') }),
  z.object({ decision: z.literal('DENY'), reason: word.optional() }),
  z.object({ decision: z.literal('STEP_UP'), action: word }),
])

const maximumBytes = 16 * 1024

/** `typ` of the JWT an endpoint is sent. */
export const webhookTokenType = 'webhook+jwt'

/**
 * Asks an endpoint. Whatever goes wrong is `ERROR`.
 * @param token the signed request
 * @param maximumMilliseconds for everything
 */
export async function askWebhook(
  egress: Egress,
  url: string,
  token: string,
  maximumMilliseconds: number,
): Promise<WebhookAnswer> {
  const headers = { 'content-type': 'application/jwt', accept: 'application/json' }
  try {
    const answer = await egress({ method: 'POST', url, headers, body: token, maximumBytes, maximumMilliseconds })
    if (answer.status !== 200) return { result: 'ERROR' }
    const said = answerSchema.parse(JSON.parse(answer.body.toString('utf8')))
    switch (said.decision) {
      case 'CONTINUE':
        return { result: 'CONTINUE' }
      case 'DENY':
        return { result: 'DENY', code: said.reason ?? null }
      case 'STEP_UP':
        return { result: 'STEP_UP', type: said.action }
    }
  } catch {
    return { result: 'ERROR' }
  }
}
