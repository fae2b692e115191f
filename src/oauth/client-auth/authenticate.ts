/**
 * Client authentication: the registered method and no other (authentication-api 2.8). The same answer for an unknown
 * client, a disabled one and a wrong secret; a wrong method says so, since clients retry on that text.
 *
 * Never: a comparison that takes longer the more characters are right, a disabled application let in, or a refusal that no
 * event tells of, whichever endpoint asks.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { eventOrigin } from '../../contract/event-origin.ts'
import type { Context } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { Problem, problem } from '../../errors/problem.ts'
import { eventRow } from '../../events/record.ts'
import type { ClientCredentials } from './credentials.ts'

const unknownHash = Buffer.alloc(32)

/**
 * Authenticates the client of a request; a refusal is audited (CLIENT_AUTHENTICATION.FAILED).
 * @throws Problem invalid_client
 */
export async function authenticateClient(
  context: Context,
  environment: Environment,
  credentials: ClientCredentials,
): Promise<Application> {
  try {
    return await authenticated(context, environment, credentials)
  } catch (error) {
    if (error instanceof Problem) {
      // What was presented as a client id may be any text; only what can be one is kept.
      const who = isClientId(credentials.clientId) ? { clientId: credentials.clientId } : {}
      const event = { action: 'CLIENT_AUTHENTICATION.FAILED', result: 'FAILED', ...who } as const
      context.kernel.volumeEvents.add(eventRow(eventOrigin(context, environment.id), event))
    }
    throw error
  }
}

async function authenticated(
  { kernel, now }: Context,
  environment: Environment,
  credentials: ClientCredentials,
): Promise<Application> {
  const found = isClientId(credentials.clientId)
    ? kernel.environments.application(environment.id, credentials.clientId)
    : undefined
  const application = found instanceof Promise ? await found : found
  const secretFits = credentials.method === 'NONE' || secretMatches(application, credentials.secret, now)
  if (!application?.enabled || !secretFits) throw clientRefused(credentials)
  if (application.document.tokenEndpointAuthMethod !== credentials.method) {
    throw clientRefused(credentials, 'Unsupported authentication method')
  }
  return application
}

function isClientId(text: string): boolean {
  return uuid.safeParse(text).success
}

function secretMatches(application: Application | undefined, secret: string, now: number): boolean {
  const presented = hash('sha256', secret, 'buffer')
  let matches = false
  for (const { hash: stored, expiresAt } of application?.secretHashes ?? []) {
    const fits = timingSafeEqual(Buffer.from(stored, 'base64url'), presented)
    if (fits && (expiresAt === null || expiresAt > now)) matches = true
  }
  if (!application) timingSafeEqual(unknownHash, presented)
  return matches
}

/** 401 for a client that is not let in, with the challenge of the method it tried (RFC 6749 section 5.2). */
export function clientRefused(credentials: ClientCredentials, description = 'invalid client credentials'): Problem {
  return problem('invalid_client', {
    description,
    headers: credentials.method === 'CLIENT_SECRET_BASIC' ? { 'www-authenticate': 'Basic realm="stile"' } : {},
  })
}
