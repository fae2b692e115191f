/**
 * What an application does with stand-alone authentications, beyond one step (flow-runtime/device-authentication.ts): begins
 * one, and reaches those that it has begun.
 *
 * Never: an authentication told to another application than the one that began it.
 */
import type { Context } from '../contract/operation.ts'
import { devicesOf } from '../directory/devices.ts'
import { type UserWithPassword, userWithPasswordById } from '../directory/users.ts'
import { notFound } from '../errors/problem.ts'
import {
  type DeviceAuthenticationEvent,
  type DeviceAuthenticationState,
  encodeDeviceAuthentication,
} from '../flow/device-authentication.ts'
import type { Refusal } from '../flow/refusal.ts'
import { flowLifetime } from '../flow/state.ts'
import {
  carryIntoAuthentication,
  type DeviceAuthentication,
  driveAuthentication,
  readAuthentication,
  saveAuthentication,
  type StoredAuthentication,
} from '../flow-runtime/device-authentication.ts'
import { insert } from '../storage/operations.ts'
import { deviceAuthenticationById } from '../storage/sql/device-authentications.ts'
import { reachesPopulation } from './user-control.ts'

export const authenticating = { permission: 'mfa:create:deviceAuthentication' } as const

/**
 * The user an authentication is of, if the actor may ask them for a second factor.
 * @returns undefined for one out of reach as for one who does not exist
 */
export async function authenticatedUser(context: Context, userId: string): Promise<UserWithPassword | undefined> {
  const { kernel, environment } = context
  const found = await userWithPasswordById(kernel, environment.id, userId)
  return found && reachesPopulation(context, authenticating.permission, found.user.populationId) ? found : undefined
}

/**
 * Begins an authentication and stores it.
 * @param asProblem makes of a refusal what the caller is told
 * @throws Problem for a refusal; nothing is stored then
 */
export async function beginDeviceAuthentication(
  context: Context,
  found: UserWithPassword,
  state: DeviceAuthenticationState,
  event: DeviceAuthenticationEvent,
  asProblem: (refusal: Refusal) => Error,
): Promise<DeviceAuthentication> {
  const { kernel, environment, now, actor } = context
  const id = kernel.world.uuid()
  const devices = await devicesOf(kernel, environment.id, found.user.id, now)
  const begun = { id, state, found, devices, createdAt: now, updatedAt: now, expiresAt: now + flowLifetime.idle }
  const stepped = await driveAuthentication(context, begun, event, {})
  if ('refusal' in stepped) throw asProblem(stepped.refusal)
  await saveAuthentication(context, { ...begun, state: stepped.state }, stepped.writes, function* () {
    yield* insert('device_authentications', {
      environment_id: environment.id,
      id,
      user_id: found.user.id,
      client_id: actor.kind === 'anonymous' ? '' : actor.clientId,
      state: encodeDeviceAuthentication(stepped.state),
      version: 1,
      created_at: now,
      updated_at: now,
      expires_at: begun.expiresAt,
    })
    yield context.record({
      action: 'DEVICE_AUTHENTICATION.CREATED',
      subject: { type: 'DEVICE_AUTHENTICATION', id },
      detail: { userId: found.user.id },
    })
  })
  return { ...begun, state: stepped.state }
}

/**
 * Loads an authentication.
 * @throws Problem NOT_FOUND, the same for unknown, begun by another application and of a user out of reach; EXPIRED;
 *   UNAVAILABLE for a state of a newer release
 */
export async function loadDeviceAuthentication(context: Context, id: string): Promise<StoredAuthentication> {
  const { kernel, environment, actor } = context
  const [row] = await kernel.storage.read(deviceAuthenticationById(environment.id, id))
  if (!row || actor.kind === 'anonymous' || actor.clientId !== row.client_id) throw notFound()
  const found = await authenticatedUser(context, row.user_id)
  if (!found) throw notFound()
  return readAuthentication(context, row, found)
}

/**
 * Carries an event into an authentication.
 * @param secrets what was cut out of the body
 * @throws Problem for a refusal; the authentication is unchanged then
 */
export function carryOn(
  context: Context,
  id: string,
  event: DeviceAuthenticationEvent,
  secrets: Readonly<Record<string, string>>,
): Promise<DeviceAuthentication> {
  return carryIntoAuthentication(context, () => loadDeviceAuthentication(context, id), event, secrets)
}
