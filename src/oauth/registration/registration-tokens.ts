/**
 * The two bearer tokens of client registration: the initial access token that lets a client register (RFC 7591 section
 * 1.2), and the registration access token by which it reads and changes itself (RFC 7592 section 3). Both are random, and
 * only their hashes are kept. Row H06.
 *
 * Never: an answer that tells a token that is wrong from one that is used up, or a client that is gone from one of others.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { bearerToken } from '../../access/bearer.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import { invalidToken, notFound } from '../../errors/problem.ts'
import { run, type UnitBody } from '../../storage/port.ts'
import {
  dynamicClientById,
  usableInitialAccessToken,
  useInitialAccessToken,
} from '../../storage/sql/client-registration.ts'

/** The key under which a token is stored. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'base64url')
}

/** Refuses every request where nobody may register: there is no such endpoint (row H01). */
export function requireRegistration({ environment }: Context): void {
  if (environment.clientRegistrationPolicy.mode === 'OFF') throw notFound()
}

/**
 * The initial access token of a request, where one is needed.
 * @returns its hash, which is to be used up in the unit that registers the client
 * @throws Problem INVALID_TOKEN
 */
export async function initialAccessToken(context: Context): Promise<string | undefined> {
  const { kernel, environment, headers, now } = context
  if (environment.clientRegistrationPolicy.mode !== 'INITIAL_ACCESS_TOKEN') return undefined
  const tokenHash = hashToken(bearerToken(headers.authorization))
  const [usable] = await kernel.storage.read(usableInitialAccessToken(environment.id, tokenHash, now))
  if (!usable) throw invalidToken('the token is not valid here')
  return tokenHash
}

/**
 * Uses an initial access token up by one.
 * @returns its id
 * @throws Problem INVALID_TOKEN when others were faster
 */
export function* consumeInitialAccessToken({ environment, now }: Context, tokenHash: string): UnitBody<string> {
  const [used] = yield* run(useInitialAccessToken(environment.id, tokenHash, now))
  if (!used) throw invalidToken('the token is not valid here')
  return used.id
}

/** A client that has shown its registration access token. */
export interface ProvedClient {
  readonly application: Application
  readonly token: string
}

/**
 * The client of a request for its own registration.
 * @throws Problem INVALID_TOKEN; NOT_FOUND where nobody may register
 */
export async function provedClient(context: Context, id: string): Promise<ProvedClient> {
  requireRegistration(context)
  const { kernel, environment, headers } = context
  const token = bearerToken(headers.authorization)
  const [row] = await kernel.storage.read(dynamicClientById(environment.id, id))
  const stored = Buffer.from(row?.token_hash ?? '', 'base64url')
  const shown = Buffer.from(hashToken(token), 'base64url')
  const fits = stored.length === shown.length && timingSafeEqual(stored, shown)
  const application = fits ? await kernel.environments.application(environment.id, id) : undefined
  if (!application?.enabled) throw invalidToken('the token is not valid here')
  return { application, token }
}
