/** Clients that registered themselves and that nobody uses go (row H10); nobody else's do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insertEnvironment, prepareEnvironment } from '../../src/environment/bootstrap.ts'
import { removeUnusedClients } from '../../src/jobs/remove-unused-clients.ts'
import { takeLease } from '../../src/storage/lease.ts'
import { insert } from '../../src/storage/operations.ts'
import { noteClientUse } from '../../src/storage/sql/client-registration.ts'
import { onEachEngine, type Ports } from './on-each-engine.ts'
import { rowOf } from './rows.ts'

const day = 86_400_000
const never = new AbortController().signal

async function environment({ storage, world, masterKeys }: Ports): Promise<string> {
  const prepared = await prepareEnvironment(
    { world, masterKeys },
    {
      organizationId: world.uuid(),
      licenseId: world.uuid(),
      name: 'E',
      type: 'SANDBOX',
      region: 'NA',
      now: world.now(),
    },
  )
  await storage.commit({ name: 'create', run: () => insertEnvironment(prepared) })
  return prepared.id
}

/** An application, with the registration of a client that goes at a time; null: an administrator has made it. */
async function application({ storage, world }: Ports, environment_id: string, expiresAt: number | null) {
  const id = world.uuid()
  await storage.commit({
    name: 'fill',
    *run() {
      yield* insert('applications', rowOf('applications', { environment_id, id, name: id }))
      yield* insert('application_secrets', rowOf('application_secrets', { environment_id, application_id: id }))
      if (expiresAt === null) return
      const times = { used_at: world.now(), expires_at: expiresAt }
      yield* insert('dynamic_clients', rowOf('dynamic_clients', { environment_id, application_id: id, ...times }))
    },
  })
  return id
}

async function left({ storage }: Ports, environmentId: string): Promise<readonly string[]> {
  const of = (table: string, column: string) =>
    storage.read<{ id: string }>({
      text: `SELECT ${column} AS id FROM ${table} WHERE environment_id = $1`,
      values: [environmentId],
    })
  const [applications, secrets] = [await of('applications', 'id'), await of('application_secrets', 'application_id')]
  const ids = applications.map(({ id }) => id).toSorted()
  assert.deepEqual(secrets.map(({ id }) => id).toSorted(), ids)
  return ids
}

onEachEngine('unused clients', (open) => {
  test('go, in whatever number; those of administrators, and those that are used, stay', async () => {
    const ports = await open()
    const { storage, world } = ports
    const now = world.now()
    const home = await environment(ports)
    for (let at = 0; at < 130; at++) await application(ports, home, now - at)
    const stays = [await application(ports, home, null), await application(ports, home, now + 1)]
    const used = await application(ports, home, now)
    const use = { now, since: now, until: now + day }
    await storage.commit({
      name: 'use',
      single: true,
      *run() {
        yield noteClientUse(home, used, use)
      },
    })
    await removeUnusedClients(ports, never)
    assert.deepEqual(await left(ports, home), [...stays, used].toSorted())
    const commits = storage.counts().commits
    await removeUnusedClients(ports, never)
    assert.equal(storage.counts().commits, commits, 'nothing to do, nothing written')
    world.advance(day)
    await removeUnusedClients(ports, never)
    assert.deepEqual(await left(ports, home), stays.slice(0, 1))
  })

  test('a use is noted no more often than the caller says', async () => {
    const ports = await open()
    const { storage, world } = ports
    const now = world.now()
    const home = await environment(ports)
    const id = await application(ports, home, now + day)
    const note = (at: number, since: number) =>
      storage.commit({
        name: 'use',
        single: true,
        *run() {
          yield noteClientUse(home, id, { now: at, since, until: at + day })
        },
      })
    const usedAt = async () => {
      const text = 'SELECT used_at FROM dynamic_clients WHERE environment_id = $1 AND application_id = $2'
      return (await storage.read<{ used_at: number }>({ text, values: [home, id] }))[0]?.used_at
    }
    await note(now + 5, now - 1)
    assert.equal(await usedAt(), now)
    await note(now + 5, now)
    assert.equal(await usedAt(), now + 5)
  })

  test('the work is left to the node that holds the lease', async () => {
    const ports = await open()
    const { storage, world } = ports
    const home = await environment(ports)
    const id = await application(ports, home, world.now())
    await storage.commit(takeLease({ name: 'unused-clients', owner: 'another node', duration: day, now: world.now() }))
    await removeUnusedClients(ports, never)
    assert.deepEqual(await left(ports, home), [id])
  })
})
