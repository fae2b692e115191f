/** Client credentials against a server of one's own, for the command line and the demo application (RFC 6749 section 4.4). */
import { z } from 'zod'

const tokenResponse = z.looseObject({ access_token: z.string() })

/** Posts a form to a token endpoint; resolves with the JSON of the answer, whatever its status. */
export async function postForm(url: string, form: Readonly<Record<string, string>>, authorization?: string): Promise<unknown> {
  const answer = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams(form),
    redirect: 'error',
    signal: AbortSignal.timeout(10_000),
    ...(authorization ? { headers: { authorization } } : {}),
  })
  return answer.json()
}

/** Gets an application token. */
export async function requestToken(
  url: string,
  client: { readonly clientId: string; readonly clientSecret: string },
  scope?: string,
): Promise<z.output<typeof tokenResponse>> {
  const authorization = `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64')}`
  return tokenResponse.parse(await postForm(url, { grant_type: 'client_credentials', ...(scope ? { scope } : {}) }, authorization))
}
