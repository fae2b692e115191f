/**
 * Asking an endpoint of the customer: a JWT in, a word out (extension, decision D24). The JWT is signed with the key of the
 * environment, so that the endpoint knows by the published keys who asks, about what, and when; its `typ` and audience
 * keep it from passing as any other token (RFC 8725 section 3.11). No secret is shared, so none can be lost. Rows Q01, Q03,
 * G01 to G12.
 *
 * Never: an answer that is understood in part; an address or an answer in the log.
 */
import { z } from 'zod'
import { type Egress, EgressFailed, type EgressFailure } from './egress.ts'

/** What an endpoint may answer. */
export type WebhookAnswer =
  | { readonly result: 'CONTINUE' }
  | { readonly result: 'DENY'; readonly code: string | null }
  | { readonly result: 'STEP_UP'; readonly type: string }
  | { readonly result: 'ERROR'; readonly why: WebhookFailure }

/** Why an answer is none: for the log alone (row G09). */
export type WebhookFailure = EgressFailure | 'status' | 'media type' | 'answer'

const word = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/)
const answerSchema = z.discriminatedUnion('decision', [
  z.strictObject({ decision: z.literal('CONTINUE') }),
  z.strictObject({ decision: z.literal('DENY'), reason: word.optional() }),
  z.strictObject({ decision: z.literal('STEP_UP'), action: word }),
])

const maximumBytes = 16 * 1024

/** `typ` of the JWT an endpoint is sent. */
export const webhookTokenType = 'webhook+jwt'

/**
 * Asks an endpoint. Whatever goes wrong is `ERROR`; it is not asked a second time.
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
    if (answer.status !== 200) return { result: 'ERROR', why: 'status' }
    if (answer.contentType !== 'application/json') return { result: 'ERROR', why: 'media type' }
    return understood(answer.body)
  } catch (error) {
    if (error instanceof EgressFailed) return { result: 'ERROR', why: error.reason }
    throw error
  }
}

function understood(body: Buffer): WebhookAnswer {
  const said = answerSchema.safeParse(parsed(body))
  if (!said.success) return { result: 'ERROR', why: 'answer' }
  switch (said.data.decision) {
    case 'CONTINUE':
      return { result: 'CONTINUE' }
    case 'DENY':
      return { result: 'DENY', code: said.data.reason ?? null }
    case 'STEP_UP':
      return { result: 'STEP_UP', type: said.data.action }
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
