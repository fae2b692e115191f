/**
 * The generated matrix: every operation of the management API × actor × own, other and no environment (rows N01, N02,
 * N13). What is expected follows from the roles each actor was given; the server must agree for each operation.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type Actor, allows, populationsAllowed, type RoleAssignment } from '../../src/access/actor.ts'
import { roleNamed } from '../../src/access/roles.ts'
import type { Operation } from '../../src/contract/operation.ts'
import { allOperations } from '../../src/http/operations.ts'
import { userToken } from '../harness/sign-on.ts'
import { type Answer, basic, type Stile, startStile } from '../harness/stile.ts'

const operations = await allOperations()

interface Caller {
  readonly name: string
  readonly token: string | null
  /** Undefined: not authenticated at all. */
  readonly assignments: readonly RoleAssignment[] | undefined
  /** Whether it is a user's token, which is none where only applications may call. */
  readonly isUser?: true
}

const guarded = operations.filter((operation) => operation.permission.kind !== 'public')

suite('every operation × actor × environment', () => {
  let stile: Stile
  let own: string
  let other: string
  let callers: readonly Caller[]

  before(async () => {
    stile = await startStile()
    own = stile.environmentId
    other = await newEnvironment('Other')
    const population = stile.populationId
    const worker = (
      name: string,
      ...roles: readonly [role: string, type: RoleAssignment['scopeType'], id: string, environment: string][]
    ) => newWorker(name, roles)
    callers = [
      { name: 'nobody', token: null, assignments: undefined },
      { name: 'garbage', token: 'not.a.token', assignments: undefined },
      await worker('a worker without roles'),
      await worker('Environment Admin here', ['Environment Admin', 'ENVIRONMENT', own, own]),
      await worker('Environment Admin of another environment', ['Environment Admin', 'ENVIRONMENT', other, other]),
      await worker('Identity Data Admin of a population', ['Identity Data Admin', 'POPULATION', population, own]),
      await worker('Configuration Read Only here', ['Configuration Read Only', 'ENVIRONMENT', own, own]),
      { name: 'an end user', token: await userToken(stile), assignments: [], isUser: true },
    ]
  })
  after(() => stile.close())

  async function newEnvironment(name: string): Promise<string> {
    const license = (await stile.api('GET', `/v1/organizations/${stile.organizationId}/licenses`)).json._embedded
      .licenses[0].id
    const answer = await stile.api('POST', '/v1/environments', {
      name,
      type: 'SANDBOX',
      region: 'NA',
      license: { id: license },
    })
    assert.equal(answer.status, 201, answer.text)
    return answer.json.id
  }

  async function newWorker(
    name: string,
    roles: readonly [role: string, type: RoleAssignment['scopeType'], id: string, environment: string][],
  ): Promise<Caller> {
    const application = await stile.api('POST', '/applications', {
      name,
      enabled: true,
      type: 'WORKER',
      protocol: 'OPENID_CONNECT',
      grantTypes: ['CLIENT_CREDENTIALS'],
      tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
    })
    assert.equal(application.status, 201, application.text)
    const { id } = application.json
    const assignments: RoleAssignment[] = []
    for (const [role, type, scopeId, environment] of roles) {
      const roleId = roleNamed(role).id
      const body = { role: { id: roleId }, scope: { type, id: scopeId } }
      const given = await stile.api('POST', `/applications/${id}/roleAssignments`, body)
      assert.equal(given.status, 201, given.text)
      assignments.push({
        id: given.json.id,
        roleId,
        scopeType: type,
        scopeId,
        scopeEnvironmentId: environment,
        readOnly: false,
      })
    }
    const { secret } = (await stile.api('GET', `/applications/${id}/secret`)).json
    const answer = await stile.send(`/${own}/as/token`, {
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      headers: { authorization: basic(id, secret) },
    })
    return { name, token: answer.json.access_token, assignments }
  }

  /** Calls an operation with ids that name nothing, so that nothing it would do can happen. */
  function call(operation: Operation, environmentId: string, token: string | null): Promise<Answer> {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      if (name === 'environmentId') return environmentId
      return name === 'organizationId' ? stile.organizationId : randomUUID()
    })
    return stile.send(path, {
      method: operation.method,
      token,
      ...(operation.body ? { body: {}, mediaType: operation.mediaTypes?.[0] ?? 'application/json' } : {}),
      ...(!operation.body && operation.mediaTypes?.[0] ? { mediaType: operation.mediaTypes[0] } : {}),
    })
  }

  function isAllowed(operation: Operation, { assignments }: Caller, environmentId: string | undefined): boolean {
    const { permission } = operation
    if (assignments === undefined) return false
    if (permission.kind !== 'role') return true
    const actor: Actor = { kind: 'application', environmentId: own, clientId: '', assignments }
    const place = environmentId
      ? { organizationId: stile.organizationId, environmentId }
      : { organizationId: stile.organizationId }
    if (!permission.population) return allows(actor, permission.permission, place)
    const populations = populationsAllowed(actor, permission.permission, place)
    return populations === 'all' || populations.length > 0
  }

  /** Whether the caller's token is one here at all. */
  function hasToken({ permission }: Operation, { assignments, isUser }: Caller): boolean {
    const isForApplications = permission.kind === 'role' && permission.applicationOnly === true
    return assignments !== undefined && !(isUser && isForApplications)
  }

  /** Whether the operation would change or delete the environment that the path itself names. */
  const changesEnvironment = (operation: Operation) =>
    operation.path.endsWith('{environmentId}') && operation.method !== 'GET'

  for (const operation of guarded) {
    const inEnvironment = operation.path.includes('{environmentId}')

    test(`${operation.method} ${operation.path} ${operation.mediaTypes?.[0] ?? ''}: every actor, own environment (N01)`, async () => {
      for (const caller of callers) {
        const allowed = isAllowed(operation, caller, inEnvironment ? own : undefined)
        if (allowed && changesEnvironment(operation)) continue
        const { status, text } = await call(operation, own, caller.token)
        if (allowed) assert.ok(![401, 405, 500].includes(status), `${caller.name}: ${status} ${text}`)
        else assert.equal(status, hasToken(operation, caller) ? 403 : 401, `${caller.name}: ${text}`)
        if (allowed && inEnvironment) assert.notEqual(status, 403, `${caller.name}: ${text}`)
      }
    })

    if (!inEnvironment) continue
    test(`${operation.method} ${operation.path} ${operation.mediaTypes?.[0] ?? ''}: other and no environment (N02)`, async () => {
      const known = callers.filter((caller) => hasToken(operation, caller))
      const elsewhere = known.filter(({ assignments }) => assignments?.every((one) => one.scopeEnvironmentId !== other))
      for (const caller of elsewhere) {
        const { status, text } = await call(operation, other, caller.token)
        assert.ok(
          status === 403 || (operation.permission.kind === 'bearer' && status < 500),
          `${caller.name}: ${status} ${text}`,
        )
      }
      for (const caller of known) {
        const { status, text } = await call(operation, randomUUID(), caller.token)
        assert.ok(status === 403 || status === 404, `${caller.name}: ${status} ${text}`)
      }
      assert.equal((await call(operation, randomUUID(), null)).status, 401)
    })
  }
})
