/**
 * The MFA settings of an environment: `~/mfaSettings`, platform-api 3.14.2. DELETE puts them back to what an environment
 * begins with. Devices above a limit that was lowered stay.
 *
 * Never: a setting that is taken and not kept: device selection belongs to the device authentication policies.
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation, type Reply } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { defaultMfaSettings, type MfaSettings, mfaSettings, mfaSettingsFrom } from '../environment/mfa-settings.ts'
import { notFound, problem } from '../errors/problem.ts'
import { unavailable } from '../flow/actions/unavailable.ts'
import { update } from '../storage/operations.ts'
import { environmentById } from '../storage/sql/environments.ts'
import { nullMeansAbsent } from './absent-members.ts'

const mfaSettingsResource = mfaSettings.extend({ _links: linksSchema, environment: reference, updatedAt: timestamp })

const declared = {
  path: '/v1/environments/{environmentId}/mfaSettings',
  params: z.object({ environmentId: uuid }),
  surface: 'management',
  tag: 'MFA settings',
  source: 'platform-api 3.14.2',
  cors: 'none',
} as const

function settingsBody({ site, environment }: Context, settings: MfaSettings, updatedAt: number) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  return {
    _links: links({ self: `${environmentUrl}/mfaSettings`, environment: environmentUrl }),
    environment: { id: environment.id },
    ...settings,
    updatedAt: iso(updatedAt),
  }
}

async function change(context: Context, settings: MfaSettings | null): Promise<Reply> {
  const { kernel, environment, now } = context
  await kernel.environments.configure(environment.id, 'change-mfa-settings', now, function* (changes) {
    const columns = { mfa_settings: settings && JSON.stringify(settings), updated_at: now }
    if (!(yield* update('environments', { id: environment.id }, columns))) throw notFound()
    yield context.record({ subject: { type: 'ENVIRONMENT', id: environment.id } })
    changes.push({ kind: 'snapshot' })
  })
  return { status: 200, body: settingsBody(context, settings ?? defaultMfaSettings, now) }
}

const readSettings = defineOperation({
  ...declared,
  id: 'readMfaSettings',
  method: 'GET',
  summary: 'Read the MFA settings of an environment',
  permission: { kind: 'role', permission: 'mfa:read:mfaSettings' },
  replies: { 200: mfaSettingsResource },
  errors: ['NOT_FOUND'],
  async handle({ params: { environmentId } }, context) {
    const [row] = await context.kernel.storage.read(environmentById(environmentId))
    if (!row) throw notFound()
    return { status: 200, body: settingsBody(context, mfaSettingsFrom(row.mfa_settings), row.updated_at) }
  },
})

const changing = {
  ...declared,
  permission: { kind: 'role', permission: 'mfa:update:mfaSettings' },
  replies: { 200: mfaSettingsResource },
  event: 'MFA_SETTINGS.UPDATED',
} as const

const replaceSettings = defineOperation({
  ...changing,
  id: 'replaceMfaSettings',
  method: 'PUT',
  summary: 'Replace the MFA settings of an environment',
  body: { kind: 'json', schema: nullMeansAbsent(mfaSettings) },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  handle({ body }, context) {
    const problems = [
      ...unavailable(body.authentication?.deviceSelection === 'PROMPT_TO_SELECT', 'authentication.deviceSelection'),
    ]
    if (problems.length > 0) throw problem('INVALID_DATA', { details: problems })
    return change(context, body)
  },
})

const resetSettings = defineOperation({
  ...changing,
  id: 'resetMfaSettings',
  method: 'DELETE',
  summary: 'Put the MFA settings of an environment back to their defaults',
  errors: ['NOT_FOUND'],
  handle: (_, context) => change(context, null),
})

export const mfaSettingsOperations: readonly Operation[] = [readSettings, replaceSettings, resetSettings]
