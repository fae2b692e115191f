/**
 * Client authentication: the registered method and no other (authentication-api 2.8). The same answer for an unknown
 * client, a disabled one and a wrong secret; a wrong method says so, since clients retry on that text.
 *
 * Never: a comparison that takes longer the more characters are right, or a disabled application let in.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { type Problem, problem } from '../../errors/problem.ts'
import type { Kernel } from '../../kernel.ts'
import type { ClientCredentials } from './credentials.ts'

const unknownHash = Buffer.alloc(32)

/**
 * Authenticates the client of a request.
 * @throws Problem invalid_client
 */
export async function authenticateClient(
  kernel: Kernel,
  environment: Environment,
  credentials: ClientCredentials,
  now: number,
): Promise<Application> {
  const found = kernel.environments.application(environment.id, credentials.clientId)
  const application = found instanceof Promise ? await found : found
  const secretFits = credentials.method === 'NONE' || secretMatches(application, credentials.secret, now)
  if (!application?.enabled || !secretFits) throw refused(credentials, 'invalid client credentials')
  if (application.document.tokenEndpointAuthMethod !== credentials.method) {
    throw refused(credentials, 'Unsupported authentication method')
  }
  return application
}

function secretMatches(application: Application | undefined, secret: string, now: number): boolean {
  const presented = createHash('sha256').update(secret).digest()
  let matches = false
  for (const { hash, expiresAt } of application?.secretHashes ?? []) {
    const fits = timingSafeEqual(Buffer.from(hash, 'base64url'), presented)
    if (fits && (expiresAt === null || expiresAt > now)) matches = true
  }
  if (!application) timingSafeEqual(unknownHash, presented)
  return matches
}

function refused(credentials: ClientCredentials, description: string): Problem {
  return problem('invalid_client', {
    description,
    headers: credentials.method === 'CLIENT_SECRET_BASIC' ? { 'www-authenticate': 'Basic realm="stile"' } : {},
  })
}
