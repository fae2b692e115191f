/**
 * Operations -> OpenAPI 3.1. What is served at `GET /v1/openapi.json` and checked in as `openapi.json`; CI fails when the
 * two differ. Schemas come from the declarations by `z.toJSONSchema`; nothing is described here a second time.
 */
import { z } from 'zod'
import { catalog } from '../errors/catalog.ts'
import type { Operation, Permission } from './operation.ts'

type Json = Record<string, unknown>

/** Catalogue rows that any operation of a kind may answer with. */
const always = ['INVALID_REQUEST', 'UNEXPECTED_ERROR', 'UNAVAILABLE'] as const

const pingOneError: Json = {
  type: 'object',
  required: ['id', 'code', 'message'],
  properties: {
    id: { type: 'string', description: 'The correlation id of the request.' },
    code: { type: 'string', enum: [...new Set(Object.values(catalog).map((entry) => entry.code))] },
    message: { type: 'string' },
    details: {
      type: 'array',
      items: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: { type: 'string' },
          target: { type: 'string' },
          message: { type: 'string' },
          innerError: { type: 'object', additionalProperties: true },
        },
      },
    },
  },
}

const oauthError: Json = {
  type: 'object',
  required: ['error', 'error_description'],
  properties: {
    error: { type: 'string', enum: [...new Set(Object.values(catalog).map((entry) => entry.oauth))] },
    error_description: { type: 'string' },
  },
}

/** Builds the document. */
export function openApiDocument(operations: readonly Operation[]): Json {
  const document = inlineDocument(operations)
  return withSharedSchemas(document)
}

/**
 * A recursive schema refers to definitions of its own. They move to the components of the document, each once, since
 * `#/$defs/…` means the root of the document and not of the schema it stands in.
 */
function withSharedSchemas(document: Json): Json {
  const names = new Map<string, string>()
  const shared: Record<string, unknown> = {}
  const move = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(move)
    if (typeof value !== 'object' || value === null) return value
    const { $defs, ...rest } = value as Json
    if ($defs === undefined)
      return Object.fromEntries(Object.entries(rest).map(([name, member]) => [name, move(member)]))
    const text = JSON.stringify($defs)
    const local = Object.keys($defs as Json)
    for (const name of local) {
      const key = `${name} ${text}`
      if (!names.has(key)) names.set(key, `Shared${names.size + 1}`)
    }
    const renamed = (json: unknown) =>
      local.reduce(
        (written, name) =>
          written.replaceAll(`"#/$defs/${name}"`, `"#/components/schemas/${names.get(`${name} ${text}`)}"`),
        JSON.stringify(json),
      )
    for (const name of local) {
      shared[names.get(`${name} ${text}`) as string] ??= JSON.parse(renamed(($defs as Json)[name]))
    }
    return move(JSON.parse(renamed(rest)))
  }
  const moved = move(document) as Json
  const components = moved['components'] as Json
  return { ...moved, components: { ...components, schemas: { ...(components['schemas'] as Json), ...shared } } }
}

function inlineDocument(operations: readonly Operation[]): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const operation of operations) {
    for (const [at, path] of [operation.path, ...(operation.aliases ?? [])].entries()) {
      const methods = (paths[path] ??= {})
      const method = operation.method.toLowerCase()
      const described = describe(operation, at)
      const present = methods[method]
      methods[method] = present ? merged(present, described) : described
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Stile',
      version: '1',
      description: "PingOne's authentication and management API, self-hosted.",
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: Object.fromEntries(Object.entries(paths).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: { PingOneError: pingOneError, OAuthError: oauthError },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

function describe(operation: Operation, alias: number): Json {
  const { permission } = operation
  return {
    operationId: alias === 0 ? operation.id : `${operation.id}Alias${alias}`,
    tags: [operation.tag],
    summary: operation.summary,
    description: [
      `Source: ${operation.source}.`,
      permissionText(permission),
      ...(operation.event ? [`Audit event: \`${operation.event}\`.`] : []),
    ].join(' '),
    ...(operation.extension ? { 'x-extension': true } : {}),
    ...(permission.kind === 'role' ? { 'x-permission': permission.permission } : {}),
    security: permission.kind === 'public' ? [] : [{ bearer: [] }],
    parameters: [...parameters(operation.params, 'path'), ...parameters(operation.query, 'query')],
    ...(operation.body ? { requestBody: { content: requestContent(operation) } } : {}),
    responses: responses(operation),
  }
}

function isRecent(permission: Permission): boolean {
  return permission.kind === 'role' && permission.recent === true
}

function permissionText(permission: Permission): string {
  switch (permission.kind) {
    case 'public':
      return 'No bearer token is needed.'
    case 'bearer':
      return 'Any valid access token for the platform.'
    case 'role': {
      const where = permission.population ? ' (may be held at a population)' : ''
      const self = permission.self ? ` A user may do this to themselves with the scope \`${permission.self}\`.` : ''
      const recent = isRecent(permission)
        ? ' Who does it to themselves has to have authenticated lately (RFC 9470).'
        : ''
      const only = permission.applicationOnly ? ' Only an application may, by a token of its own.' : ''
      return `Needs the permission \`${permission.permission}\`${where}.${self}${recent}${only}`
    }
  }
}

function parameters(schema: z.ZodObject | undefined, place: 'path' | 'query'): Json[] {
  if (!schema) return []
  const json = toJsonSchema(schema, 'input') as { properties?: Record<string, Json>; required?: string[] }
  return Object.entries(json.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || (json.required ?? []).includes(name),
    schema: property,
  }))
}

function requestContent(operation: Operation): Record<string, Json> {
  const { body } = operation
  if (!body) return {}
  const schema = toJsonSchema(body.schema, 'input')
  if (operation.mediaTypes) return Object.fromEntries(operation.mediaTypes.map((type) => [type, { schema }]))
  return { [body.kind === 'form' ? 'application/x-www-form-urlencoded' : 'application/json']: { schema } }
}

function responses(operation: Operation): Record<string, Json> {
  const result: Record<string, Json> = {}
  const type = operation.surface === 'flow' ? 'application/hal+json' : 'application/json'
  for (const [status, schema] of Object.entries(operation.replies)) {
    result[status] = {
      description: status.startsWith('3') ? 'Redirect' : Number(status) < 400 ? 'Success' : 'Refused',
      ...(schema ? { content: { [type]: { schema: toJsonSchema(schema, 'output') } } } : {}),
    }
  }
  const error = operation.surface === 'oauth' ? 'OAuthError' : 'PingOneError'
  const authentication = operation.permission.kind === 'public' ? [] : (['INVALID_TOKEN', 'FORBIDDEN'] as const)
  const recent = isRecent(operation.permission) ? (['insufficient_user_authentication'] as const) : []
  for (const key of [...operation.errors, ...always, ...authentication, ...recent]) {
    const { status, cause } = catalog[key]
    const text = `\`${key}\`: ${cause}`
    const present = result[String(status)]
    if (!present) {
      result[String(status)] = {
        description: text,
        content: { [type]: { schema: { $ref: `#/components/schemas/${error}` } } },
      }
    } else if (typeof present['description'] === 'string' && !present['description'].includes(text)) {
      present['description'] += ` ${text}`
    }
  }
  return result
}

/** Several operations of one path and method differ by media type alone: they are one OpenAPI operation with several bodies. */
function merged(present: Json, other: Json): Json {
  const one = present['requestBody'] as { content: Json } | undefined
  const two = other['requestBody'] as { content: Json } | undefined
  const responsesOfBoth = { ...(other['responses'] as Json), ...(present['responses'] as Json) }
  return {
    ...present,
    summary: `${String(present['summary'])}; ${String(other['summary'])}`,
    description: `${String(present['description'])} ${String(other['description'])}`,
    requestBody: { content: { ...one?.content, ...two?.content } },
    responses: responsesOfBoth,
  }
}

function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    target: 'draft-2020-12',
  }) as Json
  return json
}
