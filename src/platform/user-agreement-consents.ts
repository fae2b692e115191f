/**
 * What a user consented to: `~/users/{userId}/agreementConsents`, platform-api 3.5, 1.13; rows E23, J22. Users read their
 * own by a scope; they consent when they sign on, and an administrator may record or revoke a consent for them.
 *
 * Never: a consent to a revision that is not in force yet, or that is not the agreement's.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { vendorMediaType } from '../contract/media-type.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import {
  acceptAgreement,
  consentOf,
  consentsOf,
  revokeAgreement,
  type StoredConsent,
} from '../directory/agreement-consents.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { type Agreement, consentEnd, consentStatus } from '../flow/agreement.ts'
import { run } from '../storage/port.ts'
import { lockUser } from '../storage/sql/devices.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { controlledUser, reachedUser } from './user-control.ts'
import { partOfUser } from './user-routes.ts'

const reading = { permission: 'idm:read:userConsent', self: 'p1:read:userConsent' } as const
const updating = { permission: 'idm:update:userConsent' } as const

const common = {
  surface: 'management',
  tag: 'Agreement consents',
  source: 'platform-api 3.5, 1.13',
  cors: 'none',
} as const
const allConsents = partOfUser('/agreementConsents')
const oneConsent = {
  path: `${allConsents.path}/{agreementId}`,
  params: allConsents.params.extend({ agreementId: uuid }),
} as const

const consentResource = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  user: reference,
  agreement: reference,
  language: reference,
  revision: reference,
  status: z.enum(['ACCEPTED', 'REVOKED', 'EXPIRED']),
  consentedAt: timestamp,
  expiresAt: timestamp.optional().describe('By the period of the agreement or a revision that asks for it anew.'),
  revokedAt: timestamp.optional(),
})

function consentBody({ site, now }: Context, agreement: Agreement, consent: StoredConsent) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const user = `${environment}/users/${consent.userId}`
  const self = `${user}/agreementConsents/${agreement.id}`
  const end = consentEnd(agreement, consent)
  return {
    _links: links({
      self,
      environment,
      user,
      agreement: `${environment}/agreements/${agreement.id}`,
      'consent.accept': self,
      'consent.revoke': self,
    }),
    id: consent.id,
    environment: { id: site.environmentId },
    user: { id: consent.userId },
    agreement: { id: agreement.id },
    language: { id: consent.languageId },
    revision: { id: consent.revisionId },
    status: consentStatus(agreement, consent, now),
    consentedAt: iso(consent.consentedAt),
    ...(end === null ? {} : { expiresAt: iso(end) }),
    ...(consent.revokedAt === null ? {} : { revokedAt: iso(consent.revokedAt) }),
  }
}

/** The agreement of the path. @throws Problem NOT_FOUND */
function agreementOf({ environment }: Context, id: string): Agreement {
  const agreement = environment.agreements.get(id)
  if (!agreement) throw notFound()
  return agreement
}

const listConsents = defineOperation({
  ...common,
  ...allConsents,
  id: 'listAgreementConsents',
  method: 'GET',
  summary: 'List the agreements a user has consented to',
  permission: { kind: 'role', population: true, ...reading },
  replies: { 200: collectionSchema('agreementConsents', consentResource) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { userId } }, context) {
    const { kernel, environment, target } = context
    await reachedUser(context, userId, reading)
    const items = (await consentsOf(kernel, environment.id, userId)).flatMap((consent) => {
      const agreement = environment.agreements.get(consent.agreementId)
      return agreement ? [consentBody(context, agreement, consent)] : []
    })
    const self = `${kernel.origins.apiUrl}${target}`
    return { status: 200, body: collection('agreementConsents', items, self, undefined, items.length) }
  },
})

const readConsent = defineOperation({
  ...common,
  ...oneConsent,
  id: 'readAgreementConsent',
  method: 'GET',
  summary: 'Read the consent of a user to an agreement',
  permission: { kind: 'role', population: true, ...reading },
  replies: { 200: consentResource },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { userId, agreementId } }, context) {
    await reachedUser(context, userId, reading)
    const agreement = agreementOf(context, agreementId)
    const consent = await consentOf(context.kernel, context.environment.id, userId, agreementId)
    if (!consent) throw notFound()
    return { status: 200, body: consentBody(context, agreement, consent) }
  },
})

const acceptConsent = defineOperation({
  ...common,
  ...oneConsent,
  id: 'acceptAgreementConsent',
  method: 'POST',
  mediaTypes: [vendorMediaType('consent.accept')],
  summary: 'Record that a user has consented to a revision of an agreement',
  permission: { kind: 'role', population: true, ...updating },
  body: {
    kind: 'json',
    schema: nullMeansAbsent(
      z.object({
        language: reference,
        revision: reference,
        consentedAt: z.iso.datetime({ offset: true }).optional().describe('Default: now.'),
      }),
    ),
  },
  replies: { 200: consentResource },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'AGREEMENT_CONSENT.ACCEPTED',
  async handle({ params: { userId, agreementId }, body }, context) {
    const { kernel, environment, now } = context
    await controlledUser(context, userId, updating)
    const agreement = agreementOf(context, agreementId)
    const language = agreement.languages.find(({ id }) => id === body.language.id)
    if (!language) throw invalidData('INVALID_VALUE', 'language.id', 'is not a language of the agreement')
    const revision = language.revisions.find(({ id }) => id === body.revision.id)
    if (!revision) throw invalidData('INVALID_VALUE', 'revision.id', 'is not a revision in this language')
    if (revision.effectiveAt > now) throw invalidData('INVALID_VALUE', 'revision.id', 'is not in force yet')
    const consentedAt = body.consentedAt === undefined ? now : Date.parse(body.consentedAt)
    if (consentedAt > now) throw invalidData('INVALID_VALUE', 'consentedAt', 'must not lie in the future')
    const given = {
      id: kernel.world.uuid(),
      userId,
      agreementId,
      languageId: language.id,
      revisionId: revision.id,
      consentedAt,
    }
    const consent = await kernel.storage.commit({
      name: 'accept-agreement',
      *run() {
        if ((yield* run(lockUser(environment.id, userId))).length === 0) throw notFound()
        const recorded = yield* acceptAgreement(environment.id, given, now)
        const { languageId, revisionId } = recorded
        yield context.record({
          subject: { type: 'AGREEMENT_CONSENT', id: recorded.id },
          detail: { userId, agreementId, languageId, revisionId },
        })
        return recorded
      },
    })
    return { status: 200, body: consentBody(context, agreement, consent) }
  },
})

const revokeConsent = defineOperation({
  ...common,
  ...oneConsent,
  id: 'revokeAgreementConsent',
  method: 'POST',
  mediaTypes: [vendorMediaType('consent.revoke')],
  summary: 'Take back the consent of a user to an agreement',
  permission: { kind: 'role', population: true, ...updating },
  body: { kind: 'json', schema: z.object({}) },
  replies: { 200: consentResource },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'AGREEMENT_CONSENT.REVOKED',
  async handle({ params: { userId, agreementId } }, context) {
    const { kernel, environment, now } = context
    await controlledUser(context, userId, updating)
    const agreement = agreementOf(context, agreementId)
    const consent = await kernel.storage.commit({
      name: 'revoke-agreement',
      *run() {
        const revoked = yield* revokeAgreement(environment.id, userId, agreementId, now)
        if (!revoked) throw notFound()
        const { languageId, revisionId } = revoked
        yield context.record({
          subject: { type: 'AGREEMENT_CONSENT', id: revoked.id },
          detail: { userId, agreementId, languageId, revisionId },
        })
        return revoked
      },
    })
    return { status: 200, body: consentBody(context, agreement, consent) }
  },
})

export const userAgreementConsentOperations: readonly Operation[] = [
  listConsents,
  readConsent,
  acceptConsent,
  revokeConsent,
]
