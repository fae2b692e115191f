/**
 * The custom domain of an environment: `~/customDomains`. platform-api 3.17, authentication-api 1.3. An environment has one.
 *
 * | status                     | what is awaited                                                                      |
 * |----------------------------|--------------------------------------------------------------------------------------|
 * | `VERIFICATION_REQUIRED`    | the DNS makes the name an alias of `canonicalName`, and somebody has that looked at   |
 * | `SSL_CERTIFICATE_REQUIRED` | a certificate of the name; only where Stile ends TLS itself                           |
 * | `ACTIVE`                   | the environment is reached under the name, with it as issuer                          |
 *
 * Never: a private key answered; a name that is the installation's, or another environment's.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { vendorMediaType } from '../contract/media-type.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { domainName } from '../delivery/rules/email-domain.ts'
import { canonicalName, certificateContext, isOwnName, readDomainCertificate } from '../environment/custom-domain.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { seal } from '../keys/sealing.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { type CustomDomainRow, customDomainOf } from '../storage/sql/custom-domains.ts'
import { requireUnique } from './names.ts'

const path = '/v1/environments/{environmentId}/customDomains'
const inEnvironment = z.object({ environmentId: uuid })
const one = inEnvironment.extend({ customDomainId: uuid })

const customDomain = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  domainName: z.string(),
  canonicalName: z.string().describe('What the DNS has to make the name an alias of (CNAME).'),
  status: z.enum(['ACTIVE', 'SSL_CERTIFICATE_REQUIRED', 'VERIFICATION_REQUIRED']),
  certificate: z.object({ expiresAt: timestamp }).optional(),
})

const pem = z.string().min(1).max(16_384)

function selfOf({ site, environment }: Context, id: string): string {
  return `${site.apiBase}/environments/${environment.id}/customDomains/${id}`
}

function body(context: Context, row: CustomDomainRow): z.output<typeof customDomain> {
  const { site, environment, kernel } = context
  const self = selfOf(context, row.id)
  return {
    _links: links({
      self,
      environment: `${site.apiBase}/environments/${environment.id}`,
      'domainName.verify': self,
      'certificate.import': self,
    }),
    id: row.id,
    environment: { id: environment.id },
    domainName: row.domain_name,
    canonicalName: canonicalName(kernel.origins),
    status: row.status,
    ...(row.certificate_expires_at === null ? {} : { certificate: { expiresAt: iso(row.certificate_expires_at) } }),
  }
}

async function read({ kernel, environment }: Context, id: string): Promise<CustomDomainRow> {
  const [row] = await kernel.storage.read(customDomainOf(environment.id))
  if (row?.id !== id) throw notFound()
  return row
}

const common = { surface: 'management', tag: 'Custom domains', source: 'platform-api 3.17', cors: 'none' } as const

const listCustomDomains = defineOperation({
  ...common,
  id: 'listCustomDomains',
  method: 'GET',
  path,
  summary: 'List the custom domain of an environment',
  permission: { kind: 'role', permission: 'branding:read:customDomain' },
  params: inEnvironment,
  replies: { 200: collectionSchema('customDomains', customDomain) },
  errors: ['NOT_FOUND'],
  async handle(_input, context) {
    const rows = await context.kernel.storage.read(customDomainOf(context.environment.id))
    const items = rows.map((row) => body(context, row))
    const self = `${context.kernel.origins.apiUrl}${context.target}`
    return { status: 200, body: collection('customDomains', items, self, undefined, items.length) }
  },
})

const createCustomDomain = defineOperation({
  ...common,
  id: 'createCustomDomain',
  method: 'POST',
  path,
  summary: 'Give an environment a custom domain',
  permission: { kind: 'role', permission: 'branding:create:customDomain' },
  params: inEnvironment,
  body: { kind: 'json', schema: z.object({ domainName }) },
  replies: { 201: customDomain },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'REQUEST_FAILED'],
  event: 'CUSTOM_DOMAIN.CREATED',
  async handle(input, context) {
    const { kernel, environment, now } = context
    const name = input.body.domainName.toLowerCase()
    if (isOwnName(kernel.origins, name)) {
      throw invalidData('INVALID_VALUE', 'domainName', 'must not be a name of the installation')
    }
    const row: CustomDomainRow = {
      id: kernel.world.uuid(),
      domain_name: name,
      status: 'VERIFICATION_REQUIRED',
      certificate: null,
      sealed_private_key: null,
      certificate_expires_at: null,
      created_at: now,
      updated_at: now,
    }
    const created = kernel.environments.configure(environment.id, 'create-custom-domain', now, function* () {
      if ((yield* run(customDomainOf(environment.id))).length > 0) {
        throw failed('An environment has one custom domain.')
      }
      yield* insert('custom_domains', { environment_id: environment.id, ...row })
      yield context.record({ subject: { type: 'CUSTOM_DOMAIN', id: row.id }, detail: { domainName: name } })
    })
    await requireUnique('custom_domains', 'domainName', created)
    return { status: 201, headers: { location: selfOf(context, row.id) }, body: body(context, row) }
  },
})

const readCustomDomain = defineOperation({
  ...common,
  id: 'readCustomDomain',
  method: 'GET',
  path: `${path}/{customDomainId}`,
  summary: 'Read a custom domain',
  permission: { kind: 'role', permission: 'branding:read:customDomain' },
  params: one,
  replies: { 200: customDomain },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    return { status: 200, body: body(context, await read(context, params.customDomainId)) }
  },
})

const deleteCustomDomain = defineOperation({
  ...common,
  id: 'deleteCustomDomain',
  method: 'DELETE',
  path: `${path}/{customDomainId}`,
  summary: 'Take the custom domain of an environment away: tokens that were issued under it are worth nothing any more',
  permission: { kind: 'role', permission: 'branding:delete:customDomain' },
  params: one,
  replies: { 204: null },
  errors: ['NOT_FOUND'],
  event: 'CUSTOM_DOMAIN.DELETED',
  async handle({ params: { customDomainId: id } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-custom-domain', now, function* (changes) {
      changes.push({ kind: 'domain' })
      if ((yield* remove('custom_domains', { environment_id: environment.id, id })) === 0) throw notFound()
      yield context.record({ subject: { type: 'CUSTOM_DOMAIN', id } })
    })
    return { status: 204 }
  },
})

const verifyDomainName = defineOperation({
  ...common,
  id: 'verifyCustomDomain',
  method: 'POST',
  path: `${path}/{customDomainId}`,
  mediaTypes: [vendorMediaType('domainName.verify')],
  summary: 'Look at the DNS of a custom domain',
  permission: { kind: 'role', permission: 'branding:update:customDomain' },
  params: one,
  body: { kind: 'json', schema: z.object({}) },
  replies: { 200: customDomain },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'REQUEST_FAILED'],
  event: 'CUSTOM_DOMAIN.UPDATED',
  async handle({ params }, context) {
    const { kernel } = context
    const row = await read(context, params.customDomainId)
    if (row.status !== 'VERIFICATION_REQUIRED') return { status: 200, body: body(context, row) }
    const canonical = canonicalName(kernel.origins)
    if (!(await kernel.dns.aliases(row.domain_name)).includes(canonical)) {
      throw failed(`The DNS has no CNAME record of ${row.domain_name} with the value ${canonical}.`)
    }
    // Where something in front ends TLS, the certificate is there.
    const status = kernel.config.tls && row.certificate === null ? 'SSL_CERTIFICATE_REQUIRED' : 'ACTIVE'
    const changed = await change(context, row, { status })
    return { status: 200, body: body(context, changed ?? (await read(context, row.id))) }
  },
})

const importCertificate = defineOperation({
  ...common,
  id: 'importCustomDomainCertificate',
  method: 'POST',
  path: `${path}/{customDomainId}`,
  mediaTypes: [vendorMediaType('certificate.import')],
  summary: 'Give a custom domain its certificate, or the next one',
  permission: { kind: 'role', permission: 'branding:update:customDomain' },
  params: one,
  body: {
    kind: 'json',
    schema: z.object({
      certificate: pem.describe('PEM.'),
      intermediateCertificates: z.string().max(65_536).optional().describe('PEM, each issued by the next.'),
      privateKey: pem.describe('PEM, not encrypted. It is never answered.'),
    }),
  },
  replies: { 200: customDomain },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'REQUEST_FAILED'],
  event: 'CUSTOM_DOMAIN.UPDATED',
  async handle(input, context) {
    const { kernel, environment, now } = context
    const row = await read(context, input.params.customDomainId)
    if (row.status === 'VERIFICATION_REQUIRED') throw failed('The domain has to be verified first.')
    const imported = readDomainCertificate(input.body, row.domain_name, now)
    if ('member' in imported) throw invalidData('INVALID_VALUE', imported.member, imported.message)
    const sealContext = certificateContext(environment.id, row.id)
    const changed = await change(context, row, {
      status: 'ACTIVE',
      certificate: imported.chain,
      sealed_private_key: seal(environment.dataKey, imported.privateKey, sealContext, kernel.world),
      certificate_expires_at: imported.expiresAt,
    })
    if (!changed) throw failed('The domain was changed meanwhile.')
    return { status: 200, body: body(context, changed) }
  },
})

/**
 * Changes a domain that is as it was read.
 * @returns undefined when somebody has changed it meanwhile, or taken it away
 */
async function change(
  context: Context,
  row: CustomDomainRow,
  columns: Partial<CustomDomainRow>,
): Promise<CustomDomainRow | undefined> {
  const { kernel, environment, now } = context
  const changed = { ...columns, updated_at: now }
  const key = { environment_id: environment.id, id: row.id, status: row.status }
  const isChanged = await kernel.environments.configure(
    environment.id,
    'change-custom-domain',
    now,
    function* (changes): UnitBody<boolean> {
      changes.push({ kind: 'domain' })
      if (!(yield* update('custom_domains', key, changed))) return false
      yield context.record({ subject: { type: 'CUSTOM_DOMAIN', id: row.id }, detail: { domainName: row.domain_name } })
      return true
    },
  )
  return isChanged ? { ...row, ...changed } : undefined
}

function failed(message: string) {
  return problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
}

export const customDomainOperations: readonly Operation[] = [
  listCustomDomains,
  createCustomDomain,
  readCustomDomain,
  deleteCustomDomain,
  verifyDomainName,
  importCertificate,
]
