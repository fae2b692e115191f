/** `stile migrate`: brings the database to this release and ends. `serve` and `dev` do the same at start. */
import { defineCommand } from 'citty'
import { readConfig } from '../config.ts'
import { migrate } from '../storage/migrate.ts'
import { openStorage } from '../storage/open.ts'
import { realWorld } from '../world.ts'
import { orFail } from './failure.ts'

export const migrateCommand = defineCommand({
  meta: { name: 'migrate', description: 'Bring the database to this release.' },
  args: {
    data: { type: 'string', description: 'Directory of the embedded engine (setting STILE_DATA_DIR).' },
    json: { type: 'boolean', description: 'Print one line of JSON.' },
  },
  run: ({ args }) =>
    orFail(async () => {
      const config = readConfig('dev', process.env, { dataDirectory: args.data })
      const storage = await openStorage({ databaseUrl: config.databaseUrl, dataDirectory: config.dataDirectory })
      try {
        await migrate(storage, realWorld)
      } finally {
        await storage.close()
      }
      const where = config.databaseUrl ? 'PostgreSQL' : config.dataDirectory
      process.stdout.write(
        args.json
          ? `${JSON.stringify({ migrated: true, engine: storage.engine })}\n`
          : `The database (${where}) is up to date.\n`,
      )
    }),
})
