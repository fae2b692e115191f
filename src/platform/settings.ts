/**
 * Settings of an environment: lifetimes and the signing algorithm (extension, decisions D4, D18, D24). What a body leaves
 * out goes back to its default. An algorithm that has no key yet gets a key rotation policy in the same commit, and its policy
 * becomes the default one; keys of the other stay, since tokens they signed are still alive.
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, timestamp, uuid } from '../contract/validation.ts'
import { type EnvironmentSettings, environmentSettings } from '../environment/settings.ts'
import { prepareAlgorithms, recordPolicies } from '../environment/signing-keys.ts'
import { notFound } from '../errors/problem.ts'
import { update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { environmentById } from '../storage/sql/environments.ts'
import { keyRotationPoliciesOf, makeDefaultPolicy } from '../storage/sql/signing-keys.ts'
import { nullMeansAbsent } from './absent-members.ts'

const settings = environmentSettings.extend({
  _links: linksSchema,
  environment: z.object({ id: uuid }),
  updatedAt: timestamp,
})

function settingsBody({ site, environment }: Context, values: EnvironmentSettings, updatedAt: number) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  return {
    _links: links({ self: `${environmentUrl}/settings`, environment: environmentUrl }),
    environment: { id: environment.id },
    ...values,
    updatedAt: iso(updatedAt),
  }
}

const common = {
  path: '/v1/environments/{environmentId}/settings',
  surface: 'management',
  tag: 'Environments',
  source: 'decisions D4, D18, D24',
  extension: true,
  cors: 'none',
  params: z.object({ environmentId: uuid }),
  replies: { 200: settings },
} as const

const readSettings = defineOperation({
  ...common,
  id: 'readEnvironmentSettings',
  method: 'GET',
  summary: 'Read the settings of an environment',
  permission: { kind: 'role', permission: 'orgmgt:read:environment' },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    const [row] = await context.kernel.storage.read(environmentById(params.environmentId))
    if (!row) throw notFound()
    return {
      status: 200,
      body: settingsBody(context, environmentSettings.parse(JSON.parse(row.settings)), row.updated_at),
    }
  },
})

const replaceSettings = defineOperation({
  ...common,
  id: 'replaceEnvironmentSettings',
  method: 'PUT',
  summary: 'Replace the settings of an environment',
  permission: { kind: 'role', permission: 'orgmgt:update:environment' },
  body: { kind: 'json', schema: nullMeansAbsent(environmentSettings) },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'SETTINGS.UPDATED',
  async handle({ params: { environmentId }, body }, context) {
    const { kernel, environment, now } = context
    const { signingAlgorithm: algorithm } = body
    const writeMissing = await prepareAlgorithms(kernel.world, environment, [algorithm], now)

    await kernel.environments.configure(environmentId, 'replaceSettings', now, function* (changes) {
      yield* recordPolicies(context, yield* writeMissing())
      yield* makeDefault(environmentId, algorithm)
      yield* update('environments', { id: environmentId }, { settings: JSON.stringify(body), updated_at: now })
      yield context.record({ subject: { type: 'ENVIRONMENT', id: environmentId } })
      changes.push({ kind: 'snapshot' })
    })
    return { status: 200, body: settingsBody(context, body, now) }
  },
})

/** Makes a policy of the algorithm the default one, unless the default one is of it. */
function* makeDefault(environmentId: string, algorithm: EnvironmentSettings['signingAlgorithm']): UnitBody<void> {
  const policies = yield* run(keyRotationPoliciesOf(environmentId))
  if (policies.some((policy) => policy.is_default === 1 && policy.algorithm === algorithm)) return
  const [first] = policies.filter((policy) => policy.algorithm === algorithm)
  if (first) yield makeDefaultPolicy(environmentId, first.id)
}

export const settingsOperations: readonly Operation[] = [readSettings, replaceSettings]
