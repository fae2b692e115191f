/**
 * The application of a flow. A flow that was begun for a device, and not for an application, is about none until its user code
 * says which (authentication-api 1.2): until then the environment stands for it, with its default sign-on policy. Its id is
 * that of the environment, which no application has.
 */
import type { Context } from '../contract/operation.ts'
import { allowedOrigins, type Application, applicationDefaults } from '../environment/application.ts'
import type { Environment } from '../environment/snapshot.ts'

/** What stands for the application of a flow that has none yet. */
export function noApplication({ id, name }: Pick<Environment, 'id' | 'name'>): Application {
  const document = { ...applicationDefaults, grantTypes: [], tokenEndpointAuthMethod: 'NONE' } as const
  return {
    id,
    clientId: id,
    environmentId: id,
    name,
    type: 'CUSTOM_APP',
    enabled: true,
    document,
    secretHashes: [],
    answerSecrets: [],
    claims: [],
    subject: undefined,
    grants: [],
    policyIds: [],
    allowedOrigins: allowedOrigins(document),
    createdAt: 0,
    updatedAt: 0,
    usedAt: null,
  }
}

/** The application of a flow by its id; undefined when it is gone. */
export function flowApplication(
  { kernel, environment }: Pick<Context, 'kernel' | 'environment'>,
  id: string,
): Application | undefined | Promise<Application | undefined> {
  return id === environment.id ? noApplication(environment) : kernel.environments.application(environment.id, id)
}
