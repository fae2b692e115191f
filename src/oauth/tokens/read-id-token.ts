/**
 * ID tokens of this environment that come back as a parameter: to be introspected, exchanged, or as a hint
 * (`id-token-hint.ts`). Whom one was for decides how it is read: by what key, and who its `sub` is.
 *
 * Never: a token of another kind: those have a `typ`, and one that tells of events is a logout token (RFC 8417 section 2.2).
 */
import { uuid } from '../../contract/validation.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { sessionOfSid, userOfSubject } from '../../environment/subject.ts'
import type { Kernel } from '../../kernel.ts'
import { isHmac, signingAlgorithms } from '../../keys/algorithm.ts'
import type { HmacKey } from '../../keys/hmac-key.ts'
import { LONGEST_TOKEN, verifyJwt } from '../../keys/verify-jwt.ts'
import type { Site } from '../../site.ts'
import { isAddress } from '../registration/client-id-url.ts'
import { secretKeys } from '../../environment/response-key.ts'

/** What an ID token says, as far as anybody here reads it. */
export interface IdTokenClaims {
  /** Whom it was issued to, and is for. */
  readonly clientId: string
  /** The id of the user, whatever `sub` is. */
  readonly userId: string
  /** By what the client knows the user. */
  readonly subject: string
  /** The id of the session, whatever `sid` is. */
  readonly sessionId: string
  /** Epoch seconds. */
  readonly expiresAt: number
  /** Whether this environment signed it by a key of its own, and not by the secret that its client knows as well. */
  readonly isByOwnKey: boolean
  /** Everything that it says. */
  readonly all: Readonly<Record<string, unknown>>
}

/** What an ID token is read with. */
export interface IdTokenPorts {
  readonly environment: Environment
  readonly site: Site
  /** Epoch milliseconds. */
  readonly now: number
}

/** What becomes of an ID token that has expired. */
export type ExpiredIdToken = 'refuse' | 'accept'

/** Verifies an ID token that was issued to a client: signature, kind, issuer, times. Not whether its session lives. */
export function readIdTokenOf(
  { environment, site, now }: IdTokenPorts,
  client: Application,
  token: string,
  expired: ExpiredIdToken,
): IdTokenClaims | undefined {
  const { idTokenSignedResponseAlg: algorithm } = client.document
  const secrets = algorithm !== undefined && isHmac(algorithm) ? secretKeys(client, algorithm, now) : []
  const verify = (secret: HmacKey | undefined) =>
    verifyJwt(token, {
      key: (kid) => (kid === undefined ? secret : environment.signingKeys.find((key) => key.kid === kid)),
      algorithms: secret ? [...signingAlgorithms, secret.algorithm] : signingAlgorithms,
      typ: [undefined],
      now,
      expired,
    })
  const [present, previous] = secrets
  const first = verify(present)
  const verdict = first.ok || previous === undefined ? first : verify(previous)
  if (!verdict.ok) return undefined
  const { claims: all, kid } = verdict
  const { iss, aud, sub, sid, exp: expiresAt, auth_time: authTime, 'p1.userId': known } = all
  const isIdToken = site.issuers.includes(iss as string) && typeof authTime === 'number' && all['events'] === undefined
  if (!isIdToken || aud !== client.clientId || typeof sub !== 'string') return undefined
  const subject = typeof known === 'string' ? known : sub
  const userId = userOfSubject(environment, client, subject)
  const sessionId = typeof sid === 'string' ? sessionOfSid(environment, client, sid) : undefined
  if (userId === undefined || sessionId === undefined || typeof expiresAt !== 'number') return undefined
  return { clientId: client.clientId, userId, subject, sessionId, expiresAt, isByOwnKey: kid !== undefined, all }
}

/** The same, whatever client it was issued to, as long as there is one. */
export async function readIdToken(
  ports: IdTokenPorts & { readonly kernel: Kernel },
  token: string,
  expired: ExpiredIdToken,
): Promise<IdTokenClaims | undefined> {
  const clientId = audienceNamedIn(token)
  const client = clientId && (await ports.kernel.environments.client(ports.environment.id, clientId))
  return client ? readIdTokenOf(ports, client, token, expired) : undefined
}

/** The client that an unverified token names; its verification then decides whether that is true. */
function audienceNamedIn(token: string): string | undefined {
  const [, payload = ''] = token.length > LONGEST_TOKEN ? [] : token.split('.', 2)
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const audience = typeof claims === 'object' && claims !== null && 'aud' in claims ? claims.aud : undefined
    const isClient = typeof audience === 'string' && (uuid.safeParse(audience).success || isAddress(audience))
    return isClient ? audience : undefined
  } catch {
    return undefined
  }
}
