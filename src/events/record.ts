/**
 * Audit rows. A change event is one more statement of the unit that makes the change (decision D19), so that neither
 * exists without the other. Fields: security catalogue 4.7; never a secret, never a body.
 */
import type { Actor } from '../access/actor.ts'
import type { Statement } from '../storage/port.ts'
import { type EventRow, insertEvents } from '../storage/sql/events.ts'
import type { World } from '../world.ts'
import type { EventAction } from './catalog.ts'

/** Where an event comes from: the request, as far as audit wants to know it. */
export interface EventOrigin {
  readonly world: World
  readonly now: number
  readonly environmentId: string
  readonly correlationId: string
  readonly remoteAddress: string
  readonly actor: Actor
}

/** What happened. */
export interface EventDescription {
  readonly action: EventAction
  readonly result?: 'SUCCESS' | 'FAILED'
  /** What it happened to. */
  readonly subject?: { readonly type: string; readonly id: string }
  /** The user or client who did it, where no bearer token says so. */
  readonly userId?: string
  readonly clientId?: string
  readonly sessionId?: string
  /** A machine-readable reason, and names of changed members; never values. */
  readonly detail?: Readonly<Record<string, string | number | boolean | readonly string[]>>
}

/** The row of an event. */
export function eventRow(origin: EventOrigin, event: EventDescription): EventRow {
  const { actor } = origin
  return {
    environment_id: origin.environmentId,
    id: origin.world.uuid(),
    recorded_at: origin.now,
    action: event.action,
    result: event.result ?? 'SUCCESS',
    actor_client_id: event.clientId ?? (actor.kind === 'anonymous' ? null : actor.clientId),
    actor_user_id: event.userId ?? (actor.kind === 'user' ? actor.userId : null),
    subject_type: event.subject?.type ?? null,
    subject_id: event.subject?.id ?? null,
    session_id: event.sessionId ?? (actor.kind === 'user' ? actor.sessionId : null),
    correlation_id: origin.correlationId,
    remote_ip: origin.remoteAddress,
    document: event.detail ? JSON.stringify(event.detail) : '{}',
  }
}

/** The statement that records a change, to be yielded inside the unit of that change. */
export function record(origin: EventOrigin, event: EventDescription): Statement<object> {
  return insertEvents([eventRow(origin, event)])
}
