/** Groups at sign-on: applications that let only members in, and conditions of policies. Decision D24; rows J16, J23. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { startOpenIdProvider } from '../harness/openid-provider.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { assign, newApplication, newPerson, newPolicy, type Person, rows } from './arrange.ts'
import { comeBack, newIdentityProvider } from './external.ts'
import { watchStorage } from './watch-storage.ts'

suite('groups at sign-on', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const newGroup = async (properties: object = {}): Promise<string> => {
    const { status, json, text } = await stile.api('POST', '/groups', { name: `Group ${randomUUID()}`, ...properties })
    assert.equal(status, 201, text)
    return json.id as string
  }
  const put = async ({ id }: Person, groupId: string) => {
    const { status, text } = await stile.api('POST', `/users/${id}/memberOfGroups`, { id: groupId })
    assert.equal(status, 201, text)
  }
  const takeOut = ({ id }: Person, groupId: string) => stile.api('DELETE', `/users/${id}/memberOfGroups/${groupId}`)
  const letIn = (type: 'ANY_GROUP' | 'ALL_GROUPS', ...groups: string[]) =>
    newApplication(stile, { accessControl: { group: { type, groups: groups.map((id) => ({ id })) } } })
  const inGroup = (includes: string) => ({ value: '${user.memberOfGroups.id}', includes }) as const
  const authorize = (browser: Browser, clientId: string, more: Record<string, string> = {}) =>
    browser.authorize(piFlowRequest(stile, pkce().challenge, { client_id: clientId, ...more }))
  const signOn = async (clientId: string, { username, password }: Person, browser = new Browser(stile)) => {
    const begun = await authorize(browser, clientId)
    assert.equal(begun.status, 200, begun.text)
    const { json } = await browser.act(begun.json.id, 'usernamePassword.check', { username, password })
    return { browser, flow: json }
  }

  test('an application lets members of its groups in and nobody else', async () => {
    const [staff, board] = [await newGroup(), await newGroup()]
    const nested = await newGroup()
    await stile.api('POST', `/groups/${nested}/memberOfGroups`, { id: staff })
    const [any, all] = [await letIn('ANY_GROUP', staff, board), await letIn('ALL_GROUPS', staff, board)]
    const [stranger, member, both] = [await newPerson(stile), await newPerson(stile), await newPerson(stile)]
    await put(member, nested)
    await put(both, nested)
    await put(both, board)
    for (const [person, inAny, inAll] of [
      [stranger, false, false],
      [member, true, false],
      [both, true, true],
    ] as const) {
      for (const [clientId, isMember] of [
        [any, inAny],
        [all, inAll],
      ] as const) {
        const { flow } = await signOn(clientId, person)
        assert.equal(flow.status, isMember ? 'COMPLETED' : 'FAILED', `${person.username} at ${clientId}`)
        if (!isMember) assert.equal(flow.error.code, 'APPLICATION_ACCESS_DENIED')
      }
    }
  })

  test('an application for administrators lets in who holds a role, as long as they do', async () => {
    const clientId = await newApplication(stile, { accessControl: { role: { type: 'ADMIN_USERS_ONLY' } } })
    const person = await newPerson(stile)
    assert.equal((await signOn(clientId, person)).flow.error?.code, 'APPLICATION_ACCESS_DENIED')
    const roles = await stile.api('GET', '/v1/roles')
    const role = roles.json._embedded.roles.find(({ name }: { name: string }) => name === 'Environment Admin')
    const scope = { id: stile.environmentId, type: 'ENVIRONMENT' }
    const given = await stile.api('POST', `/users/${person.id}/roleAssignments`, { role: { id: role.id }, scope })
    assert.equal(given.status, 201, given.text)
    const { browser, flow } = await signOn(clientId, person)
    assert.equal(flow.status, 'COMPLETED')
    await stile.api('DELETE', `/users/${person.id}/roleAssignments/${given.json.id}`)
    assert.equal((await browser.resume(flow.id)).status, 403)
  })

  test('whoever is kept out is told access_denied, gets no session, and the event says why', async () => {
    const clientId = await letIn('ANY_GROUP', await newGroup())
    const stranger = await newPerson(stile)
    const { browser, flow } = await signOn(clientId, stranger)
    const resumed = await browser.resume(flow.id)
    assert.equal(resumed.status, 403)
    assert.equal(resumed.json.code, 'ACCESS_FAILED')
    assert.deepEqual(await rows(stile, 'sessions', 'user_id = $2', stranger.id), [])
    const [event] = await rows<{ document: string }>(
      stile,
      'events',
      `action = 'FLOW.FAILED' AND subject_id = $2`,
      flow.id,
    )
    assert.equal(JSON.parse(event?.document ?? '{}').reason, 'access-denied')
  })

  test('by redirect the browser goes back with access_denied', async () => {
    const redirectUri = 'https://app.example.com/callback'
    const clientId = await letIn('ANY_GROUP', await newGroup())
    const stranger = await newPerson(stile)
    const browser = new Browser(stile)
    const begun = await browser.authorize({
      client_id: clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'openid',
      state: 'kept',
      code_challenge: pkce().challenge,
      code_challenge_method: 'S256',
    })
    const flowId = new URL(begun.headers.get('location') ?? '').searchParams.get('flowId') ?? ''
    const { username, password } = stranger
    await browser.act(flowId, 'usernamePassword.check', { username, password })
    const back = new URL((await browser.resume(flowId)).headers.get('location') ?? '')
    assert.ok(back.href.startsWith(redirectUri))
    assert.deepEqual([back.searchParams.get('error'), back.searchParams.get('state')], ['access_denied', 'kept'])
  })

  test('a session of another application is no way in, and a member who is taken out is kept out at once', async () => {
    const group = await newGroup()
    const clientId = await letIn('ANY_GROUP', group)
    const person = await newPerson(stile)
    const { browser } = await signOn(await newApplication(stile), person)
    const refused = await authorize(browser, clientId)
    assert.deepEqual([refused.status, refused.json.code], [403, 'ACCESS_FAILED'])
    await put(person, group)
    assert.ok((await authorize(browser, clientId)).json.authorizeResponse.code)
    await takeOut(person, group)
    assert.equal((await authorize(browser, clientId)).status, 403)
  })

  test('a completed flow is not resumed for somebody who was taken out meanwhile', async () => {
    const group = await newGroup()
    const clientId = await letIn('ALL_GROUPS', group)
    const person = await newPerson(stile)
    await put(person, group)
    const { browser, flow } = await signOn(clientId, person)
    assert.equal(flow.status, 'COMPLETED')
    await takeOut(person, group)
    assert.equal((await browser.resume(flow.id)).status, 403)
    await put(person, group)
    assert.equal((await browser.resume(flow.id)).status, 404)
  })

  test('members by filter are let in', async () => {
    const person = await newPerson(stile)
    const clientId = await letIn('ANY_GROUP', await newGroup({ userFilter: `email sw "${person.username}"` }))
    assert.equal((await signOn(clientId, person)).flow.status, 'COMPLETED')
    assert.equal((await signOn(clientId, await newPerson(stile))).flow.status, 'FAILED')
  })

  test('somebody who is made on first sign-on at a provider is judged by what was just said of them', async () => {
    const provider = await startOpenIdProvider()
    try {
      const providerId = await newIdentityProvider(stile, provider)
      const policy = await newPolicy(stile, {
        type: 'IDENTITY_PROVIDER',
        identityProvider: { id: providerId },
        registration: { enabled: true },
      })
      const sub = `${randomUUID()}@example.com`
      const insiders = await newGroup({ userFilter: `username eq "${sub}"` })
      const board = await newGroup()
      for (const [group, status] of [
        [insiders, 'COMPLETED'],
        [board, 'FAILED'],
      ] as const) {
        const clientId = await letIn('ANY_GROUP', group)
        await assign(stile, clientId, policy)
        provider.user = { sub, email: sub, email_verified: true }
        const browser = new Browser(stile)
        const { id } = (await authorize(browser, clientId)).json
        assert.equal((await comeBack(browser, id, providerId, provider)).status, status)
      }
    } finally {
      await provider.close()
    }
  })

  test('a policy asks members of a group for more, and reads groups only then', async () => {
    const group = await newGroup()
    const asking = await newPolicy(
      stile,
      { type: 'LOGIN' },
      { type: 'MULTI_FACTOR_AUTHENTICATION', condition: inGroup(group) },
    )
    const [clientId, plain] = [await newApplication(stile), await newApplication(stile)]
    await assign(stile, clientId, asking)
    const [outsider, member] = [await newPerson(stile), await newPerson(stile)]
    await put(member, group)
    const watch = watchStorage(stile.node.kernel)
    try {
      assert.equal((await signOn(clientId, outsider)).flow.status, 'COMPLETED')
      const groupReads = () => watch.reads.filter((text) => /\bgroups\b/.test(text)).length
      assert.equal(groupReads(), 2)
      watch.clear()
      // Nobody has a device here: who is asked for one cannot go on.
      const { flow } = await signOn(clientId, member)
      assert.deepEqual([flow.status, flow.error.code], ['FAILED', 'NO_USABLE_DEVICES'])
      assert.equal(groupReads(), 2)
      watch.clear()
      assert.equal((await signOn(plain, member)).flow.status, 'COMPLETED')
      assert.equal(groupReads(), 0)
    } finally {
      watch.stop()
    }
  })

  test('D7: a wrong password and a name alone cause no reads of groups', async () => {
    const group = await newGroup()
    const policy = await newPolicy(
      stile,
      { type: 'IDENTIFIER_FIRST' },
      { type: 'LOGIN' },
      { type: 'MULTI_FACTOR_AUTHENTICATION', condition: inGroup(group) },
    )
    const clientId = await newApplication(stile)
    await assign(stile, clientId, policy)
    const person = await newPerson(stile)
    const browser = new Browser(stile)
    const { id } = (await authorize(browser, clientId)).json
    const watch = watchStorage(stile.node.kernel)
    try {
      await browser.act(id, 'user.lookup', { username: person.username })
      await browser.act(id, 'usernamePassword.check', { username: person.username, password: 'wrong' })
      assert.deepEqual(
        watch.reads.filter((text) => /\bgroups\b/.test(text)),
        [],
      )
    } finally {
      watch.stop()
    }
  })

  test('unknown groups are refused where a policy or an application names them', async () => {
    const policy = await newPolicy(stile, { type: 'LOGIN' })
    const action = { type: 'LOGIN', priority: 2, condition: { not: inGroup(randomUUID()) } }
    const refused = await stile.api('POST', `/signOnPolicies/${policy.id}/actions`, action)
    assert.deepEqual([refused.status, refused.json.details[0].target], [400, 'condition'])
    assert.equal((await stile.api('GET', `/signOnPolicies/${policy.id}/actions`)).json.count, 1)

    const accessControl = { group: { type: 'ANY_GROUP', groups: [{ id: await newGroup() }, { id: randomUUID() }] } }
    const body = {
      name: `Application ${randomUUID()}`,
      enabled: true,
      type: 'WEB_APP',
      protocol: 'OPENID_CONNECT',
      grantTypes: ['AUTHORIZATION_CODE'],
      tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
    }
    const app = await stile.api('POST', '/applications', { ...body, accessControl })
    assert.deepEqual([app.status, app.json.details[0].target], [400, 'accessControl.group.groups'])
    const none = await stile.api('POST', '/applications', {
      ...body,
      accessControl: { group: { type: 'ALL_GROUPS', groups: [] } },
    })
    assert.equal(none.status, 400)
  })

  test('a group in use is not deleted; once nothing names it, it is', async () => {
    const group = await newGroup()
    const policy = await newPolicy(stile, { type: 'LOGIN' }, { type: 'LOGIN', condition: { not: inGroup(group) } })
    const clientId = await letIn('ANY_GROUP', group)
    const refused = async () => {
      const { status, json } = await stile.api('DELETE', `/groups/${group}`)
      assert.deepEqual([status, json.code, json.details[0].code], [400, 'REQUEST_FAILED', 'CONSTRAINT_VIOLATION'])
      return json.details[0].message as string
    }
    assert.match(await refused(), /sign-on policy/)
    await stile.api('DELETE', `/signOnPolicies/${policy.id}/actions/${policy.actions[1]}`)
    assert.match(await refused(), /application/)
    const {
      _links,
      id: _id,
      environment: _environment,
      ...application
    } = (await stile.api('GET', `/applications/${clientId}`)).json
    assert.deepEqual(application.accessControl, { group: { type: 'ANY_GROUP', groups: [{ id: group }] } })
    const { accessControl: _rule, ...open } = application
    const changed = await stile.api('PUT', `/applications/${clientId}`, open)
    assert.deepEqual([changed.status, changed.json.accessControl], [200, undefined])
    assert.equal((await stile.api('DELETE', `/groups/${group}`)).status, 204)
  })

  test('an application that is deleted lets go of its groups', async () => {
    const group = await newGroup()
    const clientId = await letIn('ANY_GROUP', group)
    await stile.api('DELETE', `/applications/${clientId}`)
    assert.equal((await stile.api('DELETE', `/groups/${group}`)).status, 204)
  })
})
