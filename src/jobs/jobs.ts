/**
 * Background work of a node: each piece on its own timer, never two runs of one piece at a time in one process. What only
 * one node should do takes a lease; what a lease cannot protect is safe by its statements (architecture sections 2, 5).
 */
import type { Config } from '../config.ts'
import { nodeEmail } from '../delivery/email.ts'
import { type Handler, openOutbox, type OutboxKind } from '../delivery/outbox.ts'
import { sendLogoutToken } from '../delivery/send-logout-token.ts'
import { openPush } from '../delivery/push.ts'
import type { Kernel } from '../kernel.ts'
import { deleteEnvironment, forgetEnvironment } from './delete-environment.ts'
import { purge } from './purge.ts'
import { removeUnusedClients } from './remove-unused-clients.ts'
import { rewrapDataKeys } from './rewrap-data-keys.ts'
import { rotateKeys } from './rotate-keys.ts'

/** The background work of one node. */
export interface Jobs {
  /** Looks at the outbox now: a unit has promised something that somebody waits for. */
  wakeOutbox(): void
  /** Runs every piece once, now, and resolves when all have ended. */
  runOnce(): Promise<void>
  /** Starts nothing more and resolves when what is under way has stopped, at its next batch. */
  stop(): Promise<void>
}

/** What background work needs of a node. */
export type JobPorts = Pick<
  Kernel,
  'storage' | 'world' | 'masterKeys' | 'log' | 'environments' | 'egress' | 'origins'
> & {
  readonly config: Pick<Config, 'mode' | 'smtp' | 'twilio' | 'syniverseUrl' | 'pushUrls' | 'egressAllow'>
}

interface Piece {
  readonly name: string
  readonly everyMilliseconds: number
  readonly run: (signal: AbortSignal) => Promise<void>
}

/** Handlers of the outbox that belong to rooms which this one does not know. */
export type HandlersElsewhere = Readonly<Record<'backchannel.reach', Handler>>

/** Starts the background work; every piece runs once soon after the start and then at its own pace. */
export function startJobs(kernel: JobPorts, elsewhere: HandlersElsewhere): Jobs {
  const { smtp } = kernel.config
  const email = smtp && nodeEmail(smtp.url, smtp.from)
  const push = openPush(kernel, kernel.config.pushUrls)
  let sending: Promise<Handler> | undefined
  const loadSending = async () => {
    const { sendNotification } = await import('../delivery/send-notification.ts')
    return sendNotification(kernel, { email, push })
  }
  const handlers: Readonly<Record<OutboxKind, Handler>> = {
    ...elsewhere,
    'environment.delete': deleteEnvironment(kernel),
    'environment.forget': forgetEnvironment(kernel),
    // Texts, templates and services of messages are loaded with the first one.
    'notification.send': async (attempt, signal) => (await (sending ??= loadSending()))(attempt, signal),
    'logout.send': sendLogoutToken(kernel),
  }
  const stopping = new AbortController()
  const outbox = openOutbox(kernel, handlers, stopping.signal)
  const pieces: readonly Piece[] = [
    // The timer finds what is due again, and what another node has promised.
    { name: 'outbox', everyMilliseconds: 2_000, run: () => outbox.look() },
    { name: 'purge', everyMilliseconds: 60_000, run: (signal) => purge(kernel, signal) },
    { name: 'signing-keys', everyMilliseconds: 60_000, run: (signal) => rotateKeys(kernel, signal) },
    { name: 'unused-clients', everyMilliseconds: 600_000, run: (signal) => removeUnusedClients(kernel, signal) },
    { name: 'data-keys', everyMilliseconds: 600_000, run: (signal) => rewrapDataKeys(kernel, signal) },
  ]
  const running = new Map<Piece, Promise<void>>()

  /** Runs a piece, or waits for the run that is under way. */
  const start = (piece: Piece): Promise<void> => {
    const present = running.get(piece)
    if (present || stopping.signal.aborted) return present ?? Promise.resolve()
    const next = piece
      .run(stopping.signal)
      .catch((error: unknown) =>
        kernel.log.error({ err: error, piece: piece.name }, 'background work failed; it is tried again'),
      )
      .finally(() => running.delete(piece))
    running.set(piece, next)
    return next
  }

  const timers = pieces.map((piece) => {
    const timer = setInterval(() => void start(piece), piece.everyMilliseconds)
    timer.unref()
    void start(piece)
    return timer
  })
  return {
    wakeOutbox: () => void outbox.look(),
    async runOnce() {
      await Promise.all(running.values())
      await Promise.all(pieces.map(start))
      await outbox.settled()
    },
    async stop() {
      stopping.abort()
      for (const timer of timers) clearInterval(timer)
      await Promise.all(running.values())
      await outbox.settled()
      email?.close()
    },
  }
}
