/**
 * The demo user with a second factor (experience.md, "First run"): passcodes come to the inbox of dev or are shown by an
 * authenticator app, and one application asks for them by the policy `Multi_Factor`.
 *
 * Never: a secret that is not random; a device that an earlier start has told of and that is kept without its secret.
 */
import { fromBase32, hotp, stepAt } from '../directory/totp.ts'
import type { World } from '../world.ts'
import type { ApiObject, ManagementClient } from './management-client.ts'
import type { Quickstart } from './quickstart.ts'

/**
 * Gives a user their devices, unless an earlier start did: the first by e-mail, the second an authenticator app.
 * @param user with the address of the first
 * @param previous what the earlier start told
 * @returns the key of the app, base32
 */
export async function ensureDevices(
  api: ManagementClient,
  environment: string,
  user: { readonly id: string; readonly email: string },
  world: World,
  previous: Quickstart['mfaUser'] | undefined,
): Promise<string> {
  const path = `${environment}/users/${user.id}`
  const devices = await api.list(`${path}/devices`, 'devices')
  if (previous?.id === user.id && devices.length === 2) return previous.totpSecret
  for (const { id } of devices) await api.call('DELETE', `${path}/devices/${id}`)
  await api.call('PUT', `${path}/mfaEnabled`, { mfaEnabled: true })
  await api.call('POST', `${path}/devices`, { type: 'EMAIL', email: user.email })
  const app = (await api.call('POST', `${path}/devices`, {
    type: 'TOTP',
    nickname: 'Authenticator app',
  })) as ApiObject & {
    readonly secret: string
  }
  const otp = hotp(fromBase32(app.secret), stepAt(world.now()) - 1)
  const mediaType = 'application/vnd.pingidentity.device.activate+json'
  await api.call('POST', `${path}/devices/${app.id}`, { otp }, mediaType)
  return app.secret
}
