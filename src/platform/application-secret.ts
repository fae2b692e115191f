/**
 * The secret of an application: `~/applications/{id}/secret`. platform-api 3.8, decision D15, security catalogue 4.3 and
 * row N25. Sealed at rest with the environment's data key; the runtime compares the SHA-256 hash alone.
 *
 * Never: a secret in any other answer, event or error; a read without its audit event; a secret for a public client.
 */
import { createHash, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { applicationSecretContext } from '../environment/application.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { open, seal } from '../keys/sealing.ts'
import { insert, remove, update, type Word } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { type ApplicationSecretRow, applicationSecret } from '../storage/sql/applications.ts'
import type { World } from '../world.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { controlledApplication } from './application-control.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~'
/** 64 characters of 66 hold 386 bits. */
const secretLength = 64
const minute = 60_000
const thirtyDays = 30 * 24 * 60 * minute

/** Makes a secret: 64 characters of `a-zA-Z0-9-._~`, each equally likely. */
export function newSecret(world: World): string {
  const highest = 256 - (256 % alphabet.length)
  let secret = ''
  while (secret.length < secretLength) {
    for (const byte of world.bytes(secretLength)) {
      if (byte < highest && secret.length < secretLength) secret += alphabet[byte % alphabet.length]
    }
  }
  return secret
}

/** What identifies the environment of a secret, and seals it. */
interface SecretKeeper {
  readonly id: string
  readonly dataKey: KeyObject
}

/** The columns of a fresh secret. */
function sealed(keeper: SecretKeeper, applicationId: string, secret: string, world: World) {
  return {
    sealed: seal(keeper.dataKey, secret, applicationSecretContext(keeper.id, applicationId), world),
    hash: createHash('sha256').update(secret).digest('base64url'),
  }
}

/** Gives an application its first secret, inside the unit that creates the application or makes it confidential. */
export function* insertSecret(
  keeper: SecretKeeper,
  applicationId: string,
  secret: string,
  now: number,
  world: World,
): Word<void> {
  yield* insert('application_secrets', {
    environment_id: keeper.id,
    application_id: applicationId,
    ...sealed(keeper, applicationId, secret, world),
    created_at: now,
  })
}

/** Takes the secrets of an application away, inside the unit that deletes it or makes it public. */
export function* removeSecret(environmentId: string, applicationId: string): Word<void> {
  yield* remove('application_secrets', { environment_id: environmentId, application_id: applicationId })
}

const common = {
  path: '/v1/environments/{environmentId}/applications/{applicationId}/secret',
  surface: 'management',
  tag: 'Application secret',
  source: 'platform-api 3.8',
  cors: 'none',
  params: z.object({ environmentId: uuid, applicationId: uuid }),
} as const

const secretSchema = z.object({
  _links: linksSchema,
  environment: reference,
  secret: z.string().describe('The secret that is valid now.'),
  previous: z
    .object({ secret: z.string(), expiresAt: timestamp })
    .optional()
    .describe('The secret before it, while it is still valid.'),
})

const rotation = nullMeansAbsent(
  z.object({
    previous: z
      .object({ expiresAt: z.iso.datetime({ offset: true }).describe('1 minute to 30 days ahead.') })
      .optional()
      .describe('Keeps the present secret valid for a while.'),
  }),
)

function answer(context: Context, applicationId: string, row: ApplicationSecretRow) {
  const { environment, now, site } = context
  const application = `${site.apiBase}/environments/${environment.id}/applications/${applicationId}`
  const reveal = (text: string, column: 'sealed' | 'previous_sealed') =>
    open(environment.dataKey, text, applicationSecretContext(environment.id, applicationId, column)).toString('utf8')
  const { previous_sealed: before, previous_expires_at: expiresAt } = row
  return {
    _links: links({
      self: `${application}/secret`,
      environment: `${site.apiBase}/environments/${environment.id}`,
      application,
    }),
    environment: { id: environment.id },
    secret: reveal(row.sealed, 'sealed'),
    ...(before !== null && expiresAt !== null && expiresAt > now
      ? { previous: { secret: reveal(before, 'previous_sealed'), expiresAt: iso(expiresAt) } }
      : {}),
  }
}

const readSecret = defineOperation({
  ...common,
  id: 'readApplicationSecret',
  method: 'GET',
  summary: 'Read the secret of an application. Every read is recorded',
  permission: { kind: 'role', permission: 'applications:read:secret' },
  replies: { 200: secretSchema },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  event: 'APPLICATION_SECRET.READ',
  async handle({ params }, context) {
    const { kernel, environment } = context
    await controlledApplication(context, params.applicationId)
    const row = await kernel.storage.commit({
      name: 'read-application-secret',
      run: function* () {
        const [secret] = yield* run(applicationSecret(environment.id, params.applicationId))
        if (!secret) throw notFound()
        yield context.record({ subject: { type: 'APPLICATION', id: params.applicationId } })
        return secret
      },
    })
    return { status: 200, body: answer(context, params.applicationId, row) }
  },
})

const rotateSecret = defineOperation({
  ...common,
  id: 'rotateApplicationSecret',
  method: 'POST',
  summary: 'Replace the secret of an application',
  permission: { kind: 'role', permission: 'applications:update:secret' },
  body: { kind: 'json', schema: rotation },
  replies: { 200: secretSchema },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'APPLICATION_SECRET.ROTATED',
  async handle({ params: { applicationId }, body }, context) {
    const { kernel, environment, now } = context
    const keptUntil = body.previous ? expiry(body.previous.expiresAt, now) : null
    await controlledApplication(context, applicationId)
    const fresh = sealed(environment, applicationId, newSecret(kernel.world), kernel.world)
    const row = await kernel.environments.configure(
      environment.id,
      'rotate-application-secret',
      now,
      function* (changes) {
        changes.push({ kind: 'application', id: applicationId })
        const [present] = yield* run(applicationSecret(environment.id, applicationId))
        if (!present) throw notFound()
        const next = { ...fresh, ...kept(context, applicationId, present, keptUntil), created_at: now }
        yield* update('application_secrets', { environment_id: environment.id, application_id: applicationId }, next)
        yield context.record({
          subject: { type: 'APPLICATION', id: applicationId },
          detail: { previousKept: keptUntil !== null },
        })
        return next
      },
    )
    return { status: 200, body: answer(context, applicationId, row) }
  },
})

/** The columns of the predecessor; sealed anew, since a sealed text opens in its own column alone. */
function kept(
  { environment, kernel }: Context,
  applicationId: string,
  present: ApplicationSecretRow,
  until: number | null,
): Pick<ApplicationSecretRow, 'previous_sealed' | 'previous_hash' | 'previous_expires_at'> {
  if (until === null) return { previous_sealed: null, previous_hash: null, previous_expires_at: null }
  const secret = open(environment.dataKey, present.sealed, applicationSecretContext(environment.id, applicationId))
  const target = applicationSecretContext(environment.id, applicationId, 'previous_sealed')
  return {
    previous_sealed: seal(environment.dataKey, secret, target, kernel.world),
    previous_hash: present.hash,
    previous_expires_at: until,
  }
}

function expiry(text: string, now: number): number {
  const at = Date.parse(text)
  if (at >= now + minute && at <= now + thirtyDays) return at
  throw invalidData('OUT_OF_RANGE', 'previous.expiresAt', 'must be 1 minute to 30 days ahead')
}

const forgetPrevious = defineOperation({
  ...common,
  id: 'forgetPreviousApplicationSecret',
  method: 'DELETE',
  summary: 'End the validity of the secret before the present one',
  permission: { kind: 'role', permission: 'applications:update:secret' },
  replies: { 204: null },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  event: 'APPLICATION_SECRET.PREVIOUS_REMOVED',
  async handle({ params: { applicationId } }, context) {
    const { kernel, environment, now } = context
    await controlledApplication(context, applicationId)
    await kernel.environments.configure(environment.id, 'forget-previous-application-secret', now, function* (changes) {
      changes.push({ kind: 'application', id: applicationId })
      const [present] = yield* run(applicationSecret(environment.id, applicationId))
      if (!present || present.previous_expires_at === null || present.previous_expires_at <= now) throw notFound()
      const none = { previous_sealed: null, previous_hash: null, previous_expires_at: null }
      yield* update('application_secrets', { environment_id: environment.id, application_id: applicationId }, none)
      yield context.record({ subject: { type: 'APPLICATION', id: applicationId } })
    })
    return { status: 204 }
  },
})

export const applicationSecretOperations: readonly Operation[] = [readSecret, rotateSecret, forgetPrevious]
