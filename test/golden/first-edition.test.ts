/** authentication-api 1.4: the addresses and steps of the first edition, and what is PingFederate's. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { addEmailDevice, enableMfa, newPerson, newPolicy } from '../flow-runtime/arrange.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { asDocumented, flowUrl, Journey, type Json } from './journey.ts'

const passwordSession = '${session.lastSignOn.withAuthenticator.pwd.at}'

suite('authentication-api 1.4', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const stepsUrl = `${flowUrl}/steps`
  const step = (id: string, type: string, status: string, reason: Json) => ({
    _links: { self: { href: `${stepsUrl}/${id}` }, flow: { href: flowUrl } },
    id,
    type,
    status,
    reason,
  })
  const unconditional = { code: 'unconditional', message: 'The action has no condition.' }
  const notReached = { code: 'not-reached', message: 'An earlier step has to be done first.' }

  suite('the same addresses', () => {
    const token = (path: string, client = stile.worker) =>
      stile.send(path, {
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { authorization: basic(client.clientId, client.clientSecret) },
      })

    test('/as/token.oauth2 is /as/token, with and without {envId}', async () => {
      for (const path of ['/as/token', '/as/token.oauth2']) {
        for (const base of [`/${stile.environmentId}`, '']) {
          const { status, json } = await token(base + path)
          assert.equal(status, 200, path)
          assert.deepEqual(Object.keys(json).toSorted(), ['access_token', 'expires_in', 'token_type'])
          assert.deepEqual([json.token_type, json.expires_in], ['Bearer', 3600])
        }
      }
    })

    test('without {envId}, an unknown client is invalid_client', async () => {
      for (const path of ['/as/token', '/as/token.oauth2']) {
        const { status, json } = await token(path, { ...stile.worker, clientId: randomUUID() })
        assert.deepEqual([status, json.error], [401, 'invalid_client'])
      }
    })

    test('/{envId}/as/authorization.oauth2 is /as/authorize, by GET and POST', async () => {
      const request = new URLSearchParams(piFlowRequest(stile, pkce().challenge))
      const path = `/${stile.environmentId}/as/authorization.oauth2`
      for (const answer of [await stile.send(`${path}?${request}`), await stile.send(path, { body: request })]) {
        assert.deepEqual([answer.status, answer.json.status], [200, 'USERNAME_PASSWORD_REQUIRED'])
      }
    })

    test('without {envId} (D16): GET answers 302 and POST 307 to the address with it', async () => {
      const request = new URLSearchParams(piFlowRequest(stile, pkce().challenge))
      for (const name of ['authorize', 'authorization.oauth2']) {
        const get = await stile.send(`/as/${name}?${request}`)
        assert.equal(get.status, 302)
        const to = new URL(get.headers.get('location') ?? '')
        assert.equal(asDocumented(stile, to.origin + to.pathname), `https://auth.pingone.com/{envId}/as/authorize`)
        assert.deepEqual([...to.searchParams], [...request])
        const post = await stile.send(`/as/${name}`, { body: request })
        assert.equal(post.status, 307)
      }
    })
  })

  suite('steps', () => {
    /** A flow of two steps, about somebody with a device. */
    async function arrived() {
      const person = await newPerson(stile)
      await enableMfa(stile, person)
      await addEmailDevice(stile, person)
      const journey = await Journey.under(stile, [{ type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }], {
        person,
      })
      const [login = '', mfa = ''] = journey.policy.actions
      journey.call({ step1: login, step2: mfa })
      const steps = (id = '') => journey.browser.send(`/${stile.environmentId}/flows/${journey.flowId}/steps${id}`)
      return { journey, steps, login, mfa }
    }

    test('GET …/steps: every step in order, with id, type, status and why it ran or not; GET …/steps/{stepId}: one', async (context) => {
      const { journey, steps, login } = await arrived()
      const shown = async () => journey.documented((await steps()).json)
      const resource = (...all: Json[]) => ({
        _links: { self: { href: stepsUrl }, flow: { href: flowUrl } },
        _embedded: { steps: all },
        size: all.length,
      })
      const factor = (status: string, reason: Json) => step('step2', 'MULTI_FACTOR_AUTHENTICATION', status, reason)
      assert.deepEqual(
        await shown(),
        resource(step('step1', 'LOGIN', 'REQUIRED', unconditional), factor('PENDING', notReached)),
      )
      await journey.password()
      const done = step('step1', 'LOGIN', 'COMPLETED', unconditional)
      assert.deepEqual(await shown(), resource(done, factor('REQUIRED', unconditional)))
      assert.deepEqual(journey.documented((await steps(`/${login}`)).json), done)
      await journey.acts(['otp.check', { otp: await journey.code() }, 'COMPLETED'])
      assert.deepEqual(await shown(), resource(done, factor('COMPLETED', unconditional)))
      await journey.record(context)
    })

    test('a step that the session spares is SKIPPED, and says why', async (context) => {
      const person = await newPerson(stile)
      const browser = new Browser(stile)
      const login = { type: 'LOGIN' } as const
      const condition = { secondsSince: passwordSession, greater: 3600 } as const
      const first = await Journey.under(stile, [login], { person, browser })
      await first.password()
      const journey = await Journey.under(
        stile,
        [
          { ...login, condition },
          { type: 'PROGRESSIVE_PROFILING', ...profiling },
        ],
        { person, browser },
      )
      const { json } = await browser.send(`/${stile.environmentId}/flows/${journey.flowId}/steps`)
      assert.deepEqual(
        json._embedded.steps.map(({ type, status, reason }: Json) => [type, status, reason.code]),
        [
          ['LOGIN', 'SKIPPED', 'satisfied-by-session'],
          ['PROGRESSIVE_PROFILING', 'REQUIRED', 'unconditional'],
        ],
      )
      await journey.record(context)
    })

    test('POST on a step: the media types of the flow, only while the step is the current one', async (context) => {
      const { journey, login, mfa } = await arrived()
      const post = (id: string) =>
        journey.browser.send(`/${stile.environmentId}/flows/${journey.flowId}/steps/${id}`, {
          body: { username: journey.person.username, password: journey.person.password },
          mediaType: 'application/vnd.pingidentity.usernamePassword.check+json',
        })
      const early = await post(mfa)
      assert.deepEqual([early.status, early.json.code], [400, 'INVALID_REQUEST'])
      assert.equal((await post(randomUUID())).status, 404)
      const checked = await post(login)
      assert.deepEqual([checked.status, checked.json.status], [200, 'OTP_REQUIRED'])
      assert.equal((await post(login)).status, 400)
      await journey.record(context)
    })

    test('requiredStep: embedded and linked while a step waits for input, and not afterwards', async () => {
      const { journey } = await arrived()
      const shown = async () => {
        const { _links, _embedded } = journey.documented((await journey.read()).json)
        return [_links.requiredStep, _embedded.requiredStep]
      }
      const self = (id: string) => ({ href: `${stepsUrl}/${id}` })
      assert.deepEqual(await shown(), [self('step1'), step('step1', 'LOGIN', 'REQUIRED', unconditional)])
      await journey.password()
      const factor = step('step2', 'MULTI_FACTOR_AUTHENTICATION', 'REQUIRED', unconditional)
      assert.deepEqual(await shown(), [self('step2'), factor])
      await journey.acts(['otp.check', { otp: await journey.code() }, 'COMPLETED'])
      assert.deepEqual(await shown(), [undefined, undefined])
    })
  })

  suite('what the record of that edition shows', () => {
    test('id, createdAt, expiresAt, resumeUrl, status (today’s value, not STEP_REQUIRED), the user (under _embedded)', async () => {
      const journey = await Journey.in(stile, 'MUST_CHANGE_PASSWORD')
      const { id, createdAt, expiresAt, resumeUrl, status, _embedded } = journey.documented((await journey.read()).json)
      assert.deepEqual(
        { id, createdAt, expiresAt, resumeUrl, status, user: { id: _embedded.user.id } },
        {
          id: '{flowId}',
          createdAt: '{time}',
          expiresAt: '{time}',
          resumeUrl: 'https://auth.pingone.com/{envId}/as/resume?flowId={flowId}',
          status: 'MUST_CHANGE_PASSWORD',
          user: { id: '{userId}' },
        },
      )
    })

    test('the flow gets a session token cookie when it starts (D1: ST)', async () => {
      const { headers } = await stile.send(
        `/${stile.environmentId}/as/authorize?${new URLSearchParams(piFlowRequest(stile, pkce().challenge))}`,
      )
      const cookie = asDocumented(stile, headers.get('set-cookie'))
      assert.match(cookie, /^ST=\{uuid\}; Path=\/\{envId\}; Max-Age=2592000; .*HttpOnly/)
    })

    for (const condition of [
      { 'session.minutesSinceLastSignOn': 480, withAuthenticator: 'pwd' },
      { 'ipAddress.notInRange': ['10.0.0.0/8'] },
      { 'user.inPopulation': '{popId}' },
    ]) {
      test(`${Object.keys(condition)[0]}: refused, today's language (5.5) took its place`, async () => {
        const { id } = await newPolicy(stile)
        const body = { type: 'LOGIN', priority: 1, condition }
        const answer = await stile.api('POST', `/signOnPolicies/${id}/actions`, body)
        assert.equal(answer.status, 400)
        assert.deepEqual([answer.json.details[0].code, answer.json.details[0].target], ['INVALID_VALUE', 'condition'])
      })
    }
  })

  test('/pf-ws/authn/flows/{id} and checkUsernamePassword are PingFederate: they do not exist', async () => {
    const { flowId, browser, person } = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
    const body = { username: person.username, password: person.password }
    const mediaType = 'application/vnd.pingidentity.checkUsernamePassword+json'
    assert.equal((await browser.send(`/pf-ws/authn/flows/${flowId}`, { body, mediaType })).status, 404)
    assert.equal((await browser.act(flowId, 'checkUsernamePassword', body)).status, 401)
  })
})

/** PROGRESSIVE_PROFILING for a nickname. */
const profiling = {
  attributes: [{ name: 'nickname', required: true }],
  preventMultiplePromptsPerFlow: true,
  promptIntervalSeconds: 3600,
  promptText: 'Please tell us',
}
