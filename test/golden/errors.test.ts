/** authentication-api 7: the error body, the codes of each HTTP status, and the state and policy of passwords. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { catalog } from '../../src/errors/catalog.ts'
import type { FlowStatus } from '../../src/flow/state.ts'
import {
  addressOf,
  agePassword,
  bodyOf,
  codeSentTo,
  newPassword,
  newPerson,
  newPolicy,
  type Person,
  setPassword,
} from '../flow-runtime/arrange.ts'
import { Browser, piFlowRequest, pkce, userToken } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { sentMembers } from '../platform/members.ts'
import { asDocumented, errorOf, Journey, type Json } from './journey.ts'

const general = 'The request could not be completed.'
const vendor = (action: string) => ({ mediaType: `application/vnd.pingidentity.${action}+json` })
const registering = { type: 'LOGIN', registration: { enabled: true } } as const

suite('authentication-api 7', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const inFlow = (status: FlowStatus = 'USERNAME_PASSWORD_REQUIRED') => Journey.in(stile, status)
  const silently = () => new Browser(stile).authorize(piFlowRequest(stile, pkce().challenge, { prompt: 'none' }))
  const check = async (body: object) => (await inFlow()).act('usernamePassword.check', body)
  const passwordCheck = ({ id }: Person, body: object) =>
    stile.api('POST', `/users/${id}/password`, body, vendor('password.check'))
  const usersBy = (filter: string) => stile.api('GET', `/users?filter=${encodeURIComponent(filter)}`)

  test('7.1 Body: the example, id = Correlation-Id', async () => {
    const journey = await inFlow('MUST_CHANGE_PASSWORD')
    const { password } = journey.person
    const answer = await journey.act('password.reset', { currentPassword: password, newPassword: password })
    const { id, ...error } = answer.json
    assert.equal(id, answer.headers.get('correlation-id'))
    assert.equal(answer.headers.get('content-type'), 'application/hal+json;charset=UTF-8')
    // A password is also similar to itself; that of the example misses one requirement.
    const [{ innerError, ...detail }] = error.details
    const { unsatisfiedRequirements, history } = innerError
    assert.ok(unsatisfiedRequirements.includes('history'))
    assert.deepEqual(
      { ...error, details: [{ ...detail, innerError: { unsatisfiedRequirements: ['history'], history } }] },
      {
        code: 'INVALID_DATA',
        message: `${general} One or more validation errors were in the request.`,
        details: [
          {
            code: 'INVALID_VALUE',
            target: 'newPassword',
            message: 'New password did not satisfy password policy requirements',
            innerError: {
              unsatisfiedRequirements: ['history'],
              history:
                'The provided new password cannot be the same as the current password or any password in the password history.',
            },
          },
        ],
      },
    )
  })

  suite('7.2 Top-level codes and HTTP', () => {
    const malformed = `${general} The request was malformed or invalid.`
    const noAccess = `${general} You do not have access to this resource.`
    type Row = readonly [status: number, code: string, message: string, provoke: () => Promise<Answer>]
    const rows: Readonly<Record<string, Row>> = {
      '400 INVALID_DATA': [
        400,
        'INVALID_DATA',
        `${general} One or more validation errors were in the request.`,
        () => check({}),
      ],
      '400 INVALID_REQUEST': [400, 'INVALID_REQUEST', malformed, async () => (await inFlow()).act('password.reset')],
      '400 REQUEST_FAILED': [400, 'REQUEST_FAILED', `${general} There was an issue processing the request.`, silently],
      '401 ACCESS_FAILED': [
        401,
        'ACCESS_FAILED',
        noAccess,
        () => stile.api('GET', '/users', undefined, { token: null }),
      ],
      '401 ACCESS_FAILED, the captured shorter form on a flow': [
        401,
        'ACCESS_FAILED',
        'You do not have access to this resource.',
        async () => stile.send(`/${stile.environmentId}/flows/${(await inFlow()).flowId}`, { body: {} }),
      ],
      '403 ACCESS_FAILED': [
        403,
        'ACCESS_FAILED',
        `${general} You do not have permissions or are not licensed to make this request.`,
        async () => stile.api('GET', '/users', undefined, { token: await userToken(stile) }),
      ],
      '404 NOT_FOUND': [
        404,
        'NOT_FOUND',
        `${general} The requested resource was not found.`,
        () => stile.send(`/${stile.environmentId}/flows/${randomUUID()}`),
      ],
      '405 INVALID_REQUEST': [
        405,
        'INVALID_REQUEST',
        `${general} The method is not allowed here.`,
        async () => stile.send(`/${stile.environmentId}/flows/${(await inFlow()).flowId}`, { method: 'PUT', body: {} }),
      ],
      '415 INVALID_REQUEST': [
        415,
        'INVALID_REQUEST',
        `${general} The media type is not supported.`,
        async () => stile.send(`/${stile.environmentId}/flows/${(await inFlow()).flowId}`, { body: {}, token: 'x' }),
      ],
      '429 REQUEST_LIMITED, with Retry-After': [
        429,
        'REQUEST_LIMITED',
        `${general} Too many requests.`,
        async () => {
          const journey = await inFlow('RECOVERY_CODE_REQUIRED')
          for (let sent = 1; sent < 5; sent++) await journey.act('password.sendRecoveryCode', {})
          const limited = await journey.act('password.sendRecoveryCode', {})
          assert.match(limited.headers.get('retry-after') ?? '', /^\d+$/)
          return limited
        },
      ],
    }
    for (const [name, [status, code, message, provoke]] of Object.entries(rows)) {
      test(name, async () => {
        const { status: answered, json } = await provoke()
        assert.deepEqual([answered, json.code, json.message], [status, code, message])
      })
    }

    test('409 is never answered: a value that is taken is 400 (D9)', async () => {
      const { username } = await newPerson(stile)
      const again = await stile.api('POST', '/users', { username, population: { id: stile.populationId } })
      assert.deepEqual(errorOf(again), [400, 'INVALID_DATA', 'UNIQUENESS_VIOLATION', 'username'])
      const statuses: readonly number[] = Object.values(catalog).map(({ status }) => status)
      assert.ok(!statuses.includes(409))
    })

    test('500 UNEXPECTED_ERROR and 503: in the catalogue, since nobody can ask for them', () => {
      assert.deepEqual([catalog.UNEXPECTED_ERROR.status, catalog.UNEXPECTED_ERROR.code], [500, 'UNEXPECTED_ERROR'])
      assert.equal(catalog.UNAVAILABLE.status, 503)
    })
  })

  suite('7.3 Detail codes', () => {
    /** How each is met, but for those that 4.2 meets (INVALID_CREDENTIALS, INVALID_OTP, PASSWORD_LOCKED_OUT, …). */
    type Row = readonly [parent: string, target: string | undefined, provoke: () => Promise<Answer>]
    const met: Readonly<Record<string, Row>> = {
      CONSTRAINT_VIOLATION: [
        'INVALID_DATA',
        'condition',
        async () => {
          const condition = { value: '${user.name.given}', equals: 'x' }
          const path = `/signOnPolicies/${(await newPolicy(stile)).id}/actions`
          return stile.api('POST', path, { type: 'LOGIN', priority: 1, condition })
        },
      ],
      EMPTY_VALUE: ['INVALID_DATA', 'password', async () => passwordCheck(await newPerson(stile), { password: '' })],
      INVALID_FILTER: ['INVALID_REQUEST', 'filter', () => usersBy('bogus eq "x"')],
      INVALID_PARAMETER: ['INVALID_DATA', 'limit', () => stile.api('GET', '/users?limit=1&limit=2')],
      INVALID_VALUE: ['INVALID_DATA', 'limit', () => stile.api('GET', '/users?limit=abc')],
      NO_PASSWORD: [
        'INVALID_DATA',
        'password',
        async () => passwordCheck(await newPerson(stile, { password: null }), { password: 'x' }),
      ],
      OUT_OF_RANGE: ['INVALID_DATA', 'password', () => check({ username: 'x', password: 'x'.repeat(1025) })],
      REQUIRED_VALUE: ['INVALID_DATA', 'password', () => check({ username: 'x' })],
      INVALID_TOKEN: [
        'ACCESS_FAILED',
        'Authentication Credentials',
        () => stile.api('GET', '/users', undefined, { token: null }),
      ],
      LOGIN_REQUIRED: ['REQUEST_FAILED', undefined, silently],
    }
    for (const [code, [parent, target, provoke]] of Object.entries(met)) {
      test(`${code} in ${parent}`, async () => {
        const { json, text } = await provoke()
        const [detail] = json.details ?? []
        assert.deepEqual([json.code, detail?.code, detail?.target], [parent, code, target], text)
      })
    }

    test('innerError: allowedValues, supportedAttributes, supportedOperators, rangeMaximumValue', async () => {
      const path = `/signOnPolicies/${(await newPolicy(stile)).id}/actions`
      const action = await stile.api('POST', path, { type: 'X', priority: 1 })
      assert.ok(action.json.details[0].innerError.allowedValues.includes('LOGIN'))
      const { supportedAttributes, supportedOperators } = (await usersBy('bogus eq "x"')).json.details[0].innerError
      assert.ok(supportedAttributes.includes('username') && supportedOperators.includes('eq'))
      const long = await check({ username: 'x', password: 'x'.repeat(1025) })
      assert.equal(long.json.details[0].innerError.rangeMaximumValue, 1024)
    })
  })

  // The rows that 4.2 describes too are tested there, with what was decided.
  suite('7.4 Flow error matrix', () => {
    test('password.check (management): 400 INVALID_DATA, INVALID_VALUE / password, failuresRemaining', async () => {
      const { json } = await passwordCheck(await newPerson(stile), { password: 'x' })
      assert.deepEqual(json.details, [
        {
          code: 'INVALID_VALUE',
          target: 'password',
          message: 'The provided password did not match provisioned password',
          innerError: { failuresRemaining: 4 },
        },
      ])
    })

    test('user.register: INVALID_VALUE / password, unsatisfiedRequirements, each with its text', async () => {
      const journey = await Journey.under(stile, [registering])
      const body = { ...bodyOf('user.register', journey.person), password: 'short' }
      const [{ code, target, innerError }] = (await journey.act('user.register', body)).json.details
      assert.deepEqual([code, target], ['INVALID_VALUE', 'password'])
      for (const name of innerError.unsatisfiedRequirements) assert.equal(typeof innerError[name], 'string')
    })

    test('GET and POST of an unknown flow: 404 NOT_FOUND', async () => {
      const path = `/${stile.environmentId}/flows/${randomUUID()}`
      for (const call of [{}, { body: {}, ...vendor('usernamePassword.check') }]) {
        assert.deepEqual(errorOf(await stile.send(path, call)), [404, 'NOT_FOUND', undefined, undefined])
      }
    })

    test('authorize pi.flow prompt=none: LOGIN_REQUIRED, "User authentication is required"', async () => {
      const answer = await silently()
      assert.deepEqual(errorOf(answer), [400, 'REQUEST_FAILED', 'LOGIN_REQUIRED', undefined])
      assert.match(answer.json.details[0].message, /User authentication is required/)
    })
  })

  test('7.5 description-type strings may not contain $ + < = > ^ ` | ~', async () => {
    for (const character of '$+<=>^`|~') {
      const description = `before ${character} after`
      const answer = await stile.api('POST', '/populations', { name: `Population ${randomUUID()}`, description })
      const refused = [character, 400, 'INVALID_DATA', 'INVALID_VALUE', 'description']
      assert.deepEqual([character, ...errorOf(answer)], refused)
    }
  })

  suite('7.6 Password state', () => {
    const states: Readonly<Record<string, () => Promise<Person>>> = {
      OK: () => newPerson(stile),
      NO_PASSWORD: () => newPerson(stile, { password: null }),
      PASSWORD_EXPIRED: async () => {
        const person = await newPerson(stile)
        await agePassword(stile, person)
        return person
      },
      PASSWORD_LOCKED_OUT: async () => {
        const person = await newPerson(stile)
        for (let tried = 0; tried < 5; tried++) await passwordCheck(person, { password: 'x' })
        return person
      },
      MUST_CHANGE_PASSWORD: () => newPerson(stile, { forceChange: true }),
    }
    for (const [status, arrange] of Object.entries(states)) {
      test(`status ${status}`, async () => {
        const { id } = await arrange()
        const { _links, ...members } = asDocumented(stile, (await stile.api('GET', `/users/${id}/password`)).json)
        for (const name of ['password.check', 'password.reset', 'password.set', 'password.recover']) {
          assert.ok(_links[name], name)
        }
        const { secondsUntilUnlock, ...others } = members
        assert.equal(secondsUntilUnlock !== undefined, status === 'PASSWORD_LOCKED_OUT')
        assert.deepEqual(others, {
          environment: { id: '{envId}' },
          user: { id: '{uuid}' },
          passwordPolicy: { id: '{uuid}' },
          status,
          ...(status === 'NO_PASSWORD' ? {} : { lastChangedAt: '{time}' }),
        })
      })
    }

    test('account{canAuthenticate, status OK|LOCKED, lockedAt}; lifecycle.status ACCOUNT_OK', async () => {
      const { id } = await newPerson(stile)
      const user = async () => asDocumented(stile, (await stile.api('GET', `/users/${id}`)).json)
      const { account, lifecycle } = await user()
      assert.deepEqual([account, lifecycle.status], [{ canAuthenticate: true, status: 'OK' }, 'ACCOUNT_OK'])
      const act = (action: string) => stile.api('POST', `/users/${id}`, {}, vendor(action))
      assert.equal((await act('account.lock')).status, 200)
      assert.deepEqual((await user()).account, { canAuthenticate: false, status: 'LOCKED', lockedAt: '{time}' })
      assert.equal((await act('account.unlock')).status, 200)
      assert.equal((await user()).account.canAuthenticate, true)
    })

    test('lifecycle.status VERIFICATION_REQUIRED after a registration', async () => {
      const journey = await Journey.under(stile, [registering])
      const { json } = await journey.act('user.register', bodyOf('user.register', journey.person))
      const user = (await stile.api('GET', `/users/${json._embedded.user.id}`)).json
      assert.equal(user.lifecycle.status, 'VERIFICATION_REQUIRED')
    })

    test('by the management API: password.set, check, reset, sendRecoveryCode, recover', async () => {
      const person = await newPerson(stile)
      const [one, two, three] = [newPassword(), newPassword(), newPassword()]
      await setPassword(stile, { ...person, password: one }, { forceChange: false })
      assert.equal((await passwordCheck(person, { password: one })).status, 200)
      const call = (method: string, action: string, body: object) =>
        stile.api(method, `/users/${person.id}/password`, body, vendor(action))
      assert.equal((await call('POST', 'password.sendRecoveryCode', {})).status, 200)
      const recoveryCode = await codeSentTo(stile, addressOf(person))
      const recovered = await call('POST', 'password.recover', { recoveryCode, newPassword: two })
      assert.equal(recovered.status, 200, recovered.text)
      const reset = await call('PUT', 'password.reset', { currentPassword: two, newPassword: three })
      assert.equal(reset.status, 200, reset.text)
    })
  })

  suite('7.7 Password policy shape', () => {
    const minCharacters = {
      ABCDEFGHIJKLMNOPQRSTUVWXYZ: 1,
      abcdefghijklmnopqrstuvwxyz: 1,
      '0123456789': 1,
      '~!@#$%^&*()-_=+[]{}|;:,.<>/?': 1,
    }

    test('the example, made and read', async () => {
      const sent = {
        name: `Standard ${randomUUID()}`,
        description: 'An example',
        default: false,
        length: { min: 8, max: 255 },
        minCharacters,
        maxRepeatedCharacters: 2,
        minUniqueCharacters: 5,
        minComplexity: 7,
        excludesCommonlyUsed: true,
        excludesProfileData: true,
        notSimilarToCurrent: true,
        history: { count: 6, retentionDays: 365 },
        lockout: { failureCount: 5, durationSeconds: 900 },
        maxAgeDays: 182,
        minAgeDays: 1,
      }
      const created = await stile.api('POST', '/passwordPolicies', sent)
      assert.equal(created.status, 201, created.text)
      const shown = asDocumented(stile, created.json, { '{policyId}': created.json.id })
      const { populationCount, createdAt, updatedAt, ...members } = shown
      assert.deepEqual([populationCount, createdAt, updatedAt], [0, '{time}', '{time}'])
      const environment = 'https://api.pingone.com/v1/environments/{envId}'
      assert.deepEqual(members, {
        ...asDocumented(stile, sent),
        _links: {
          self: { href: `${environment}/passwordPolicies/{policyId}` },
          environment: { href: environment },
        },
        id: '{policyId}',
        environment: { id: '{envId}' },
      })
    })

    test('embedded in flows (as in the example of 3.4: without id, environment and links)', async () => {
      const { passwordPolicy } = (await (await inFlow('MUST_CHANGE_PASSWORD')).read()).json._embedded
      const all = (await stile.api('GET', '/passwordPolicies')).json._embedded.passwordPolicies
      const standard = all.find((policy: Json) => policy.default)
      const { populationCount: _count, ...shape } = sentMembers(standard)
      assert.deepEqual(passwordPolicy, shape)
      assert.deepEqual(passwordPolicy.minCharacters, minCharacters)
    })
  })
})
