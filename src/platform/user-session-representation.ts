/**
 * The session resource as answers hold it: authentication-api 2.18, platform-api 3.5.
 *
 * Never: the session token or its hash; a browser, an operating system or a place that would only be guessed from a
 * header or an address.
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import type { Session } from '../directory/sessions.ts'
import type { User } from '../directory/users.ts'
import { authenticators } from '../flow/proof.ts'
import { userUrl } from './user-representation.ts'

const policy = z.object({ id: uuid, type: z.literal('PINGONE') })

export const sessionResource = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  user: reference,
  createdAt: timestamp,
  activeAt: timestamp,
  expiresAt: timestamp,
  idleTimeoutInMinutes: z.int(),
  lastSignOn: z.object({
    at: timestamp,
    remoteIp: z.string(),
    authenticators: z.array(z.enum(authenticators)),
    withAuthenticator: z.partialRecord(z.enum(authenticators), z.object({ at: timestamp, policy })),
    policy,
  }),
  locations: z.array(z.object({ at: timestamp, remoteIp: z.string() })).describe('The last five, the newest first.'),
  userAgent: z.string().optional(),
})

const policyOf = (id: string) => ({ id, type: 'PINGONE' as const })

/** The body of a session. */
export function sessionBody(context: Pick<Context, 'site' | 'environment'>, owner: User, session: Session) {
  const user = userUrl(context, owner)
  const { lastSignOn, locations, userAgent } = session
  const used = authenticators.filter((method) => lastSignOn.withAuthenticator[method])
  const withAuthenticator = Object.fromEntries(
    Object.entries(lastSignOn.withAuthenticator).map(([method, { at, policyId }]) => [
      method,
      { at: iso(at), policy: policyOf(policyId) },
    ]),
  )
  return {
    _links: links({
      self: `${user}/sessions/${session.id}`,
      environment: `${context.site.apiBase}/environments/${owner.environmentId}`,
      user,
    }),
    id: session.id,
    environment: { id: owner.environmentId },
    user: { id: owner.id },
    createdAt: iso(session.createdAt),
    activeAt: iso(session.activeAt),
    expiresAt: iso(session.expiresAt),
    idleTimeoutInMinutes: context.environment.settings.sessionIdleMinutes,
    lastSignOn: {
      at: iso(lastSignOn.at),
      remoteIp: lastSignOn.remoteIp,
      authenticators: used,
      withAuthenticator,
      policy: policyOf(lastSignOn.policyId),
    },
    locations: locations.map(({ at, remoteIp }) => ({ at: iso(at), remoteIp })),
    ...(userAgent === '' ? {} : { userAgent }),
  }
}
