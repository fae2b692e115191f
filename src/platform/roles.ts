/**
 * The built-in roles, to be read by anybody who holds a token (platform-api 3.21). Clients find them by name; the ids are
 * constants of Stile.
 */
import { z } from 'zod'
import { type PermissionId, permissions } from '../access/permissions.ts'
import { type Role, roleById, roles } from '../access/roles.ts'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { notFound } from '../errors/problem.ts'

const role = z.object({
  _links: linksSchema,
  id: uuid,
  name: z.string(),
  description: z.string(),
  applicableTo: z.array(z.enum(['ORGANIZATION', 'ENVIRONMENT', 'POPULATION'])),
  permissions: z.array(z.object({ id: z.string(), classifier: z.string(), description: z.string() })),
})

function roleBody({ site }: Context, { id, name, description, applicableTo, permissions: held }: Role) {
  return {
    _links: links({ self: `${site.apiBase}/roles/${id}` }),
    id,
    name,
    description,
    applicableTo,
    permissions: [...held].map((permission) => ({
      id: permission,
      classifier: classifierOf(permission),
      description: permissions[permission],
    })),
  }
}

/** What a permission is about: the last part of its id. */
function classifierOf(permission: PermissionId): string {
  return permission.slice(permission.lastIndexOf(':') + 1)
}

const common = {
  method: 'GET',
  surface: 'management',
  tag: 'Roles',
  source: 'platform-api 3.21',
  permission: { kind: 'bearer' },
  cors: 'none',
} as const

const listRoles = defineOperation({
  ...common,
  id: 'listRoles',
  path: '/v1/roles',
  summary: 'List the built-in roles',
  replies: { 200: collectionSchema('roles', role) },
  errors: [],
  handle(_input, context) {
    const bodies = roles.map((one) => roleBody(context, one))
    return { status: 200, body: collection('roles', bodies, `${context.site.apiBase}/roles`, undefined, bodies.length) }
  },
})

const readRole = defineOperation({
  ...common,
  id: 'readRole',
  path: '/v1/roles/{roleId}',
  summary: 'Read a built-in role',
  params: z.object({ roleId: uuid }),
  replies: { 200: role },
  errors: ['NOT_FOUND'],
  handle({ params }, context) {
    const found = roleById(params.roleId)
    if (!found) throw notFound()
    return { status: 200, body: roleBody(context, found) }
  },
})

export const roleOperations: readonly Operation[] = [listRoles, readRole]
