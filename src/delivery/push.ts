/**
 * Push messages to the app on a device: which credentials of its application deliver one, and what becomes of a token that the
 * service does not know any more. platform-api 3.14.1 `pushCredentials`; docs/reference/mobile-devices.md, "Being woken".
 *
 * Never: a token of one service shown to another.
 */
import type { Environment } from '../environment/snapshot.ts'
import { applicationDocument } from '../environment/application.ts'
import { openClientTokens } from '../external/client-tokens.ts'
import type { Egress } from '../external/egress.ts'
import type { Storage } from '../storage/port.ts'
import { applicationById } from '../storage/sql/applications.ts'
import { pushCredentialsOf } from '../storage/sql/push-credentials.ts'
import type { World } from '../world.ts'
import { openApns, type SendByApns } from './apns.ts'
import { PermanentFailure } from './delivery-failure.ts'
import { sendByFcm } from './fcm.ts'
import type { Notification } from './notification.ts'
import { openPushCredentials, type PushCredentials } from './push-credentials.ts'
import { forgetPushTarget, type KeptTarget, type OutgoingPush, pushTarget } from './push-target.ts'

/** How the app on one device is reached: by nothing, when it is gone or sends no token. */
export interface PushWay {
  readonly target: KeptTarget | undefined
  /** Undefined where the application has none that fit. */
  readonly credentials: PushCredentials | undefined
  readonly bundleId: string | undefined
}

/** Finds the way to the app on a device. @throws UnsealFailed */
export async function pushWay(
  storage: Storage,
  environment: Pick<Environment, 'id' | 'dataKey'>,
  deviceId: string,
): Promise<PushWay> {
  const target = await pushTarget(storage, environment, deviceId)
  if (!target) return { target, credentials: undefined, bundleId: undefined }
  const { applicationId } = target
  const [rows, [application]] = await Promise.all([
    storage.read(pushCredentialsOf(environment.id, applicationId)),
    storage.read(applicationById(environment.id, applicationId)),
  ])
  const only = rows.length === 1 ? rows[0] : undefined
  const row = target.service === null ? only : rows.find(({ type }) => type === target.service)
  return {
    target,
    credentials: row && openPushCredentials(environment, row),
    bundleId: application && applicationDocument(application.document).mobile?.bundleId,
  }
}

/** What sending needs of a node. */
export interface PushPorts {
  readonly egress: Egress
  readonly storage: Storage
  readonly world: World
}

/** Where the services are. */
export interface PushUrls {
  readonly apns: string
  readonly fcm: string
}

/** Sends by whoever the credentials are for. @throws PermanentFailure, TemporaryFailure */
export type SendPush = (
  environmentId: string,
  notification: Pick<Notification, 'userId'>,
  outgoing: OutgoingPush,
  credentials: PushCredentials,
) => Promise<void>

/** Opens the ways to the services. */
export function openPush({ egress, storage, world }: PushPorts, urls: PushUrls): SendPush {
  const ports = { egress, clientTokens: openClientTokens(egress, world) }
  const byApns: SendByApns = openApns(ports, world, urls.apns)
  return async (environmentId, { userId }, outgoing, credentials) => {
    try {
      if (credentials.type === 'APNS') await byApns(credentials, outgoing)
      else await sendByFcm(ports, urls.fcm, credentials, outgoing, world.now())
    } catch (error) {
      if (error instanceof PermanentFailure && error.reason === 'not-registered') {
        const about = { correlationId: outgoing.id, userId }
        await forgetPushTarget({ storage, world }, environmentId, outgoing.target, about)
      }
      throw error
    }
  }
}
