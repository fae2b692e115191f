/**
 * Client authentication: the registered method and no other (authentication-api 2.8), for every endpoint that has clients.
 * The same answer for an unknown client, a disabled one and a wrong proof; whoever proves who they are by another method
 * than the registered one is told so, since clients retry on that text.
 *
 * Never: a disabled application let in, a proof that counts twice, or a refusal that no event tells of, whichever endpoint
 * asks.
 */
import { readCompactJws } from '../../keys/compact-jws.ts'
import { useProofs } from '../../access/used-jwt.ts'
import { eventOrigin } from '../../contract/event-origin.ts'
import type { Context } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { Problem, problem } from '../../errors/problem.ts'
import { eventRow } from '../../events/record.ts'
import { findClient } from '../find-client.ts'
import { secretAlgorithms } from '../rules/client-algorithms.ts'
import { secretMatches } from './client-secret.ts'
import { attestJwtClientAuth } from './attest-jwt-client-auth.ts'
import { clientSecretBasic } from './client-secret-basic.ts'
import { clientSecretJwt } from './client-secret-jwt.ts'
import { clientSecretPost } from './client-secret-post.ts'
import type { ClientCredentials } from './credentials.ts'
import type { Attempt, ClientAuthMethod, ClientProof } from './method.ts'
import { none } from './none.ts'
import { privateKeyJwt } from './private-key-jwt.ts'
import { selfSignedTlsClientAuth } from './self-signed-tls-client-auth.ts'
import { tlsClientAuth } from './tls-client-auth.ts'

/** A client that has proved who it is; what it has proved it by is used up in the unit of what comes of it (row D11). */
export interface ProvedClient extends ClientProof {
  readonly client: Application
}

/**
 * Authenticates the client of a request, and uses up what it has proved itself by; a refusal is audited
 * (CLIENT_AUTHENTICATION.FAILED).
 * @throws Problem invalid_client
 */
export async function authenticateClient(
  context: Context,
  environment: Environment,
  credentials: ClientCredentials,
): Promise<Application> {
  const { client, proofs } = await proveClient(context, environment, credentials)
  if (proofs.length > 0) {
    const unit = { name: 'use-client-assertion', run: () => useProofs(environment.id, proofs) }
    await auditingRefusals(context, environment, credentials, () => context.kernel.storage.commit(unit))
  }
  return client
}

/**
 * Authenticates the client of a request whose unit will use up the proofs: for endpoints that commit anyway.
 * @throws Problem invalid_client
 */
export function proveClient(
  context: Context,
  environment: Environment,
  credentials: ClientCredentials,
): Promise<ProvedClient> {
  return auditingRefusals(context, environment, credentials, () => provedClient(context, environment, credentials))
}

/**
 * Does something by which a client may be refused; a refusal is recorded, and counted where it came from (row D08).
 * @throws Problem LIMITED for an address from where too many were refused
 */
export async function auditingRefusals<T>(
  context: Context,
  environment: Environment,
  credentials: ClientCredentials,
  attempt: () => T | Promise<T>,
): Promise<T> {
  const { kernel } = context
  const caller = { kernel, environment, remoteAddress: context.remoteAddress, now: context.now }
  kernel.clientRefusals.requireUnblocked(caller)
  try {
    const made = attempt()
    return made instanceof Promise ? await made : made
  } catch (error) {
    if (error instanceof Problem && error.key === 'invalid_client') {
      // What was presented as a client id may be any text; only what can be one is kept.
      const who = isClientId(credentials.clientId) ? { clientId: credentials.clientId } : {}
      const event = { action: 'CLIENT_AUTHENTICATION.FAILED', result: 'FAILED', ...who } as const
      kernel.volumeEvents.add(eventRow(eventOrigin(context, environment.id), event))
      await kernel.clientRefusals.count(caller)
    }
    throw error
  }
}

/** At once, where all that it takes is at hand. */
function provedClient(
  context: Context,
  environment: Environment,
  credentials: ClientCredentials,
): ProvedClient | Promise<ProvedClient> {
  const prove = (application: Application | undefined) => {
    if (!application) {
      // Nobody is there whose secret this could be; it takes as long all the same.
      if ('secret' in credentials) secretMatches(undefined, credentials.secret, context.now)
      throw clientRefused(credentials)
    }
    const { registered, proof } = presented({ context, environment, application }, credentials)
    const judge = (proved: ClientProof | undefined) => judgeProof(application, registered, proved, credentials)
    return proof instanceof Promise ? proof.then(judge) : judge(proof)
  }
  const found = findClient(context, environment, credentials.clientId)
  return found instanceof Promise ? found.then(prove) : prove(found)
}

function judgeProof(
  client: Application,
  registered: ClientAuthMethod['registered'],
  proof: ClientProof | undefined,
  credentials: ClientCredentials,
): ProvedClient {
  if (!proof || !client.enabled) throw clientRefused(credentials)
  if (client.document.tokenEndpointAuthMethod !== registered) {
    throw clientRefused(credentials, 'Unsupported authentication method')
  }
  return { client, ...proof }
}

/** The method that a request means, and what became of it. */
interface Presented {
  readonly registered: ClientAuthMethod['registered']
  readonly proof: ClientProof | undefined | Promise<ClientProof | undefined>
}

function presented(attempt: Attempt, credentials: ClientCredentials): Presented {
  switch (credentials.method) {
    case 'CLIENT_SECRET_BASIC':
      return by(clientSecretBasic, attempt, credentials)
    case 'CLIENT_SECRET_POST':
      return by(clientSecretPost, attempt, credentials)
    case 'CLIENT_ASSERTION': {
      const algorithm = readCompactJws(credentials.assertion)?.header['alg']
      const isSymmetric = typeof algorithm === 'string' && Object.hasOwn(secretAlgorithms, algorithm)
      return by(isSymmetric ? clientSecretJwt : privateKeyJwt, attempt, credentials)
    }
    case 'NONE':
      return by(byRequest(attempt.application), attempt, credentials)
  }
}

/** Whoever presents nothing in the body but a client id is a public client, or known by what the request came with. */
function byRequest({ document }: Application): ClientAuthMethod<ClientCredentials & { readonly method: 'NONE' }> {
  switch (document.tokenEndpointAuthMethod) {
    case 'TLS_CLIENT_AUTH':
      return tlsClientAuth
    case 'SELF_SIGNED_TLS_CLIENT_AUTH':
      return selfSignedTlsClientAuth
    case 'ATTEST_JWT_CLIENT_AUTH':
      return attestJwtClientAuth
    case 'NONE':
    case 'CLIENT_SECRET_BASIC':
    case 'CLIENT_SECRET_POST':
    case 'CLIENT_SECRET_JWT':
    case 'PRIVATE_KEY_JWT':
      return none
  }
}

function by<C extends ClientCredentials>(method: ClientAuthMethod<C>, attempt: Attempt, credentials: C): Presented {
  return { registered: method.registered, proof: method.prove(attempt, credentials) }
}

function isClientId(text: string): boolean {
  return uuid.safeParse(text).success
}

/** 401 for a client that is not let in, with the challenge of the method it tried (RFC 6749 section 5.2). */
export function clientRefused(credentials: ClientCredentials, description = 'invalid client credentials'): Problem {
  return problem('invalid_client', {
    description,
    headers: credentials.method === 'CLIENT_SECRET_BASIC' ? { 'www-authenticate': 'Basic realm="stile"' } : {},
  })
}
