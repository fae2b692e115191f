/**
 * The outbox: work that a unit promises and that is done after its commit, at least once (architecture section 5,
 * "Events and outbox"). `enqueue` is one more statement of the unit, so that neither exists without the other.
 *
 * An attempt is taken by a compare-and-set of `attempts`: of all nodes that see a due row, exactly one gets each attempt.
 * Taking it also moves the row's next time into the future; a node that dies in the middle leaves the row to be taken
 * again when that time comes. So a handler must bear being run twice.
 *
 * Never: a payload in a log, since messages may hold codes.
 */
import type { Kernel } from '../kernel.ts'
import { compareAndSet } from '../storage/operations.ts'
import { run, type Statement } from '../storage/port.ts'
import { Stale } from '../storage/refusals.ts'
import { completeOutbox, dueOutbox, insertOutbox, type OutboxRow, postponeOutbox } from '../storage/sql/outbox.ts'
import type { World } from '../world.ts'

/** What may be promised: a closed list. Every kind has one handler. */
export type OutboxKind =
  /** Remove the rows of an environment that was stamped as deleted. */
  | 'environment.delete'
  /** Remove what is left of it, once no node can still remember it. */
  | 'environment.forget'
  /** Send a notification to a user; its payload is sealed. */
  | 'notification.send'

/** A promise of work. */
export interface Message {
  readonly kind: OutboxKind
  readonly environmentId: string
  /** When it may be done at the earliest, epoch milliseconds; default: at once. */
  readonly notBefore?: number
  /** What the handler needs to know; default: nothing. Whatever is secret is sealed. */
  readonly payload?: string
  /** Default: a new one. */
  readonly id?: string
}

/** One attempt at a message, as its handler sees it. */
export interface Attempt {
  readonly environmentId: string
  readonly id: string
  readonly payload: string
  /** When it was promised, epoch milliseconds. */
  readonly createdAt: number
}

/** `done`: nothing is left to do. `paused`: there is more, and others may come first. */
export type Outcome = 'done' | 'paused'

/** Does the work of one kind; whatever it throws makes the message wait and be tried again. */
export type Handler = (attempt: Attempt, signal: AbortSignal) => Promise<Outcome>

/** The statement that promises `message`, to be yielded inside the unit of the change. */
export function enqueue(world: World, message: Message, now: number): Statement<object> {
  return insertOutbox({
    environment_id: message.environmentId,
    id: message.id ?? world.uuid(),
    kind: message.kind,
    payload: message.payload ?? '{}',
    attempts: 0,
    next_at: message.notBefore ?? now,
    created_at: now,
  })
}

const shortestWaitMilliseconds = 30_000
const longestWaitMilliseconds = 600_000
const rowsPerLook = 20

/** How long a message waits after its n-th attempt began, if that attempt does not end it: 30 s, doubling to 10 min. */
function waitAfter(attempts: number): number {
  return Math.min(longestWaitMilliseconds, Math.max(shortestWaitMilliseconds, 1000 * 2 ** attempts))
}

/**
 * Does what is due until nothing is, or until `signal` says stop.
 * @param handlers one for every kind
 */
export async function drainOutbox(
  kernel: Pick<Kernel, 'storage' | 'world' | 'log'>,
  handlers: Readonly<Record<OutboxKind, Handler>>,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const rows = await kernel.storage.read(dueOutbox(kernel.world.now(), rowsPerLook))
    if (rows.length === 0) return
    for (const row of rows) {
      if (signal.aborted) return
      await attempt(kernel, handlers, row, signal)
    }
  }
}

async function attempt(
  { storage, world, log }: Pick<Kernel, 'storage' | 'world' | 'log'>,
  handlers: Readonly<Record<OutboxKind, Handler>>,
  row: OutboxRow,
  signal: AbortSignal,
): Promise<void> {
  const { environment_id, id } = row
  const attempts = await storage
    .commit({
      name: 'outbox.take',
      single: true,
      run: () => {
        const next_at = world.now() + waitAfter(row.attempts + 1)
        return compareAndSet('outbox', { environment_id, id }, row.attempts, { next_at }, 'attempts')
      },
    })
    .catch((error: unknown) => {
      if (error instanceof Stale) return undefined
      throw error
    })
  if (attempts === undefined) return
  try {
    const handler = Object.hasOwn(handlers, row.kind) ? handlers[row.kind as OutboxKind] : undefined
    if (!handler) throw new Error('no handler knows this kind of message: a newer release wrote it')
    const outcome = await handler(
      { environmentId: environment_id, id, payload: row.payload, createdAt: row.created_at },
      signal,
    )
    const mine = { environment_id, id, attempts }
    const statement = outcome === 'done' ? completeOutbox(mine) : postponeOutbox(mine, world.now())
    await storage.commit({ name: `outbox.${outcome}`, single: true, run: () => run(statement) })
  } catch (error) {
    log.error(
      { err: error, kind: row.kind, environmentId: environment_id, message: id, attempts },
      'a message waits and is tried again',
    )
  }
}
