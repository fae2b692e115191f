/** `stile dev`: a server with a demo environment, on loopback only. What `npm start` runs (experience.md, "First run"). */
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { defineCommand } from 'citty'
import { readConfig } from '../config.ts'
import { readQuickstart, writeQuickstart } from '../dev/quickstart.ts'
import { startDevServer } from './dev-server.ts'
import { summary } from '../dev/summary.ts'
import { loadOrCreateMasterKeyFile } from '../keys/master-key-file.ts'
import { parseMasterKeys } from '../keys/master-key.ts'
import { realWorld } from '../world.ts'
import { orFail } from './failure.ts'
import { untilAskedToEnd } from './shutdown.ts'

export const dev = defineCommand({
  meta: { name: 'dev', description: 'Run a development server with a demo environment.' },
  args: {
    port: { type: 'string', description: 'Port to listen on, 0 for any free one (setting PORT).' },
    data: { type: 'string', description: 'Directory for data (setting STILE_DATA_DIR).' },
    json: { type: 'boolean', description: 'Print quickstart.json as one line when the server is ready.' },
  },
  run: ({ args }) =>
    orFail(async () => {
      const config = readConfig('dev', process.env, { port: args.port, dataDirectory: args.data })
      await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 })
      await chmod(config.dataDirectory, 0o700)
      const masterKeys = config.masterKey
        ? parseMasterKeys(config.masterKey, config.masterKeyPrevious)
        : { current: await loadOrCreateMasterKeyFile(join(config.dataDirectory, 'master.key'), realWorld) }
      const previous = await readQuickstart(config.dataDirectory)
      const { node, quickstart } = await startDevServer(config, realWorld, masterKeys, previous)
      try {
        await writeQuickstart(config.dataDirectory, quickstart)
      } catch (error) {
        await node.close()
        throw error
      }
      process.stdout.write(args.json ? `${JSON.stringify(quickstart)}\n` : summary(quickstart, config))
      await untilAskedToEnd(() => node.close())
    }),
})
