/** Sign-on policy assignments over HTTP: platform-api 3.9; rows N02, N04, N14. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { type Stile, startStile } from '../harness/stile.ts'
import { sentMembers } from './members.ts'

suite('sign-on policy assignments', () => {
  let stile: Stile
  let path: string
  before(async () => {
    stile = await startStile()
    path = `/applications/${stile.webApp.clientId}/signOnPolicyAssignments`
  })
  after(() => stile.close())

  const newPolicy = async (name: string): Promise<string> => {
    const answer = await stile.api('POST', '/signOnPolicies', { name })
    assert.equal(answer.status, 201, answer.text)
    return answer.json.id
  }
  const assign = async (policyId: string, priority: number) => {
    const answer = await stile.api('POST', path, { priority, signOnPolicy: { id: policyId } })
    assert.equal(answer.status, 201, answer.text)
    return answer.json
  }
  const inForce = async () => {
    const application = await stile.node.kernel.environments.application(stile.environmentId, stile.webApp.clientId)
    return application?.policyIds
  }

  test('are created, read, replaced, listed by priority and deleted, and in force at once', async () => {
    const [a, b, c] = [await newPolicy('a'), await newPolicy('b'), await newPolicy('c')]
    assert.deepEqual(await inForce(), [])
    const created = await stile.api('POST', path, { priority: 2, signOnPolicy: { id: a } })
    assert.equal(created.status, 201, created.text)
    const { _links, id, environment } = created.json
    const application = { id: stile.webApp.clientId }
    assert.deepEqual(sentMembers(created.json), { priority: 2, signOnPolicy: { id: a }, application })
    assert.deepEqual(environment, { id: stile.environmentId })
    assert.equal(created.headers.get('location'), _links.self.href)
    assert.deepEqual((await stile.api('GET', `${path}/${id}`)).json, created.json)
    const second = await assign(b, 1)
    assert.deepEqual(await inForce(), [b, a])

    const replaced = await stile.api('PUT', `${path}/${id}`, { priority: 1, signOnPolicy: { id: c } })
    assert.equal(replaced.status, 200, replaced.text)
    const listed = await stile.api('GET', path)
    assert.deepEqual(listed.json._embedded.signOnPolicyAssignments, [replaced.json, second], 'the older one first')
    assert.deepEqual(await inForce(), [c, b])

    assert.equal((await stile.api('DELETE', `${path}/${id}`)).status, 204)
    assert.equal((await stile.api('DELETE', `${path}/${id}`)).status, 404)
    await stile.api('DELETE', `${path}/${second.id}`)
    assert.deepEqual(await inForce(), [])
  })

  test('a policy is assigned once, on creation and replacement', async () => {
    const [one, two] = [await newPolicy('once'), await newPolicy('twice')]
    await assign(one, 1)
    const other = await assign(two, 2)
    const answers = [
      await stile.api('POST', path, { priority: 3, signOnPolicy: { id: one } }),
      await stile.api('PUT', `${path}/${other.id}`, { priority: 3, signOnPolicy: { id: one } }),
    ]
    for (const { status, json } of answers) {
      assert.equal(status, 400)
      assert.deepEqual([json.details[0].code, json.details[0].target], ['UNIQUENESS_VIOLATION', 'signOnPolicy'])
    }
  })

  test('what does not exist or is out of range is refused', async () => {
    const id = await newPolicy('ranges')
    const unknown = '0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f'
    const refused: readonly (readonly [object, string])[] = [
      [{ priority: 1, signOnPolicy: { id: unknown } }, 'signOnPolicy.id'],
      [{ priority: 0, signOnPolicy: { id } }, 'priority'],
      [{ priority: 1.5, signOnPolicy: { id } }, 'priority'],
      [{ signOnPolicy: { id } }, 'priority'],
      [{ priority: 1 }, 'signOnPolicy'],
    ]
    for (const [body, target] of refused) {
      const { status, json } = await stile.api('POST', path, body)
      assert.equal(status, 400, target)
      assert.equal(json.details[0].target, target)
    }
  })

  test('N04: an assignment is found through its own application alone', async () => {
    const id = await newPolicy('parents')
    const assignment = await assign(id, 9)
    const other = `/applications/${stile.nativeApp.clientId}/signOnPolicyAssignments/${assignment.id}`
    const body = { priority: 1, signOnPolicy: { id } }
    const nobody = '/applications/0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f/signOnPolicyAssignments'
    const answers = [
      await stile.api('GET', other),
      await stile.api('PUT', other, body),
      await stile.api('DELETE', other),
      await stile.api('GET', nobody),
      await stile.api('POST', nobody, body),
    ]
    for (const { status } of answers) assert.equal(status, 404)
    assert.equal((await stile.api('GET', `${path}/${assignment.id}`)).json.priority, 9)
  })

  test('N14: read-only members are ignored', async () => {
    const policyId = await newPolicy('assigned')
    const other = '0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f'
    const readOnly = { id: other, environment: { id: other }, application: { id: other }, _links: {} }
    const answer = await stile.api('POST', path, { priority: 5, signOnPolicy: { id: policyId }, ...readOnly })
    assert.equal(answer.status, 201, answer.text)
    assert.notEqual(answer.json.id, other)
    assert.equal(answer.json.application.id, stile.webApp.clientId)
    assert.equal(answer.json.environment.id, stile.environmentId)
  })
})
