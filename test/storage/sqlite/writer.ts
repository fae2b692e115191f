/**
 * A process that writes to an embedded store until it is told to stop, and says on standard output what was
 * acknowledged, one line each: `inserted <id>`, `consumed <id>`, `refused <id> <error>`. Arguments: the data directory, how many
 * writers at once, how many units each of them writes, how many milliseconds each waits between two units.
 */
import { writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { migrate } from '../../../src/storage/migrate.ts'
import { consume, insert } from '../../../src/storage/operations.ts'
import type { UnitBody } from '../../../src/storage/port.ts'
import { openSqlite } from '../../../src/storage/sqlite/engine.ts'
import { realWorld } from '../../../src/world.ts'

const [directory = '', writers = '1', rounds = '1', between = '0'] = process.argv.slice(2)
const environment_id = 'writer'

const storage = await openSqlite({ directory })
await migrate(storage, realWorld, [
  {
    number: 1,
    name: 'codes',
    steps: [
      `CREATE TABLE IF NOT EXISTS codes (
        environment_id TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (environment_id, id))`,
    ],
  },
])

const say = (line: string) => writeSync(1, `${line}\n`)
say('ready')

async function write(done: string, id: string, run: () => UnitBody<unknown>): Promise<void> {
  await storage.commit({ name: done, run }).then(
    () => say(`${done} ${id}`),
    (error: Error) => say(`refused ${id} ${error.name}`),
  )
}

await Promise.all(
  Array.from({ length: Number(writers) }, async (_, writer) => {
    for (let round = 0; round < Number(rounds); round += 1) {
      const id = `${process.pid}.${writer}.${String(round).padStart(6, '0')}`
      await write('inserted', id, () => insert('codes', { environment_id, id, document: 'x'.repeat(200) }))
      if (round % 2 === 1) await write('consumed', id, () => consume('codes', { environment_id, id }))
      if (between !== '0') await pause(Number(between))
    }
  }),
)
await storage.close()
