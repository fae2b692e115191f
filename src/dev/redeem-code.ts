/** The token endpoint as the demo application's server calls it: in process, through the same door as any request. */
import type { FastifyInstance } from 'fastify'

/** A token request: its form, and the client's Basic authentication where it has a secret. */
export interface TokenRequest {
  readonly environmentId: string
  readonly form: Readonly<Record<string, string>>
  readonly authorization: string | undefined
}

/** Sends a token request and returns the JSON of the answer, tokens or error. */
export async function redeemCode(app: FastifyInstance, request: TokenRequest): Promise<unknown> {
  const { environmentId, form, authorization } = request
  const answer = await app.inject({
    method: 'POST',
    url: `/${environmentId}/as/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...(authorization ? { authorization } : {}) },
    payload: new URLSearchParams(form).toString(),
  })
  return answer.json()
}
