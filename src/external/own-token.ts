/** Client credentials against a server of one's own, for the command line (RFC 6749 section 4.4). */
import { z } from 'zod'

const tokenResponse = z.looseObject({ access_token: z.string() })

/**
 * Gets an application token.
 * @throws when nothing answers within 10 s, or the answer is no token
 */
export async function requestToken(
  url: string,
  client: { readonly clientId: string; readonly clientSecret: string },
  scope?: string,
): Promise<z.output<typeof tokenResponse>> {
  const answer = await fetch(url, {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.timeout(10_000),
    headers: { authorization: `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope ? { scope } : {}) }),
  })
  return tokenResponse.parse(await answer.json())
}
