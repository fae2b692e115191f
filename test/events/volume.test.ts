/** Events that are written a little later, many at once (src/events/volume.ts, decision D19). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger } from 'pino'
import { eventRow } from '../../src/events/record.ts'
import { openVolumeEvents } from '../../src/events/volume.ts'
import type { Storage } from '../../src/storage/port.ts'
import { realWorld } from '../../src/world.ts'
import { onEachEngine, type Ports } from '../jobs/on-each-engine.ts'

const environmentId = '00000000-0000-4000-8000-000000000001'

onEachEngine('volume events', (open) => {
  function row({ world }: Ports, at: number) {
    const origin = { world, now: world.now(), environmentId, correlationId: `${at}`, remoteAddress: '::1' }
    return eventRow({ ...origin, actor: { kind: 'anonymous' } }, { action: 'CLIENT_CREDENTIALS.ISSUED' })
  }

  async function written({ storage }: Ports): Promise<readonly number[]> {
    const text = 'SELECT correlation_id FROM events'
    const rows = await storage.read<{ correlation_id: string }>({ text, values: [] })
    return rows.map(({ correlation_id: id }) => Number(id)).toSorted((one, other) => one - other)
  }

  const numbers = (count: number) => Array.from({ length: count }, (_, at) => at)

  test('are all written, once each, however many have come', async () => {
    const ports = await open()
    const events = openVolumeEvents(ports.storage, ports.log)
    let added = 0
    for (const count of [1, 99, 100, 101, 200, 299, 300, 301, 850]) {
      for (let nth = 0; nth < count; nth += 1) events.add(row(ports, added++))
      await events.flush()
      assert.deepEqual(await written(ports), numbers(added), `after ${count}`)
    }
    events.add(row(ports, added++))
    await events.close()
    assert.deepEqual(await written(ports), numbers(added))
  })

  test('that come while others are written are written next', async () => {
    const ports = await open()
    const events = openVolumeEvents(ports.storage, ports.log)
    for (let at = 0; at < 500; at += 1) events.add(row(ports, at))
    const flushing = events.flush()
    await Promise.resolve()
    for (let at = 500; at < 700; at += 1) events.add(row(ports, at))
    await flushing
    await events.close()
    assert.deepEqual(await written(ports), numbers(700))
  })
})

test('volume events beyond fifty thousand are dropped, and the log tells how many', async () => {
  let units = 0
  const warnings: unknown[] = []
  const commit = () => {
    units += 1
    return Promise.resolve()
  }
  const log = { warn: (fields: unknown) => warnings.push(fields) }
  const events = openVolumeEvents({ commit } as unknown as Storage, log as unknown as Logger)
  const origin = { world: realWorld, now: 0, environmentId, correlationId: '', remoteAddress: '::1' }
  const row = eventRow({ ...origin, actor: { kind: 'anonymous' } }, { action: 'CLIENT_CREDENTIALS.ISSUED' })
  for (let nth = 0; nth < 50_002; nth += 1) events.add(row)
  await events.flush()
  assert.deepEqual([units, warnings], [500, [{ dropped: 2 }]])
  events.add(row)
  await events.close()
  assert.deepEqual([units, warnings.length], [501, 1])
})
