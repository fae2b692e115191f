/** Actions of sign-on policies over HTTP: platform-api 3.12.2, 3.12.3, 4.8; decision D20; rows N04, N14, J23. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { signOnPolicyById } from '../../src/storage/sql/sign-on-policies.ts'
import { actions } from '../../src/flow/actions/index.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { sentMembers } from './members.ts'

const login = { type: 'LOGIN', priority: 1 }
const endpoint = 'https://hook.example/judge'
const since = { secondsSince: '${session.lastSignOn.withAuthenticator.pwd.at}', greater: 3600 }
const population = { value: '${user.population.id}', equals: '0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f' }

suite('sign-on policy actions', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const newPolicy = async (name: string): Promise<string> => {
    const answer = await stile.api('POST', '/signOnPolicies', { name })
    assert.equal(answer.status, 201, answer.text)
    return answer.json.id
  }
  const add = async (policyId: string, body: object) => {
    const answer = await stile.api('POST', `/signOnPolicies/${policyId}/actions`, body)
    assert.equal(answer.status, 201, answer.text)
    return answer.json
  }
  const listed = async (policyId: string): Promise<{ id: string; priority: number }[]> =>
    (await stile.api('GET', `/signOnPolicies/${policyId}/actions`)).json._embedded.actions
  const stored = async (policyId: string) => {
    const [row] = await stile.node.kernel.storage.read(signOnPolicyById(stile.environmentId, policyId))
    assert.ok(row)
    return row
  }

  test('are added, read, replaced, listed in order and removed; what was sent comes back', async () => {
    const policyId = await newPolicy('order')
    const sent = {
      ...login,
      priority: 2,
      recovery: { enabled: false },
      condition: { or: [since, { not: population }] },
    }
    const created = await stile.api('POST', `/signOnPolicies/${policyId}/actions`, sent)
    assert.equal(created.status, 201, created.text)
    const { _links, id, environment } = created.json
    assert.deepEqual(sentMembers(created.json), { ...sent, signOnPolicy: { id: policyId } })
    assert.deepEqual(environment, { id: stile.environmentId })
    assert.equal(created.headers.get('location'), _links.self.href)
    const path = `/signOnPolicies/${policyId}/actions/${id}`
    assert.deepEqual((await stile.api('GET', path)).json, created.json)

    const first = await add(policyId, login)
    assert.ok(!('condition' in first), 'no condition, no member')
    assert.deepEqual(await listed(policyId), [first, created.json])

    const replaced = await stile.api('PUT', path, { ...login, priority: 3, condition: null })
    assert.equal(replaced.status, 200, replaced.text)
    assert.equal(replaced.json.id, id, 'the id stays')
    assert.deepEqual(
      [replaced.json.priority, 'condition' in replaced.json, 'recovery' in replaced.json],
      [3, false, false],
    )
    assert.equal((await stile.api('DELETE', path)).status, 204)
    assert.equal((await stile.api('DELETE', path)).status, 404)
    assert.deepEqual(await listed(policyId), [first])
  })

  test('a webhook fails closed and is quick, unless the action says otherwise', async () => {
    const policyId = await newPolicy('webhook')
    const webhook = { type: 'WEBHOOK', priority: 2 }
    const short = await add(policyId, { ...webhook, webhook: { url: endpoint } })
    assert.deepEqual(short.webhook, { url: endpoint, timeoutMilliseconds: 2000, onError: 'DENY' })
    const whole = { url: endpoint, timeoutMilliseconds: 500, onError: 'CONTINUE' }
    const said = await add(policyId, { ...webhook, priority: 3, webhook: whole })
    assert.deepEqual(said.webhook, whole)
    assert.deepEqual(await listed(policyId), [short, said])
  })

  test('D20: every change is a new version, and the ones before stay what they were', async () => {
    const policyId = await newPolicy('versions')
    const one = await add(policyId, { ...login, condition: since })
    const two = await add(policyId, { ...login, priority: 2 })
    await stile.api('PUT', `/signOnPolicies/${policyId}/actions/${one.id}`, login)
    await stile.api('DELETE', `/signOnPolicies/${policyId}/actions/${two.id}`)
    assert.equal((await stored(policyId)).version, 5)
    const environment = await stile.node.kernel.environments.get(stile.environmentId)
    assert.ok(environment)
    const versions = []
    for (const version of [1, 2, 3, 4, 5]) {
      const policy = await stile.node.kernel.environments.policyVersion(environment, policyId, version)
      versions.push(policy?.actions.map(({ id, condition }) => [id, condition !== null]))
    }
    assert.deepEqual(versions, [
      [],
      [[one.id, true]],
      [
        [one.id, true],
        [two.id, false],
      ],
      [
        [one.id, false],
        [two.id, false],
      ],
      [[one.id, false]],
    ])
  })

  test('a change is in force at once', async () => {
    const policyId = await newPolicy('in-force')
    const inForce = async () => {
      const environment = await stile.node.kernel.environments.get(stile.environmentId)
      return environment?.policies.get(policyId)?.actions.map(({ id, priority }) => [id, priority])
    }
    assert.deepEqual(await inForce(), [])
    const { id } = await add(policyId, login)
    assert.deepEqual(await inForce(), [[id, 1]])
    await stile.api('PUT', `/signOnPolicies/${policyId}/actions/${id}`, { ...login, priority: 4 })
    assert.deepEqual(await inForce(), [[id, 4]])
    const other = await add(policyId, login)
    await stile.api('DELETE', `/signOnPolicies/${policyId}/actions/${id}`)
    assert.deepEqual(await inForce(), [[other.id, 1]])
  })

  test('many at once are all kept', async () => {
    const policyId = await newPolicy('crowd')
    const answers = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((priority) => add(policyId, { ...login, priority })))
    assert.deepEqual(
      (await listed(policyId)).map(({ id }) => id),
      answers.map(({ id }) => id),
    )
    assert.equal((await stored(policyId)).version, 9)
  })

  test('the last one cannot be removed; a placeholder of the same priority lets it go', async () => {
    const policyId = await newPolicy('last')
    const { id } = await add(policyId, login)
    const path = `/signOnPolicies/${policyId}/actions/${id}`
    const refused = await stile.api('DELETE', path)
    assert.equal(refused.status, 400)
    assert.equal(refused.json.details[0].code, 'CONSTRAINT_VIOLATION')
    assert.match(refused.json.details[0].message, /Cannot delete last action from the policy/)
    assert.deepEqual(
      (await listed(policyId)).map((one) => one.id),
      [id],
    )
    const placeholder = await add(policyId, { priority: 1, type: 'LOGIN' })
    assert.equal((await stile.api('DELETE', path)).status, 204)
    assert.deepEqual(
      (await listed(policyId)).map((one) => one.id),
      [placeholder.id],
    )
    assert.equal(
      (await stile.api('DELETE', `/signOnPolicies/${policyId}`)).status,
      204,
      'a policy goes with its actions',
    )
  })

  test('J23: what cannot be understood is refused and named, and nothing is written', async () => {
    const policyId = await newPolicy('refused')
    const { id } = await add(policyId, login)
    const refused: readonly (readonly [object, string, string])[] = [
      [{ ...login, type: 'PINGID_AUTHENTICATION' }, 'type', 'INVALID_VALUE'],
      [{ ...login, type: 'NONSENSE' }, 'type', 'INVALID_VALUE'],
      [{ priority: 1 }, 'type', 'INVALID_VALUE'],
      [{ type: 'LOGIN' }, 'priority', 'REQUIRED_VALUE'],
      [{ ...login, priority: 0 }, 'priority', 'OUT_OF_RANGE'],
      [{ ...login, priority: 1.5 }, 'priority', 'INVALID_VALUE'],
      [{ ...login, socialProviders: [{ id: policyId }] }, 'socialProviders[0].id', 'INVALID_VALUE'],
      [{ type: 'WEBHOOK', priority: 1 }, 'webhook', 'REQUIRED_VALUE'],
      [{ type: 'WEBHOOK', priority: 1, webhook: { url: 'https://10.0.0.1/' } }, 'webhook.url', 'INVALID_VALUE'],
      [{ type: 'WEBHOOK', priority: 1, webhook: { url: `${endpoint}?key=1` } }, 'webhook.url', 'INVALID_VALUE'],
      [{ type: 'WEBHOOK', priority: 1, webhook: { url: endpoint, onError: 'X' } }, 'webhook.onError', 'INVALID_VALUE'],
      [{ ...login, condition: {} }, 'condition', 'INVALID_VALUE'],
      [{ ...login, condition: { unless: since } }, 'condition', 'INVALID_VALUE'],
      [{ ...login, condition: { ...since, unless: 1 } }, 'condition', 'INVALID_VALUE'],
      [[login], '', 'INVALID_VALUE'],
      [{ ...login, condition: { and: [] } }, 'condition.and', 'OUT_OF_RANGE'],
      [{ ...login, condition: population }, 'condition', 'CONSTRAINT_VIOLATION'],
    ]
    for (const [body, target, code] of refused) {
      for (const answer of [
        await stile.api('POST', `/signOnPolicies/${policyId}/actions`, body),
        await stile.api('PUT', `/signOnPolicies/${policyId}/actions/${id}`, body),
      ]) {
        assert.equal(answer.status, 400, JSON.stringify(body))
        assert.equal(answer.json.code, 'INVALID_DATA')
        const [detail] = answer.json.details
        assert.deepEqual([detail.target, detail.code], [target, code])
        if (target === 'type') {
          assert.deepEqual(
            detail.innerError.allowedValues,
            actions.map(({ type }) => type),
          )
        }
      }
    }
    assert.equal((await stored(policyId)).version, 2)
  })

  test('N04: an action is found through its own policy alone', async () => {
    const mine = await newPolicy('mine')
    const other = await newPolicy('other')
    await add(mine, login)
    const { id } = await add(mine, { ...login, priority: 2 })
    const path = `/signOnPolicies/${other}/actions/${id}`
    const answers = [
      await stile.api('GET', path),
      await stile.api('PUT', path, login),
      await stile.api('DELETE', path),
      await stile.api('POST', '/signOnPolicies/0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f/actions', login),
      await stile.api('GET', '/signOnPolicies/0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f/actions'),
    ]
    for (const { status } of answers) assert.equal(status, 404)
    assert.equal((await listed(mine)).length, 2)
  })

  test('N14: read-only and unknown members are ignored', async () => {
    const policyId = await newPolicy('assigned')
    const other = '0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f'
    const readOnly = { id: other, environment: { id: other }, signOnPolicy: { id: other }, _links: {}, whatever: 1 }
    const made = await add(policyId, { ...login, ...readOnly })
    assert.notEqual(made.id, other)
    assert.deepEqual([made.signOnPolicy.id, made.environment.id], [policyId, stile.environmentId])
    assert.ok(!('whatever' in made))
    const again = await stile.api('PUT', `/signOnPolicies/${policyId}/actions/${made.id}`, { ...made, ...readOnly })
    assert.deepEqual(again.json, made)
  })
})
