/**
 * Grants that a client polls for while the user decides elsewhere: the device authorization grant (RFC 8628) and OpenID
 * CIBA. One row per request, from the moment it is made until the client has its tokens; rows Q04-Q08.
 *
 * | status     | by whom                                  | what a poll gets                               |
 * |------------|------------------------------------------|------------------------------------------------|
 * | `PENDING`  | the client has asked                     | `authorization_pending`, or `slow_down`        |
 * | `APPROVED` | the user, who signed on and said yes     | the tokens, once                               |
 * | `DENIED`   | the user said no, or could not sign on   | `access_denied`                                |
 * | `USED`     | the client has its tokens                | `invalid_grant`                                |
 *
 * Never: a code in clear in storage; a decision of anybody but the user it is about; a second decision.
 */
import { hash } from 'node:crypto'
import type { Environment } from '../environment/snapshot.ts'
import type { ConsentDetail } from '../flow/consent.ts'
import type { DeviceRequest } from '../flow/device-grant.ts'
import type { Outcome } from '../flow/outcome.ts'
import { clearGuesses, type Guessed, type GuessBound, secondsUntil, takeBoth } from '../limits/guesses.ts'
import { insert, type Word } from '../storage/operations.ts'
import { run, type Storage, type UnitBody } from '../storage/port.ts'
import { Stale } from '../storage/refusals.ts'
import {
  claimPolledGrant,
  decidePolledGrant,
  polledGrantById,
  polledGrantByUserCode,
  type PolledGrantRow,
} from '../storage/sql/polled-grants.ts'
import type { World } from '../world.ts'
import { type CodeForm, hashOfCode, newCode } from './one-time-codes.ts'

/** Which protocol a grant is of. */
export type PolledGrantKind = 'device_code' | 'ciba'

/** What is asked for. */
export interface PolledRequest {
  /** Ids of the scopes, as the user is shown them. */
  readonly scopeIds: readonly string[]
  /** What is asked for in detail (RFC 9396), in words. */
  readonly details?: readonly ConsentDetail[]
  /** What the client shows the user as well, so that they know which request they approve (CIBA). */
  readonly bindingMessage: string | null
  /** The sign-on policies that may run, by name; none: those of the application (CIBA). */
  readonly acrValues: readonly string[]
  /** Where the request came from. */
  readonly remoteAddress: string
  /** Whether the client knows the environment by its custom domain, where the user then goes as well. */
  readonly byCustomDomain?: boolean
  /** What tokens are issued by; opaque here. */
  readonly terms: unknown
}

/** A grant that is yet to be decided. Times in epoch milliseconds. */
export interface PolledGrant {
  readonly id: string
  readonly kind: PolledGrantKind
  readonly clientId: string
  readonly userId: string | null
  readonly isDecided: boolean
  readonly request: PolledRequest
  readonly createdAt: number
  readonly expiresAt: number
}

function grantFrom(row: PolledGrantRow): PolledGrant {
  return {
    id: row.id,
    kind: row.kind as PolledGrantKind,
    clientId: row.client_id,
    userId: row.user_id,
    isDecided: row.status !== 'PENDING',
    request: JSON.parse(row.document) as PolledRequest,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}

/** The key under which what a client polls with is stored. */
export function hashPolledCode(code: string): string {
  return hash('sha256', code, 'base64url')
}

/** What a client polls with: 256 bits, of characters that RFC 8628 and CIBA (section 7.3) allow. */
export function newPolledCode(world: Pick<World, 'bytes'>): string {
  return world.bytes(32).toString('base64url')
}

/** 38 bits, in symbols that nobody mistakes for others (RFC 8628 section 6.1). */
const userCodeForm: CodeForm = { kind: 'letters-and-digits', length: 8 }

/** A new user code, without its hyphen. */
export function newUserCode(world: Pick<World, 'bytes'>): string {
  return newCode(world, userCodeForm)
}

/** A user code as it was typed, as it is compared: case, hyphens and whatever else is no symbol do not matter. */
export function readUserCode(typed: string): string {
  return typed.toUpperCase().replaceAll(/[^0-9A-Z]/g, '')
}

/** A user code as people read it: `BVKV-2GZ2`. */
export function writeUserCode(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`
}

function hashUserCode(environment: Environment, code: string): string {
  return hashOfCode(environment, { purpose: 'DEVICE_USER_CODE', subject: '' }, code).toString('base64url')
}

/** How long a grant is kept after its time, so that whoever polls is told that it is over; milliseconds. */
const keptAfterwards = 3_600_000

/** A grant that a client asks for. */
export interface NewPolledGrant {
  readonly id: string
  readonly kind: PolledGrantKind
  readonly clientId: string
  /** What the client polls with. */
  readonly code: string
  /** What the user types, where they do. */
  readonly userCode: string | null
  /** Whom it is about, where that is known; null: whoever enters the code, or nobody. */
  readonly userId: string | null
  readonly request: PolledRequest
  readonly intervalSeconds: number
  readonly lifeSeconds: number
}

/**
 * Stores a grant.
 * @param now epoch milliseconds
 * @throws UniquenessViolation when a living one has the same user code
 */
export function* storePolledGrant(environment: Environment, grant: NewPolledGrant, now: number): Word<void> {
  const expiresAt = now + grant.lifeSeconds * 1000
  yield* insert('polled_grants', {
    environment_id: environment.id,
    id: grant.id,
    kind: grant.kind,
    code_hash: hashPolledCode(grant.code),
    user_code_hash: grant.userCode === null ? null : hashUserCode(environment, grant.userCode),
    client_id: grant.clientId,
    document: JSON.stringify(grant.request),
    status: 'PENDING',
    interval_seconds: grant.intervalSeconds,
    poll_after: now,
    is_early: 0,
    reached_at: null,
    flow_id: null,
    user_id: grant.userId,
    session_id: null,
    outcome: null,
    decided_at: null,
    created_at: now,
    expires_at: expiresAt,
    purge_at: expiresAt + keptAfterwards,
  })
}

/** Reads a grant whose time is not over. */
export async function readPolledGrant(
  storage: Storage,
  environmentId: string,
  id: string,
  now: number,
): Promise<PolledGrant | undefined> {
  const [row] = await storage.read(polledGrantById(environmentId, id, now))
  return row && grantFrom(row)
}

/** Security catalogue 4.5: tries at user codes of one user, and of everybody in an environment. */
const userCodeTries = {
  own: { guesses: 5, seconds: 600 },
  all: { guesses: 100, seconds: 60 },
} as const satisfies Readonly<Record<string, GuessBound>>

/** Who tries a user code, where. */
export interface UserCodeTry {
  /** As typed. */
  readonly typed: string
  readonly userId: string
  readonly flowId: string
  /** The only application whose code it may be; null: any. */
  readonly applicationId: string | null
  /** Epoch milliseconds. */
  readonly now: number
}

/** What came of trying a user code. */
export type UserCodeCheck =
  | {
      readonly result: 'accepted'
      readonly request: DeviceRequest
      /** Binds the code to the user, and forgets their tries; for the unit that saves the flow. @throws Stale */
      readonly claim: () => UnitBody<void>
    }
  | { readonly result: 'rejected' }
  | { readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }

/** Tries a user code: one try taken and committed, then one look (row Q04). */
export async function tryUserCode(
  storage: Storage,
  environment: Environment,
  { typed, userId, flowId, applicationId, now }: UserCodeTry,
): Promise<UserCodeCheck> {
  const guessed = (subject: string): Guessed => ({ environmentId: environment.id, kind: 'user-code', subject })
  const own = guessed(userId)
  const tries = await storage.commit(
    takeBoth({ guessed: own, bound: userCodeTries.own }, { guessed: guessed(''), bound: userCodeTries.all }, now),
  )
  const refused = tries.find(({ allowed }) => !allowed)
  if (refused) return { result: 'lockedOut', secondsUntilUnlock: secondsUntil(refused.until, now) }
  const userCode = readUserCode(typed)
  const [row] = await storage.read(polledGrantByUserCode(environment.id, hashUserCode(environment, userCode), now))
  const isFree = row && (row.user_id === null || row.user_id === userId || row.flow_id === flowId)
  if (!row || !isFree || (applicationId !== null && row.client_id !== applicationId)) return { result: 'rejected' }
  const { id, clientId, request, createdAt, expiresAt } = grantFrom(row)
  return {
    result: 'accepted',
    request: {
      grantId: id,
      applicationId: clientId,
      scopeIds: [...request.scopeIds],
      ...(request.details ? { details: request.details } : {}),
      userCode: writeUserCode(userCode),
      remoteAddress: request.remoteAddress,
      requestedAt: createdAt,
      expiresAt,
    },
    *claim() {
      const claimed = yield* run(claimPolledGrant(environment.id, id, { flowId, userId }, now))
      if (claimed.length === 0) throw new Stale('polled_grants')
      yield clearGuesses(own)
    },
  }
}

/** How the user of an approved grant signed on. */
export type PolledOutcome = Pick<Outcome, 'acr' | 'amr' | 'authTime' | 'consentId'>

/**
 * Approves a grant, inside the unit that ends the flow in which its user said so.
 * @returns false when it is not theirs to decide, is decided, or its time is over
 */
export function* approvePolledGrant(
  environmentId: string,
  id: string,
  { userId, session, acr, amr, authTime, consentId }: Outcome,
  now: number,
): UnitBody<boolean> {
  const outcome: PolledOutcome = { acr, amr, authTime, ...(consentId === undefined ? {} : { consentId }) }
  const decision = { userId, status: 'APPROVED', sessionId: session.id, outcome: JSON.stringify(outcome) } as const
  return (yield* run(decidePolledGrant(environmentId, id, decision, now))).length > 0
}

/**
 * Denies a grant.
 * @returns false when it is not theirs to decide, is decided, or its time is over
 */
export function* denyPolledGrant(environmentId: string, id: string, userId: string, now: number): UnitBody<boolean> {
  const decision = { userId, status: 'DENIED', sessionId: null, outcome: null } as const
  return (yield* run(decidePolledGrant(environmentId, id, decision, now))).length > 0
}
