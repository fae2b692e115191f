/**
 * Volume events (issuance without change, userinfo …): kept in a bounded buffer and flushed each second in one unit, so
 * that the hot endpoints commit nothing. A kill loses at most one second of them; a full buffer drops the newest and
 * counts them, and the count is written with the next flush (decision D19).
 */
import type { Logger } from 'pino'
import { run, type Storage, type Unit } from '../storage/port.ts'
import { type EventRow, insertEvents } from '../storage/sql/events.ts'

/** The buffer of one node. */
export interface VolumeEvents {
  add(row: EventRow): void
  /** Writes what is buffered; resolves when it is durable. */
  flush(): Promise<void>
  close(): Promise<void>
}

const capacity = 50_000
const rowsPerStatement = 100
/** They share one sync, or have a connection each. */
const unitsAtOnce = 3
const flushEveryMilliseconds = 1000

/** Opens the buffer; it flushes itself until closed. */
export function openVolumeEvents(storage: Storage, log: Logger): VolumeEvents {
  let buffer: EventRow[] = []
  let dropped = 0
  let flushing = Promise.resolve()

  const write = async () => {
    const rows = buffer
    buffer = []
    if (dropped > 0) log.warn({ dropped }, 'volume events were dropped because the buffer was full')
    dropped = 0
    for (let at = 0; at < rows.length; at += rowsPerStatement * unitsAtOnce) {
      const units = Array.from({ length: unitsAtOnce }, (_, nth) => rowsFrom(rows, at + nth * rowsPerStatement))
      await Promise.all(units.filter((part) => part.length > 0).map((part) => storage.commit(unitOf(part))))
    }
  }
  const flush = () => {
    flushing = flushing
      .then(write)
      .catch((error: unknown) => log.error({ err: error }, 'volume events could not be written'))
    return flushing
  }
  const timer = setInterval(() => void (buffer.length > 0 && flush()), flushEveryMilliseconds)
  timer.unref()
  return {
    add(row) {
      if (buffer.length >= capacity) dropped++
      else buffer.push(row)
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}

function rowsFrom(rows: readonly EventRow[], at: number): readonly EventRow[] {
  return rows.slice(at, at + rowsPerStatement)
}

function unitOf(rows: readonly EventRow[]): Unit<object> {
  return { name: 'flush-volume-events', single: true, run: () => run(insertEvents(rows)) }
}
