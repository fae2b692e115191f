/** Environments and their bill of materials (platform-api 2, 3.2; rows N02, N03, N14, N31, N34, A12). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { basic, type Stile } from '../harness/stile.ts'
import { echoOf, type Json } from './echo.ts'
import { workerBody } from './worker.ts'
import { administrator, onEachEngine } from './people.ts'

const uniqueName = () => `Environment ${randomUUID()}`

await onEachEngine('environments', (stile) => {
  const api = (...call: Parameters<Stile['api']>) => stile().api(...call)

  /** The body of a new environment of the demo organization. */
  async function wanted<P extends object>(properties: P = {} as P) {
    const { json } = await api('GET', '')
    return { name: uniqueName(), type: 'SANDBOX', region: 'EU', license: { id: json.license.id }, ...properties }
  }

  async function create(properties: Readonly<Record<string, unknown>> = {}): Promise<Json> {
    const { status, json, text } = await api('POST', '/v1/environments', await wanted(properties))
    assert.equal(status, 201, text)
    return json
  }

  test('are created whole: answer, location and everything clients look up instead of creating', async () => {
    const products = [
      { type: 'PING_ONE_MFA' },
      {
        type: 'PING_ONE_BASE',
        console: { href: 'https://console.example' },
        bookmarks: [{ name: 'A', href: 'https://a.example/x?y=1#z' }],
      },
      { type: 'PING_ONE_DAVINCI', tags: ['DAVINCI_MINIMAL'], description: 'Flows' },
    ]
    const body = await wanted({
      description: 'For tests',
      icon: 'https://a.example/i.png',
      billOfMaterials: { products, solutionType: 'CUSTOMER' },
    })
    const { status, json, headers } = await api('POST', '/v1/environments', body)
    assert.equal(status, 201)
    assert.equal(headers.get('location'), `${stile().apiUrl}/v1/environments/${json.id}`)
    assert.equal(json._links.self.href, headers.get('location'))
    const { id, organization, status: state, createdAt, updatedAt, billOfMaterials } = json
    const echoed = echoOf(json, 'organization', 'status', 'billOfMaterials')
    assert.deepEqual({ ...echoed, billOfMaterials: body.billOfMaterials }, body)
    assert.deepEqual(organization, { id: stile().organizationId })
    assert.equal(state, 'ACTIVE')
    assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.equal(updatedAt, createdAt)
    assert.deepEqual(
      billOfMaterials.products.map(({ id: _, ...product }: { id: string }) => product),
      products,
    )
    assert.equal(billOfMaterials.solutionType, 'CUSTOMER')

    const path = `/v1/environments/${id}`
    const list = async (child: string, key: string): Promise<Json[]> =>
      (await api('GET', `${path}/${child}`)).json._embedded[key]
    const resources = await list('resources', 'resources')
    assert.deepEqual(resources.map(({ name, type }) => `${name} ${type}`).toSorted(), [
      'PingOne API PINGONE_API',
      'openid OPENID_CONNECT',
    ])
    const scopesOf = async (type: string) =>
      list(`resources/${resources.find((one) => one.type === type).id}/scopes`, 'scopes')
    const openid: string[] = (await scopesOf('OPENID_CONNECT')).map(({ name }) => name)
    assert.deepEqual(openid.toSorted(), ['address', 'email', 'offline_access', 'openid', 'phone', 'profile'])
    const selfService = await scopesOf('PINGONE_API')
    assert.equal(selfService.length, 21)
    assert.ok(selfService.every(({ name }) => name.startsWith('p1:')))
    const policies = await list('signOnPolicies', 'signOnPolicies')
    assert.deepEqual(
      new Map(policies.map((each) => [each.name, each.default])),
      new Map([
        ['Single_Factor', true],
        ['Multi_Factor', false],
      ]),
    )
    const policy = policies.find((each) => each.default)
    const [standard, ...others] = await list('deviceAuthenticationPolicies', 'deviceAuthenticationPolicies')
    assert.deepEqual([standard.name, standard.default, others.length], ['Default MFA Policy', true, 0])
    const [action] = await list(`signOnPolicies/${policy.id}/actions`, 'actions')
    assert.deepEqual([action.type, action.priority, action.recovery], ['LOGIN', 1, { enabled: false }])
    assert.deepEqual(action.condition, {
      secondsSince: '${session.lastSignOn.withAuthenticator.pwd.at}',
      greater: 28_800,
    })
    const passwordPolicies = await list('passwordPolicies', 'passwordPolicies')
    assert.deepEqual(passwordPolicies.map((one) => `${one.name} ${one.default}`).toSorted(), [
      'Basic false',
      'Passphrase false',
      'Standard true',
    ])
    assert.deepEqual(await list('populations', 'populations'), [])
    const { json: jwks } = await stile().send(`/${id}/as/jwks`)
    assert.deepEqual(
      jwks.keys.map(({ alg }: { alg: string }) => alg),
      ['RS256'],
    )
  })

  test('have the one product of every environment when nobody names any', async () => {
    const { id, billOfMaterials } = await create()
    assert.deepEqual(
      billOfMaterials.products.map(({ type }: { type: string }) => type),
      ['PING_ONE_BASE'],
    )
    const { json } = await api('GET', `/v1/environments/${id}`)
    assert.equal(json.billOfMaterials, undefined)
    assert.equal(json.description, undefined)
    const expanded = await api('GET', `/v1/environments/${id}?expand=billOfMaterials`)
    assert.deepEqual(expanded.json.billOfMaterials, billOfMaterials)
  })

  test('make their creator administrator in the same unit', async () => {
    const creator = await administrator(stile(), {
      role: 'Organization Admin',
      type: 'ORGANIZATION',
      id: stile().organizationId,
    })
    const created = await api('POST', '/v1/environments', await wanted(), { token: creator })
    const path = `/v1/environments/${created.json.id}`
    const population = await api('POST', `${path}/populations`, { name: 'First' }, { token: creator })
    assert.equal(population.status, 201, population.text)
    const user = await api(
      'POST',
      `${path}/users`,
      { username: 'ann', population: { id: population.json.id } },
      { token: creator },
    )
    assert.equal(user.status, 201, user.text)
    const application = await api('POST', `${path}/applications`, workerBody('Worker'), { token: creator })
    assert.equal(application.status, 201, application.text)
  })

  test('of the same name: of 20 at once, one is created (N34, D9)', async () => {
    const body = await wanted()
    const answers = await Promise.all(Array.from({ length: 20 }, () => api('POST', '/v1/environments', body)))
    assert.equal(answers.filter(({ status }) => status === 201).length, 1)
    for (const { status, json } of answers.filter((answer) => answer.status !== 201)) {
      assert.equal(status, 400)
      assert.deepEqual(
        [json.code, json.details[0].code, json.details[0].target],
        ['INVALID_DATA', 'UNIQUENESS_VIOLATION', 'name'],
      )
    }
    const filter = encodeURIComponent(`name eq "${body.name}"`)
    assert.equal((await api('GET', `/v1/environments?filter=${filter}`)).json.size, 1)
  })

  test('are refused with the member that is wrong (A12)', async () => {
    const cases: readonly (readonly [string, Readonly<Record<string, unknown>>, string?])[] = [
      ['region', { region: 'MOON' }],
      ['type', { type: 'TEST' }],
      ['name', { name: '  ' }],
      ['name', { name: 'a\nb' }],
      ['name', { name: undefined }],
      ['license', { license: undefined }],
      ['license.id', { license: { id: randomUUID() } }],
      ['description', { description: '<b>bold' }],
      ['description', { description: '=1+1' }],
      ['icon', { icon: 'javascript:alert(1)' }],
      ['icon', { icon: 'data:text/html,x' }],
      ['billOfMaterials.products.0.type', { billOfMaterials: { products: [{ type: 'PING_ONE_MAGIC' }] } }],
      ['billOfMaterials.products', { billOfMaterials: { products: [{ type: 'PING_ID' }, { type: 'PING_ID' }] } }],
      [
        'billOfMaterials.products.0.console.href',
        { billOfMaterials: { products: [{ type: 'PING_ID', console: { href: 'javascript:1' } }] } },
      ],
    ]
    for (const [target, properties] of cases) {
      const { status, json } = await api('POST', '/v1/environments', await wanted(properties))
      assert.deepEqual(
        [status, json.code, json.details?.[0].target],
        [400, 'INVALID_DATA', target],
        JSON.stringify(json),
      )
    }
    const { json } = await api('POST', '/v1/environments', await wanted({ region: 'MOON' }))
    assert.deepEqual(json.details[0].innerError.allowedValues, ['AP', 'AU', 'CA', 'EU', 'NA', 'SG'])
  })

  test('ignore what only the server decides (N14)', async () => {
    const foreign = randomUUID()
    const readOnly = {
      id: foreign,
      organization: { id: foreign },
      createdAt: '2001-01-01T00:00:00.000Z',
      status: 'DELETE_PENDING',
      version: 7,
    }
    const created = await create(readOnly)
    assert.notEqual(created.id, foreign)
    assert.equal(created.organization.id, stile().organizationId)
    assert.equal(created.status, 'ACTIVE')
    const { json } = await api('PUT', `/v1/environments/${created.id}`, { ...(await wanted()), ...readOnly })
    assert.deepEqual(
      [json.id, json.organization.id, json.createdAt],
      [created.id, stile().organizationId, created.createdAt],
    )
  })

  test('are listed with filters, and only where the actor may read', async () => {
    const prefix = `Listed-${randomUUID()}`
    const first = await create({ name: `${prefix} one` })
    await create({ name: `${prefix} two` })
    const sizeOf = async (filter: string) =>
      (await api('GET', `/v1/environments?filter=${encodeURIComponent(filter)}`)).json.size
    assert.equal(await sizeOf(`name sw "${prefix}"`), 2)
    assert.equal(await sizeOf(`((name eq "${prefix} one"))`), 1)
    assert.equal(await sizeOf(`(name sw "${prefix}") AND (id eq "${first.id}")`), 1)
    assert.equal(await sizeOf(`name sw "${prefix}" and organization.id eq "${randomUUID()}"`), 0)
    const refused = await api('GET', `/v1/environments?filter=${encodeURIComponent('settings eq "x"')}`)
    assert.equal(refused.status, 400)
    assert.deepEqual(refused.json.details[0].innerError.supportedAttributes, [
      'name',
      'id',
      'organization.id',
      'license.id',
    ])

    const ofOne = await administrator(stile(), { role: 'Environment Admin', type: 'ENVIRONMENT', id: first.id })
    const seen = await api('GET', '/v1/environments', undefined, { token: ofOne })
    assert.deepEqual(
      seen.json._embedded.environments.map(({ id }: { id: string }) => id),
      [first.id],
    )
    const nobody = await administrator(stile())
    assert.equal((await api('GET', '/v1/environments', undefined, { token: nobody })).status, 403)
  })

  test('of somebody else stay out of reach, whatever headers and bodies say (N02, N03)', async () => {
    const own = await create()
    const foreign = await create()
    const token = await administrator(stile(), { role: 'Environment Admin', type: 'ENVIRONMENT', id: own.id })
    const headers = {
      'x-environment': own.id,
      'x-pingone-environment-id': own.id,
      'x-orgid': stile().organizationId,
      'x-http-method-override': 'GET',
    }
    const requests: readonly (readonly [string, string, unknown?])[] = [
      ['GET', ''],
      ['PUT', '', { ...(await wanted()), id: own.id, environment: { id: own.id } }],
      ['DELETE', ''],
      ['PUT', '/type', { type: 'PRODUCTION' }],
      ['GET', '/billOfMaterials'],
      ['PUT', '/billOfMaterials', { products: [] }],
      ['GET', '/settings'],
      ['PUT', '/settings', {}],
      ['POST', '/populations', { name: 'Mine', environment: { id: own.id } }],
    ]
    for (const [method, path, body] of requests) {
      const { status } = await api(method, `/v1/environments/${foreign.id}${path}`, body, { token, headers })
      assert.equal(status, 403, `${method} ${path}`)
      const unknown = await api(method, `/v1/environments/${randomUUID()}${path}`, body, { token, headers })
      assert.equal(unknown.status, 403, 'the same whether it exists or not')
    }
    assert.equal((await api('GET', `/v1/environments/${foreign.id}`)).json.updatedAt, foreign.updatedAt)

    const made = await api(
      'POST',
      `/v1/environments/${own.id}/populations`,
      { name: 'Mine', environment: { id: foreign.id } },
      { token, headers: { 'x-environment': foreign.id } },
    )
    assert.equal(made.status, 201)
    assert.equal(made.json.environment.id, own.id)
    assert.equal((await api('GET', `/v1/environments/${foreign.id}/populations`)).json.size, 0)
  })

  test('are replaced as a whole; region and type are not', async () => {
    const taken = await create()
    const before = await create({ description: 'Old', icon: 'https://a.example/i.png' })
    const path = `/v1/environments/${before.id}`
    const name = uniqueName()
    const { status, json } = await api('PUT', path, await wanted({ name }))
    assert.equal(status, 200)
    assert.deepEqual([json.name, json.description, json.icon], [name, undefined, undefined])
    assert.deepEqual((await api('GET', path)).json, json)
    assert.deepEqual((await api('GET', `${path}/billOfMaterials`)).json.products, before.billOfMaterials.products)

    const targetOf = async (properties: object) => {
      const answer = await api('PUT', path, await wanted({ ...properties }))
      assert.equal(answer.status, 400)
      return `${answer.json.details[0].code} ${answer.json.details[0].target}`
    }
    assert.equal(await targetOf({ region: 'NA' }), 'INVALID_VALUE region')
    assert.equal(await targetOf({ type: 'PRODUCTION' }), 'INVALID_VALUE type')
    assert.equal(await targetOf({ license: { id: randomUUID() } }), 'INVALID_VALUE license.id')
    assert.equal(await targetOf({ name: taken.name }), 'UNIQUENESS_VIOLATION name')
    assert.equal((await api('GET', path)).json.name, name)
  })

  test('are promoted to PRODUCTION and never back', async () => {
    const { id } = await create()
    const promote = (type: string) => api('PUT', `/v1/environments/${id}/type`, { type })
    assert.equal((await promote('SANDBOX')).json.type, 'SANDBOX')
    assert.equal((await promote('PRODUCTION')).json.type, 'PRODUCTION')
    const back = await promote('SANDBOX')
    assert.deepEqual([back.status, back.json.details[0].target], [400, 'type'])
    assert.equal((await api('GET', `/v1/environments/${id}`)).json.type, 'PRODUCTION')
  })

  test('have a bill of materials that is replaced, but for its solution', async () => {
    const bill = { solutionType: 'WORKFORCE', products: [{ type: 'PING_ONE_BASE' }, { type: 'PING_ONE_MFA' }] }
    const { id, billOfMaterials } = await create({ billOfMaterials: bill })
    const path = `/v1/environments/${id}/billOfMaterials`
    const products = [
      { type: 'PING_ONE_MFA' },
      { type: 'PING_ONE_RISK', bookmarks: [{ name: 'B', href: 'http://b.example' }] },
    ]
    const { status, json } = await api('PUT', path, { solutionType: 'CUSTOMER', products })
    assert.equal(status, 200)
    assert.equal(json.solutionType, 'WORKFORCE')
    assert.equal(json.environment.id, id)
    assert.deepEqual(
      json.products.map(({ id: _, ...product }: { id: string }) => product),
      products,
    )
    assert.equal(json.products[0].id, billOfMaterials.products[1].id, 'a product that stays keeps its id')
    assert.deepEqual((await api('GET', path)).json, json)
    const six = Array.from({ length: 6 }, (_, at) => ({ name: `${at}`, href: 'https://a.example' }))
    const twice = [
      { name: 'same', href: 'https://a.example' },
      { name: 'same', href: 'https://b.example' },
    ]
    for (const bookmarks of [six, twice, [{ name: 'n'.repeat(51), href: 'https://a.example' }]]) {
      const refused = await api('PUT', path, { products: [{ type: 'PING_ID', bookmarks }] })
      assert.equal(refused.status, 400)
      assert.ok(refused.json.details[0].target.startsWith('products.0.bookmarks'))
    }
  })

  test('that are deleted are gone everywhere at once, and nothing revives with their name (N31)', async () => {
    const before = await create()
    const path = `/v1/environments/${before.id}`
    const { json: worker } = await api('POST', `${path}/applications`, workerBody('Old worker'))
    const { json: secret } = await api('GET', `${path}/applications/${worker.id}/secret`)
    const form = () => ({
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      headers: { authorization: basic(worker.id, secret.secret) },
    })
    const roles = (await api('GET', '/v1/roles')).json._embedded.roles
    const admin = roles.find(({ name }: { name: string }) => name === 'Environment Admin').id
    const role = { role: { id: admin }, scope: { type: 'ENVIRONMENT', id: stile().environmentId } }
    assert.equal((await api('POST', `${path}/applications/${worker.id}/roleAssignments`, role)).status, 201)
    const token: string = (await stile().send(`/${before.id}/as/token`, form())).json.access_token
    assert.equal((await api('GET', '', undefined, { token })).status, 200)

    const deleted = await api('DELETE', path)
    assert.deepEqual([deleted.status, deleted.text], [204, ''])
    for (const child of [
      '',
      '/populations',
      '/applications',
      `/applications/${worker.id}`,
      '/settings',
      '/billOfMaterials',
    ]) {
      assert.equal((await api('GET', path + child)).status, 404, child)
    }
    assert.equal((await api('DELETE', path)).status, 404)
    assert.equal((await stile().send(`/${before.id}/as/jwks`)).status, 404)
    assert.equal((await stile().send(`/${before.id}/as/token`, form())).status, 404)
    assert.ok((await stile().send('/as/token', form())).status >= 400)
    assert.equal((await api('GET', '', undefined, { token })).status, 401, 'its tokens are worth nothing')
    const filter = encodeURIComponent(`name eq "${before.name}"`)
    assert.equal((await api('GET', `/v1/environments?filter=${filter}`)).json.size, 0)

    const after = await create({ name: before.name })
    assert.notEqual(after.id, before.id)
    assert.equal((await api('GET', `/v1/environments/${after.id}/applications`)).json.size, 0)
    assert.equal((await api('GET', '', undefined, { token })).status, 401)
    assert.equal((await stile().send(`/${after.id}/as/token`, form())).status, 401)
    assert.equal((await api('GET', path)).status, 404)
  })

  test('that hold the last Organization Admin are not deleted', async () => {
    const { status, json } = await api('DELETE', '')
    assert.deepEqual([status, json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
    assert.equal((await api('GET', '')).status, 200)
  })

  test('tell in the events of the actor that they were created and deleted', async () => {
    const { id } = await create()
    await api('DELETE', `/v1/environments/${id}`)
    const rows = await stile().node.kernel.storage.read<{ action: string; actor_client_id: string }>({
      text: 'SELECT action, actor_client_id FROM events WHERE environment_id = $1 AND subject_id = $2 ORDER BY recorded_at',
      values: [stile().environmentId, id],
    })
    assert.deepEqual(
      rows.map(({ action }) => action),
      ['ENVIRONMENT.CREATED', 'ENVIRONMENT.DELETED'],
    )
    assert.ok(rows.every(({ actor_client_id }) => actor_client_id === stile().worker.clientId))
  })
})
