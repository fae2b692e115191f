/**
 * The demo environment as it is stored. Where everything is still as an earlier start has told, the next one has nothing to
 * make, and asks nothing of the management API, which is a third of the product's modules.
 *
 * Never: parts taken as told where a start would make or change something.
 */
import { administratorName } from '../access/administrator.ts'
import { applicationSecretContext } from '../environment/application.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { Kernel } from '../kernel.ts'
import { open } from '../keys/sealing.ts'
import { applicationSecret, firstAdministrator } from '../storage/sql/applications.ts'
import { devicesOfUser } from '../storage/sql/devices.ts'
import { userWithPasswordById } from '../storage/sql/users.ts'
import { demoApplications, demoNames, type DemoParts, demoRedirectUri } from './demo-facts.ts'
import type { Quickstart } from './quickstart.ts'

/** The worker application that dev has made as administrator. */
export interface DemoAdministrator {
  readonly environmentId: string
  readonly clientId: string
  readonly clientSecret: string
}

/** Finds the administrator; undefined where there is none yet. */
export async function storedAdministrator(kernel: Kernel): Promise<DemoAdministrator | undefined> {
  const [row] = await kernel.storage.read(firstAdministrator(administratorName))
  if (!row) return undefined
  const { environment_id: environmentId, id: clientId } = row
  const environment = await kernel.environments.get(environmentId)
  const clientSecret = environment && (await secretOf(kernel, environment, clientId))
  return clientSecret === undefined ? undefined : { environmentId, clientId, clientSecret }
}

async function secretOf({ storage }: Kernel, { id, dataKey }: Environment, clientId: string) {
  const [stored] = await storage.read(applicationSecret(id, clientId))
  return stored && open(dataKey, stored.sealed, applicationSecretContext(id, clientId)).toString()
}

/** The parts that an earlier start has told; undefined when any of them is missing, or another by now. */
export async function storedParts(kernel: Kernel, told: Quickstart): Promise<DemoParts | undefined> {
  const { environments, origins, storage, world } = kernel
  const worker = await storedAdministrator(kernel)
  const environment = await environments.get(told.environmentId)
  if (worker?.environmentId !== environment?.id || worker?.clientId !== told.worker.clientId) return undefined
  if (!environment?.populations.has(told.populationId)) return undefined
  for (const name of demoApplications) {
    const { clientId } = told[name]
    const application = await environments.application(environment.id, clientId)
    if (application?.name !== demoNames[name]) return undefined
    if (application.document.redirectUris[0] !== demoRedirectUri(origins, name, clientId)) return undefined
    if (name === 'mfaApp' && application.policyIds.length === 0) return undefined
  }
  for (const name of ['user', 'mfaUser'] as const) {
    const [user] = await storage.read(userWithPasswordById(environment.id, told[name].id))
    if (user?.username !== demoNames[name].username) return undefined
  }
  if ((await storage.read(devicesOfUser(environment.id, told.mfaUser.id, world.now()))).length !== 2) return undefined
  const webAppSecret = await secretOf(kernel, environment, told.webApp.clientId)
  if (webAppSecret === undefined) return undefined
  return {
    organizationId: environment.organizationId,
    environmentId: environment.id,
    populationId: told.populationId,
    worker: { clientId: worker.clientId, clientSecret: worker.clientSecret },
    clientIds: {
      singlePageApp: told.singlePageApp.clientId,
      webApp: told.webApp.clientId,
      nativeApp: told.nativeApp.clientId,
      mfaApp: told.mfaApp.clientId,
    },
    webAppSecret,
    user: told.user,
    mfaUser: told.mfaUser,
  }
}
