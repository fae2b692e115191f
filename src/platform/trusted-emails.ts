/**
 * Trusted e-mail addresses: `~/emailDomains/{id}/trustedEmails`, the addresses of a domain from which an environment may
 * send through the mail server of the installation. platform-api 1.13 and 3.18; PingOne "Trusted Email Addresses".
 *
 * An address is ACTIVE at once where its domain names the environment in the DNS, and otherwise when a code that was
 * mailed to it has been typed back, within 24 hours.
 *
 * Never: a code in an answer; an address of another domain than its own.
 */
import { z } from 'zod'
import { collection, collectionSchema } from '../contract/hal.ts'
import { defineOperation, type Operation } from '../contract/operation.ts'
import { addressKey, domainOf } from '../delivery/rules/email-domain.ts'
import { mailbox } from '../delivery/rules/template-content.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { insert, remove } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { emailDomainById, type TrustedEmailRow, trustedEmailsOf } from '../storage/sql/email-domains.ts'
import { oneEmailDomain, ownsDomain, readEmailDomain } from './email-domains.ts'
import {
  oneTrustedEmail,
  storedTrustedEmail,
  trustedEmail,
  trustedEmailBody,
  trustedEmailPath,
  trustedEmailsPath,
} from './trusted-email-representation.ts'
import {
  requireTrustedEmailSending,
  sendingOfTrustedEmailCode,
  trustedEmailVerificationOperations,
} from './trusted-email-verification.ts'

const most = 10

const common = { surface: 'management', tag: 'Notifications', source: 'platform-api 3.18', cors: 'none' } as const

const listTrustedEmails = defineOperation({
  ...common,
  id: 'listTrustedEmails',
  method: 'GET',
  path: trustedEmailsPath,
  summary: 'List the trusted addresses of a domain',
  permission: { kind: 'role', permission: 'notifications:read:settings' },
  params: oneEmailDomain,
  replies: { 200: collectionSchema('trustedEmails', trustedEmail) },
  errors: ['NOT_FOUND'],
  async handle({ params: { environmentId, emailDomainId } }, context) {
    const { id } = await readEmailDomain(context, emailDomainId)
    const rows = await context.kernel.storage.read(trustedEmailsOf(environmentId, id))
    const items = rows.map((row) => trustedEmailBody(context, row))
    const self = `${context.kernel.origins.apiUrl}${context.target}`
    return { status: 200, body: collection('trustedEmails', items, self, undefined, items.length) }
  },
})

const createTrustedEmail = defineOperation({
  ...common,
  id: 'createTrustedEmail',
  method: 'POST',
  path: trustedEmailsPath,
  summary: 'Add a trusted address, and mail a code to it unless its domain names the environment',
  permission: { kind: 'role', permission: 'notifications:update:settings' },
  params: oneEmailDomain,
  body: { kind: 'json', schema: z.object({ emailAddress: mailbox.shape.address }) },
  replies: { 200: trustedEmail, 201: trustedEmail },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'REQUEST_FAILED', 'LIMITED'],
  event: 'TRUSTED_EMAIL.CREATED',
  async handle({ params: { environmentId, emailDomainId }, body: { emailAddress } }, context) {
    const { kernel, now } = context
    const domain = await readEmailDomain(context, emailDomainId)
    if (domainOf(emailAddress) !== domain.domain_key) {
      throw invalidData('INVALID_VALUE', 'emailAddress', `must be an address of ${domain.domain_name}`)
    }
    const address_key = addressKey(emailAddress)
    const known = (await kernel.storage.read(trustedEmailsOf(environmentId, domain.id))).find(
      (each) => each.address_key === address_key,
    )
    if (known) return { status: 200, body: trustedEmailBody(context, known) }
    const status = (await ownsDomain(context, domain)) ? 'ACTIVE' : 'VERIFICATION_REQUIRED'
    if (status === 'VERIFICATION_REQUIRED') await requireTrustedEmailSending(context, address_key)
    const row: TrustedEmailRow = {
      id: kernel.world.uuid(),
      domain_id: domain.id,
      email_address: emailAddress,
      address_key,
      status,
      created_at: now,
      updated_at: now,
    }
    const stored = await kernel.environments.configure(environmentId, 'createTrustedEmail', now, function* () {
      if ((yield* run(emailDomainById(environmentId, domain.id))).length === 0) throw notFound()
      const present = yield* run(trustedEmailsOf(environmentId, domain.id))
      const faster = present.find((each) => each.address_key === address_key)
      if (faster) return faster
      if (present.length >= most) {
        const message = `A domain has at most ${most} trusted addresses.`
        throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
      }
      yield* insert('trusted_emails', { environment_id: environmentId, ...row })
      if (status === 'VERIFICATION_REQUIRED') yield* sendingOfTrustedEmailCode(context, row)
      yield context.record({ subject: { type: 'TRUSTED_EMAIL', id: row.id }, detail: { status } })
      return row
    })
    kernel.wakeOutbox()
    const answer = trustedEmailBody(context, stored)
    if (stored !== row) return { status: 200, body: answer }
    return { status: 201, headers: { location: answer._links['self']?.href ?? '' }, body: answer }
  },
})

const readTrustedEmail = defineOperation({
  ...common,
  id: 'readTrustedEmail',
  method: 'GET',
  path: trustedEmailPath,
  summary: 'Read a trusted address',
  permission: { kind: 'role', permission: 'notifications:read:settings' },
  params: oneTrustedEmail,
  replies: { 200: trustedEmail },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    return { status: 200, body: trustedEmailBody(context, await storedTrustedEmail(context, params)) }
  },
})

const deleteTrustedEmail = defineOperation({
  ...common,
  id: 'deleteTrustedEmail',
  method: 'DELETE',
  path: trustedEmailPath,
  summary: 'Remove a trusted address',
  permission: { kind: 'role', permission: 'notifications:delete:settings' },
  params: oneTrustedEmail,
  replies: { 204: null },
  errors: ['NOT_FOUND'],
  event: 'TRUSTED_EMAIL.DELETED',
  async handle({ params: { environmentId, emailDomainId, trustedEmailId: id } }, context) {
    const { kernel, now } = context
    await kernel.environments.configure(environmentId, 'deleteTrustedEmail', now, function* () {
      const row = { environment_id: environmentId, domain_id: emailDomainId, id }
      if ((yield* remove('trusted_emails', row)) === 0) throw notFound()
      yield context.record({ subject: { type: 'TRUSTED_EMAIL', id } })
    })
    return { status: 204 }
  },
})

export const trustedEmailOperations: readonly Operation[] = [
  listTrustedEmails,
  createTrustedEmail,
  readTrustedEmail,
  deleteTrustedEmail,
  ...trustedEmailVerificationOperations,
]
