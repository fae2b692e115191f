/**
 * The bill of materials of an environment: which products it is meant for (platform-api 3.2). Clients write it, read it
 * back and expect the same products; nothing is switched on or off by it.
 *
 * Never: a product added or left out by the server once a client has named them.
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, timestamp, uuid } from '../contract/validation.ts'
import { type BillOfMaterials, type EnvironmentDocument, type Product, productTypes } from '../environment/document.ts'
import { notFound } from '../errors/problem.ts'
import { update } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { type EnvironmentRow, environmentById } from '../storage/sql/environments.ts'
import type { World } from '../world.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { description, name } from './names.ts'
import { webAddress } from './web-address.ts'

const bookmarks = z
  .array(z.object({ name: name.max(50), href: webAddress }))
  .max(5)
  .refine((list) => new Set(list.map((bookmark) => bookmark.name)).size === list.length, 'must have different names')

const product = z.object({
  type: z.enum(productTypes),
  description: description.optional(),
  console: z.object({ href: webAddress }).optional(),
  tags: z.array(z.literal('DAVINCI_MINIMAL')).max(1).optional(),
  bookmarks: bookmarks.optional(),
})

const solutionType = z.enum(['WORKFORCE', 'CUSTOMER', 'CIAM_TRIAL', 'WF_TRIAL'])

/** A bill of materials as it is written. */
export const billOfMaterialsRequest = z.object({
  solutionType: solutionType.optional(),
  products: z
    .array(product)
    .max(productTypes.length)
    .refine((list) => new Set(list.map(({ type }) => type)).size === list.length, 'must have different types'),
})

/** A bill of materials as it is answered. */
export const billOfMaterials = z.object({
  _links: linksSchema.optional(),
  environment: z.object({ id: uuid }).optional(),
  solutionType: solutionType.optional(),
  products: z.array(product.extend({ id: uuid })),
  createdAt: timestamp,
  updatedAt: timestamp,
})

/** The products as they are stored: each gets an id, and keeps the one it had. */
function storedProducts(
  wanted: z.output<typeof billOfMaterialsRequest>['products'],
  before: readonly Product[],
  world: World,
): Product[] {
  return wanted.map((one) => {
    const id = before.find(({ type }) => type === one.type)?.id ?? world.uuid()
    return { id, ...one }
  })
}

/** The bill of materials of a new environment. */
export function storedBill(wanted: z.output<typeof billOfMaterialsRequest>, world: World) {
  const products = storedProducts(wanted.products, [], world)
  return wanted.solutionType === undefined ? { products } : { solutionType: wanted.solutionType, products }
}

/** The bill of materials inside an answer. */
export function billOfMaterialsBody(bill: BillOfMaterials) {
  return { ...bill, createdAt: iso(bill.createdAt), updatedAt: iso(bill.updatedAt) }
}

function resourceBody({ site, environment }: Context, row: EnvironmentRow) {
  const { billOfMaterials: bill } = JSON.parse(row.document) as EnvironmentDocument
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  return {
    _links: links({ self: `${environmentUrl}/billOfMaterials`, environment: environmentUrl }),
    environment: { id: environment.id },
    ...billOfMaterialsBody(bill),
  }
}

const common = {
  path: '/v1/environments/{environmentId}/billOfMaterials',
  surface: 'management',
  tag: 'Environments',
  source: 'platform-api 3.2',
  cors: 'none',
  params: z.object({ environmentId: uuid }),
  replies: { 200: billOfMaterials },
} as const

const readBillOfMaterials = defineOperation({
  ...common,
  id: 'readBillOfMaterials',
  method: 'GET',
  summary: 'Read the bill of materials of an environment',
  permission: { kind: 'role', permission: 'orgmgt:read:environment', population: true },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    const [row] = await context.kernel.storage.read(environmentById(params.environmentId))
    if (!row) throw notFound()
    return { status: 200, body: resourceBody(context, row) }
  },
})

const replaceBillOfMaterials = defineOperation({
  ...common,
  id: 'replaceBillOfMaterials',
  method: 'PUT',
  summary: 'Replace the products of an environment; solutionType stays as it was made',
  permission: { kind: 'role', permission: 'orgmgt:update:environment' },
  body: { kind: 'json', schema: nullMeansAbsent(billOfMaterialsRequest) },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'ENVIRONMENT.UPDATED',
  async handle({ params: { environmentId }, body }, context) {
    const { kernel, now } = context
    const row = await kernel.environments.configure(environmentId, 'replaceBillOfMaterials', now, function* (changes) {
      const [before] = yield* run(environmentById(environmentId))
      if (!before) throw notFound()
      const document = JSON.parse(before.document) as EnvironmentDocument
      const products = storedProducts(body.products, document.billOfMaterials.products, kernel.world)
      const after: EnvironmentDocument = {
        ...document,
        billOfMaterials: { ...document.billOfMaterials, products, updatedAt: now },
      }
      const text = JSON.stringify(after)
      yield* update('environments', { id: environmentId }, { document: text, updated_at: now })
      yield context.record({
        subject: { type: 'ENVIRONMENT', id: environmentId },
        detail: { changed: ['billOfMaterials'] },
      })
      changes.push({ kind: 'snapshot' })
      return { ...before, document: text, updated_at: now }
    })
    return { status: 200, body: resourceBody(context, row) }
  },
})

export const billOfMaterialsOperations: readonly Operation[] = [readBillOfMaterials, replaceBillOfMaterials]
