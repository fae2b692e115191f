/**
 * Refresh tokens as text: which grant and which generation of it, with a MAC over both, so that nothing secret is stored
 * (decision D21). Opaque, or a JWT where the application has `refreshTokenType: JSON_WEB_TOKEN` (authentication-api 2.7);
 * both are always read, so that a change of the type ends no token. RFC 6749 section 1.5 and appendix A.17.
 *
 * The same grant and generation always give the same text: whoever lost the answer of a refresh gets it again (row E29).
 * Never: a key that signs anything else (row F19); a text that is read in more than one spelling (row E19).
 */
import { createHmac, type KeyObject } from 'node:crypto'
import type { ApplicationDocument } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { type SectorMember, sessionFor, subjectFor } from '../../environment/subject.ts'
import { decodeBase64url } from '../../keys/base64url.ts'
import { constantTimeEqual } from '../../keys/constant-time.ts'
import type { HmacKey } from '../../keys/hmac-key.ts'
import { signJwt } from '../../keys/jws.ts'
import { deriveKey } from '../../keys/master-key.ts'
import { verifyJwt } from '../../keys/verify-jwt.ts'
import type { Site } from '../../site.ts'
import type { TokenUser } from './access-token.ts'

/** Which token of which grant. */
export interface RefreshTokenName {
  readonly familyId: string
  readonly generation: number
}

/** A refresh token that is good now. */
export interface RefreshToken extends RefreshTokenName {
  readonly kind: 'refresh-token'
  readonly user: TokenUser
  /** All that was granted, however little the access token beside it has. */
  readonly scopes: readonly string[]
  /** Epoch milliseconds. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/** Begins every opaque token: its form. */
const form = 1
const familyBytes = 16
const nameBytes = 1 + familyBytes + 4
const macBytes = 32
const jwtType = 'rt+jwt'

const keysOf = new WeakMap<KeyObject, { readonly mac: KeyObject; readonly jwt: HmacKey }>()

function keys({ dataKey }: Environment) {
  let known = keysOf.get(dataKey)
  if (!known) {
    const derive = (label: string) => deriveKey({ key: dataKey }, label)
    known = { mac: derive('refresh-token'), jwt: { algorithm: 'HS256', secret: derive('refresh-token-jwt') } }
    keysOf.set(dataKey, known)
  }
  return known
}

/** Writes a refresh token of a client in the form its application has chosen. */
export async function writeRefreshToken(
  environment: Environment,
  site: Site,
  client: SectorMember & {
    readonly clientId: string
    readonly document: Pick<ApplicationDocument, 'refreshTokenType'>
  },
  token: RefreshToken,
): Promise<string> {
  if (client.document.refreshTokenType !== 'JSON_WEB_TOKEN') return opaque(environment, token)
  const { user, scopes } = token
  const claims = {
    iss: site.issuer,
    sub: subjectFor(environment, client, user.id),
    client_id: client.clientId,
    jti: `${token.familyId}.${token.generation}`,
    iat: Math.floor(token.issuedAt / 1000),
    exp: Math.floor(token.expiresAt / 1000),
    sid: sessionFor(environment, client, user.sessionId),
    auth_time: user.authTime,
    acr: user.acr,
    amr: user.amr.length > 0 ? user.amr : undefined,
    scope: scopes.length > 0 ? scopes.join(' ') : undefined,
  }
  return signJwt(keys(environment).jwt, claims, { typ: jwtType })
}

function opaque(environment: Environment, { familyId, generation }: RefreshTokenName): string {
  const name = Buffer.alloc(nameBytes)
  name.writeUInt8(form)
  name.write(familyId.replaceAll('-', ''), 1, 'hex')
  name.writeUInt32BE(generation, 1 + familyBytes)
  return Buffer.concat([name, macOf(environment, name)]).toString('base64url')
}

function macOf(environment: Environment, name: Buffer): Buffer {
  return createHmac('sha256', keys(environment).mac).update(name).digest()
}

/**
 * Reads a refresh token of an environment. What has become of it is the storage's to say.
 * @param now epoch milliseconds
 * @returns undefined for anything that this environment did not write
 */
export function readRefreshToken(
  environment: Environment,
  site: Site,
  text: string,
  now: number,
): RefreshTokenName | undefined {
  return text.includes('.') ? readJwt(environment, site, text, now) : readOpaque(environment, text)
}

function readOpaque(environment: Environment, text: string): RefreshTokenName | undefined {
  const bytes = decodeBase64url(text)
  if (bytes?.length !== nameBytes + macBytes || bytes.readUInt8() !== form) return undefined
  const name = bytes.subarray(0, nameBytes)
  if (!constantTimeEqual(macOf(environment, name), bytes.subarray(nameBytes))) return undefined
  const family = name.toString('hex', 1, 1 + familyBytes)
  return {
    familyId: family.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    generation: name.readUInt32BE(1 + familyBytes),
  }
}

function readJwt(environment: Environment, site: Site, text: string, now: number): RefreshTokenName | undefined {
  const verdict = verifyJwt(text, {
    key: (kid) => (kid === undefined ? keys(environment).jwt : undefined),
    algorithms: ['HS256'],
    typ: [jwtType],
    now,
    // When it ends is judged with its chain.
    expired: 'accept',
  })
  if (
    !verdict.ok ||
    !site.issuers.includes(verdict.claims['iss'] as string) ||
    typeof verdict.claims['jti'] !== 'string'
  )
    return undefined
  const [familyId = '', generation] = verdict.claims['jti'].split('.')
  return { familyId, generation: Number(generation) }
}
