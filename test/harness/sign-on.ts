/** Signing on in tests, by the flows API: a browser's cookies, a flow, a code, tokens. */
import { createHash, randomBytes } from 'node:crypto'
import type { Answer, Stile } from './stile.ts'

/** The cookie of one browser. */
export class Browser {
  cookie: string | undefined
  readonly stile: Stile

  constructor(stile: Stile) {
    this.stile = stile
  }

  /** Sends a request with the cookie, and keeps what the answer sets. */
  async send(path: string, call: Parameters<Stile['send']>[1] = {}): Promise<Answer> {
    const headers = { ...(this.cookie ? { cookie: this.cookie } : {}), ...call.headers }
    const answer = await this.stile.send(path, { ...call, headers })
    const [set] = answer.headers.getSetCookie().filter((line) => line.startsWith('ST='))
    if (set) this.cookie = set.split(';')[0]
    return answer
  }

  /** Starts an authorization request. */
  authorize(parameters: Readonly<Record<string, string>>): Promise<Answer> {
    return this.send(`/${this.stile.environmentId}/as/authorize?${new URLSearchParams(parameters)}`)
  }

  /** Carries an action into a flow. */
  act(flowId: string, action: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.send(`/${this.stile.environmentId}/flows/${flowId}`, {
      method: 'POST',
      body,
      headers,
      mediaType: `application/vnd.pingidentity.${action}+json`,
    })
  }

  /** Reads a flow. */
  flow(flowId: string): Promise<Answer> {
    return this.send(`/${this.stile.environmentId}/flows/${flowId}`)
  }

  resume(flowId: string): Promise<Answer> {
    return this.send(`/${this.stile.environmentId}/as/resume?flowId=${flowId}`)
  }
}

/** A PKCE pair. */
export function pkce(): { readonly verifier: string; readonly challenge: string } {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

/** The parameters of a `pi.flow` request of the native demo application. */
export function piFlowRequest(
  stile: Stile,
  challenge: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    client_id: stile.nativeApp.clientId,
    response_type: 'code',
    response_mode: 'pi.flow',
    scope: 'openid profile email',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...more,
  }
}

/** Signs the demo user on by `pi.flow`. */
export async function signOn(
  browser: Browser,
  user: { readonly username: string; readonly password: string } = browser.stile.user,
): Promise<{ readonly code: string; readonly verifier: string; readonly flowId: string }> {
  const { verifier, challenge } = pkce()
  const started = await browser.authorize(piFlowRequest(browser.stile, challenge))
  if (started.json?.authorizeResponse) return { code: started.json.authorizeResponse.code, verifier, flowId: '' }
  const flowId: string = started.json.id
  const checked = await browser.act(flowId, 'usernamePassword.check', {
    username: user.username,
    password: user.password,
  })
  if (checked.json.status !== 'COMPLETED') throw new Error(`sign-on came to ${checked.text}`)
  const resumed = await browser.resume(flowId)
  return { code: resumed.json.authorizeResponse.code, verifier, flowId }
}

/** Redeems a code of the native demo application. */
export function redeem(
  stile: Stile,
  code: string,
  verifier: string,
  clientId = stile.nativeApp.clientId,
  redirectUri?: string,
): Promise<Answer> {
  return stile.send(`/${stile.environmentId}/as/token`, {
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      client_id: clientId,
      ...(redirectUri === undefined ? {} : { redirect_uri: redirectUri }),
    }),
  })
}

/** An access token of the demo user. */
export async function userToken(stile: Stile): Promise<string> {
  const { code, verifier } = await signOn(new Browser(stile))
  return (await redeem(stile, code, verifier)).json.access_token
}
