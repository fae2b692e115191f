/** `stile serve`: a production node. Refuses to start without what it needs, and never writes a secret anywhere (experience.md). */
import { defineCommand } from 'citty'
import { readConfig } from '../config.ts'
import { administratorExists, createAdministrator } from '../access/administrator.ts'
import { type Node, startNode } from '../http/node.ts'
import { served } from '../http/operations.ts'
import { parseMasterKeys } from '../keys/master-key.ts'
import { UniquenessViolation } from '../storage/refusals.ts'
import { realWorld } from '../world.ts'
import { orFail } from './failure.ts'
import { untilAskedToEnd } from './shutdown.ts'
import { surviveUnhandledRejections } from './unhandled-rejections.ts'

/** Makes the first administrator; another node that starts at the same moment may be faster. */
async function bootstrap(
  { kernel }: Node,
  credentials: { readonly clientId: string; readonly clientSecret: string },
): Promise<void> {
  try {
    const { environmentId } = await createAdministrator(kernel, {
      organizationName: 'Organization',
      environmentName: 'Administrators',
      ...credentials,
    })
    kernel.log.info({ environmentId, clientId: credentials.clientId }, 'created the first administrator')
  } catch (error) {
    if (!(error instanceof UniquenessViolation)) throw error
  }
}

export const serve = defineCommand({
  meta: { name: 'serve', description: 'Run a production node.' },
  args: {
    port: { type: 'string', description: 'Port to listen on (setting PORT).' },
    data: { type: 'string', description: 'Directory of the embedded engine (setting STILE_DATA_DIR).' },
  },
  run: ({ args }) =>
    orFail(async () => {
      const config = readConfig('serve', process.env, { port: args.port, dataDirectory: args.data })
      const masterKeys = parseMasterKeys(config.masterKey ?? '', config.masterKeyPrevious)
      const node = await startNode(config, realWorld, masterKeys, served)
      surviveUnhandledRejections(node.kernel.log)
      const { bootstrapAdmin } = config
      if (!(await administratorExists(node.kernel))) {
        if (bootstrapAdmin) {
          await bootstrap(node, bootstrapAdmin)
        } else {
          node.kernel.log.warn(
            'no administrator exists: set STILE_BOOTSTRAP_ADMIN_CLIENT_ID and STILE_BOOTSTRAP_ADMIN_CLIENT_SECRET',
          )
        }
      }
      await untilAskedToEnd(() => node.close())
    }),
})
