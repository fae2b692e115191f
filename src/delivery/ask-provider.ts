/** One request to a provider over HTTP, and what its status means for the message. */
import { type ClientTokens, NoClientToken } from '../external/client-tokens.ts'
import { type Egress, EgressFailed, type OutboundAnswer, type OutboundRequest } from '../external/egress.ts'
import { clientOf, type CustomAuthentication } from './custom-authentication.ts'
import { PermanentFailure, TemporaryFailure } from './delivery-failure.ts'

/** What asking needs of a node. */
export interface ProviderPorts {
  readonly egress: Egress
  readonly clientTokens: ClientTokens
}

/**
 * Asks a provider to send a message, or something that sending one needs.
 * @throws PermanentFailure when it will never do it; TemporaryFailure when it may later
 */
export async function askProvider(egress: Egress, request: OutboundRequest): Promise<OutboundAnswer> {
  return judged(await asked(egress, request))
}

/**
 * Asks a provider of one's own to send a message. An access token that it refuses is forgotten and asked for anew, once.
 * @throws PermanentFailure when it will never take it; TemporaryFailure when it may later
 */
export async function askCustomProvider(
  { egress, clientTokens }: ProviderPorts,
  authentication: CustomAuthentication,
  request: OutboundRequest,
): Promise<OutboundAnswer> {
  const withHeader = (name: string, value: string) => ({ ...request, headers: { ...request.headers, [name]: value } })
  switch (authentication.method) {
    case 'BASIC': {
      const { username, password = '' } = authentication
      const credentials = Buffer.from(`${username}:${password}`).toString('base64')
      return askProvider(egress, withHeader('authorization', `Basic ${credentials}`))
    }
    case 'BEARER':
      return askProvider(egress, withHeader('authorization', `Bearer ${authentication.authToken ?? ''}`))
    case 'CUSTOM_HEADER':
      return askProvider(egress, withHeader(authentication.headerName, authentication.headerValue ?? ''))
    case 'OAUTH2': {
      const client = clientOf(authentication)
      const ask = async () => {
        const token = await clientTokens.token(client).catch(noToken)
        return { token, answer: await asked(egress, withHeader('authorization', `Bearer ${token}`)) }
      }
      const first = await ask()
      if (first.answer.status !== 401) return judged(first.answer)
      clientTokens.forget(client, first.token)

      return judged((await ask()).answer)
    }
  }
}

/** A wrong secret is for the administrator to mend; the message may go out after that. */
export function noToken(error: unknown): never {
  if (error instanceof NoClientToken) throw new TemporaryFailure(error.message)
  return notAsked(error)
}

/** Asks, whatever the status of the answer. @throws PermanentFailure, TemporaryFailure when there is none */
export function asked(egress: Egress, request: OutboundRequest): Promise<OutboundAnswer> {
  return egress(request).catch(notAsked)
}

function notAsked(error: unknown): never {
  if (!(error instanceof EgressFailed)) throw error
  const isOurs = error.reason === 'url' || error.reason === 'address' || error.reason === 'port'
  if (isOurs || error.reason === 'header') throw new PermanentFailure('provider-not-reachable')
  throw new TemporaryFailure(`the provider could not be asked: ${error.reason}`)
}

/** An answer that says yes. @throws PermanentFailure, TemporaryFailure */
export function judged(answer: OutboundAnswer): OutboundAnswer {
  const { status } = answer
  if (status < 300) return answer
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) throw new PermanentFailure('refused', status)
  throw new TemporaryFailure(`the provider answered ${status}`)
}
