/**
 * A promise that was rejected and that nobody waits for (row O30): a defect, which is logged, and by which whoever can bring
 * it about must not end the node for everybody else. What the request itself waits for is answered by 500.
 *
 * Never: an exception passed over that nobody caught: after it nothing can be relied on, and the process ends.
 */
import type { Logger } from 'pino'

/** Keeps the process running; each one is an error in the log. */
export function surviveUnhandledRejections(log: Pick<Logger, 'error'>): void {
  process.on('unhandledRejection', (reason: unknown) => log.error({ err: reason }, 'unhandled rejection'))
}
