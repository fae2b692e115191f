/**
 * The flows API on the wire: the resource in every status, the media types that name actions, what does not fit (decision
 * D5), and the steps of the first edition. authentication-api 1.4, 3, 4.0, 7.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type MediaType, mediaTypeNames } from '../../src/flow/actions/index.ts'
import { Browser, piFlowRequest, pkce, redeem } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { type Arranged, begin, bodyOf, flowIn, newPerson, rowOf } from './arrange.ts'

const unfinished = {
  USERNAME_PASSWORD_REQUIRED: ['usernamePassword.check'],
  PASSWORD_REQUIRED: ['usernamePassword.check', 'session.reset'],
  MUST_CHANGE_PASSWORD: ['password.reset'],
  PASSWORD_EXPIRED: ['password.reset'],
} as const satisfies Record<string, readonly MediaType[]>
type Unfinished = keyof typeof unfinished

const malformed = 'The request could not be completed. The request was malformed or invalid.'

suite('the flows API', () => {
  let stile: Stile
  let policy: { id: string; action: string }
  before(async () => {
    stile = await startStile()
    const policies = (await stile.api('GET', '/signOnPolicies')).json._embedded.signOnPolicies
    const single = policies.find((each: { readonly default: boolean }) => each.default)
    const [action] = (await stile.api('GET', `/signOnPolicies/${single.id}/actions`)).json._embedded.actions
    policy = { id: single.id, action: action.id }
  })
  after(() => stile.close())

  const flowPath = (flowId: string) => `/${stile.environmentId}/flows/${flowId}`
  const flowUrl = (flowId: string) => `${stile.authUrl}${flowPath(flowId)}`
  const read = ({ browser, flowId }: Pick<Arranged, 'browser' | 'flowId'>) => browser.send(flowPath(flowId))

  /** Everything a flow holds, whatever its status. */
  function common(flowId: string, json: Answer['json']) {
    const { createdAt, expiresAt } = json
    for (const time of [createdAt, expiresAt]) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    return {
      id: flowId,
      environment: { id: stile.environmentId },
      resumeUrl: `${stile.issuer}/resume?flowId=${flowId}`,
      createdAt,
      expiresAt,
    }
  }

  function step(flowId: string, status: string, code: string, message: string) {
    const self = `${flowUrl(flowId)}/steps/${policy.action}`
    const _links = { self: { href: self }, flow: { href: flowUrl(flowId) } }
    return { _links, id: policy.action, type: 'LOGIN', status, reason: { code, message } }
  }

  function linksOf(flowId: string, offered: readonly MediaType[], waits = offered.length > 0) {
    const href = flowUrl(flowId)
    return {
      ...Object.fromEntries(offered.map((name) => [name, { href }])),
      self: { href },
      signOnPage: { href: `${stile.authUrl}/${stile.environmentId}/signon/?flowId=${flowId}` },
      ...(waits ? { requiredStep: { href: `${href}/steps/${policy.action}` } } : {}),
    }
  }

  suite('the resource in each status (authentication-api 3.1, 3.4)', () => {
    const reasons = {
      USERNAME_PASSWORD_REQUIRED: ['user-unknown', 'Nobody has proved who they are yet, so no step can be skipped.'],
      PASSWORD_REQUIRED: ['re-authentication', 'The request demands a fresh sign-on (prompt=login or max_age).'],
      MUST_CHANGE_PASSWORD: ['user-unknown', 'Nobody has proved who they are yet, so no step can be skipped.'],
      PASSWORD_EXPIRED: ['user-unknown', 'Nobody has proved who they are yet, so no step can be skipped.'],
    } as const

    for (const status of Object.keys(unfinished) as Unfinished[]) {
      test(`${status}: exactly its links, its user only once known, no policy where no password is set`, async () => {
        const arranged = await flowIn(stile, status)
        const { flowId, person } = arranged
        const { status: code, headers, json } = await read(arranged)
        assert.equal(code, 200)
        assert.equal(headers.get('content-type'), 'application/hal+json;charset=UTF-8')
        const { passwordPolicy, ...embedded } = json._embedded
        const isKnown = status !== 'USERNAME_PASSWORD_REQUIRED'
        const setsPassword = status === 'MUST_CHANGE_PASSWORD' || status === 'PASSWORD_EXPIRED'
        assert.deepEqual(
          { ...json, _embedded: embedded },
          {
            ...common(flowId, json),
            _links: linksOf(flowId, unfinished[status]),
            _embedded: {
              ...(isKnown ? { user: { id: person.id, username: person.username } } : {}),
              application: { name: 'Demo native application' },
              requiredStep: step(flowId, 'REQUIRED', reasons[status][0], reasons[status][1]),
            },
            ...(status === 'PASSWORD_REQUIRED' ? { session: { id: json.session?.id } } : {}),
            status,
          },
        )
        assert.equal(passwordPolicy !== undefined, setsPassword)
        if (setsPassword) {
          assert.deepEqual(passwordPolicy.history, { count: 6, retentionDays: 365 })
          assert.deepEqual(Object.keys(passwordPolicy.minCharacters).toSorted(), [
            '0123456789',
            'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
            'abcdefghijklmnopqrstuvwxyz',
            '~!@#$%^&*()-_=+[]{}|;:,.<>/?',
          ])
        }
      })
    }

    test('COMPLETED: the session and the user with their name; nothing can be done but resume', async () => {
      const browser = new Browser(stile)
      const person = await newPerson(stile, { name: { given: 'Test', family: 'User' } })
      const flowId = await begin(browser)
      const { status, json } = await browser.act(
        flowId,
        'usernamePassword.check',
        bodyOf('usernamePassword.check', person),
      )
      assert.equal(status, 200)
      assert.match(json.session.id, /^[0-9a-f-]{36}$/)
      const user = { id: person.id, username: person.username, name: { given: 'Test', family: 'User' } }
      const { self, signOnPage } = linksOf(flowId, [])
      assert.deepEqual(json, {
        ...common(flowId, json),
        _links: { self },
        _embedded: { user, application: { name: 'Demo native application' } },
        session: { id: json.session.id },
        status: 'COMPLETED',
      })
      const again = (await read({ browser, flowId })).json
      assert.deepEqual(again, { ...json, _links: { self, signOnPage } }, 'a finished flow can still be read')
    })

    test('FAILED: the reason; nothing can be done but resume, which refuses the application', async () => {
      const arranged = await flowIn(stile, 'FAILED')
      const { browser, flowId } = arranged
      const { json } = await read(arranged)
      assert.deepEqual(json, {
        ...common(flowId, json),
        _links: linksOf(flowId, []),
        _embedded: { application: { name: 'Demo native application' } },
        status: 'FAILED',
        error: { code: 'ACCOUNT_NOT_USABLE', message: 'The account cannot be used to sign on.' },
      })
      const resumed = await browser.resume(flowId)
      assert.equal(resumed.status, 403)
      assert.deepEqual([resumed.json.code, resumed.json.authorizeResponse], ['ACCESS_FAILED', undefined])
    })

    test('prompt=login begins without the session; max_age and it name the user', async () => {
      const { browser, person } = await flowIn(stile, 'COMPLETED')
      const asked = async (more: Record<string, string>) =>
        (await browser.authorize(piFlowRequest(stile, pkce().challenge, more))).json
      const login = await asked({ prompt: 'login' })
      assert.deepEqual(
        [login.status, login.session, login._embedded.user],
        ['USERNAME_PASSWORD_REQUIRED', undefined, undefined],
      )
      const old = await asked({ max_age: '0' })
      assert.deepEqual(
        [old.status, old._embedded.user],
        ['PASSWORD_REQUIRED', { id: person.id, username: person.username }],
      )
      assert.equal((await asked({ max_age: '1000' })).status, 'COMPLETED')
      assert.equal((await asked({})).status, 'COMPLETED')
    })

    test('pi.flow with a session that satisfies the policy: the short form, and the code works', async () => {
      const { browser } = await flowIn(stile, 'COMPLETED')
      const { verifier, challenge } = pkce()
      const { status, json } = await browser.authorize(piFlowRequest(stile, challenge, { state: 's1' }))
      assert.equal(status, 200)
      const { code } = json.authorizeResponse
      assert.deepEqual(json, {
        environment: { id: stile.environmentId },
        session: { id: json.session.id },
        status: 'COMPLETED',
        authorizeResponse: { code, state: 's1' },
      })
      assert.equal((await redeem(stile, code, verifier)).status, 200)
    })

    test('prompt=none without a session: LOGIN_REQUIRED in the details', async () => {
      const { status, json } = await new Browser(stile).authorize(
        piFlowRequest(stile, pkce().challenge, { prompt: 'none' }),
      )
      assert.equal(status, 400)
      assert.equal(json.code, 'REQUEST_FAILED')
      assert.equal(json.details[0].code, 'LOGIN_REQUIRED')
      assert.match(json.details[0].message, /User authentication is required/)
    })
  })

  suite('the media type names the action (authentication-api 4.0, decision D5)', () => {
    const spellings = (name: string) => [
      `application/vnd.pingidentity.${name}+json`,
      `application/vnd.pingidentity.${name}`,
      `application/vnd.pingidentity.${name}+json; charset=UTF-8`,
      `application/vnd.pingidentity.${name}+json;charset="utf-8"`,
      `APPLICATION/VND.PINGIDENTITY.${name.toUpperCase()}+JSON`,
    ]

    test('with and without +json, in upper case, with the charset', async () => {
      for (const mediaType of spellings('usernamePassword.check')) {
        const browser = new Browser(stile)
        const flowId = await begin(browser)
        const body = bodyOf('usernamePassword.check', stile.user)
        const answer = await browser.send(flowPath(flowId), { method: 'POST', mediaType, body })
        assert.deepEqual([answer.status, answer.json.status], [200, 'COMPLETED'], mediaType)
      }
    })

    test('an empty body is an empty object', async () => {
      for (const body of [undefined, '', '{}']) {
        const { browser, flowId } = await flowIn(stile, 'PASSWORD_REQUIRED')
        const mediaType = 'application/vnd.pingidentity.session.reset+json'
        const answer = await browser.send(flowPath(flowId), {
          method: 'POST',
          mediaType,
          ...(body === undefined ? {} : { body }),
        })
        assert.deepEqual([answer.status, answer.json.status], [200, 'USERNAME_PASSWORD_REQUIRED'], String(body))
      }
    })

    const unfit = [
      ['none', undefined],
      ['JSON', 'application/json'],
      ['HAL', 'application/hal+json'],
      ['a form', 'application/x-www-form-urlencoded'],
      ['text', 'text/plain'],
      ['multipart', 'multipart/form-data; boundary=x'],
      ['an unknown action', 'application/vnd.pingidentity.user.fly+json'],
      ['PingFederate', 'application/vnd.pingidentity.checkUsernamePassword+json'],
      ['another suffix', 'application/vnd.pingidentity.usernamePassword.check+xml'],
      ['another charset', 'application/vnd.pingidentity.usernamePassword.check+json; charset=utf-16'],
      ['no media type at all', 'usernamePassword.check'],
    ] as const

    for (const [name, mediaType] of unfit) {
      test(`D5, I06: ${name} is 401, and 415 with an Authorization header`, async () => {
        const browser = new Browser(stile)
        const flowId = await begin(browser)
        const stored = await rowOf(stile, flowId)
        const body = JSON.stringify(bodyOf('usernamePassword.check', stile.user))
        // fetch names a type of its own for text; bytes are sent without one.
        const send = (headers: Record<string, string>) =>
          fetch(`http://127.0.0.1:${stile.node.port}${flowPath(flowId)}`, {
            method: 'POST',
            headers: {
              ...headers,
              ...(browser.cookie ? { cookie: browser.cookie } : {}),
              ...(mediaType ? { 'content-type': mediaType } : {}),
            },
            body: Buffer.from(body),
          })
        const unknown = await send({})
        const { id, ...answer } = (await unknown.json()) as { id: string }
        assert.equal(unknown.status, 401)
        assert.equal(id, unknown.headers.get('correlation-id'))
        const message = 'The authorization token is either missing or invalid, or it has expired.'
        assert.deepEqual(answer, {
          code: 'ACCESS_FAILED',
          message: 'You do not have access to this resource.',
          details: [{ code: 'INVALID_TOKEN', target: 'Authentication Credentials', message }],
        })
        const unsupported = await send({ authorization: 'Bearer whatever' })
        assert.equal(unsupported.status, 415)
        assert.equal(((await unsupported.json()) as { code: string }).code, 'INVALID_REQUEST')
        assert.deepEqual(await rowOf(stile, flowId), stored)
      })
    }

    test('D5: a known action that the status does not allow is 400 INVALID_REQUEST', async () => {
      const browser = new Browser(stile)
      const flowId = await begin(browser)
      const { status, json } = await browser.act(flowId, 'password.reset', bodyOf('password.reset', stile.user))
      assert.deepEqual([status, { ...json, id: '' }], [400, { id: '', code: 'INVALID_REQUEST', message: malformed }])
    })

    test('an Authorization header is ignored', async () => {
      const browser = new Browser(stile)
      const flowId = await begin(browser)
      for (const authorization of ['Bearer garbage', `Bearer ${await stile.workerToken()}`, 'Basic eDp5', '']) {
        const answer = await browser.send(flowPath(flowId), { headers: { authorization } })
        assert.deepEqual([answer.status, answer.json.status], [200, 'USERNAME_PASSWORD_REQUIRED'])
      }
      const body = bodyOf('usernamePassword.check', stile.user)
      assert.equal(
        (await browser.act(flowId, 'usernamePassword.check', body, { authorization: 'Bearer x' })).status,
        200,
      )
    })

    test('GET carries whatever Content-Type, as browser clients send it', async () => {
      const browser = new Browser(stile)
      const flowId = await begin(browser)
      for (const mediaType of ['application/json', 'application/vnd.pingidentity.usernamePassword.check+json']) {
        assert.equal((await browser.send(flowPath(flowId), { mediaType })).status, 200)
      }
    })
  })

  suite('steps, first edition (authentication-api 1.4)', () => {
    const steps = async ({ browser, flowId }: Arranged) => browser.send(`${flowPath(flowId)}/steps`)
    const unknown = ['user-unknown', 'Nobody has proved who they are yet, so no step can be skipped.'] as const

    test('every step, its standing and its reason; one step by its id', async () => {
      const arranged = await flowIn(stile, 'USERNAME_PASSWORD_REQUIRED')
      const { browser, flowId, person } = arranged
      const self = `${flowUrl(flowId)}/steps`
      const required = step(flowId, 'REQUIRED', ...unknown)
      const expected = {
        _links: { self: { href: self }, flow: { href: flowUrl(flowId) } },
        _embedded: { steps: [required] },
        size: 1,
      }
      assert.deepEqual((await steps(arranged)).json, expected)
      const one = await browser.send(`${flowPath(flowId)}/steps/${policy.action}`)
      assert.deepEqual([one.status, one.json], [200, required])
      assert.equal((await browser.send(`${flowPath(flowId)}/steps/${randomUUID()}`)).status, 404)
      await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
      assert.deepEqual((await steps(arranged)).json._embedded.steps, [step(flowId, 'COMPLETED', ...unknown)])
    })

    test('POST on the step that waits is POST on the flow', async () => {
      const { browser, flowId, person } = await flowIn(stile, 'USERNAME_PASSWORD_REQUIRED')
      const at = (stepId: string) =>
        browser.send(`${flowPath(flowId)}/steps/${stepId}`, {
          method: 'POST',
          body: bodyOf('usernamePassword.check', person),
          mediaType: 'application/vnd.pingidentity.usernamePassword.check+json',
        })
      assert.equal((await at(randomUUID())).status, 404, 'no such step')
      const done = await at(policy.action)
      assert.deepEqual([done.status, done.json.status], [200, 'COMPLETED'])
      const again = await at(policy.action)
      assert.deepEqual([again.status, again.json.code], [400, 'INVALID_REQUEST'], 'a step that does not wait')
    })

    test('POST on a step answers wrong media types as the flow does', async () => {
      const { browser, flowId } = await flowIn(stile, 'USERNAME_PASSWORD_REQUIRED')
      const path = `${flowPath(flowId)}/steps/${policy.action}`
      assert.equal((await browser.send(path, { method: 'POST', body: {} })).status, 401)
      assert.equal((await browser.send(path, { method: 'POST', body: {}, token: 'x' })).status, 415)
      assert.equal((await browser.send(path, { method: 'PUT', body: {} })).headers.get('allow'), 'GET, POST')
    })
  })

  test('every media type of the machine is an operation of the flow and of its steps', async () => {
    const flowId = await begin(new Browser(stile))
    for (const name of mediaTypeNames) {
      const mediaType = `application/vnd.pingidentity.${name}+json`
      for (const path of [flowPath(flowId), `${flowPath(flowId)}/steps/${policy.action}`]) {
        const { status } = await stile.send(path, { method: 'POST', mediaType, body: {} })
        assert.equal(status, 400, `${name} at ${path}`)
      }
    }
  })
})
