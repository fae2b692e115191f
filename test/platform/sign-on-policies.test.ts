/** Sign-on policies over HTTP: platform-api 3.12.1; decision D20; rows N14, N34. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { signOnPolicyById } from '../../src/storage/sql/sign-on-policies.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { sentMembers } from './members.ts'
import { workerWith } from './worker.ts'

suite('sign-on policies', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const create = async (body: object) => {
    const answer = await stile.api('POST', '/signOnPolicies', body)
    assert.equal(answer.status, 201, answer.text)
    return answer.json
  }
  const all = async (): Promise<{ id: string; name: string; default: boolean }[]> =>
    (await stile.api('GET', '/signOnPolicies')).json._embedded.signOnPolicies
  const versionOf = async (id: string) => {
    const [row] = await stile.node.kernel.storage.read(signOnPolicyById(stile.environmentId, id))
    return row?.version
  }

  test('a new environment has Single_Factor as its default, and Multi_Factor', async () => {
    assert.deepEqual(
      new Map((await all()).map(({ name, default: isDefault }) => [name, isDefault])),
      new Map([
        ['Single_Factor', true],
        ['Multi_Factor', false],
      ]),
    )
  })

  test('are created, read, replaced, listed and deleted', async () => {
    const sent = { name: 'demo-policy', description: 'For the demo.', default: false }
    const created = await stile.api('POST', '/signOnPolicies', sent)
    assert.equal(created.status, 201, created.text)
    const { _links, id, environment } = created.json
    assert.deepEqual(sentMembers(created.json), sent)
    assert.deepEqual(environment, { id: stile.environmentId })
    assert.equal(created.headers.get('location'), _links.self.href)
    assert.deepEqual((await stile.api('GET', new URL(_links.actions.href).pathname)).json._embedded.actions, [])
    const path = `/signOnPolicies/${id}`
    assert.deepEqual((await stile.api('GET', path)).json, created.json)
    const replaced = await stile.api('PUT', path, { name: 'renamed' })
    assert.equal(replaced.status, 200, replaced.text)
    assert.deepEqual(
      [replaced.json.name, replaced.json.description, replaced.json.default],
      ['renamed', undefined, false],
    )
    assert.ok((await all()).some((one) => JSON.stringify(one) === JSON.stringify(replaced.json)))
    assert.equal((await stile.api('DELETE', path)).status, 204)
    assert.equal((await stile.api('DELETE', path)).status, 404)
    assert.equal((await stile.api('GET', `${path}/actions`)).status, 404)
  })

  test('D20: a new name is a new version; description and default are not', async () => {
    const { id } = await create({ name: 'versions' })
    assert.equal(await versionOf(id), 1)
    await stile.api('PUT', `/signOnPolicies/${id}`, { name: 'versions', description: 'Same name.' })
    assert.equal(await versionOf(id), 1)
    await stile.api('PUT', `/signOnPolicies/${id}`, { name: 'versions-2' })
    assert.equal(await versionOf(id), 2)
    const environment = await stile.node.kernel.environments.get(stile.environmentId)
    assert.ok(environment)
    const names = []
    for (const version of [1, 2])
      names.push((await stile.node.kernel.environments.policyVersion(environment, id, version))?.name)
    assert.deepEqual(names, ['versions', 'versions-2'], 'the first version is what it was')
  })

  test('names are unique and may be what acr values may be', async () => {
    await create({ name: 'taken' })
    const again = await stile.api('POST', '/signOnPolicies', { name: 'taken' })
    assert.deepEqual(
      [again.status, again.json.details[0].code, again.json.details[0].target],
      [400, 'UNIQUENESS_VIOLATION', 'name'],
    )
    const { id } = await create({ name: 'free' })
    const renamed = await stile.api('PUT', `/signOnPolicies/${id}`, { name: 'taken' })
    assert.equal(renamed.json.details[0].code, 'UNIQUENESS_VIOLATION')
    for (const name of ['A_b. -9', 'urn:example:mfa', 'https://app.test/acr/2']) await create({ name })
    for (const name of ['', 'a/b', 'ä', 'a\nb', ':', 'a b:c', 'http://', 'x'.repeat(257)]) {
      const { status, json } = await stile.api('POST', '/signOnPolicies', { name })
      assert.equal(status, 400, name)
      assert.equal(json.details[0].target, 'name')
    }
  })

  test('exactly one is the default: it moves, but cannot be switched off or deleted', async () => {
    const defaults = async () => (await all()).filter((one) => one.default).map(({ name }) => name)
    const [first] = (await all()).filter((one) => one.default)
    assert.ok(first)
    const next = await create({ name: 'next', default: true })
    assert.deepEqual(await defaults(), ['next'])
    const environment = await stile.node.kernel.environments.get(stile.environmentId)
    assert.equal(environment?.defaultPolicyId, next.id, 'in force at once')
    const off = await stile.api('PUT', `/signOnPolicies/${next.id}`, { name: 'next', default: false })
    assert.deepEqual([off.status, off.json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
    const deleted = await stile.api('DELETE', `/signOnPolicies/${next.id}`)
    assert.deepEqual([deleted.status, deleted.json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
    const silent = await stile.api('PUT', `/signOnPolicies/${next.id}`, { name: 'next' })
    assert.equal(silent.json.default, true)
    await Promise.all(
      [first, next, await create({ name: 'third' })].map(({ id, name }) =>
        stile.api('PUT', `/signOnPolicies/${id}`, { name, default: true }),
      ),
    )
    assert.equal((await defaults()).length, 1)
    await stile.api('PUT', `/signOnPolicies/${first.id}`, { name: first.name, default: true })
    assert.deepEqual(await defaults(), ['Single_Factor'])
    assert.equal((await stile.api('DELETE', `/signOnPolicies/${next.id}`)).status, 204)
  })

  test('one that an application uses cannot be deleted', async () => {
    const { id } = await create({ name: 'in-use' })
    const assignments = `/applications/${stile.webApp.clientId}/signOnPolicyAssignments`
    const assigned = await stile.api('POST', assignments, { priority: 1, signOnPolicy: { id } })
    assert.equal(assigned.status, 201, assigned.text)
    const refused = await stile.api('DELETE', `/signOnPolicies/${id}`)
    assert.deepEqual([refused.status, refused.json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
    await stile.api('DELETE', `${assignments}/${assigned.json.id}`)
    assert.equal((await stile.api('DELETE', `/signOnPolicies/${id}`)).status, 204)
  })

  test('nobody gets in by a policy without actions, signed on or not', async () => {
    const flow = async (cookie?: string) => {
      const parameters = new URLSearchParams({
        client_id: stile.webApp.clientId,
        response_type: 'code',
        response_mode: 'pi.flow',
        redirect_uri: stile.webApp.redirectUri,
        scope: 'openid',
      })
      const address = `/${stile.environmentId}/as/authorize?${parameters.toString()}`
      return stile.send(address, cookie === undefined ? {} : { headers: { cookie } })
    }
    const started = await flow()
    assert.equal(started.json.status, 'USERNAME_PASSWORD_REQUIRED', started.text)
    const signedOn = await stile.send(`/${stile.environmentId}/flows/${started.json.id}`, {
      mediaType: 'application/vnd.pingidentity.usernamePassword.check+json',
      body: { username: stile.user.username, password: stile.user.password },
    })
    assert.equal(signedOn.json.status, 'COMPLETED', signedOn.text)
    const cookie = signedOn.headers.getSetCookie().map((one) => one.split(';')[0])[0] ?? ''
    assert.match(cookie, /^ST=/)
    assert.equal((await flow(cookie)).json.status, 'COMPLETED', 'the session is enough for Single_Factor')

    const { id } = await create({ name: 'empty' })
    const assignments = `/applications/${stile.webApp.clientId}/signOnPolicyAssignments`
    const assigned = await stile.api('POST', assignments, { priority: 1, signOnPolicy: { id } })
    for (const answer of [await flow(), await flow(cookie)]) {
      assert.deepEqual([answer.status, answer.json.code], [403, 'ACCESS_FAILED'], answer.text)
      assert.match(answer.json.details[0].message, /sign-on policy could not be satisfied/)
    }
    await stile.api('DELETE', `${assignments}/${assigned.json.id}`)
  })

  test('N14: read-only members are ignored', async () => {
    const other = '0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f'
    const readOnly = { id: other, environment: { id: other }, createdAt: 'x', version: 7, actions: [{}], _links: {} }
    const made = await create({ name: 'assigned', ...readOnly })
    assert.notEqual(made.id, other)
    assert.equal(made.environment.id, stile.environmentId)
    assert.equal(await versionOf(made.id), 1)
    assert.deepEqual((await stile.api('GET', `/signOnPolicies/${made.id}/actions`)).json._embedded.actions, [])
  })

  test('are for readers to read and for administrators to change', async () => {
    const { token } = await workerWith(stile, 'Developer', 'Client Application Developer')
    assert.equal((await stile.api('GET', '/signOnPolicies', undefined, { token })).status, 200)
    assert.equal((await stile.api('POST', '/signOnPolicies', { name: 'forbidden' }, { token })).status, 403)
  })
})
