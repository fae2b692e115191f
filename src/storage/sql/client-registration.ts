/** Statements on clients that register themselves, beside what is built of the race words. */
import type { Statement } from '../port.ts'
import { type Condition, equal, pageOf, type Span } from './page.ts'

/** A row of `client_registration_policies`. */
export interface ClientRegistrationPolicyRow {
  readonly document: string
  readonly updated_at: number
}

/**
 * What an environment allows clients that register themselves; no row: nobody has said. There is one, so that its environment
 * names it.
 */
export function clientRegistrationPolicyOf(environmentId: string): Statement<ClientRegistrationPolicyRow> {
  return {
    text: 'SELECT document, updated_at FROM client_registration_policies WHERE environment_id = $1 AND id = $1',
    values: [environmentId],
  }
}

/** Writes what an environment allows. */
export function putClientRegistrationPolicy(environmentId: string, document: string, now: number): Statement<object> {
  return {
    text: `INSERT INTO client_registration_policies (environment_id, id, document, updated_at) VALUES ($1, $1, $2, $3)
           ON CONFLICT (environment_id, id) DO UPDATE SET document = $2, updated_at = $3`,
    values: [environmentId, document, now],
  }
}

/** A row of `initial_access_tokens`, without what would let somebody in. */
export interface InitialAccessTokenRow {
  readonly id: string
  readonly description: string | null
  readonly maximum_uses: number
  readonly uses: number
  readonly created_at: number
  readonly expires_at: number
}

const initialAccessToken = 't.id, t.description, t.maximum_uses, t.uses, t.created_at, t.expires_at'

/** A page of the initial access tokens of an environment that have not expired. */
export function initialAccessTokensPage(
  environmentId: string,
  now: number,
  span: Span,
): Statement<InitialAccessTokenRow> {
  const alive: Condition = (at) => ({ text: `t.expires_at > $${at}`, values: [now] })
  return pageOf(
    `SELECT ${initialAccessToken} FROM initial_access_tokens t`,
    't',
    [equal('t.environment_id', environmentId), alive],
    span,
  )
}

/** One initial access token that has not expired. */
export function initialAccessTokenById(
  environmentId: string,
  id: string,
  now: number,
): Statement<InitialAccessTokenRow> {
  return {
    text: `SELECT ${initialAccessToken} FROM initial_access_tokens t
           WHERE t.environment_id = $1 AND t.id = $2 AND t.expires_at > $3`,
    values: [environmentId, id, now],
  }
}

/** Whether an initial access token lets somebody in. */
export function usableInitialAccessToken(
  environmentId: string,
  tokenHash: string,
  now: number,
): Statement<{ readonly id: string }> {
  return {
    text: `SELECT id FROM initial_access_tokens
           WHERE environment_id = $1 AND token_hash = $2 AND expires_at > $3 AND uses < maximum_uses`,
    values: [environmentId, tokenHash, now],
  }
}

/** Takes one use of an initial access token: a row comes back to as many callers as it has uses. */
export function useInitialAccessToken(
  environmentId: string,
  tokenHash: string,
  now: number,
): Statement<{ readonly id: string }> {
  return {
    text: `UPDATE initial_access_tokens SET uses = uses + 1
           WHERE environment_id = $1 AND token_hash = $2 AND expires_at > $3 AND uses < maximum_uses RETURNING id`,
    values: [environmentId, tokenHash, now],
  }
}

/** A row of `dynamic_clients`. */
export interface DynamicClientRow {
  readonly application_id: string
  readonly client_uri: string | null
  readonly token_hash: string | null
  readonly used_at: number
  readonly expires_at: number
  readonly created_at: number
}

/** A client that registered itself, by its application. */
export function dynamicClientById(environmentId: string, applicationId: string): Statement<DynamicClientRow> {
  return {
    text: `SELECT application_id, client_uri, token_hash, used_at, expires_at, created_at
           FROM dynamic_clients WHERE environment_id = $1 AND application_id = $2`,
    values: [environmentId, applicationId],
  }
}

/** The application of a client whose id is the address of its metadata document. */
export function applicationOfClientUri(
  environmentId: string,
  clientUri: string,
): Statement<{ readonly application_id: string }> {
  return {
    text: 'SELECT application_id FROM dynamic_clients WHERE environment_id = $1 AND client_uri = $2',
    values: [environmentId, clientUri],
  }
}

/** How many clients of an environment registered themselves. */
export function countDynamicClients(environmentId: string): Statement<{ readonly clients: number }> {
  return {
    text: 'SELECT COUNT(*) AS clients FROM dynamic_clients WHERE environment_id = $1',
    values: [environmentId],
  }
}

/** Gives a client another registration access token: a row comes back to the one whose token it still was. */
export function replaceRegistrationToken(
  environmentId: string,
  applicationId: string,
  { before, after }: { readonly before: string; readonly after: string },
): Statement<{ readonly application_id: string }> {
  return {
    text: `UPDATE dynamic_clients SET token_hash = $4
           WHERE environment_id = $1 AND application_id = $2 AND token_hash = $3 RETURNING application_id`,
    values: [environmentId, applicationId, before, after],
  }
}

/** Notes that a client was used, and how long it stays without another use; nothing when that was noted since `since`. */
export function noteClientUse(
  environmentId: string,
  applicationId: string,
  { now, since, until }: { readonly now: number; readonly since: number; readonly until: number },
): Statement<object> {
  return {
    text: `UPDATE dynamic_clients SET used_at = $3, expires_at = $5
           WHERE environment_id = $1 AND application_id = $2 AND used_at <= $4`,
    values: [environmentId, applicationId, now, since, until],
  }
}

/** Clients that nobody has used for so long that they are to go, in living environments. */
export function unusedClients(
  now: number,
  limit: number,
): Statement<{ readonly environment_id: string; readonly application_id: string }> {
  return {
    text: `SELECT c.environment_id, c.application_id FROM dynamic_clients c
           JOIN environments e ON e.id = c.environment_id AND e.deleted_at IS NULL
           WHERE c.expires_at <= $1 ORDER BY c.expires_at LIMIT $2`,
    values: [now, limit],
  }
}

/** Takes the registration of a client away that is still unused: a row comes back to one caller. */
export function takeUnusedClient(
  environmentId: string,
  applicationId: string,
  now: number,
): Statement<{ readonly application_id: string }> {
  return {
    text: `DELETE FROM dynamic_clients
           WHERE environment_id = $1 AND application_id = $2 AND expires_at <= $3 RETURNING application_id`,
    values: [environmentId, applicationId, now],
  }
}
