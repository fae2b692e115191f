/**
 * New users: `POST ~/users`, platform-api 3.5 and 1.13 (`user.import+json`, the form Terraform uses). An import also
 * takes what another system knew of the account: password (in clear or encoded), proved address, lock, `enabled`.
 *
 * Never: a user in a population that the actor does not reach (N05), a member of the import in the plain form (N14), an
 * option that is accepted and then means nothing (external identities, verification of nobody's address).
 */
import { z } from 'zod'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference } from '../contract/validation.ts'
import { vendorMediaType } from '../contract/media-type.ts'
import { changePassword, importPassword } from '../directory/password-change.ts'
import { readImportedHash } from '../directory/passwords/imported-hash.ts'
import { newUserRow, type User } from '../directory/users.ts'
import { sendingOfVerification } from '../directory/verification.ts'
import { invalidData } from '../errors/problem.ts'
import { insert } from '../storage/operations.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { lookalikes } from './confusable-names.ts'
import { absent } from './later-features.ts'
import { requireUnique } from './names.ts'
import { givenPassword, passwordUnsatisfied } from './password-refusals.ts'
import { storedAttributes, writtenAttributes } from './user-attributes.ts'
import { requireExistingPopulation, requirePopulation } from './user-control.ts'
import { userBody, userResource } from './user-representation.ts'
import { allUsers, common } from './user-routes.ts'

const permission = { kind: 'role', permission: 'idm:create:user', population: true } as const

const newUser = writtenAttributes.extend({
  population: reference.optional(),
  mfaEnabled: z.boolean().optional(),
  identityProvider: z.object({ id: absent, type: z.literal('PING_ONE').optional() }).optional(),
})

const importedUser = newUser.extend({
  password: z.object({ value: givenPassword, forceChange: z.boolean().default(false), external: absent }).optional(),
  lifecycle: z
    .object({
      status: z.enum(['ACCOUNT_OK', 'VERIFICATION_REQUIRED']).default('ACCOUNT_OK'),
      suppressVerificationCode: z.boolean().default(false),
    })
    .optional(),
  emailVerified: z.boolean().optional(),
  account: z.object({ status: z.enum(['OK', 'LOCKED']), canAuthenticate: z.boolean().optional() }).optional(),
  enabled: z.boolean().default(true),
})

const createUser = defineOperation({
  ...common,
  ...allUsers,
  id: 'createUser',
  method: 'POST',
  summary: 'Create a user',
  permission,
  body: { kind: 'json', schema: nullMeansAbsent(newUser) },
  replies: { 201: userResource },
  errors: ['INVALID_DATA', 'FORBIDDEN'],
  event: 'USER.CREATED',
  handle: ({ body }, context) => create(context, { ...body, enabled: true }),
})

const importUser = defineOperation({
  ...common,
  ...allUsers,
  id: 'importUser',
  method: 'POST',
  summary: 'Import a user, with a password',
  permission,
  mediaTypes: [vendorMediaType('user.import')],
  body: { kind: 'json', schema: nullMeansAbsent(importedUser) },
  replies: { 201: userResource },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'UNAVAILABLE'],
  event: 'USER.CREATED',
  handle: ({ body }, context) => create(context, body),
})

type NewUser = z.output<typeof newUser> & Partial<z.output<typeof importedUser>> & { readonly enabled: boolean }

async function create(context: Context, request: NewUser) {
  const { kernel, environment, now } = context
  const {
    population,
    mfaEnabled = environment.mfaSettings.users.mfaEnabled,
    identityProvider: _pingOne,
    lifecycle,
    ...rest
  } = request
  const { password, account, emailVerified, enabled, ...attributes } = rest
  const populationId = population?.id ?? defaultPopulation(context)
  requirePopulation(context, permission.permission, populationId)
  const { username, document } = storedAttributes(attributes)
  const verificationRequired = lifecycle?.status === 'VERIFICATION_REQUIRED'
  if (verificationRequired && document.email === undefined) {
    throw invalidData('REQUIRED_VALUE', 'email', 'must not be null: a code has to be sent to it')
  }
  const created: User = {
    id: kernel.world.uuid(),
    environmentId: environment.id,
    populationId,
    username,
    document: emailVerified === undefined || document.email === undefined ? document : { ...document, emailVerified },
    enabled,
    lockedAt: account?.status === 'LOCKED' ? now : null,
    mfaEnabled,
    verificationRequired,
    lastSignOn: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  }
  const sendsCode = verificationRequired && !lifecycle.suppressVerificationCode
  const setPassword = password && (await judgeFirstPassword(context, created, password))
  const tellOfLookalikes = await lookalikes(context, created, ['username', 'email'], false)

  const commit = kernel.storage.commit({
    name: 'create-user',
    *run() {
      yield* requireExistingPopulation(context, populationId)
      yield* insert('users', newUserRow(created))
      const subject = { type: 'USER', id: created.id }
      yield context.record({ subject })
      if (sendsCode) {
        yield* sendingOfVerification(kernel.world, environment, created, [], now)
        yield context.record({ action: 'USER.VERIFICATION_CODE_SENT', subject })
      }
      if (!setPassword) return
      yield* setPassword()
      yield context.record({ action: 'PASSWORD.SET', subject })
    },
  })
  await requireUnique('users', 'username', commit)
  tellOfLookalikes()
  if (sendsCode) kernel.wakeOutbox()
  const body = userBody(context, { user: created, passwordLockedUntil: undefined })
  return { status: 201, body, headers: { location: body._links['self']?.href ?? '' } }
}

function defaultPopulation({ environment }: Context): string {
  for (const population of environment.populations.values()) if (population.isDefault) return population.id
  throw invalidData('REQUIRED_VALUE', 'population', 'must not be null: there is no default population')
}

async function judgeFirstPassword(
  { kernel, environment, now }: Context,
  owner: User,
  { value, forceChange }: NonNullable<NewUser['password']>,
) {
  const change = { now, user: owner, stored: null, mustChange: forceChange }
  const imported = readImportedHash(value)
  if (imported) return importPassword(kernel, environment, change, imported)
  const verdict = await changePassword(kernel, environment, { ...change, newPassword: value, by: 'administrator' })
  if (verdict.result === 'unsatisfied') throw passwordUnsatisfied('password', verdict.requirements)
  return verdict.store
}

export const createUserOperations: readonly Operation[] = [createUser, importUser]
