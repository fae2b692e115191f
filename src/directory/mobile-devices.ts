/**
 * The apps behind MOBILE devices: the key each has registered, and the tokens by which it proves that a request is its own.
 * RFC 7515, 7517, 7519, 7638; docs/reference/mobile-devices.md.
 *
 * A token names its device, the address and the method that it is for, and is good for a minute. Whoever sends it a second
 * time reads the same once more or says the same once more: an answer to a push request is taken once.
 *
 * Never: an algorithm of the token's choosing; a key out of the token but the one that is registered by it.
 */
import { createPublicKey, hash } from 'node:crypto'
import { z } from 'zod'
import type { Kernel } from '../kernel.ts'
import { readCompactJws } from '../keys/compact-jws.ts'
import { insert } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { mobileDeviceById } from '../storage/sql/mobile-devices.ts'

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

/** A public key of an app: ES256. Other members, such as `kid`, are left out. */
export const publicKey = z
  .object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: coordinate,
    y: coordinate,
    d: z.undefined({ error: 'must not be sent: the private key stays on the device' }).optional(),
  })
  .transform(({ kty, crv, x, y }) => ({ kty, crv, x, y }))
  .refine(isOnCurve, 'must be a point of the curve')

/** A public key of an app. */
export type PublicKey = z.output<typeof publicKey>

function isOnCurve(jwk: { kty: string; crv: string; x: string; y: string }): boolean {
  try {
    createPublicKey({ key: jwk, format: 'jwk' })
    return true
  } catch {
    return false
  }
}

/** The thumbprint of a key, base64url: RFC 7638. */
export function thumbprintOf({ crv, kty, x, y }: PublicKey): string {
  return hash('sha256', JSON.stringify({ crv, kty, x, y }), 'base64url')
}

/** What a token has to be for. */
export interface TokenExpected {
  /** `iss`: the id of the device; of a device that is yet to be paired, the thumbprint of its key. */
  readonly issuer: string
  /** `aud`: the address that is called, without its query. */
  readonly url: string
  /** `htm`: the method, as RFC 9449 has it. */
  readonly method: string
  /** Epoch milliseconds. */
  readonly now: number
}

/** Seconds. */
const longestLife = 60
const clockSkew = 30
const longestToken = 4096

/** The claims of a token of an app; undefined when it is not what is expected. */
export async function verifyDeviceToken(
  token: string | undefined,
  key: PublicKey,
  { issuer, url, method, now }: TokenExpected,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (token === undefined || token.length > longestToken || !readCompactJws(token)) return undefined
  const { errors, jwtVerify } = await import('jose')
  try {
    const { payload } = await jwtVerify(token, createPublicKey({ key, format: 'jwk' }), {
      algorithms: ['ES256'],
      typ: 'device+jwt',
      issuer,
      audience: url,
      currentDate: new Date(now),
      maxTokenAge: longestLife,
      clockTolerance: clockSkew,
      requiredClaims: ['exp'],
    })
    return typeof payload.aud === 'string' && payload['htm'] === method ? payload : undefined
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
}

/** A device as its app calls. */
export interface MobileDevice {
  readonly id: string
  readonly userId: string
  readonly applicationId: string
  readonly key: PublicKey
}

/** The device of an id; undefined when there is none, or it is blocked. */
export async function mobileDevice(
  { storage }: Pick<Kernel, 'storage'>,
  environmentId: string,
  deviceId: string,
): Promise<MobileDevice | undefined> {
  const [row] = await storage.read(mobileDeviceById(environmentId, deviceId))
  if (!row || row.blocked_at !== null) return undefined
  const key = publicKey.parse(JSON.parse(row.public_key))
  return { id: row.device_id, userId: row.user_id, applicationId: row.application_id, key }
}

/** What an app says of itself. */
export interface AppDescription {
  readonly key: PublicKey
  readonly os: string | null
  readonly model: string | null
  readonly sealedPushToken: string | null
}

/**
 * Keeps the app of a new device; for the unit that makes that.
 * @throws UniquenessViolation when some device of the environment has its key
 */
export function* keepApp(
  environmentId: string,
  { id, userId, applicationId }: Pick<MobileDevice, 'id' | 'userId' | 'applicationId'>,
  { key, os, model, sealedPushToken }: AppDescription,
  now: number,
): UnitBody<void> {
  yield* insert('mobile_devices', {
    environment_id: environmentId,
    device_id: id,
    user_id: userId,
    application_id: applicationId,
    public_key: JSON.stringify(key),
    key_thumbprint: thumbprintOf(key),
    os,
    model,
    sealed_push_token: sealedPushToken,
    created_at: now,
  })
}
