/**
 * When a client that registered itself was used last: noted at most once a day, with a commit that happens anyway, so that
 * those that nobody uses can go (`jobs/remove-unused-clients.ts`, row H10).
 */
import type { Application } from '../environment/application.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { Statement, Unit } from '../storage/port.ts'
import { noteClientUse } from '../storage/sql/client-registration.ts'
import { unusedUntil } from './registration/write-client.ts'

const day = 86_400_000

/** What this node has noted since it read the application. */
const noted = new WeakMap<Application, number>()

/**
 * The statement that notes the use of a client; undefined where there is nothing to note.
 * @param now epoch milliseconds
 */
export function clientUse(environment: Environment, client: Application, now: number): Statement<object> | undefined {
  if (client.usedAt === null) return undefined
  const since = now - day
  if ((noted.get(client) ?? client.usedAt) > since) return undefined
  noted.set(client, now)
  return noteClientUse(environment.id, client.id, { now, since, until: unusedUntil({ environment, now }) })
}

/** The unit of a request that notes a use as well; undefined where there is neither. */
export function noting<T>(
  unit: Unit<T | undefined> | undefined,
  used: Statement<object> | undefined,
): Unit<T | undefined> | undefined {
  if (!used) return unit
  return {
    name: unit?.name ?? 'note-client-use',
    *run() {
      const value = unit ? yield* unit.run() : undefined
      yield used
      return value
    },
  }
}
