/** Applications over HTTP: platform-api 3.7; rows A12, A18, N02, N04, N08, N10, N14, N17, N25, N31. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { insert } from '../../src/storage/operations.ts'
import { roleAssignmentsOf } from '../../src/storage/sql/access.ts'
import { grantType } from '../../src/environment/application.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { sentMembers } from './members.ts'
import { giveRole, workerBody, workerWith } from './worker.ts'

const webApp = {
  name: 'Orders',
  enabled: true,
  type: 'WEB_APP',
  protocol: 'OPENID_CONNECT',
  grantTypes: ['AUTHORIZATION_CODE'],
  responseTypes: ['CODE'],
  redirectUris: ['https://app.test/cb'],
  tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
}

/** What Terraform sends when its user is silent (platform-api 4.5). */
const terraformDefaults = {
  hiddenFromAppPortal: false,
  pkceEnforcement: 'S256_REQUIRED',
  allowWildcardInRedirectUris: false,
  additionalRefreshTokenReplayProtectionEnabled: true,
  assignActorRoles: false,
  deviceTimeout: 600,
  devicePollingInterval: 5,
  idpSignoff: false,
  includeX5t: false,
  opSessionCheckEnabled: false,
  parRequirement: 'OPTIONAL',
  parTimeout: 60,
  refreshTokenDuration: 2_592_000,
  refreshTokenRollingDuration: 15_552_000,
  requestScopesForMultipleResourcesEnabled: false,
  requireSignedRequestObject: false,
  supportUnsignedRequestObject: false,
}

suite('applications', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  let count = 0
  const create = async (change: object = {}) => {
    count += 1
    const answer = await stile.api('POST', '/applications', { ...webApp, name: `Application ${count}`, ...change })
    assert.equal(answer.status, 201, answer.text)
    return answer.json
  }
  const refusedWith = async (change: object) => {
    const answer = await stile.api('POST', '/applications', { ...webApp, name: 'Refused', ...change })
    assert.equal(answer.status, 400, answer.text)
    assert.equal(answer.json.code, 'INVALID_DATA')
    return answer.json.details[0]
  }

  test('are created, read, replaced and deleted; what was sent comes back', async () => {
    const sent = {
      ...webApp,
      ...terraformDefaults,
      description: 'Shows orders.',
      homePageUrl: 'https://app.test/#/home',
      loginPageUrl: 'https://login.app.test/',
      icon: { id: '7d6f2b40-1c2d-4e3f-8a9b-0c1d2e3f4a5b', href: 'https://app.test/icon.png' },
      corsSettings: { behavior: 'ALLOW_SPECIFIC_ORIGINS', origins: ['https://app.test'] },
    }
    const created = await stile.api('POST', '/applications', sent)
    assert.equal(created.status, 201, created.text)
    const { id, _links, environment, createdAt, updatedAt } = created.json
    assert.deepEqual(sentMembers(created.json), sent)
    assert.deepEqual(environment, { id: stile.environmentId })
    assert.equal(created.headers.get('location'), _links.self.href)
    assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.equal(updatedAt, createdAt)
    const relations = [
      'attributes',
      'environment',
      'grants',
      'roleAssignments',
      'secret',
      'self',
      'signOnPolicyAssignments',
    ]
    assert.deepEqual(Object.keys(_links).toSorted(), relations)
    for (const relation of relations) {
      assert.equal((await stile.api('GET', new URL(_links[relation].href).pathname)).status, 200, relation)
    }

    const read = await stile.api('GET', `/applications/${id}`)
    assert.deepEqual(read.json, created.json)
    const { loginPageUrl: _gone, ...kept } = sent
    const replaced = await stile.api('PUT', `/applications/${id}`, { ...kept, enabled: false })
    assert.equal(replaced.status, 200, replaced.text)
    assert.equal(replaced.json.enabled, false)
    assert.equal(replaced.json.loginPageUrl, undefined)
    assert.deepEqual((await stile.api('GET', `/applications/${id}`)).json, replaced.json)

    assert.equal((await stile.api('DELETE', `/applications/${id}`)).status, 204)
    assert.equal((await stile.api('DELETE', `/applications/${id}`)).status, 404)
    assert.equal((await stile.api('GET', `/applications/${id}`)).status, 404)
  })

  test('get the documented defaults; what was not sent and has none is left out; null means absent', async () => {
    const created = await create({
      description: null,
      redirectUris: null,
      postLogoutRedirectUris: [],
      corsSettings: null,
      mobile: null,
    })
    const { redirectUris: _none, ...sent } = { ...webApp, name: created.name }
    assert.deepEqual(sentMembers(created), { ...sent, ...terraformDefaults, pkceEnforcement: 'OPTIONAL' })
  })

  test('URLs are kept byte by byte', async () => {
    const redirectUris = [
      'HTTPS://App.Test/CB',
      'https://app.test',
      'https://app.test/%7Ex?b=1&a=2',
      'http://localhost:3000/cb',
    ]
    const { id } = await create({ redirectUris })
    assert.deepEqual((await stile.api('GET', `/applications/${id}`)).json.redirectUris, redirectUris)
  })

  test('are listed in pages that follow each other', async () => {
    await create()
    await create()
    const seen: string[] = []
    let next: string | undefined = '/applications?limit=2'
    while (next !== undefined) {
      const page = await stile.api('GET', next)
      assert.equal(page.status, 200, page.text)
      assert.ok(page.json.size <= 2)
      seen.push(...page.json._embedded.applications.map(({ id }: { id: string }) => id))
      const href: string | undefined = page.json._links.next?.href
      next = href && new URL(href).pathname + new URL(href).search
    }
    assert.equal(new Set(seen).size, seen.length)
    assert.ok(seen.includes(stile.webApp.clientId) && seen.includes(stile.worker.clientId))
  })

  test('D9: a name that is taken is a uniqueness violation, on creation and replacement, 1 of 10 at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => stile.api('POST', '/applications', { ...webApp, name: 'Only one' })),
    )
    assert.equal(answers.filter(({ status }) => status === 201).length, 1)
    for (const { json } of answers.filter(({ status }) => status !== 201)) {
      assert.equal(json.code, 'INVALID_DATA')
      assert.equal(json.details[0].code, 'UNIQUENESS_VIOLATION')
      assert.equal(json.details[0].target, 'name')
    }
    const { id } = await create()
    const renamed = await stile.api('PUT', `/applications/${id}`, { ...webApp, name: 'Only one' })
    assert.equal(renamed.status, 400)
    assert.equal(renamed.json.details[0].code, 'UNIQUENESS_VIOLATION')
  })

  test('A12: addresses that run or read something are refused wherever an application has one', async () => {
    const addresses = [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      'java\tscript:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'blob:https://app.test/1',
      'file:///etc/passwd',
      'about:blank',
    ]
    for (const address of addresses) {
      const places: Readonly<Record<string, object>> = {
        'redirectUris.0': { redirectUris: [address] },
        'postLogoutRedirectUris.0': { postLogoutRedirectUris: [address] },
        initiateLoginUri: { initiateLoginUri: address },
        targetLinkUri: { targetLinkUri: address },
        homePageUrl: { homePageUrl: address },
        loginPageUrl: { loginPageUrl: address },
        'icon.href': { icon: { id: '1', href: address } },
      }
      for (const [target, change] of Object.entries(places)) {
        for (const type of ['WEB_APP', 'NATIVE_APP']) {
          const detail = await refusedWith({ ...change, type })
          assert.equal(detail.target, target, address)
          assert.equal(detail.code, 'INVALID_VALUE')
        }
      }
    }
  })

  test('A18, D13: wildcards only with the switch, and only as a whole segment of a path', async () => {
    for (const uri of ['*', 'https://*', 'https://*.app.test/cb', 'https://app.test/*', 'https://app.test*']) {
      const detail = await refusedWith({ redirectUris: [uri] })
      assert.equal(detail.message, 'Wildcards are not allowed in redirect URIs.')
    }
    const allowWildcardInRedirectUris = true
    for (const uri of ['*', 'https://*', 'https://*.app.test/cb', 'https://app.test*', 'https://app.test/*/../cb']) {
      assert.equal((await refusedWith({ allowWildcardInRedirectUris, redirectUris: [uri] })).target, 'redirectUris.0')
    }
    const { redirectUris } = await create({ allowWildcardInRedirectUris, redirectUris: ['https://app.test/*'] })
    assert.deepEqual(redirectUris, ['https://app.test/*'])
    await create({ redirectUris: ['https://app.te.t/cb'] })
  })

  test('what this version has not is refused, with the values that are there', async () => {
    for (const grant of ['PASSWORD', 'SAML2_BEARER']) {
      const detail = await refusedWith({ grantTypes: ['AUTHORIZATION_CODE', grant] })
      assert.equal(detail.target, 'grantTypes.1')
      assert.equal(detail.code, 'INVALID_VALUE')
      assert.deepEqual(detail.innerError.allowedValues, grantType.options)
    }
    const promises: readonly (readonly [string, unknown])[] = [
      ['protocol', 'SAML'],
      ['type', 'PING_ONE_PORTAL'],
      ['jwks', '{"keys":[]}'],
      ['jwksUrl', 'ftp://app.test/jwks'],
      ['mobile', { bundleId: 'com.example' }],
      ['kerberos', { key: { id: '1' } }],
      ['template', {}],
      ['devicePathId', 'tv/1'],
      ['devicePathId', stile.webApp.clientId],
      ['deviceCustomVerificationUri', 'http://app.test/device'],
      ['clientId', '0123456789'],
    ]
    for (const [member, value] of promises) {
      const detail = await refusedWith({ [member]: value })
      assert.equal(detail.target, member)
      assert.equal(detail.code, 'INVALID_VALUE')
    }
    const admins = await refusedWith({ accessControl: { role: { type: 'EVERYBODY' } } })
    assert.deepEqual([admins.target, admins.code], ['accessControl.role.type', 'INVALID_VALUE'])
    assert.equal((await refusedWith({ refreshTokenDuration: 59 })).code, 'OUT_OF_RANGE')
    const { refreshTokenDuration, tags } = await create({
      refreshTokenDuration: 60,
      tags: ['PING_FED_CONNECTION_INTEGRATION'],
    })
    assert.equal(refreshTokenDuration, 60)
    assert.deepEqual(tags, ['PING_FED_CONNECTION_INTEGRATION'])
  })

  test('D14, N17: a public client gets S256 where nothing is said, on replacement too', async () => {
    const sent = { type: 'SINGLE_PAGE_APP', tokenEndpointAuthMethod: 'NONE' }
    const { id, name, pkceEnforcement, _links } = await create({ ...sent, pkceEnforcement: 'OPTIONAL' })
    assert.equal(pkceEnforcement, 'OPTIONAL')
    assert.equal(_links.secret, undefined)
    const replaced = await stile.api('PUT', `/applications/${id}`, { ...webApp, name, ...sent })
    assert.equal(replaced.json.pkceEnforcement, 'S256_REQUIRED')
    const { tokenEndpointAuthMethod: _absent, ...withoutMethod } = { ...webApp, name, ...sent }
    const refused = await stile.api('PUT', `/applications/${id}`, withoutMethod)
    assert.equal(refused.status, 400)
    assert.equal(refused.json.details[0].target, 'tokenEndpointAuthMethod')
  })

  test('the page for user codes: its name is one application’s, comes back, and is free once it is given up', async () => {
    const tv = { grantTypes: ['DEVICE_CODE'], responseTypes: [] }
    const members = { devicePathId: 'tv-1', deviceCustomVerificationUri: 'https://tv.test/go', deviceTimeout: 60 }
    const { id, name, ...made } = await create({ ...tv, ...members, devicePollingInterval: 1 })
    assert.deepEqual(
      [made.devicePathId, made.deviceCustomVerificationUri, made.deviceTimeout, made.devicePollingInterval],
      ['tv-1', 'https://tv.test/go', 60, 1],
    )
    const taken = await refusedWith({ ...tv, devicePathId: 'tv-1' })
    assert.deepEqual([taken.code, taken.target], ['UNIQUENESS_VIOLATION', 'devicePathId'])
    const other = await create({ ...tv, devicePathId: 'TV-1' })
    const rename = (body: object) => stile.api('PUT', `/applications/${other.id}`, { ...other, ...body })
    assert.equal((await rename({ devicePathId: 'tv-1' })).json.details[0].code, 'UNIQUENESS_VIOLATION')
    const kept = await stile.api('PUT', `/applications/${id}`, { ...webApp, name, ...tv, devicePathId: 'tv-1' })
    assert.deepEqual([kept.status, kept.json.deviceTimeout], [200, 600], kept.text)
    assert.equal((await stile.api('DELETE', `/applications/${id}`)).status, 204)
    assert.equal((await rename({ devicePathId: 'tv-1' })).status, 200)
    assert.equal((await rename({ devicePathId: null })).json.devicePathId, undefined)
    await create({ ...tv, devicePathId: 'tv-1' })
    assert.equal((await refusedWith({ deviceTimeout: 3601 })).code, 'OUT_OF_RANGE')
    assert.equal((await refusedWith({ devicePollingInterval: 0 })).code, 'OUT_OF_RANGE')
  })

  test('type cannot be changed', async () => {
    const { id, name } = await create()
    const answer = await stile.api('PUT', `/applications/${id}`, { ...webApp, name, type: 'SINGLE_PAGE_APP' })
    assert.equal(answer.status, 400)
    assert.equal(answer.json.details[0].target, 'type')
  })

  test('N14: read-only members are ignored, and so are unknown ones', async () => {
    const other = '0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f'
    const change = {
      id: other,
      environment: { id: other },
      createdAt: '2001-01-01T00:00:00.000Z',
      updatedAt: '2001-01-01T00:00:00.000Z',
      clientSecret: 'CANARY-secret-of-the-client',
      version: 99,
      _links: { self: { href: 'https://evil.test/' } },
      _embedded: { grants: [] },
      whatever: true,
    }
    const created = await create(change)
    assert.notEqual(created.id, other)
    assert.equal(created.environment.id, stile.environmentId)
    const read = (await stile.api('GET', `/applications/${created.id}`)).json
    const replaced = (await stile.api('PUT', `/applications/${created.id}`, { ...read, ...change })).json
    for (const { json } of [{ json: created }, { json: read }, { json: replaced }]) {
      assert.doesNotMatch(json.createdAt, /^2001/)
      assert.doesNotMatch(json.updatedAt, /^2001/)
      assert.ok(json._links.self.href.endsWith(`/applications/${created.id}`))
      assert.equal(json.whatever, undefined)
      assert.equal(json.clientSecret, undefined)
    }
    const secret = (await stile.api('GET', `/applications/${created.id}/secret`)).json.secret
    assert.notEqual(secret, change.clientSecret)
  })

  test('assignActorRoles gives a new worker the roles of its creator, and only a worker, and only once', async () => {
    const refused = await stile.api('POST', '/applications', { ...webApp, name: 'No worker', assignActorRoles: true })
    assert.equal(refused.json.details[0].target, 'assignActorRoles')
    const developer = await workerWith(stile, 'Developer with heirs', 'Client Application Developer')
    const body = { ...workerBody('Heir'), assignActorRoles: true }
    const created = await stile.api('POST', '/applications', body, { token: developer.token })
    assert.equal(created.status, 201, created.text)
    assert.equal(created.json.assignActorRoles, true)
    const roles = async (id: string) => {
      const { json } = await stile.api('GET', `/applications/${id}/roleAssignments`)
      return json._embedded.roleAssignments.map((one: { role: object; scope: object }) => [one.role, one.scope])
    }
    assert.equal((await roles(created.json.id)).length, 1)
    assert.deepEqual(await roles(created.json.id), await roles(developer.id))
    const replaced = await stile.api('PUT', `/applications/${created.json.id}`, { ...body, assignActorRoles: false })
    assert.equal(replaced.json.assignActorRoles, true)
    assert.equal((await roles(created.json.id)).length, 1)
  })

  test('N10: who does not hold the roles of an application can neither change nor delete it', async () => {
    const developer = await workerWith(stile, 'Developer', 'Client Application Developer')
    const strong = await workerWith(stile, 'Strong', 'Environment Admin')
    const { id } = (await stile.api('POST', '/applications', workerBody('Nobody yet'))).json
    const as = { token: developer.token }
    assert.equal((await stile.api('PUT', `/applications/${id}`, workerBody('Nobody yet'), as)).status, 200)
    await giveRole(stile, id, 'Identity Data Admin')
    for (const target of [strong.id, id]) {
      const calls = [
        await stile.api(
          'PUT',
          `/applications/${target}`,
          { ...workerBody('Mine'), redirectUris: ['https://evil.test/'] },
          as,
        ),
        await stile.api('DELETE', `/applications/${target}`, undefined, as),
        await stile.api('POST', `/applications/${target}/grants`, { resource: { id }, scopes: [{ id }] }, as),
        await stile.api(
          'POST',
          `/applications/${target}/signOnPolicyAssignments`,
          { priority: 1, signOnPolicy: { id } },
          as,
        ),
      ]
      for (const { status, json } of calls) {
        assert.equal(status, 403)
        assert.equal(json.code, 'ACCESS_FAILED')
      }
    }
    assert.equal((await stile.api('GET', `/applications/${strong.id}`, undefined, as)).json.name, 'Strong')
  })

  test('N08: a worker that people sign on to is made and changed only by who may give roles', async () => {
    const developer = await workerWith(stile, 'Developer of workers', 'Client Application Developer')
    const as = { token: developer.token }
    const adminConsole = { ...workerBody('Console'), grantTypes: ['AUTHORIZATION_CODE'], responseTypes: ['CODE'] }
    assert.equal((await stile.api('POST', '/applications', adminConsole, as)).status, 403)
    const made = await stile.api('POST', '/applications', adminConsole)
    assert.equal(made.status, 201)
    const path = `/applications/${made.json.id}`
    assert.equal(
      (await stile.api('PUT', path, { ...adminConsole, redirectUris: ['https://evil.test/'] }, as)).status,
      403,
    )
    assert.equal((await stile.api('GET', `${path}/secret`, undefined, as)).status, 403)
    const plain = await stile.api('POST', '/applications', workerBody('Plain worker'), as)
    assert.equal(plain.status, 201)
    assert.equal(
      (await stile.api('PUT', `/applications/${plain.json.id}`, { ...adminConsole, name: 'Turned' }, as)).status,
      403,
    )
    const administrator = await workerWith(stile, 'Environment admin', 'Environment Admin')
    assert.equal((await stile.api('PUT', path, adminConsole, { token: administrator.token })).status, 200)
  })

  test('N25: no secret in any answer but that of its own endpoint', async () => {
    const { id, name } = await create()
    const { secret } = (await stile.api('GET', `/applications/${id}/secret`)).json
    assert.match(secret, /^[a-zA-Z0-9._~-]{64,}$/)
    const answers = [
      await stile.api('GET', `/applications/${id}`),
      await stile.api('GET', '/applications?limit=1000'),
      await stile.api('PUT', `/applications/${id}`, { ...webApp, name }),
      await stile.api('PUT', `/applications/${id}`, { ...webApp, name, homePageUrl: 'javascript:1' }),
    ]
    for (const { text } of answers) assert.ok(!text.includes(secret) && !/"(secret|hash|sealed)":"/i.test(text))
    assert.equal((await stile.api('GET', `/applications/${id}/secret`)).json.secret, secret)
  })

  test('N02: an application of another environment is not there', async () => {
    const { organizationId } = stile
    const { json: licenses } = await stile.api('GET', `/v1/organizations/${organizationId}/licenses`)
    const made = await stile.api('POST', '/v1/environments', {
      name: 'Elsewhere',
      type: 'SANDBOX',
      region: 'EU',
      license: { id: licenses._embedded.licenses[0].id },
    })
    assert.equal(made.status, 201, made.text)
    const elsewhere = `/v1/environments/${made.json.id}/applications`
    const never = await stile.api('GET', `${elsewhere}/0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f`)
    assert.equal(never.status, 404)
    const path = `${elsewhere}/${stile.webApp.clientId}`
    for (const answer of [
      await stile.api('GET', path),
      await stile.api('DELETE', path),
      await stile.api('PUT', path, webApp),
    ]) {
      assert.equal(answer.status, 404)
      const { id: _one, ...body } = answer.json
      const { id: _other, ...reference } = never.json
      assert.deepEqual(body, reference)
    }
    const own = await stile.api('POST', elsewhere, { ...webApp, name: 'Demo web application' })
    assert.equal(own.status, 201, 'the same name in another environment')
  })

  test('N31: nothing of a deleted application works any more', async () => {
    const worker = await workerWith(stile, 'Doomed', 'Configuration Read Only')
    const as = { token: worker.token }
    assert.equal((await stile.api('GET', '/resources', undefined, as)).status, 200)
    const { secret } = (await stile.api('GET', `/applications/${worker.id}/secret`)).json
    const { storage, world } = stile.node.kernel
    const family = { environment_id: stile.environmentId, id: world.uuid() }
    const times = { created_at: world.now(), expires_at: world.now() + 60_000 }
    const issued = {
      client_id: worker.id,
      user_id: stile.user.id,
      session_id: world.uuid(),
      scope: 'openid',
      document: '{}',
    }
    await storage.commit({
      name: 'issue-for-test',
      run: () => insert('token_families', { ...family, ...issued, generation: 1, ...times }),
    })
    assert.equal((await stile.api('DELETE', `/applications/${worker.id}`)).status, 204)
    const [revoked] = await storage.read<{ revoked_at: number | null }>({
      text: 'SELECT revoked_at FROM token_families WHERE environment_id = $1 AND id = $2',
      values: [stile.environmentId, family.id],
    })
    assert.equal(typeof revoked?.revoked_at, 'number')
    assert.deepEqual(await storage.read(roleAssignmentsOf(stile.environmentId, worker.id)), [])
    assert.equal(await stile.node.kernel.environments.environmentOfClient(worker.id), undefined)
    assert.equal((await stile.api('GET', '/resources', undefined, as)).status, 401)
    const token = await stile.send(`/${stile.environmentId}/as/token`, {
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      headers: { authorization: basic(worker.id, secret) },
    })
    assert.equal(token.status, 401)
    for (const child of ['secret', 'grants', 'signOnPolicyAssignments', 'roleAssignments']) {
      assert.equal((await stile.api('GET', `/applications/${worker.id}/${child}`)).status, 404, child)
    }
    const again = await stile.api('POST', '/applications', workerBody('Doomed'))
    assert.notEqual(again.json.id, worker.id)
    const { json } = await stile.api('GET', `/applications/${again.json.id}/roleAssignments`)
    assert.deepEqual(json._embedded.roleAssignments, [])
  })

  test('N12: the last Organization Admin cannot be deleted', async () => {
    const answer = await stile.api('DELETE', `/applications/${stile.worker.clientId}`)
    assert.equal(answer.status, 400)
    assert.equal(answer.json.details[0].code, 'CONSTRAINT_VIOLATION')
    assert.equal((await stile.api('GET', `/applications/${stile.worker.clientId}`)).status, 200)
  })

  test('a disabled application gets no token, at once', async () => {
    const { id } = (await stile.api('POST', '/applications', workerBody('Switched off'))).json
    const { secret } = (await stile.api('GET', `/applications/${id}/secret`)).json
    const token = () =>
      stile.send(`/${stile.environmentId}/as/token`, {
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { authorization: basic(id, secret) },
      })
    assert.equal((await token()).status, 200)
    await stile.api('PUT', `/applications/${id}`, { ...workerBody('Switched off'), enabled: false })
    assert.equal((await token()).status, 401)
  })
})
