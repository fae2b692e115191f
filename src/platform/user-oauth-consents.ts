/**
 * What a user granted to applications: `~/users/{userId}/oauthConsents` (extension in its shape; platform-api 3.11.4 names
 * the scopes p1:read:oauthConsent and p1:update:oauthConsent). Withdrawing a consent ends what was issued by it, in the same
 * unit (rows B20, E08).
 *
 * Never: a consent reached through another user than its own, or given by anybody but the user on the sign-on page.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { type OauthConsent, readConsents, withdrawConsent } from '../directory/oauth-consents.ts'
import type { User } from '../directory/users.ts'
import { notFound } from '../errors/problem.ts'
import { controlledUser, reachedUser } from './user-control.ts'
import { userUrl } from './user-representation.ts'
import { partOfUser } from './user-routes.ts'

const reading = { permission: 'idm:read:oauthConsent', self: 'p1:read:oauthConsent' } as const
const withdrawing = { permission: 'idm:delete:oauthConsent', self: 'p1:update:oauthConsent' } as const

const common = {
  surface: 'management',
  tag: 'OAuth consents',
  source: 'platform-api 3.11.4 (scopes)',
  extension: true,
  cors: 'none',
} as const
const allConsents = partOfUser('/oauthConsents')
const oneConsent = {
  path: `${allConsents.path}/{oauthConsentId}`,
  params: allConsents.params.extend({ oauthConsentId: uuid }),
} as const

const oauthConsent = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  user: reference,
  application: reference,
  scopes: z.array(z.object({ id: uuid, name: z.string(), resource: reference })),
  createdAt: timestamp,
  updatedAt: timestamp,
  usedAt: timestamp.optional().describe('When tokens were issued by it last.'),
})

/** A consent as the wire has it. Scopes that are gone are left out. */
function consentBody(context: Context, owner: User, consent: OauthConsent) {
  const { environment, site } = context
  const user = userUrl(context, owner)
  return {
    _links: links({
      self: `${user}/oauthConsents/${consent.id}`,
      environment: `${site.apiBase}/environments/${environment.id}`,
      user,
      application: `${site.apiBase}/environments/${environment.id}/applications/${consent.applicationId}`,
    }),
    id: consent.id,
    environment: { id: environment.id },
    user: { id: owner.id },
    application: { id: consent.applicationId },
    scopes: consent.scopeIds.flatMap((id) => {
      const scope = environment.scopes.get(id)
      return scope ? [{ id, name: scope.name, resource: { id: scope.resourceId } }] : []
    }),
    createdAt: iso(consent.createdAt),
    updatedAt: iso(consent.updatedAt),
    ...(consent.usedAt === null ? {} : { usedAt: iso(consent.usedAt) }),
  }
}

/** @throws Problem NOT_FOUND, also for one of somebody else */
async function consentOfUser({ kernel, environment }: Context, userId: string, id: string): Promise<OauthConsent> {
  const consent = (await readConsents(kernel, environment.id, userId)).find((each) => each.id === id)
  if (!consent) throw notFound()
  return consent
}

const listOauthConsents = defineOperation({
  ...common,
  ...allConsents,
  id: 'listOauthConsents',
  method: 'GET',
  summary: 'List what a user granted to applications, the newest first',
  permission: { kind: 'role', population: true, ...reading },
  replies: { 200: collectionSchema('oauthConsents', oauthConsent) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { userId } }, context) {
    const { kernel, environment, target } = context
    const { user } = await reachedUser(context, userId, reading)
    const items = (await readConsents(kernel, environment.id, userId)).map((each) => consentBody(context, user, each))
    return { status: 200, body: collection('oauthConsents', items, `${kernel.origins.apiUrl}${target}`) }
  },
})

const readOauthConsent = defineOperation({
  ...common,
  ...oneConsent,
  id: 'readOauthConsent',
  method: 'GET',
  summary: 'Read what a user granted to an application',
  permission: { kind: 'role', population: true, ...reading },
  replies: { 200: oauthConsent },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { userId, oauthConsentId } }, context) {
    const { user } = await reachedUser(context, userId, reading)
    return { status: 200, body: consentBody(context, user, await consentOfUser(context, userId, oauthConsentId)) }
  },
})

const deleteOauthConsent = defineOperation({
  ...common,
  ...oneConsent,
  id: 'deleteOauthConsent',
  method: 'DELETE',
  summary: 'Withdraw what a user granted to an application, with everything that was issued to it for them',
  permission: { kind: 'role', population: true, ...withdrawing },
  replies: { 204: null },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  event: 'OAUTH_CONSENT.DELETED',
  async handle({ params: { userId, oauthConsentId } }, context) {
    const { kernel, environment, now } = context
    await controlledUser(context, userId, withdrawing)
    const consent = await consentOfUser(context, userId, oauthConsentId)
    await kernel.storage.commit({
      name: 'withdraw-oauth-consent',
      *run() {
        if (!(yield* withdrawConsent(environment.id, consent, now))) throw notFound()
        yield context.record({
          subject: { type: 'OAUTH_CONSENT', id: consent.id },
          detail: { userId, applicationId: consent.applicationId },
        })
      },
    })
    return { status: 204 }
  },
})

export const userOauthConsentOperations: readonly Operation[] = [
  listOauthConsents,
  readOauthConsent,
  deleteOauthConsent,
]
