/**
 * E-mail domains: `~/emailDomains`, in whose name an environment may send through the mail server of the installation.
 * platform-api 3.18; PingOne "Trusted Email Domains". The DNS is asked whenever a status is read: what it says is not
 * kept, so that nothing counts that was withdrawn.
 *
 * Never: the private key of a domain; a domain that two environments prove by one record (rules/email-domain.ts).
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference, uuid } from '../contract/validation.ts'
import { dkimSelector, newDkimKey } from '../delivery/dkim.ts'
import {
  allowsSending,
  dkimRecord,
  domainName,
  domainOf,
  isOwned,
  ownershipRecord,
  publishesKey,
  spfRecord,
} from '../delivery/rules/email-domain.ts'
import { notFound, problem } from '../errors/problem.ts'
import { insert, remove } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { type EmailDomainRow, emailDomainById, emailDomainsOf } from '../storage/sql/email-domains.ts'
import { requireUnique } from './names.ts'

const most = 50

/** Where e-mail domains are. */
export const emailDomainsPath = '/v1/environments/{environmentId}/emailDomains'
const itemPath = `${emailDomainsPath}/{emailDomainId}`
const inEnvironment = z.object({ environmentId: uuid })
/** What names one of them. */
export const oneEmailDomain = inEnvironment.extend({ emailDomainId: uuid })

const emailDomain = z.object({ _links: linksSchema, id: uuid, environment: reference, domainName: z.string() })
const status = z.enum(['ACTIVE', 'VERIFICATION_REQUIRED'])
const record = { key: z.string().describe('Where the record is.'), value: z.string() }
const region = { name: z.string().describe('The region of the environment.'), status }

function selfOf({ site, environment }: Context, id: string): string {
  return `${site.apiBase}/environments/${environment.id}/emailDomains/${id}`
}

function domainBody(context: Context, { id, domain_name }: EmailDomainRow) {
  const { site, environment } = context
  const self = selfOf(context, id)
  const parts = Object.fromEntries(
    ['ownership', 'spf', 'dkim', 'trustedEmails'].map((part) => [part, `${self}/${part}`]),
  )
  return {
    _links: links({ self, environment: `${site.apiBase}/environments/${environment.id}`, ...parts }),
    id,
    environment: { id: environment.id },
    domainName: domain_name,
  }
}

/** Reads a domain. @throws Problem NOT_FOUND */
export async function readEmailDomain({ kernel, environment }: Context, id: string): Promise<EmailDomainRow> {
  const [row] = await kernel.storage.read(emailDomainById(environment.id, id))
  if (!row) throw notFound()
  return row
}

/** Whether the domain names this environment, by what the DNS says now. */
export async function ownsDomain({ kernel, environment }: Context, domain: EmailDomainRow): Promise<boolean> {
  const { key } = ownershipRecord(domain.domain_key, environment.id)
  return isOwned(await kernel.dns.texts(key), environment.id)
}

const common = { surface: 'management', tag: 'Notifications', source: 'platform-api 3.18', cors: 'none' } as const

const listEmailDomains = defineOperation({
  ...common,
  id: 'listEmailDomains',
  method: 'GET',
  path: emailDomainsPath,
  summary: 'List the domains in whose name e-mail may be sent',
  permission: { kind: 'role', permission: 'notifications:read:settings' },
  params: inEnvironment,
  replies: { 200: collectionSchema('emailDomains', emailDomain) },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    const rows = await context.kernel.storage.read(emailDomainsOf(params.environmentId))
    const items = rows.map((row) => domainBody(context, row))
    const self = `${context.kernel.origins.apiUrl}${context.target}`
    return { status: 200, body: collection('emailDomains', items, self, undefined, items.length) }
  },
})

const createEmailDomain = defineOperation({
  ...common,
  id: 'createEmailDomain',
  method: 'POST',
  path: emailDomainsPath,
  summary: 'Add a domain in whose name e-mail may be sent',
  permission: { kind: 'role', permission: 'notifications:update:settings' },
  params: inEnvironment,
  body: { kind: 'json', schema: z.object({ domainName }) },
  replies: { 201: emailDomain },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'REQUEST_FAILED'],
  event: 'EMAIL_DOMAIN.CREATED',
  async handle({ params: { environmentId }, body }, context) {
    const { kernel, environment, now } = context
    const id = kernel.world.uuid()
    const row: EmailDomainRow = {
      id,
      domain_name: body.domainName,
      domain_key: body.domainName.toLowerCase(),
      ...(await newDkimKey(environment, id, kernel.world)),
      created_at: now,
      updated_at: now,
    }
    const created = kernel.environments.configure(environmentId, 'createEmailDomain', now, function* () {
      const present = yield* run(emailDomainsOf(environmentId))
      if (present.length >= most) {
        const message = `An environment has at most ${most} e-mail domains.`
        throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
      }
      yield* insert('email_domains', { environment_id: environmentId, ...row })
      yield context.record({ subject: { type: 'EMAIL_DOMAIN', id }, detail: { domainName: row.domain_key } })
    })
    await requireUnique('email_domains', 'domainName', created)
    return { status: 201, headers: { location: selfOf(context, id) }, body: domainBody(context, row) }
  },
})

const readOne = defineOperation({
  ...common,
  id: 'readEmailDomain',
  method: 'GET',
  path: itemPath,
  summary: 'Read a domain in whose name e-mail may be sent',
  permission: { kind: 'role', permission: 'notifications:read:settings' },
  params: oneEmailDomain,
  replies: { 200: emailDomain },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    return { status: 200, body: domainBody(context, await readEmailDomain(context, params.emailDomainId)) }
  },
})

const deleteEmailDomain = defineOperation({
  ...common,
  id: 'deleteEmailDomain',
  method: 'DELETE',
  path: itemPath,
  summary: 'Remove a domain with its trusted addresses and its key',
  permission: { kind: 'role', permission: 'notifications:delete:settings' },
  params: oneEmailDomain,
  replies: { 204: null },
  errors: ['NOT_FOUND'],
  event: 'EMAIL_DOMAIN.DELETED',
  async handle({ params: { environmentId, emailDomainId: id } }, context) {
    const { kernel, now } = context
    await kernel.environments.configure(environmentId, 'deleteEmailDomain', now, function* () {
      if ((yield* remove('email_domains', { environment_id: environmentId, id })) === 0) throw notFound()
      yield* remove('trusted_emails', { environment_id: environmentId, domain_id: id })
      yield context.record({ subject: { type: 'EMAIL_DOMAIN', id } })
    })
    return { status: 204 }
  },
})

const readStatus = {
  ...common,
  method: 'GET',
  permission: { kind: 'role', permission: 'notifications:read:settings' },
  params: oneEmailDomain,
  errors: ['NOT_FOUND'],
} as const

const active = (isSo: boolean) => (isSo ? ('ACTIVE' as const) : ('VERIFICATION_REQUIRED' as const))

const readEmailDomainOwnership = defineOperation({
  ...readStatus,
  id: 'readEmailDomainOwnership',
  path: `${itemPath}/ownership`,
  summary: 'Read whether the DNS of a domain names the environment',
  replies: {
    200: z.object({
      _links: linksSchema,
      type: z.literal('TXT'),
      regions: z.array(z.object({ ...region, ...record })),
      environmentDnsRecord: z.object({ status, ...record }),
    }),
  },
  async handle({ params: { emailDomainId } }, context) {
    const { environment } = context
    const domain = await readEmailDomain(context, emailDomainId)
    const proof = {
      status: active(await ownsDomain(context, domain)),
      ...ownershipRecord(domain.domain_key, environment.id),
    }
    return {
      status: 200,
      body: {
        _links: links({ self: `${selfOf(context, domain.id)}/ownership` }),
        type: 'TXT',
        regions: [{ name: environment.region, ...proof }],
        environmentDnsRecord: proof,
      },
    }
  },
})

const readEmailDomainSpf = defineOperation({
  ...readStatus,
  id: 'readEmailDomainSpf',
  path: `${itemPath}/spf`,
  summary: 'Read whether the DNS of a domain lets the mail server of the installation send',
  replies: { 200: z.object({ _links: linksSchema, type: z.literal('TXT'), status, ...record }) },
  async handle({ params: { emailDomainId } }, context) {
    const { kernel } = context
    const domain = await readEmailDomain(context, emailDomainId)
    const sending = sendingDomain(context)
    return {
      status: 200,
      body: {
        _links: links({ self: `${selfOf(context, domain.id)}/spf` }),
        type: 'TXT',
        status: active(allowsSending(await kernel.dns.texts(domain.domain_key), sending)),
        ...spfRecord(domain.domain_key, sending),
      },
    }
  },
})

/** Whose servers send: the domain of the installation's own sender, or its host where it has no mail server. */
function sendingDomain({ kernel: { config, origins } }: Context): string {
  const from = config.smtp?.from.replace(/>\s*$/, '') ?? ''
  return from.includes('@') ? domainOf(from) : new URL(origins.apiUrl).hostname
}

const readEmailDomainDkim = defineOperation({
  ...readStatus,
  id: 'readEmailDomainDkim',
  path: `${itemPath}/dkim`,
  summary: 'Read whether the DNS of a domain publishes the key by which its messages are signed',
  replies: {
    200: z.object({
      _links: linksSchema,
      type: z.literal('TXT'),
      regions: z.array(z.object({ ...region, tokens: z.array(z.object(record)) })),
    }),
  },
  async handle({ params: { emailDomainId } }, context) {
    const { kernel, environment } = context
    const domain = await readEmailDomain(context, emailDomainId)
    const token = dkimRecord(domain.domain_key, dkimSelector(domain.id), domain.dkim_public_key)
    const isPublished = publishesKey(await kernel.dns.texts(token.key), domain.dkim_public_key)
    return {
      status: 200,
      body: {
        _links: links({ self: `${selfOf(context, domain.id)}/dkim` }),
        type: 'TXT',
        regions: [{ name: environment.region, status: active(isPublished), tokens: [token] }],
      },
    }
  },
})

export const emailDomainOperations: readonly Operation[] = [
  listEmailDomains,
  createEmailDomain,
  readOne,
  deleteEmailDomain,
  readEmailDomainOwnership,
  readEmailDomainSpf,
  readEmailDomainDkim,
]
