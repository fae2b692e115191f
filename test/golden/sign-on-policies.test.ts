/** authentication-api 5: sign-on policies as JSON, their conditions, and in which order they are evaluated. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { actions as actionTypes } from '../../src/flow/actions/index.ts'
import { testWorld, type TestWorld } from '../../src/world.ts'
import {
  type ActionBody,
  addEmailDevice,
  assign,
  bodyOf,
  enableMfa,
  newApplication,
  newDevicePolicy,
  newPerson,
  newPolicy,
  type NewPerson,
  type Person,
} from '../flow-runtime/arrange.ts'
import { leave, newIdentityProvider } from '../flow-runtime/external.ts'
import { type OpenIdProvider, startOpenIdProvider } from '../harness/openid-provider.ts'
import { Browser, piFlowRequest, pkce, redeem } from '../harness/sign-on.ts'
import { type Call, type Stile, startStile } from '../harness/stile.ts'
import { addAgreement, enable as enableAgreement } from '../platform/agreement.ts'
import { sentMembers } from '../platform/members.ts'
import { addPopulation } from '../platform/people.ts'
import { asDocumented, errorOf, Journey, type Json } from './journey.ts'

const login = { type: 'LOGIN' } as const
const mfa = { type: 'MULTI_FACTOR_AUTHENTICATION' } as const
const since = (what: string, greater: number) => ({ secondsSince: `\${session.lastSignOn.${what}}`, greater })
const [pwd, multiFactor, any] = ['withAuthenticator.pwd.at', 'withAuthenticator.mfa.at', 'at'] as const
const remoteIp = '${flow.request.http.remoteIp}'

/** Where clients of these tests come from: what is known of the networks. */
const [office, berlin, sydney, tor, risky] = ['10.1.2.3', '192.0.2.1', '198.51.100.1', '203.0.113.1', '203.0.113.200']
const networks = [
  { network: '10.0.0.0/8', anonymous: false, riskScore: 10 },
  { network: '192.0.2.0/24', anonymous: false, riskScore: 10, latitude: 52.5, longitude: 13.4 },
  { network: '198.51.100.0/24', anonymous: false, riskScore: 10, latitude: -33.9, longitude: 151.2 },
  { network: '203.0.113.0/25', anonymous: true, riskScore: 10 },
  { network: '203.0.113.128/25', anonymous: false, riskScore: 90 },
]

/** A browser behind the proxy that the server trusts, at this address. */
class BrowserAt extends Browser {
  address: string

  constructor(stile: Stile, address: string) {
    super(stile)
    this.address = address
  }

  override send(path: string, call: Call = {}) {
    return super.send(path, { ...call, headers: { ...call.headers, 'x-forwarded-for': this.address } })
  }
}

suite('authentication-api 5', () => {
  const directory = mkdtempSync(join(tmpdir(), 'stile-golden-'))
  let stile: Stile
  let world: TestWorld
  let provider: OpenIdProvider
  let idpId: string
  before(async () => {
    world = testWorld()
    const path = join(directory, 'networks.jsonl')
    writeFileSync(path, networks.map((network) => JSON.stringify(network)).join('\n'))
    const environment = { STILE_IP_INTELLIGENCE: path, STILE_TRUSTED_PROXIES: '127.0.0.1,::1' }
    stile = await startStile({ world, environment })
    provider = await startOpenIdProvider()
    idpId = await newIdentityProvider(stile, provider)
  })
  after(async () => {
    await provider.close()
    await stile.close()
    rmSync(directory, { recursive: true })
  })

  /** Lets time pass; a node that has not looked at its configuration for that long looks. */
  async function pass(seconds: number): Promise<void> {
    world.advance(seconds * 1000)
    await stile.node.kernel.environments.poll()
  }
  const write = async (...bodies: readonly object[]) => {
    const { id } = await newPolicy(stile)
    const answers = []
    for (const [at, body] of bodies.entries()) {
      const sent = { priority: at + 1, ...body }
      answers.push(await stile.api('POST', `/signOnPolicies/${id}/actions`, sent))
    }
    return { id, answers, last: answers[answers.length - 1] as (typeof answers)[0] }
  }
  async function personWithDevice(more?: NewPerson): Promise<Person> {
    const person = await newPerson(stile, more)
    await enableMfa(stile, person)
    await addEmailDevice(stile, person)
    return person
  }

  suite('5.1 Resources', () => {
    test('the policy, and the two predefined ones: Single_Factor (LOGIN), Multi_Factor (LOGIN + MFA)', async () => {
      const { json } = await stile.api('GET', '/signOnPolicies')
      const predefined = json._embedded.signOnPolicies.filter(({ name }: Json) => /^(Single|Multi)_Factor$/.test(name))
      const shown: Json = {}
      for (const policy of predefined) {
        const members = Object.keys(policy).filter((name) => name !== '_links' && name !== 'description')
        assert.deepEqual(members, ['id', 'environment', 'name', 'default', 'createdAt', 'updatedAt'])
        const { _embedded } = (await stile.api('GET', `/signOnPolicies/${policy.id}/actions`)).json
        shown[policy.name] = [policy.default, ..._embedded.actions.map(({ type }: Json) => type)]
      }
      assert.deepEqual(shown, {
        Single_Factor: [true, 'LOGIN'],
        Multi_Factor: [false, 'LOGIN', 'MULTI_FACTOR_AUTHENTICATION'],
      })
    })

    test('the name of a policy is what ^[a-zA-Z0-9_. -]+$ allows, or a URI', async () => {
      const named = async (name: string) => (await stile.api('POST', '/signOnPolicies', { name })).status
      const suffix = randomUUID()
      assert.equal(await named(`urn:example:${suffix}`), 201)
      assert.equal(await named(`Some_name. ${suffix}`), 201)
      for (const name of [`a/b ${suffix}`, 'a+b', '']) assert.equal(await named(name), 400, name)
    })

    test('the common part of an action', async () => {
      const condition = since(pwd, 28_800)
      const { id, last } = await write({ ...login, condition })
      assert.equal(last.status, 201)
      const { _links, ...action } = asDocumented(stile, last.json, { '{policyId}': id })
      assert.deepEqual(action, {
        id: '{uuid}',
        environment: { id: '{envId}' },
        signOnPolicy: { id: '{policyId}' },
        priority: 1,
        type: 'LOGIN',
        condition,
      })
    })

    test('…/applications/{appId}/signOnPolicyAssignments: {"signOnPolicy":{"id":"…"},"priority":1}', async () => {
      const { id } = await newPolicy(stile, login)
      const sent = { signOnPolicy: { id }, priority: 1 }
      const client = await newApplication(stile)
      const answer = await stile.api('POST', `/applications/${client}/signOnPolicyAssignments`, sent)
      assert.equal(answer.status, 201)
      const { application, ...members } = sentMembers(answer.json)
      assert.deepEqual(members, sent)
      assert.deepEqual(application, { id: client })
    })
  })

  suite('5.2-5.4 Actions as JSON: what is sent comes back', () => {
    const registration = () => ({
      enabled: true,
      population: { id: stile.populationId },
      confirmIdentityProviderAttributes: true,
    })
    const condition = since(pwd, 28_800)
    const examples: Readonly<Record<string, () => object | Promise<object>>> = {
      'LOGIN (Stile: without gateways)': () => ({
        ...login,
        recovery: { enabled: true },
        registration: registration(),
        socialProviders: [{ id: idpId }],
        enforceLockoutForIdentityProviders: false,
        condition,
      }),
      'LOGIN with registration.external, while registration.enabled is false': () => ({
        ...login,
        registration: { enabled: false, external: { href: 'https://corp.example/register' } },
      }),
      IDENTIFIER_FIRST: () => ({
        type: 'IDENTIFIER_FIRST',
        recovery: { enabled: true },
        registration: registration(),
        socialProviders: [{ id: idpId }],
        discoveryRules: [
          { condition: { value: '${identifier}', contains: '@corp.example' }, identityProvider: { id: idpId } },
        ],
      }),
      MULTI_FACTOR_AUTHENTICATION: async () => ({
        ...mfa,
        deviceAuthenticationPolicy: { id: await newDevicePolicy(stile, {}) },
        noDevicesMode: 'BLOCK',
      }),
      'MULTI_FACTOR_AUTHENTICATION, deprecated form (Stile: switched off only)': () => ({
        ...mfa,
        ...Object.fromEntries(
          ['sms', 'voice', 'email', 'securityKey', 'boundBiometrics', 'authenticator'].map((kind) => [
            kind,
            { enabled: false },
          ]),
        ),
        applications: [],
      }),
      IDENTITY_PROVIDER: () => ({
        type: 'IDENTITY_PROVIDER',
        identityProvider: { id: idpId },
        acrValues: 'Single_Factor Multi_Factor',
        passUserContext: true,
        registration: { enabled: true, population: { id: stile.populationId } },
      }),
      PROGRESSIVE_PROFILING: () => ({
        type: 'PROGRESSIVE_PROFILING',
        promptText: 'Please tell us',
        promptIntervalSeconds: 7_776_000,
        preventMultiplePromptsPerFlow: true,
        attributes: [
          { name: 'email', required: true },
          { name: 'address.postalCode', required: false },
        ],
      }),
      AGREEMENT: async () => {
        const agreement = await addAgreement(stile)
        await enableAgreement(stile, agreement)
        return { type: 'AGREEMENT', agreement: { id: agreement.id }, disableDeclineOption: false }
      },
    }
    for (const [name, example] of Object.entries(examples)) {
      test(name, async () => {
        const sent = await example()
        const { last, id } = await write(sent)
        assert.equal(last.status, 201, last.text)
        assert.deepEqual(sentMembers(last.json), { ...sent, priority: 1, signOnPolicy: { id } })
      })
    }

    const refused: Readonly<Record<string, readonly [body: object, target: string]>> = {
      'newUserProvisioning.gateways (no gateways, D25)': [
        {
          ...login,
          newUserProvisioning: { gateways: [{ id: randomUUID(), type: 'LDAP', userType: { id: randomUUID() } }] },
        },
        'newUserProvisioning.gateways',
      ],
      'sms.enabled, deprecated form': [{ ...mfa, sms: { enabled: true } }, 'sms.enabled'],
      PINGID_AUTHENTICATION: [{ type: 'PINGID_AUTHENTICATION' }, 'type'],
      PINGID_WINLOGIN_PASSWORDLESS_AUTHENTICATION: [{ type: 'PINGID_WINLOGIN_PASSWORDLESS_AUTHENTICATION' }, 'type'],
      PROGRESSIVE_PROFILING_FORM: [{ type: 'PROGRESSIVE_PROFILING_FORM' }, 'type'],
    }
    for (const [name, [body, target]] of Object.entries(refused)) {
      test(`not built: ${name} is refused when written`, async () => {
        const { last } = await write(body)
        assert.deepEqual(errorOf(last), [400, 'INVALID_DATA', 'INVALID_VALUE', target])
      })
    }

    test('the types are those documented, and WEBHOOK (extension)', () => {
      const documented = Object.keys(examples).map((name) => name.split(/[ ,]/)[0])
      assert.deepEqual(actionTypes.map(({ type }) => type).toSorted(), [...new Set(documented), 'WEBHOOK'].toSorted())
    })

    test('5.3: at most 100 discovery rules', async () => {
      const rule = { condition: { value: '${identifier}', contains: 'x' }, identityProvider: { id: idpId } }
      const rules = (count: number) => ({
        type: 'IDENTIFIER_FIRST',
        discoveryRules: Array.from({ length: count }, () => rule),
      })
      assert.equal((await write(rules(100))).last.status, 201)
      assert.equal((await write(rules(101))).last.status, 400)
    })
  })

  suite('5.2-5.4 Effects on the flow', () => {
    const relations = async (journey: Journey) =>
      Object.keys((await journey.read()).json._links).filter((relation) => relation.includes('.'))

    test('5.2: recovery.enabled -> password.forgot; registration.enabled -> user.register and the password policy', async () => {
      const plain = await Journey.under(stile, [login])
      assert.deepEqual(await relations(plain), ['usernamePassword.check'])
      assert.equal((await plain.read()).json._embedded.passwordPolicy, undefined)
      const recovering = await Journey.under(stile, [{ ...login, recovery: { enabled: true } }])
      assert.deepEqual(await relations(recovering), ['usernamePassword.check', 'password.forgot'])
      const registering = await Journey.under(stile, [{ ...login, registration: { enabled: true } }])
      assert.deepEqual(await relations(registering), ['usernamePassword.check', 'user.register'])
      assert.ok((await registering.read()).json._embedded.passwordPolicy)
    })

    test('5.2: registration.external.href: shown (Stile: as _embedded.registration), without user.register; only if enabled=false', async () => {
      const external = { href: 'https://corp.example/register' }
      const elsewhere = await Journey.under(stile, [{ ...login, registration: { enabled: false, external } }])
      assert.deepEqual(await relations(elsewhere), ['usernamePassword.check'])
      assert.deepEqual((await elsewhere.read()).json._embedded.registration, { external })
      const both = await write({ ...login, registration: { enabled: true, external } })
      assert.deepEqual(errorOf(both.last).slice(0, 2), [400, 'INVALID_DATA'])
    })

    test('5.3: IDENTIFIER_FIRST(1) + LOGIN(2) + MFA(3)', async (context) => {
      const person = await personWithDevice()
      const journey = await Journey.under(stile, [{ type: 'IDENTIFIER_FIRST' }, login, mfa], { person })
      await journey.acts(
        ['user.lookup', { username: person.username }, 'PASSWORD_REQUIRED'],
        ['usernamePassword.check', bodyOf('usernamePassword.check', person), 'OTP_REQUIRED'],
      )
      await journey.acts(['otp.check', { otp: await journey.code() }, 'COMPLETED'])
      await journey.record(context)
    })

    test('5.3: IDENTIFIER_FIRST + MFA, password-less: OTP_REQUIRED right after lookup', async (context) => {
      const person = await personWithDevice()
      const journey = await Journey.under(stile, [{ type: 'IDENTIFIER_FIRST' }, mfa], { person })
      await journey.acts(['user.lookup', { username: person.username }, 'OTP_REQUIRED'])
      await journey.acts(['otp.check', { otp: await journey.code() }, 'COMPLETED'])
      await journey.record(context)
    })

    test('5.4: no usable device and BLOCK, the default -> FAILED, NO_USABLE_DEVICES', async (context) => {
      for (const action of [mfa, { ...mfa, noDevicesMode: 'BLOCK' } as const]) {
        const journey = await Journey.under(stile, [login, action])
        const { json } = await journey.password()
        assert.deepEqual(
          [json.status, json.error.code, json.error.unavailableDevices],
          ['FAILED', 'NO_USABLE_DEVICES', []],
        )
        await journey.record(context)
      }
    })

    test('5.4: IDENTITY_PROVIDER: EXTERNAL_AUTHENTICATION_REQUIRED, and acrValues travel to the provider', async (context) => {
      const action = { type: 'IDENTITY_PROVIDER', identityProvider: { id: idpId }, acrValues: 'Single_Factor' } as const
      const journey = await Journey.under(stile, [action])
      const away = new URL(await leave(journey.browser, journey.flowId, idpId))
      assert.equal(away.searchParams.get('acr_values'), 'Single_Factor')
      assert.equal((await journey.read()).json.status, 'EXTERNAL_AUTHENTICATION_REQUIRED')
      await journey.record(context)
    })

    test('5.4: PROGRESSIVE_PROFILING: after authentication, for users who lack values, not more often than the interval', async (context) => {
      const action = {
        type: 'PROGRESSIVE_PROFILING',
        promptText: 'Please tell us',
        promptIntervalSeconds: 7_776_000,
        preventMultiplePromptsPerFlow: true,
        attributes: [
          { name: 'email', required: true },
          { name: 'address.postalCode', required: false },
        ],
      } as const
      const first = await Journey.under(stile, [login, action])
      const { json } = await first.password()
      assert.deepEqual(
        [json.status, json.promptText, json._embedded.attributes],
        ['PROFILE_DATA_REQUIRED', 'Please tell us', [{ name: 'address.postalCode', required: false }]],
      )
      await first.acts(['user.update', {}, 'COMPLETED'])
      await first.record(context)
      const again = await Journey.under(stile, [login, action], { person: first.person })
      assert.equal((await again.password()).json.status, 'COMPLETED')
      await again.record(context)
    })

    test('5.4: AGREEMENT: while there is no consent to the current revision; declining -> FAILED', async (context) => {
      const agreement = await addAgreement(stile)
      await enableAgreement(stile, agreement)
      const action = { type: 'AGREEMENT', agreement: { id: agreement.id } } as const
      const declining = await Journey.under(stile, [login, action])
      await declining.password()
      await declining.acts(['user.consent', { accept: false }, 'FAILED'])
      await declining.record(context)
      const accepting = await Journey.under(stile, [login, action])
      await accepting.password()
      await accepting.acts(['user.consent', { accept: true }, 'COMPLETED'])
      const again = await Journey.under(stile, [login, action], { person: accepting.person })
      assert.equal((await again.password()).json.status, 'COMPLETED')
      await again.record(context)
    })
  })

  suite('5.5 Conditions', () => {
    /** Who signs on, from where, and how many seconds after they signed on the first time; `first: false`: they did not. */
    interface Case {
      readonly person?: NewPerson
      readonly first?: false
      readonly from?: string
      readonly to?: string
      readonly seconds?: number
    }
    /** A condition, and cases in which it is true and false; `null`: there is none. */
    type Row = readonly [condition: object, yes: Case | null, no: Case | null]
    // In all less than the hour that the worker's token lives.
    const late = { seconds: 90 }
    const soon = { seconds: 30 }
    const named = (given: string) => ({ person: { name: { given, family: 'f' } } })
    const isNamed = (equals: string) => ({ value: '${user.name.given}', equals })
    const geoVelocity = {
      geoVelocity: remoteIp,
      valid: {
        previousSuccessfulAuthenticationIp: '${user.lastSignOn.remoteIp}',
        previousSuccessfulAuthenticationTime: '${user.lastSignOn.at}',
      },
    }
    const anonymousNetwork = { valid: remoteIp, anonymousNetwork: ['203.0.113.99/32'] }
    const nested = { or: [{ and: [{ not: isNamed('x') }, { or: [since(any, 20), isNamed('y')] }] }, since(any, 9999)] }
    const table: Readonly<Record<string, () => Row | Promise<Row>>> = {
      'last password sign-on older than N s': () => [since(pwd, 60), late, soon],
      'last MFA older than N s': () => [since(multiFactor, 60), late, soon],
      'any sign-on older': () => [since(any, 60), late, soon],
      'secondsSince with a missing value (no session)': () => [since(pwd, 60), { first: false }, soon],
      'client IP out of ranges': () => [
        { not: { contains: remoteIp, ipRange: ['10.0.0.0/8'] } },
        { to: berlin },
        { to: office },
      ],
      'IP reputation': () => [
        { valid: remoteIp, ipRisk: { minScore: 80, maxScore: 100 } },
        { to: risky },
        { to: office },
      ],
      'geo-velocity': () => [
        geoVelocity,
        { from: berlin, to: sydney, seconds: 60 },
        { from: berlin, to: berlin, seconds: 60 },
      ],
      'anonymous network': () => [anonymousNetwork, { to: tor }, { to: '203.0.113.99' }],
      population: async () => {
        const populationId = await addPopulation(stile)
        return [{ value: '${user.population.id}', equals: populationId }, { person: { populationId } }, {}]
      },
      'user attribute': () => [isNamed('x'), named('x'), named('y')],
      'user attribute, boolean, true': () => [{ value: '${user.enabled}', equals: true }, {}, null],
      'user attribute, boolean, false': () => [{ value: '${user.enabled}', equals: false }, null, {}],
      'combine: and': () => [
        { and: [isNamed('x'), since(any, 20)] },
        { ...named('x'), ...soon },
        { ...named('y'), ...soon },
      ],
      'combine: or': () => [{ or: [isNamed('x'), since(any, 20)] }, named('x'), named('y')],
      'combine: not': () => [{ not: isNamed('x') }, named('y'), named('x')],
      'and, or, not hold each other': () => [nested, named('y'), named('x')],
    }

    let made: Promise<string> | undefined
    /** An application that asks for a password and a second factor. */
    const both = () => (made ??= Journey.under(stile, [login, mfa]).then(({ client }) => client))

    /** Signs somebody on with a password and a second factor, and again by a policy whose second factor has the condition. */
    async function secondTime(condition: object, { person: more, first, from = office, to = from, seconds = 0 }: Case) {
      const person = await personWithDevice(more)
      const browser = new BrowserAt(stile, from)
      if (first !== false) {
        const journey = await Journey.of(stile, await both(), { person, browser })
        await journey.password()
        await journey.acts(['otp.check', { otp: await journey.code() }, 'COMPLETED'])
      }
      if (seconds > 0) await pass(seconds)
      browser.address = to
      const second = { ...mfa, condition } as unknown as ActionBody
      const journey = await Journey.under(stile, [login, second], { person, browser })
      return { journey, status: (await journey.password()).json.status as string }
    }

    for (const [name, row] of Object.entries(table)) {
      test(`${name}: read as written; the action executes when it is true, and not when it is false`, async (context) => {
        const [condition, yes, no] = await row()
        const { id, last } = await write(login, { ...mfa, condition })
        assert.equal(last.status, 201, last.text)
        const read = await stile.api('GET', `/signOnPolicies/${id}/actions/${last.json.id}`)
        assert.deepEqual(read.json.condition, condition)
        for (const [given, status] of [
          [yes, 'OTP_REQUIRED'],
          [no, 'COMPLETED'],
        ] as const) {
          if (!given) continue
          const { journey, ...reached } = await secondTime(condition, given)
          assert.equal(reached.status, status)
          await journey.record(context)
        }
      })
    }

    test('an absent condition is true', async (context) => {
      const person = await personWithDevice()
      const journey = await Journey.under(stile, [login, mfa], { person })
      assert.equal((await journey.password()).json.status, 'OTP_REQUIRED')
      await journey.record(context)
    })

    const [onUser, onNetwork] = [isNamed('x'), { contains: remoteIp, ipRange: ['10.0.0.0/8'] }]
    const refusal = async (...bodies: readonly object[]) => {
      const { status, json } = (await write(...bodies)).last
      return status === 201 ? 201 : [json.code, json.details[0].code, json.details[0].target]
    }
    const misplaced = ['INVALID_DATA', 'CONSTRAINT_VIOLATION', 'condition']

    test('user.* conditions are not allowed on the priority-1 action', async () => {
      for (const type of [login, mfa, { type: 'IDENTIFIER_FIRST' }]) {
        assert.deepEqual(await refusal({ ...type, condition: onUser }), misplaced)
        assert.equal(await refusal(login, { ...type, condition: onUser }), 201)
      }
    })

    test('network and risk conditions only on MFA actions', async () => {
      const idp = { type: 'IDENTITY_PROVIDER', identityProvider: { id: idpId } }
      for (const condition of [
        onNetwork,
        geoVelocity,
        anonymousNetwork,
        { valid: remoteIp, ipRisk: { minScore: 1, maxScore: 2 } },
      ]) {
        for (const type of [login, { type: 'IDENTIFIER_FIRST' }, idp]) {
          assert.deepEqual(await refusal(login, { ...type, condition }), misplaced)
        }
        assert.equal(await refusal(login, { ...mfa, condition }), 201)
      }
    })

    test('secondsSince on login, identifier-first, idp, mfa', async () => {
      const idp = { type: 'IDENTITY_PROVIDER', identityProvider: { id: idpId } }
      for (const type of [login, { type: 'IDENTIFIER_FIRST' }, idp, mfa]) {
        assert.equal(await refusal({ ...type, condition: since(any, 60) }), 201)
      }
    })

    test('floats are rejected with INVALID_VALUE (Stile: INVALID_DATA around it, as around every invalid value)', async () => {
      assert.deepEqual(((await refusal({ ...login, priority: 1.5 })) as string[]).slice(0, 2), [
        'INVALID_DATA',
        'INVALID_VALUE',
      ])
      const half = { ...login, condition: since(any, 60.5) }
      assert.deepEqual(((await refusal(half)) as string[]).slice(0, 2), ['INVALID_DATA', 'INVALID_VALUE'])
    })
  })

  suite('5.6 Evaluation', () => {
    const assigned = async (...policies: Parameters<typeof assign>[2][]) => {
      const client = await newApplication(stile)
      await assign(stile, client, ...policies)
      return client
    }
    const identifierFirst = { type: 'IDENTIFIER_FIRST' } as const
    const statusOf = async (journey: Journey) => (await journey.read()).json.status

    test('the policies of acr_values in the order asked, else the assignments by priority, else the default', async (context) => {
      const [one, two] = [await newPolicy(stile, login), await newPolicy(stile, identifierFirst, login)]
      const client = await assigned(one, two)
      for (const [asked, status] of [
        [`${two.name} ${one.name}`, 'SIGN_ON_REQUIRED'],
        ['', 'USERNAME_PASSWORD_REQUIRED'],
      ] as const) {
        const journey = await Journey.of(stile, client, asked === '' ? {} : { request: { acr_values: asked } })
        assert.equal(await statusOf(journey), status)
        await journey.record(context)
      }
      const plain = await Journey.of(stile, await newApplication(stile))
      assert.equal(await statusOf(plain), 'USERNAME_PASSWORD_REQUIRED')
      await plain.record(context)
    })

    test('actions in the order of their priority, whatever the order they were made in', async (context) => {
      const policy = await newPolicy(stile)
      for (const action of [
        { ...login, priority: 2 },
        { ...identifierFirst, priority: 1 },
      ]) {
        await stile.api('POST', `/signOnPolicies/${policy.id}/actions`, action)
      }
      const journey = await Journey.of(stile, await assigned(policy))
      assert.equal(await statusOf(journey), 'SIGN_ON_REQUIRED')
      await journey.record(context)
    })

    test('a policy that fails hands over to the next; acr is the name of the one that was completed', async (context) => {
      const [first, second] = [await newPolicy(stile, login, mfa), await newPolicy(stile, login)]
      const client = await assigned(first, second)
      const { verifier, challenge } = pkce()
      const journey = await Journey.of(stile, client, { request: { code_challenge: challenge } })
      assert.equal((await journey.password()).json.status, 'COMPLETED', 'the password that was proved counts there too')
      const { json } = await journey.browser.resume(journey.flowId)
      const tokens = await redeem(stile, json.authorizeResponse.code, verifier, client)
      assert.equal(decodeJwt(tokens.json.id_token)['acr'], second.name)
      await journey.record(context)
    })

    test('all failed: FAILED', async (context) => {
      const client = await assigned(await newPolicy(stile, login, mfa), await newPolicy(stile, login, mfa))
      const journey = await Journey.of(stile, client)
      assert.equal((await journey.password()).json.status, 'FAILED')
      await journey.record(context)
    })

    test('max_age and prompt=login force the LOGIN-type action, regardless of its condition', async (context) => {
      const client = await assigned(await newPolicy(stile, { ...login, condition: since(any, 9999) } as ActionBody))
      const first = await Journey.of(stile, client)
      await first.password()
      const { browser, person } = first
      const again = await browser.authorize(piFlowRequest(stile, pkce().challenge, { client_id: client }))
      assert.equal(again.json.status, 'COMPLETED')
      await pass(10)
      for (const [request, status] of [
        [{ max_age: '5' }, 'PASSWORD_REQUIRED'],
        [{ prompt: 'login' }, 'USERNAME_PASSWORD_REQUIRED'],
      ] as const) {
        const journey = await Journey.of(stile, client, { browser, person, request })
        assert.equal(await statusOf(journey), status)
        await journey.record(context)
      }
    })

    test('all done: session and user remember the sign-on', async () => {
      const person = await personWithDevice()
      const journey = await Journey.under(stile, [login, mfa], { person, browser: new BrowserAt(stile, office) })
      await journey.password()
      await journey.acts(['otp.check', { otp: await journey.code() }, 'COMPLETED'])
      const [session] = (await stile.api('GET', `/users/${person.id}/sessions`)).json._embedded.sessions
      assert.deepEqual(Object.keys(session.lastSignOn.withAuthenticator), ['pwd', 'mfa'])
      const { lastSignOn } = (await stile.api('GET', `/users/${person.id}`)).json
      assert.deepEqual(asDocumented(stile, lastSignOn), { at: '{time}', remoteIp: office })
    })

    suite('start status by action', () => {
      const signedOn = async () => {
        const first = await Journey.under(stile, [login])
        await first.password()
        return { browser: first.browser, person: first.person }
      }
      const starts: readonly (readonly [string, readonly ActionBody[], boolean, string])[] = [
        ['LOGIN, no user', [login], false, 'USERNAME_PASSWORD_REQUIRED'],
        ['LOGIN, user known', [login], true, 'PASSWORD_REQUIRED'],
        ['IDENTIFIER_FIRST', [identifierFirst, login], false, 'SIGN_ON_REQUIRED'],
        ['IDENTIFIER_FIRST, skipped if the user is known', [identifierFirst, login], true, 'PASSWORD_REQUIRED'],
      ]
      for (const [name, actions, isKnown, status] of starts) {
        test(`${name} -> ${status}`, async (context) => {
          const journey = await Journey.under(stile, actions, isKnown ? await signedOn() : {})
          assert.equal(await statusOf(journey), status)
          await journey.record(context)
        })
      }

      test('IDENTITY_PROVIDER -> EXTERNAL_AUTHENTICATION_REQUIRED; the others are in 3.4, 5.4 and 6.3', async (context) => {
        const action = { type: 'IDENTITY_PROVIDER', identityProvider: { id: idpId } } as const
        const journey = await Journey.under(stile, [action])
        assert.equal(await statusOf(journey), 'EXTERNAL_AUTHENTICATION_REQUIRED')
        await journey.record(context)
      })
    })
  })
})
