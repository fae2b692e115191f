/**
 * What answering a question commits by itself, before the step is saved: a guess that is taken, a failure that is counted.
 * It happens only as long as nobody has moved on what the question was asked of; otherwise it is `Stale`, and the request is
 * judged once more. So requests that race leave behind what some order one after the other would: whoever comes after the
 * winner, whose success forgets the guesses, has not guessed (rows J11, K02).
 *
 * Never: a guess that is given back, which a race could be made to do for a wrong one too.
 */
import type { Context } from '../contract/operation.ts'
import type { Storage, UnitBody } from '../storage/port.ts'

/**
 * A context whose commits stand on a row.
 * @param held keeps the row as it was read, for the beginning of each unit; throws `Stale` where it has moved on
 */
export function standingOn(context: Context, held: () => UnitBody<void>): Context {
  // Not spread: a context works out what it is asked for.
  const { now, correlationId, remoteAddress, headers, method, target, mediaType, actor } = context
  const { environment, site, answer, record } = context
  return {
    kernel: { ...context.kernel, storage: standingStorage(context.kernel.storage, held) },
    now,
    correlationId,
    remoteAddress,
    headers,
    method,
    target,
    mediaType,
    actor,
    environment,
    site,
    answer,
    record,
    get certificate() {
      return context.certificate
    },
  }
}

function standingStorage(storage: Storage, held: () => UnitBody<void>): Storage {
  return {
    engine: storage.engine,
    commit: ({ name, run }) =>
      storage.commit({
        name,
        *run() {
          yield* held()
          return yield* run()
        },
      }),
    read: (statement) => storage.read(statement),
    counts: () => storage.counts(),
    close: () => storage.close(),
  }
}
