/**
 * Who calls from a device: the token of the request, signed by the key of its app (directory/mobile-devices.ts).
 *
 * Never: a difference between a device that is unknown, blocked, and one whose token does not hold.
 */
import { bearerToken } from '../access/bearer.ts'
import type { Context } from '../contract/operation.ts'
import { type MobileDevice, mobileDevice, type PublicKey, verifyDeviceToken } from '../directory/mobile-devices.ts'
import { problem } from '../errors/problem.ts'

/** What a token says. */
export type DeviceClaims = Readonly<Record<string, unknown>>

/**
 * The claims of the token of a request.
 * @param expected whose it is, and what it is for; `path` is that of the operation, filled in, below the environment
 * @throws Problem INVALID_TOKEN
 */
export async function verifiedClaims(
  { headers, site, now }: Context,
  key: PublicKey,
  expected: { readonly issuer: string; readonly method: string; readonly path: string },
): Promise<DeviceClaims> {
  const { issuer, method, path } = expected
  const token = bearerToken(headers.authorization)
  const claims = await verifyDeviceToken(token, key, { issuer, method, url: `${site.authBase}${path}`, now })
  if (!claims) throw problem('INVALID_TOKEN')
  return claims
}

/**
 * The device that calls, and what its token says.
 * @param path what follows the address of the device
 * @throws Problem INVALID_TOKEN
 */
export async function callingDevice(
  context: Context,
  deviceId: string,
  method: string,
  path: string,
): Promise<{ readonly device: MobileDevice; readonly claims: DeviceClaims }> {
  const device = await mobileDevice(context.kernel, context.environment.id, deviceId)
  if (!device) throw problem('INVALID_TOKEN')
  const expected = { issuer: deviceId, method, path: `/mobileDevices/${deviceId}${path}` }
  return { device, claims: await verifiedClaims(context, device.key, expected) }
}
