/** Loads applications from storage, one at a time, with all that a request needs to know of them. */
import { createSecretKey } from 'node:crypto'
import { isHmac } from '../keys/algorithm.ts'
import { unwrapDataKey } from '../keys/data-key.ts'
import type { MasterKeys } from '../keys/master-key.ts'
import { open } from '../keys/sealing.ts'
import type { Storage } from '../storage/port.ts'
import { applicationById, applicationSecret, grantsOf, policyAssignmentsOf } from '../storage/sql/applications.ts'
import { attributesOfApplication } from '../storage/sql/attributes.ts'
import type { SecretRow } from '../storage/sql/client-secrets.ts'
import { dynamicClientById } from '../storage/sql/client-registration.ts'
import { dataKeyOf } from '../storage/sql/environments.ts'
import { answerAlgorithmsOf } from './application-key-uses.ts'
import { applicationClaimsFrom } from './application-claims.ts'
import {
  type AnswerSecret,
  type Application,
  type ApplicationDocument,
  allowedOrigins,
  applicationDocument,
  applicationSecretContext,
  applicationType,
} from './application.ts'
import { secretHashes } from './secret-hash.ts'

/** Loads an application with its secrets, claims, grants and policies. */
export async function loadApplication(
  storage: Storage,
  masterKeys: MasterKeys,
  environmentId: string,
  id: string,
): Promise<Application | undefined> {
  const [row] = await storage.read(applicationById(environmentId, id))
  if (!row) return undefined
  const [secrets, grants, attributes, assignments] = await Promise.all([
    storage.read(applicationSecret(environmentId, id)),
    storage.read(grantsOf(environmentId, id)),
    storage.read(attributesOfApplication(environmentId, id)),
    storage.read(policyAssignmentsOf(environmentId, id)),
  ])
  const document = applicationDocument(row.document)
  const [dynamic] = document.registration ? await storage.read(dynamicClientById(environmentId, id)) : []
  return {
    id,
    clientId: document.registration?.clientUri ?? id,
    environmentId,
    name: document.registration?.clientName ?? row.name,
    type: applicationType.parse(row.type),
    enabled: row.enabled === 1,
    document,
    secretHashes: secretHashes(secrets[0]),
    answerSecrets:
      secrets[0] && isAnsweredBySecret(document)
        ? await openSecrets(storage, masterKeys, environmentId, id, secrets[0])
        : [],
    grants: grants.map((grant) => ({
      resourceId: grant.resource_id,
      scopeIds: JSON.parse(grant.scope_ids) as string[],
    })),
    ...applicationClaimsFrom(attributes),
    policyIds: assignments.map((assignment) => assignment.policy_id),
    allowedOrigins: allowedOrigins(document),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    usedAt: dynamic?.used_at ?? null,
  }
}

function isAnsweredBySecret(document: ApplicationDocument): boolean {
  return answerAlgorithmsOf(document).some((one) => one !== undefined && isHmac(one))
}

async function openSecrets(
  storage: Storage,
  masterKeys: MasterKeys,
  environmentId: string,
  applicationId: string,
  { sealed, previous_sealed: previous, previous_expires_at: until }: SecretRow,
): Promise<AnswerSecret[]> {
  const [wrapped] = await storage.read(dataKeyOf(environmentId))
  if (!wrapped) throw new Error('an environment without a data key')
  const dataKey = unwrapDataKey(masterKeys, wrapped.wrapped, environmentId)
  const opened = (text: string, column: 'sealed' | 'previous_sealed') =>
    createSecretKey(open(dataKey, text, applicationSecretContext(environmentId, applicationId, column)))
  return [
    { secret: opened(sealed, 'sealed'), expiresAt: null },
    ...(previous === null ? [] : [{ secret: opened(previous, 'previous_sealed'), expiresAt: until ?? 0 }]),
  ]
}
