/**
 * Removes clients that registered themselves and that nobody has used for as long as the policy of their environment says
 * (row H10). Each is a unit of its own, in which it is looked at once more, so that a client that is used meanwhile stays.
 *
 * Never: an application that an administrator has made.
 */
import type { EventOrigin } from '../events/record.ts'
import { record } from '../events/record.ts'
import { removeApplication } from '../environment/application-removal.ts'
import type { Kernel } from '../kernel.ts'
import { underLease } from '../storage/lease.ts'
import { run } from '../storage/port.ts'
import { takeUnusedClient, unusedClients } from '../storage/sql/client-registration.ts'

const clientsPerTurn = 100

type Ports = Pick<Kernel, 'storage' | 'world' | 'environments'>

/** Removes what is unused, unless another node is at it or `signal` says stop. */
export async function removeUnusedClients({ storage, world, environments }: Ports, signal: AbortSignal): Promise<void> {
  const now = world.now()
  if ((await storage.read(unusedClients(now, 1))).length === 0) return
  await underLease(storage, world, { name: 'unused-clients', duration: 30_000 }, async (lost) => {
    const stop = AbortSignal.any([signal, lost])
    for (;;) {
      const clients = await storage.read(unusedClients(now, clientsPerTurn))
      for (const { environment_id: environmentId, application_id: id } of clients) {
        if (stop.aborted) return
        await environments.configure(environmentId, 'remove-unused-client', now, function* (changes) {
          const [taken] = yield* run(takeUnusedClient(environmentId, id, now))
          if (!taken) return
          changes.push({ kind: 'application', id })
          yield* removeApplication(environmentId, id, now)
          const subject = { type: 'APPLICATION', id }
          yield record(origin(world, environmentId, now), {
            action: 'APPLICATION.DELETED',
            subject,
            detail: { reason: 'unused' },
          })
        })
      }
      if (clients.length < clientsPerTurn) return
    }
  })
}

/** Nobody asked for it. */
function origin(world: Kernel['world'], environmentId: string, now: number): EventOrigin {
  return { world, now, environmentId, correlationId: world.uuid(), remoteAddress: '', actor: { kind: 'anonymous' } }
}
