/**
 * Which sign-on policies run, and by which version a flow is judged (decision D20, authentication-api 5.6; rows A35, J14,
 * J16, J18, J23).
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  type ActionBody,
  addAction,
  assign,
  begin,
  bodyOf,
  enable,
  newApplication,
  newPerson,
  newPolicy,
  type Person,
  type Policy,
  rows,
  stateOf,
} from './arrange.ts'

const login: ActionBody = { type: 'LOGIN' }
/** Asks for the password unless the session has seen it in this many seconds. */
const unlessRecent = (seconds: number): ActionBody => ({
  type: 'LOGIN',
  condition: { secondsSince: '${session.lastSignOn.withAuthenticator.pwd.at}', greater: seconds },
})

suite('candidate policies', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const path = (flowId: string) => `/${stile.environmentId}/flows/${flowId}`
  const check = (browser: Browser, flowId: string, person: Person = stile.user) =>
    browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
  const ask = (browser: Browser, application: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    browser.authorize(piFlowRequest(stile, pkce().challenge, { client_id: application, ...more }))
  const steps = async (browser: Browser, flowId: string) =>
    (await browser.send(`${path(flowId)}/steps`)).json._embedded.steps
  const nothingIssued = async (person: Person) => {
    assert.deepEqual(await rows(stile, 'authorization_codes', 'user_id = $2', person.id), [])
    assert.deepEqual(await rows(stile, 'sessions', 'user_id = $2', person.id), [])
  }
  const candidateOf = async (flowId: string) => {
    const { candidates, candidate } = await stateOf(stile, flowId)
    return candidates[candidate]?.policyId
  }

  async function applicationWith(
    ...policies: readonly Policy[]
  ): Promise<{ application: string; assignments: string[] }> {
    const application = await newApplication(stile)
    return { application, assignments: await assign(stile, application, ...policies) }
  }
  const unassign = (application: string, assignment: string | undefined) =>
    stile.api('DELETE', `/applications/${application}/signOnPolicyAssignments/${assignment}`)

  suite('acr_values (A35)', () => {
    test('is the exact list that may run, in its order; what is not assigned is passed over', async () => {
      const [a, b, c] = [await newPolicy(stile, login), await newPolicy(stile, login), await newPolicy(stile, login)]
      const { application } = await applicationWith(a, b)
      for (const [asked, runs] of [
        ['', a],
        [b.name, b],
        [`${b.name} ${a.name}`, b],
        [`${c.name} ${b.name}`, b],
      ] as const) {
        const { json } = await ask(new Browser(stile), application, { acr_values: asked })
        assert.equal(await candidateOf(json.id), runs.id, asked)
      }
      for (const asked of [c.name, 'Single_Factor', b.name.toLowerCase(), b.id]) {
        const { status, json } = await ask(new Browser(stile), application, { acr_values: asked })
        assert.equal(status, 403, asked)
        assert.equal(json.id.length, 36)
        assert.equal(json.code, 'ACCESS_FAILED', asked)
      }
    })

    test('a policy that is named alone is the only candidate', async () => {
      const [a, b] = [await newPolicy(stile, login), await newPolicy(stile, login)]
      const { application } = await applicationWith(a, b)
      const { json } = await ask(new Browser(stile), application, { acr_values: `${b.name} ${b.name}` })
      assert.deepEqual((await stateOf(stile, json.id)).candidates, [{ policyId: b.id, version: 2 }])
    })

    test('without an assignment the default policy of the environment runs', async () => {
      const { json } = await ask(new Browser(stile), await newApplication(stile))
      const policies = (await stile.api('GET', '/signOnPolicies')).json._embedded.signOnPolicies
      const standard = policies.find((each: { readonly default: boolean }) => each.default)
      assert.equal(await candidateOf(json.id), standard.id)
    })
  })

  suite('the policy changes between start and finish (D20, J16)', () => {
    /** A browser with a session, and a flow that waits for the password again under a policy of its own. */
    async function waitingUnder(policy: Policy) {
      const browser = new Browser(stile)
      const person = await newPerson(stile)
      await check(browser, await begin(browser), person)
      const { application, assignments } = await applicationWith(policy)
      const { json } = await ask(browser, application)
      assert.equal(json.status, 'PASSWORD_REQUIRED')
      return { browser, person, flowId: json.id as string, application, assignments }
    }
    const replace = async (policy: Policy, body: ActionBody) => {
      const answer = await stile.api('PUT', `/signOnPolicies/${policy.id}/actions/${policy.actions[0]}`, {
        ...body,
        priority: 1,
      })
      assert.equal(answer.status, 200, answer.text)
    }

    test('loosened: what was required stays required', async () => {
      const policy = await newPolicy(stile, login)
      const { browser, person, flowId, application } = await waitingUnder(policy)
      await replace(policy, unlessRecent(100_000))
      assert.equal((await ask(browser, application)).json.status, 'COMPLETED', 'a new request is spared the password')
      assert.equal((await browser.send(path(flowId))).json.status, 'PASSWORD_REQUIRED')
      assert.equal((await browser.resume(flowId)).json.status, 'PASSWORD_REQUIRED')
      assert.equal((await browser.act(flowId, 'usernamePassword.check', { password: 'wrong' })).status, 400)
      assert.equal((await check(browser, flowId, person)).json.status, 'COMPLETED')
    })

    test('tightened: an action that was added counts, and one that was spared is judged again', async () => {
      const policy = await newPolicy(stile, login, unlessRecent(100_000))
      const { browser, person, flowId } = await waitingUnder(policy)
      assert.deepEqual(
        (await steps(browser, flowId)).map(({ status }: { status: string }) => status),
        ['REQUIRED', 'PENDING'],
      )
      const added = await addAction(stile, policy.id, { ...login, priority: 3 })
      const second = await stile.api('PUT', `/signOnPolicies/${policy.id}/actions/${policy.actions[1]}`, {
        ...login,
        priority: 2,
      })
      assert.equal(second.status, 200, second.text)
      assert.equal((await check(browser, flowId, person)).json.status, 'COMPLETED')
      const judged = (await steps(browser, flowId)) as { id: string; status: string; reason: { code: string } }[]
      assert.deepEqual(
        judged.map(({ id, status }) => [id, status]),
        [
          [policy.actions[0], 'COMPLETED'],
          [policy.actions[1], 'COMPLETED'],
          [added, 'COMPLETED'],
        ],
      )
      assert.equal(judged[1]?.reason.code, 'unconditional', 'by the stricter of its two versions')
    })

    test('an action that was taken away stays required', async () => {
      const policy = await newPolicy(stile, login, login)
      const { browser, person, flowId } = await waitingUnder(policy)
      assert.equal((await stile.api('DELETE', `/signOnPolicies/${policy.id}/actions/${policy.actions[0]}`)).status, 204)
      assert.equal((await browser.send(path(flowId))).json.status, 'PASSWORD_REQUIRED')
      assert.equal((await check(browser, flowId, person)).json.status, 'COMPLETED')
      assert.equal((await steps(browser, flowId)).length, 2)
    })

    test('the acr of a flow is the name its policy had when it began', async () => {
      const policy = await newPolicy(stile, login)
      const { browser, person, flowId } = await waitingUnder(policy)
      await stile.api('PUT', `/signOnPolicies/${policy.id}`, { name: `${policy.name}_renamed` })
      await check(browser, flowId, person)
      assert.equal((await stateOf(stile, flowId)).outcome?.acr, policy.name)
    })

    for (const deleted of [false, true]) {
      test(`J18: ${deleted ? 'deleted' : 'no longer assigned'}: it completes no flow, and the next candidate gets its turn`, async () => {
        const [first, second] = [await newPolicy(stile, login), await newPolicy(stile, login)]
        const { application, assignments } = await applicationWith(first, second)
        const person = await newPerson(stile)
        const browser = new Browser(stile)
        const flowId = (await ask(browser, application)).json.id
        await unassign(application, assignments[0])
        if (deleted) assert.equal((await stile.api('DELETE', `/signOnPolicies/${first.id}`)).status, 204)
        const { status, json } = await check(browser, flowId, person)
        assert.deepEqual([status, json.status], [200, 'USERNAME_PASSWORD_REQUIRED'], 'the password was not even tried')
        assert.equal(await candidateOf(flowId), second.id)
        await nothingIssued(person)
        assert.equal((await check(browser, flowId, person)).json.status, 'COMPLETED')
      })

      test(`J18: ${deleted ? 'deleted' : 'no longer assigned'} and the only one: the flow has FAILED`, async () => {
        const [only, later] = [await newPolicy(stile, login), await newPolicy(stile, login)]
        const { application, assignments } = await applicationWith(only)
        const person = await newPerson(stile)
        const browser = new Browser(stile)
        const flowId = (await ask(browser, application)).json.id
        await unassign(application, assignments[0])
        await assign(stile, application, later)
        if (deleted) assert.equal((await stile.api('DELETE', `/signOnPolicies/${only.id}`)).status, 204)
        const { json } = await check(browser, flowId, person)
        assert.deepEqual([json.status, json.error?.code], ['FAILED', 'POLICY_NOT_AVAILABLE'])
        assert.equal((await browser.resume(flowId)).status, 403)
        await nothingIssued(person)
      })
    }
  })

  test('a policy that fails hands over to the next one, which begins with nobody; after the last the flow has FAILED', async () => {
    const [first, second] = [await newPolicy(stile, login), await newPolicy(stile, login)]
    const { application } = await applicationWith(first, second)
    const person = await newPerson(stile, { forceChange: true })
    const browser = new Browser(stile)
    const flowId = (await ask(browser, application)).json.id
    const failNow = async () => {
      assert.equal((await check(browser, flowId, person)).json.status, 'MUST_CHANGE_PASSWORD')
      await enable(stile, person, false)
      const { json } = await browser.act(flowId, 'password.reset', bodyOf('password.reset', person))
      await enable(stile, person, true)
      return json
    }
    const handedOver = await failNow()
    assert.deepEqual([handedOver.status, handedOver._embedded.user], ['USERNAME_PASSWORD_REQUIRED', undefined])
    assert.equal(await candidateOf(flowId), second.id)
    assert.equal(handedOver._embedded.requiredStep.id, second.actions[0])
    const failed = await failNow()
    assert.deepEqual([failed.status, failed.error.code], ['FAILED', 'ACCOUNT_NOT_USABLE'])
    const resumed = await browser.resume(flowId)
    assert.deepEqual([resumed.status, resumed.json.code], [403, 'ACCESS_FAILED'])
    assert.equal((await browser.resume(flowId)).status, 404)
    await nothingIssued(person)
  })

  suite('conditions fail closed (J23)', () => {
    const ifConsultant: ActionBody = { type: 'LOGIN', condition: { value: '${user.title}', equals: 'consultant' } }

    async function signedOn(
      properties: Readonly<Record<string, unknown>>,
    ): Promise<{ browser: Browser; person: Person }> {
      const person = await newPerson(stile)
      if (Object.keys(properties).length > 0) {
        const { status, text } = await stile.api('PATCH', `/users/${person.id}`, properties)
        assert.equal(status, 200, text)
      }
      const browser = new Browser(stile)
      await check(browser, await begin(browser), person)
      return { browser, person }
    }

    test('an attribute that is absent makes the step run; one that is there decides', async () => {
      const policy = await newPolicy(stile, unlessRecent(100_000), ifConsultant)
      const { application } = await applicationWith(policy)
      for (const [properties, status, reason] of [
        [{}, 'PASSWORD_REQUIRED', 'condition-unknown'],
        [{ title: null }, 'PASSWORD_REQUIRED', 'condition-unknown'],
        [{ title: 'consultant' }, 'PASSWORD_REQUIRED', 'condition-met'],
        [{ title: 'engineer' }, 'COMPLETED', undefined],
      ] as const) {
        const { browser } = await signedOn(properties)
        const { json } = await ask(browser, application)
        assert.equal(json.status, status, JSON.stringify(properties))
        if (reason) assert.equal(json._embedded.requiredStep.reason.code, reason)
      }
    })

    test('a stored condition that nobody understands any more makes the step run', async () => {
      const policy = await newPolicy(stile, unlessRecent(100_000))
      const { application } = await applicationWith(policy)
      const { browser } = await signedOn({})
      assert.equal((await ask(browser, application)).json.status, 'COMPLETED')
      await stile.node.kernel.environments.configure(
        stile.environmentId,
        'test.break-condition',
        Date.now(),
        function* (changes) {
          changes.push({ kind: 'snapshot' })
          yield {
            text: `UPDATE sign_on_policy_versions SET actions = $3 WHERE environment_id = $1 AND policy_id = $2`,
            values: [
              stile.environmentId,
              policy.id,
              JSON.stringify([
                { id: policy.actions[0], type: 'LOGIN', priority: 1, condition: { whenever: 'it suits' } },
              ]),
            ],
          }
        },
      )
      const { json } = await ask(browser, application)
      assert.deepEqual(
        [json.status, json._embedded.requiredStep.reason.code],
        ['PASSWORD_REQUIRED', 'condition-unknown'],
      )
    })

    test('forged addresses and headers change nothing', async () => {
      const policy = await newPolicy(stile, unlessRecent(100_000), ifConsultant)
      const { application } = await applicationWith(policy)
      const { browser } = await signedOn({})
      const headers = {
        'x-forwarded-for': 'a',
        forwarded: 'for=_x',
        'x-real-ip': '10.0.0.1',
        'x-user-title': 'engineer',
      }
      const query = new URLSearchParams(
        piFlowRequest(stile, pkce().challenge, { client_id: application, title: 'engineer' }),
      )
      const { json } = await browser.send(`/${stile.environmentId}/as/authorize?${query}`, { headers })
      assert.equal(json.status, 'PASSWORD_REQUIRED')
    })
  })

  test('J14: session.reset keeps policy, client and redirect URI, and drops what was proved', async () => {
    const policy = await newPolicy(stile, login, unlessRecent(0))
    const application = stile.webApp.clientId
    const [assignment] = await assign(stile, application, policy)
    const [first, second] = [await newPerson(stile), await newPerson(stile)]
    const browser = new Browser(stile)
    await check(browser, await begin(browser), first)
    const flowId = await begin(browser, 'redirect', { state: 'kept', nonce: 'kept' })
    const before = await stateOf(stile, flowId)
    assert.equal(before.status, 'PASSWORD_REQUIRED')
    await browser.act(flowId, 'session.reset', {})
    const reset = await stateOf(stile, flowId)
    for (const kept of ['candidates', 'candidate', 'application', 'request', 'door', 'createdAt', 'endsAt'] as const) {
      assert.deepEqual(reset[kept], before[kept], kept)
    }
    assert.deepEqual([reset.user, reset.proofs, reset.sessionCounts], [null, [], false])
    assert.equal((await check(browser, flowId, second)).json.status, 'COMPLETED')
    const resumed = await browser.resume(flowId)
    const to = new URL(resumed.headers.get('location') ?? '')
    assert.equal(to.origin + to.pathname, stile.webApp.redirectUri)
    assert.equal(to.searchParams.get('state'), 'kept')
    const codes = await rows<{ user_id: string }>(
      stile,
      'authorization_codes',
      'user_id IN ($2, $3)',
      first.id,
      second.id,
    )
    assert.deepEqual(
      codes.map(({ user_id }) => user_id),
      [second.id],
    )
    await unassign(application, assignment)
  })
})
