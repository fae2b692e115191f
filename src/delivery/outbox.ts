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
import {
  completeOutbox,
  type Crowded,
  dueOutbox,
  insertOutbox,
  type OutboxRow,
  postponeOutbox,
} from '../storage/sql/outbox.ts'
import type { World } from '../world.ts'

/** What may be promised: a closed list. Every kind has one handler. */
export type OutboxKind =
  /** Remove the rows of an environment that was stamped as deleted. */
  | 'environment.delete'
  /** Remove what is left of it, once no node can still remember it. */
  | 'environment.forget'
  /** Send a notification to a user; its payload is sealed. */
  | 'notification.send'
  /** Tell an application that a session has ended. */
  | 'logout.send'
  /** Reach the user of a backchannel authentication request. */
  | 'backchannel.reach'

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
  /** The number of this attempt, from 1. */
  readonly attempts: number
}

/**
 * `done`: nothing is left to do. `paused`: there is more, and others may come first. `notBefore`, epoch milliseconds: it is
 * of no use to try before then.
 */
export type Outcome = 'done' | 'paused' | { readonly notBefore: number }

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
/** How much is under way at a time; of one environment only so much that its slow provider leaves room for others (R27). */
const mostUnderWay = 32
const mostOfOneEnvironment = 4
/** Of that, what applications are told leaves room for what users wait for, however slow the applications are. */
const mostOfKind: ReadonlyMap<string, number> = new Map([['logout.send' satisfies OutboxKind, 2]])

/** How long a message waits after its n-th attempt began, if that attempt does not end it: 30 s, doubling to 10 min. */
function waitAfter(attempts: number): number {
  return Math.min(longestWaitMilliseconds, Math.max(shortestWaitMilliseconds, 1000 * 2 ** attempts))
}

/** The outbox of a node. */
export interface Outbox {
  /** Begins whatever is due and has room; resolves when that has begun, not when it is done. */
  look(): Promise<void>
  /** Does what is due until nothing is, and waits for it. */
  drain(): Promise<void>
  /** Resolves when what is under way has ended. */
  settled(): Promise<void>
}

/**
 * Opens the outbox.
 * @param handlers one for every kind
 * @param signal when it says stop, nothing more begins
 */
export function openOutbox(
  kernel: Pick<Kernel, 'storage' | 'world' | 'log'>,
  handlers: Readonly<Record<OutboxKind, Handler>>,
  signal: AbortSignal,
): Outbox {
  const underWay = new Set<Promise<void>>()
  const byEnvironment = new Map<string, Map<string, number>>()
  let looking: Promise<void> | undefined
  let isAskedAgain = false
  let isCrowded = false

  function count({ environment_id, kind }: OutboxRow, change: 1 | -1): void {
    const kinds = byEnvironment.get(environment_id) ?? new Map<string, number>()
    byEnvironment.set(environment_id, kinds)
    kinds.set(kind, (kinds.get(kind) ?? 0) + change)
    if (kinds.get(kind) === 0) kinds.delete(kind)
    if (kinds.size === 0) byEnvironment.delete(environment_id)
  }

  /** What has no room for more: whole environments, and kinds of others. */
  function crowded(): Crowded {
    const found = [...byEnvironment].map(([id, kinds]) => ({ id, kinds: [...kinds] }))
    const isFull = ({ kinds }: (typeof found)[number]) =>
      kinds.reduce((sum, [, begun]) => sum + begun, 0) >= mostOfOneEnvironment
    return {
      environments: found.filter(isFull).map(({ id }) => id),
      kinds: found
        .filter((each) => !isFull(each))
        .flatMap(({ id, kinds }) =>
          kinds
            .filter(([kind, begun]) => begun >= (mostOfKind.get(kind) ?? Infinity))
            .map(([kind]) => [id, kind] as const),
        ),
    }
  }

  const hasRoom = ({ environments, kinds }: Crowded, row: OutboxRow) =>
    !environments.includes(row.environment_id) &&
    !kinds.some(([id, kind]) => id === row.environment_id && kind === row.kind)

  function begin(row: OutboxRow): void {
    count(row, 1)
    const work = attempt(kernel, handlers, row, signal).then((outcome) => {
      underWay.delete(work)
      count(row, -1)
      if (isCrowded || outcome === 'paused') void look()
    })
    underWay.add(work)
  }

  async function lookOnce(): Promise<void> {
    isCrowded = false
    while (!signal.aborted) {
      if (underWay.size >= mostUnderWay) {
        isCrowded = true
        return
      }
      const full = crowded()
      if (full.environments.length > 0 || full.kinds.length > 0) isCrowded = true
      const rows = await kernel.storage.read(dueOutbox(kernel.world.now(), rowsPerLook, full))
      if (rows.length === 0) return
      for (const row of rows) {
        if (signal.aborted || underWay.size >= mostUnderWay) break
        if (!hasRoom(crowded(), row)) continue
        const taken = await take(kernel, row)
        if (taken) begin(taken)
      }
    }
  }

  function look(): Promise<void> {
    isAskedAgain = true
    looking ??= (async () => {
      while (isAskedAgain) {
        isAskedAgain = false
        await lookOnce()
      }
    })()
      .catch((error: unknown) => kernel.log.error({ err: error }, 'the outbox could not be read; it is tried again'))
      .finally(() => {
        looking = undefined
      })
    return looking
  }

  async function settled(): Promise<void> {
    while (looking || underWay.size > 0) await Promise.all([looking, ...underWay])
  }

  return {
    look,
    settled,
    async drain() {
      await look()
      await settled()
    },
  }
}

/** Takes the next attempt at a row and counts it; undefined when another node was faster. */
async function take(
  { storage, world }: Pick<Kernel, 'storage' | 'world'>,
  row: OutboxRow,
): Promise<OutboxRow | undefined> {
  const { environment_id, id } = row
  try {
    const attempts = await storage.commit({
      name: 'outbox.take',
      single: true,
      run: () => {
        const next_at = world.now() + waitAfter(row.attempts + 1)
        return compareAndSet('outbox', { environment_id, id }, row.attempts, { next_at }, 'attempts')
      },
    })
    return { ...row, attempts }
  } catch (error) {
    if (error instanceof Stale) return undefined
    throw error
  }
}

async function attempt(
  { storage, world, log }: Pick<Kernel, 'storage' | 'world' | 'log'>,
  handlers: Readonly<Record<OutboxKind, Handler>>,
  row: OutboxRow,
  signal: AbortSignal,
): Promise<Outcome | 'failed'> {
  const { environment_id, id, attempts } = row
  try {
    const handler = Object.hasOwn(handlers, row.kind) ? handlers[row.kind as OutboxKind] : undefined
    if (!handler) throw new Error('no handler knows this kind of message: a newer release wrote it')
    const outcome = await handler(
      { environmentId: environment_id, id, payload: row.payload, createdAt: row.created_at, attempts },
      signal,
    )
    const mine = { environment_id, id, attempts }
    const later = typeof outcome === 'object' ? outcome.notBefore : world.now()
    const statement = outcome === 'done' ? completeOutbox(mine) : postponeOutbox(mine, later)
    const name = outcome === 'done' ? 'outbox.done' : 'outbox.postponed'
    await storage.commit({ name, single: true, run: () => run(statement) })
    return outcome
  } catch (error) {
    log.error(
      { err: error, kind: row.kind, environmentId: environment_id, message: id, attempts },
      'a message waits and is tried again',
    )
    return 'failed'
  }
}
