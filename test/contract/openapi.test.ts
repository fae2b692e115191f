/**
 * The contract as OpenAPI 3.1: its structure, that every operation is in it once, and that it says what the server does
 * (architecture, law 3; catalogue 3.3).
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { openApiDocument } from '../../src/contract/openapi.ts'
import type { Operation } from '../../src/contract/operation.ts'
import { allOperations } from '../../src/http/operations.ts'
import type { Answer } from '../harness/stile.ts'

const operations = await allOperations()

/** Read freely, as answers are. */
type Json = Answer['json']

const document: Json = JSON.parse(JSON.stringify(openApiDocument(operations)))

interface Described {
  readonly path: string
  readonly method: string
  readonly operation: Json
}

const described: readonly Described[] = Object.entries(document.paths as Record<string, Json>).flatMap(([path, item]) =>
  Object.entries(item as Record<string, Json>).map(([method, operation]) => ({ path, method, operation })),
)
const at = (path: string, method: string) => document.paths[path]?.[method.toLowerCase()]

/** Every value of the document with the way to it. */
function* walk(value: Json, way: readonly string[] = []): Generator<readonly [value: Json, way: readonly string[]]> {
  yield [value, way]
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) yield* walk(member, [...way, name])
}

suite('structure (OpenAPI 3.1)', () => {
  test('the document and its information', () => {
    assert.match(document.openapi, /^3\.1\.\d$/)
    assert.deepEqual(Object.keys(document).toSorted(), ['components', 'info', 'openapi', 'paths'])
    for (const name of ['title', 'version', 'description']) assert.equal(typeof document.info[name], 'string')
  })

  test('paths begin with a slash, differ in more than the names of their parameters, and hold methods alone', () => {
    const shapes = Object.keys(document.paths).map((path) => path.replaceAll(/\{[^}]+\}/g, '{}'))
    assert.equal(new Set(shapes).size, shapes.length)
    for (const [path, item] of Object.entries(document.paths)) {
      assert.match(path, /^\//)
      for (const method of Object.keys(item as Json)) assert.match(method, /^(get|post|put|patch|delete)$/, path)
    }
  })

  test('an operation has an id of its own, a tag, a summary, its source and its answers', () => {
    const ids = described.map(({ operation }) => operation.operationId)
    assert.deepEqual(
      ids.filter((id, index) => ids.indexOf(id) !== index),
      [],
    )
    for (const { path, method, operation } of described) {
      const what = `${method} ${path}`
      assert.match(operation.operationId, /^[a-z][A-Za-z0-9]*$/, what)
      assert.equal(operation.tags.length, 1, what)
      assert.ok(operation.summary.length > 3, what)
      assert.match(operation.description, /^Source: .+\./, what)
      assert.ok(Object.keys(operation.responses).length > 1, what)
      for (const [status, response] of Object.entries(operation.responses as Record<string, Json>)) {
        assert.match(status, /^[2-5]\d\d$/, what)
        assert.ok(response.description.length > 0, `${what} ${status}`)
        for (const [type, content] of Object.entries((response.content ?? {}) as Record<string, Json>)) {
          assert.match(type, /^[a-z]+\/[a-z0-9.+-]+$/, what)
          assert.equal(typeof content.schema, 'object', what)
        }
      }
      if (!operation.requestBody) continue
      const types = Object.keys(operation.requestBody.content)
      assert.ok(types.length > 0, what)
      for (const type of types) assert.match(type, /^application\/[A-Za-z0-9.+-]+$/, what)
    }
  })

  test('the parameters of a path are described, required, and no others', () => {
    for (const { path, method, operation } of described) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const declared = operation.parameters.filter((one: Json) => one.in === 'path')
      assert.deepEqual(declared.map((one: Json) => one.name).toSorted(), named.toSorted(), `${method} ${path}`)
      assert.ok(declared.every((one: Json) => one.required === true))
      const keys = operation.parameters.map((one: Json) => `${one.in} ${one.name}`)
      assert.equal(new Set(keys).size, keys.length, `${method} ${path}`)
      for (const one of operation.parameters) assert.equal(typeof one.schema, 'object')
    }
  })

  test('every reference leads somewhere, and every definition is referred to', () => {
    const used = new Set<string>()
    for (const [value, way] of walk(document)) {
      if (way.at(-1) !== '$ref') continue
      assert.match(value, /^#\/components\/schemas\/[A-Za-z0-9]+$/, way.join('/'))
      const name = value.split('/').at(-1)
      assert.ok(document.components.schemas[name], `${value} at ${way.join('/')}`)
      used.add(name)
    }
    assert.deepEqual(
      Object.keys(document.components.schemas).filter((name) => !used.has(name)),
      [],
    )
    assert.doesNotMatch(JSON.stringify(document), /"\$(defs|schema|id)"|"#\/\$defs/)
  })

  test('every schema is one of JSON Schema 2020-12: types, required members and patterns make sense', () => {
    const types = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
    for (const [value, way] of walk(document)) {
      const place = way.join('/')
      const isMember = way.at(-2) === 'properties'
      // What stands under the keyword `default` is a value, not a schema.
      if (way.some((name, at) => name === 'default' && at < way.length - 1 && way[at - 1] !== 'properties')) continue
      if (way.at(-1) === 'type' && !isMember && typeof value === 'string' && !way.includes('securitySchemes'))
        assert.ok(types.includes(value), place)
      if (way.at(-1) === 'pattern' && !isMember && typeof value === 'string')
        assert.doesNotThrow(() => new RegExp(value, 'u'), place)
      if (way.at(-1) === 'required' && !isMember && Array.isArray(value)) {
        const owner = way.slice(0, -1).reduce((json, name) => json[name], document)
        for (const name of value) assert.ok(!owner.properties || owner.properties[name], `${place}: ${name}`)
      }
    }
  })
})

suite('what it says is what is mounted', () => {
  const identify = (operation: Operation) =>
    [operation.path, ...(operation.aliases ?? [])].map((path) => [operation, path] as const)

  test('every operation, at every path, with each of its media types; and nothing else', () => {
    const mounted = new Set<string>()
    for (const [operation, path] of operations.flatMap(identify)) {
      const found = at(path, operation.method)
      assert.ok(found, `${operation.method} ${path}`)
      mounted.add(`${operation.method.toLowerCase()} ${path}`)
      for (const type of operation.mediaTypes ?? []) {
        if (operation.body) assert.ok(found.requestBody.content[type], `${operation.id} ${type}`)
      }
      for (const status of Object.keys(operation.replies))
        assert.ok(found.responses[status], `${operation.id} ${status}`)
    }
    assert.deepEqual(
      described.map(({ path, method }) => `${method} ${path}`).filter((key) => !mounted.has(key)),
      [],
    )
  })

  test('an operation says what it needs: a token, a permission, or nothing', () => {
    for (const operation of operations) {
      const found = at(operation.path, operation.method)
      if (found.operationId !== operation.id) continue
      const { permission } = operation
      assert.deepEqual(found.security, permission.kind === 'public' ? [] : [{ bearer: [] }], operation.id)
      assert.equal(found['x-permission'], permission.kind === 'role' ? permission.permission : undefined, operation.id)
      assert.equal(found['x-extension'] === true, operation.extension === true, operation.id)
      for (const status of permission.kind === 'public' ? [] : ['401', '403'])
        assert.ok(found.responses[status], operation.id)
      for (const status of ['400', '500', '503']) assert.ok(found.responses[status], operation.id)
    }
  })

  test('what is secret is written and never read', () => {
    const secrets = [...walk(document)].filter(([value]) => value?.format === 'password')
    assert.ok(secrets.length > 0)
    for (const [value, way] of secrets) {
      assert.equal(value.writeOnly, true, way.join('/'))
      assert.ok(way.includes('requestBody'), way.join('/'))
    }
  })

  test('failures of OAuth endpoints are those of RFC 6749, all others PingOne errors', () => {
    for (const operation of operations) {
      const found = at(operation.path, operation.method)
      const [[type, content]] = Object.entries(found.responses['500'].content) as [[string, Json]]
      assert.equal(type, operation.surface === 'flow' ? 'application/hal+json' : 'application/json', operation.id)
      const expected = operation.surface === 'oauth' ? 'OAuthError' : 'PingOneError'
      assert.equal(content.schema.$ref, `#/components/schemas/${expected}`, operation.id)
    }
  })
})
