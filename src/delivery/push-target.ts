/**
 * Where the app on a device is sent messages: the token that Apple or Google gave it, as it says itself, sealed in
 * `mobile_devices`. A token that its service does not know any more is forgotten, unless the app has sent another meanwhile.
 *
 * Never: a token in clear in storage, an event or a log.
 */
import type { Environment } from '../environment/snapshot.ts'
import { eventRow } from '../events/record.ts'
import { open, seal, type SealContext } from '../keys/sealing.ts'
import { update } from '../storage/operations.ts'
import { run, type Storage, type UnitBody } from '../storage/port.ts'
import { insertEvents } from '../storage/sql/events.ts'
import { pushTargetOf } from '../storage/sql/push-credentials.ts'
import type { World } from '../world.ts'
import type { PushService } from './push-credentials.ts'
import type { MessageBy } from './rules/render.ts'

/** What an app is found by. */
export interface PushTarget {
  readonly token: string
  /** Whose token it is; null: of the only service that the application has credentials for. */
  readonly service: PushService | null
}

/** A target as it is kept. */
export interface KeptTarget extends PushTarget {
  readonly deviceId: string
  readonly applicationId: string
  readonly sealed: string
}

/** A message and the app that it is for. */
export interface OutgoingPush {
  /** The same at every attempt. */
  readonly id: string
  readonly target: KeptTarget
  /** The app's name at Apple; undefined where the application has none. */
  readonly bundleId: string | undefined
  readonly message: MessageBy<'Push'>
  /** When nobody needs it any more, epoch milliseconds. */
  readonly usefulUntil: number
}

type Keeper = Pick<Environment, 'id' | 'dataKey'>

function place(environmentId: string, deviceId: string): SealContext {
  return { environmentId, table: 'mobile_devices', row: deviceId, column: 'sealed_push_token' }
}

/** Seals a target for the row of its device. */
export function sealPushTarget(world: World, { id, dataKey }: Keeper, deviceId: string, target: PushTarget): string {
  return seal(dataKey, JSON.stringify(target), place(id, deviceId), world)
}

/** Where the app on a device is sent messages; undefined when it is sent none. @throws UnsealFailed */
export async function pushTarget(
  storage: Storage,
  { id, dataKey }: Keeper,
  deviceId: string,
): Promise<KeptTarget | undefined> {
  const [row] = await storage.read(pushTargetOf(id, deviceId))
  if (!row || row.sealed_push_token === null) return undefined
  const target = JSON.parse(open(dataKey, row.sealed_push_token, place(id, deviceId)).toString()) as PushTarget
  return { ...target, deviceId, applicationId: row.application_id, sealed: row.sealed_push_token }
}

/** Forgets a target that its service does not know any more; the one that has taken its place meanwhile stays. */
export async function forgetPushTarget(
  { storage, world }: { readonly storage: Storage; readonly world: World },
  environmentId: string,
  { deviceId, sealed }: KeptTarget,
  { correlationId, userId }: { readonly correlationId: string; readonly userId: string | null },
): Promise<void> {
  const origin = {
    world,
    now: world.now(),
    environmentId,
    correlationId,
    remoteAddress: '',
    actor: { kind: 'anonymous' },
  } as const
  const event = eventRow(origin, {
    action: 'DEVICE.PUSH_TOKEN_FORGOTTEN',
    result: 'SUCCESS',
    subject: { type: 'DEVICE', id: deviceId },
    ...(userId === null ? {} : { userId }),
  })
  await storage.commit({
    name: 'forget-push-target',
    *run(): UnitBody<void> {
      const key = { environment_id: environmentId, device_id: deviceId, sealed_push_token: sealed }
      if (yield* update('mobile_devices', key, { sealed_push_token: null })) yield* run(insertEvents([event]))
    },
  })
}
