/**
 * A model of the flow engine (security catalogue 3.1): random policies, sessions, requests and sequences of events,
 * with policies rewritten, users disabled and sessions ended in between. The model keeps its own account of what was
 * truly checked and decides by brute force what a condition can be, so it shares no code with what it tests.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { mediaTypeNames } from '../../src/flow/actions/index.ts'
import { type CompiledCondition, evaluate } from '../../src/flow/condition.ts'
import { type ConditionJson, readCondition } from '../../src/flow/conditions/index.ts'
import { isUsable } from '../../src/flow/facts.ts'
import { type CompiledAction, type CompiledPolicy, compilePolicy, type PolicyAction } from '../../src/flow/policy.ts'
import type { Questions } from '../../src/flow/question.ts'
import { decode, encode, flowLifetime, type FlowState } from '../../src/flow/state.ts'
import {
  canary,
  codeOf,
  deepFreeze,
  deviceOf,
  type Outcome,
  partner,
  policyOf,
  Rig,
  revised,
  terms,
  userCode,
} from './rig.ts'
import { secondSecretAction } from './second-secret.ts'

const runs = { numRuns: 500 }
const ages = [0, 30, 100, 1000, 5000]
/** The group that Alice is in; Bob is in none, and of Carol nobody can say. */
const groupId = '6f1f5e8e-3c1c-4f0e-9f3c-0a1b2c3d4e5f'
const networks = ['192.0.2.0/24', '198.51.100.0/24', '0.0.0.0/0']

/** A condition as the model knows it; a compiled one is made from the same JSON. */
const condition: fc.Arbitrary<ConditionJson> = fc.letrec<{ node: ConditionJson }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      secondsSince: fc.constantFrom(
        '${session.lastSignOn.at}' as const,
        '${session.lastSignOn.withAuthenticator.pwd.at}' as const,
        '${session.lastSignOn.withAuthenticator.mfa.at}' as const,
      ),
      greater: fc.constantFrom(...ages),
    }),
    fc.record({
      value: fc.constantFrom('${user.population.id}', '${user.mfaEnabled}', '${user.nickname}'),
      equals: fc.constantFrom<string | boolean>('staff', 'guests', true, false),
    }),
    fc.record({ value: fc.constant('${user.memberOfGroups.id}' as const), includes: fc.constant(groupId) }),
    fc.record({
      contains: fc.constant('${flow.request.http.remoteIp}' as const),
      ipRange: fc.subarray(networks, { minLength: 1 }),
    }),
    fc.record({ and: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ or: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('node') }),
  ),
})).node

interface ActionPlan {
  readonly id: string
  /**
   * `name`: IDENTIFIER_FIRST, which proves nothing by itself; `idp`: IDENTITY_PROVIDER; `device`: a second factor by a
   * device; `hook`: WEBHOOK; `profile`: PROGRESSIVE_PROFILING; `agreement`: AGREEMENT.
   */
  readonly factor: 'pwd' | 'mfa' | 'name' | 'idp' | 'device' | 'hook' | 'profile' | 'agreement'
  /** Whether an identity provider may be used in the place of a password. */
  readonly trusts: boolean
  /** Whether a passkey may be used in the place of a password. */
  readonly passkeys: boolean
  readonly condition: ConditionJson | null
  readonly asksDeviceFirst: boolean
}

const plan: fc.Arbitrary<ActionPlan> = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  factor: fc.constantFrom('pwd', 'pwd', 'pwd', 'mfa', 'mfa', 'name', 'idp', 'device', 'hook', 'profile', 'agreement'),
  trusts: fc.boolean(),
  passkeys: fc.boolean(),
  condition: fc.option(condition, { freq: 3 }),
  asksDeviceFirst: fc.boolean(),
})

/** Words of `amr`, and which evidence is behind each. */
const shownBy: Readonly<Record<string, readonly string[]>> = {
  otp: ['device'],
  pop: ['signature', 'passkey'],
  mfa: ['device', 'signature', 'passkey'],
}

const planned = new WeakMap<CompiledAction, ActionPlan>()
const typeOf = {
  pwd: 'LOGIN',
  mfa: 'LOGIN',
  name: 'IDENTIFIER_FIRST',
  idp: 'IDENTITY_PROVIDER',
  hook: 'WEBHOOK',
  profile: 'PROGRESSIVE_PROFILING',
  agreement: 'AGREEMENT',
  device: 'MULTI_FACTOR_AUTHENTICATION',
} as const

/** Whatever leads to a proof by another way is offered. */
const offering = { recovery: { enabled: true }, registration: { enabled: true } }

type MakeCondition = (json: ConditionJson | null) => CompiledCondition | null
const asWritten: MakeCondition = (json) => json && readCondition(json).condition

function compile(
  policyId: string,
  actionPlans: readonly ActionPlan[],
  version: number,
  makeCondition: MakeCondition,
): CompiledPolicy {
  const actions = actionPlans.map((each, index): CompiledAction => {
    const { id, factor, asksDeviceFirst, trusts, passkeys } = each
    const compiled = makeCondition(each.condition)
    const source = {
      id: `${policyId}-${id}`,
      type: typeOf[factor],
      priority: index + 1,
      ...offering,
      passkeys: { enabled: passkeys },
      socialProviders: trusts ? [{ id: partner.id }] : [],
      identityProvider: { id: partner.id },
      webhook: { url: `https://${trusts ? 'one' : 'other'}.example`, onError: asksDeviceFirst ? 'CONTINUE' : 'DENY' },
      attributes: [{ name: 'nickname', required: trusts }],
      promptIntervalSeconds: 0,
      agreement: { id: terms.id },
      disableDeclineOption: trusts,
    } as unknown as PolicyAction & { id: string }
    const password = compilePolicy({ id: policyId, name: '', version, actions: [source] }).actions[0]
    const action =
      factor === 'mfa'
        ? secondSecretAction(source.id, version, source.priority, compiled, { asksDeviceFirst })
        : password && { ...password, condition: compiled }
    assert.ok(action)
    planned.set(action, each)
    return action
  })
  return policyOf(policyId, actions, version)
}

const plans = fc.uniqueArray(plan, { minLength: 1, maxLength: 3, selector: ({ id }) => id })

type Command =
  | {
      readonly do: 'check'
      readonly who: 'alice' | 'bob' | 'nobody' | null
      readonly secret: 'right' | 'second' | 'wrong'
    }
  | { readonly do: 'reset' | 'resume' | 'endSession' | 'restoreSession' }
  | { readonly do: 'change'; readonly current: 'right' | 'wrong'; readonly fresh: string }
  | {
      readonly do: 'comeBack'
      readonly who: 'alice' | 'bob' | 'carol' | 'linked-to-bob'
      readonly email: 'verified' | 'unverified' | 'none'
    }
  | { readonly do: 'confirm'; readonly who: 'alice' | 'carol' }
  | { readonly do: 'provider'; readonly enabled: boolean }
  | { readonly do: 'lookup' | 'forgot'; readonly who: 'alice' | 'bob' | 'nobody' }
  | { readonly do: 'recover' | 'verify'; readonly code: 'right' | 'wrong'; readonly fresh: string }
  | { readonly do: 'select'; readonly who: 'alice' | 'bob'; readonly type: 'EMAIL' | 'TOTP' | 'FIDO2' | 'MOBILE' }
  | {
      readonly do: 'app'
      readonly decision: 'APPROVE' | 'DENY'
      readonly lie: 'none' | 'number' | 'device' | 'request'
    }
  | { readonly do: 'passcode' | 'sign'; readonly code: 'right' | 'wrong'; readonly rememberMe: boolean }
  | { readonly do: 'passkey'; readonly who: 'alice' | 'bob' }
  | { readonly do: 'register'; readonly who: 'alice' | 'carol'; readonly fresh: string }
  | { readonly do: 'disable' | 'enable' | 'forceChange' | 'forceVerification'; readonly who: 'alice' | 'bob' }
  | { readonly do: 'rewrite'; readonly policy: 'p1' | 'p2'; readonly plans: readonly ActionPlan[] | null }
  | { readonly do: 'consent' | 'deviceConsent'; readonly accept: boolean }
  | { readonly do: 'userCode'; readonly code: 'right' | 'wrong' }
  | { readonly do: 'agree'; readonly accept: boolean }
  | {
      readonly do: 'invited'
      readonly code: 'right' | 'wrong'
      readonly accept: boolean
      readonly fresh: string | null
    }
  | { readonly do: 'revise' }
  | { readonly do: 'tell'; readonly nickname: string | null }
  | { readonly do: 'instruct'; readonly answer: WebhookSays }
  | { readonly do: 'wait'; readonly seconds: number }

type WebhookSays = Questions['callWebhook']['answer']
const webhookSays: fc.Arbitrary<WebhookSays> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<WebhookSays>({ result: 'CONTINUE' }) },
  {
    weight: 4,
    arbitrary: fc.record({
      result: fc.constant('STEP_UP' as const),
      type: fc.constantFrom('LOGIN', 'LOGIN', 'IDENTITY_PROVIDER', 'WEBHOOK', 'NONSENSE'),
    }),
  },
  { weight: 1, arbitrary: fc.constant<WebhookSays>({ result: 'ERROR' }) },
  { weight: 1, arbitrary: fc.constant<WebhookSays>({ result: 'DENY', code: null }) },
)

const who = fc.constantFrom<'alice' | 'bob'>('alice', 'bob')
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('agree'), accept: fc.constantFrom(true, true, true, false) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revise') }) },
  { weight: 8, arbitrary: check() },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('passkey'), who: fc.constantFrom('alice', 'alice', 'bob') }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('reset', 'reset', 'resume', 'endSession', 'restoreSession') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('change'),
      current: fc.constantFrom('right', 'wrong'),
      fresh: fc.constantFrom(`${canary}-new`, `${canary}-weak`),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('lookup', 'forgot'),
      who: fc.constantFrom('alice', 'bob', 'nobody'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('recover', 'verify'),
      code: fc.constantFrom('right', 'right', 'wrong'),
      fresh: fc.constantFrom(`${canary}-new`, `${canary}-weak`),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('passcode', 'sign'),
      code: fc.constantFrom('right', 'right', 'wrong'),
      rememberMe: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('select'),
      who: fc.constantFrom('alice', 'alice', 'bob'),
      type: fc.constantFrom('EMAIL', 'TOTP', 'FIDO2', 'FIDO2', 'MOBILE', 'MOBILE'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('app'),
      decision: fc.constantFrom('APPROVE', 'APPROVE', 'APPROVE', 'DENY'),
      lie: fc.constantFrom('none', 'none', 'none', 'number', 'device', 'request'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('register'),
      who: fc.constantFrom('alice', 'carol', 'carol'),
      fresh: fc.constantFrom(`${canary}-new`, `${canary}-weak`),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('disable', 'enable', 'forceChange', 'forceVerification'), who }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('rewrite'),
      policy: fc.constantFrom('p1', 'p2'),
      plans: fc.option(plans, { freq: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('comeBack'),
      who: fc.constantFrom('alice', 'bob', 'carol', 'linked-to-bob', 'linked-to-bob'),
      email: fc.constantFrom('verified', 'unverified', 'none'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('confirm'), who: fc.constantFrom('alice', 'carol') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('provider'), enabled: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('consent'), accept: fc.constantFrom(true, true, true, false) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('instruct'), answer: webhookSays }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('tell'), nickname: fc.constantFrom('Ada', null) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait'), seconds: fc.constantFrom(10, 60, 600, 3000) }) },
)

function check(): fc.Arbitrary<Command> {
  return fc.record({
    do: fc.constant('check'),
    who: fc.constantFrom<'alice' | 'bob' | 'nobody' | null>('alice', 'alice', 'bob', 'nobody', null),
    secret: fc.constantFrom('right', 'right', 'second', 'second', 'wrong'),
  })
}

/** Mostly null: for what would keep most scenarios from getting anywhere. */
function seldom<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary })
}

const scenario = fc.record({
  policies: fc.tuple(plans, fc.option(plans)),
  session: fc.option(
    fc.record({
      who,
      at: fc.constantFrom(...ages, 20_000),
      pwd: fc.option(fc.constantFrom(...ages, 20_000), { nil: undefined }),
      mfa: fc.option(fc.constantFrom(...ages, 20_000), { nil: undefined }),
    }),
  ),
  accountAtStart: seldom(
    fc.record({
      who,
      change: fc.constantFrom({ enabled: false }, { password: 'MUST_CHANGE_PASSWORD' as const }),
    }),
  ),
  isCareless: fc.boolean(),
  webhookAnswer: webhookSays,
  forcesLogin: fc.constantFrom(false, false, false, true),
  maxAge: seldom(fc.constantFrom(0, 60, 2000)),
  consent: seldom(
    fc.record({ scopeIds: fc.subarray(['id-of-openid', 'id-of-read', 'id-of-write']), isAsked: fc.boolean() }),
  ),
  grantedBefore: fc.option(fc.record({ who, scopeIds: fc.subarray(['id-of-openid', 'id-of-read', 'id-of-write']) })),
  remoteIp: fc.option(fc.constantFrom('192.0.2.7', '203.0.113.7', '2001:db8::1', 'nonsense')),
  commands: fc.array(command, { maxLength: 14 }),
})
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never

/** Runs a scenario, handing every answer of the machine to `observe`. */
function run(
  drawn: Scenario,
  observe: (rig: Rig, outcome: Outcome, before: FlowState | undefined) => void,
  makeCondition: MakeCondition = asWritten,
  prepare: (rig: Rig) => void = () => {},
): Rig {
  const { policies, session, accountAtStart, isCareless, webhookAnswer, remoteIp, commands } = drawn
  const { forcesLogin, maxAge, consent, grantedBefore } = drawn
  const rig = new Rig()
  rig.groups['alice'] = [groupId]
  rig.groups['carol'] = null
  rig.links.set(`${partner.id}/linked-to-bob`, rig.people.bob.facts.id)
  rig.request = {
    forcesLogin,
    maxAge,
    loginHint: null,
    hintedUserId: null,
    parameters: {},
    ...(consent ? { consent: { ...consent } } : {}),
  }
  if (grantedBefore) {
    const { id: userId } = rig.people[grantedBefore.who].facts
    rig.consents.set(userId, { id: 'consent', userId, scopeIds: grantedBefore.scopeIds })
  }
  rig.remoteIp = remoteIp
  rig.isCareless = isCareless
  rig.webhookAnswer = webhookAnswer
  if (session) {
    const { at, pwd, mfa } = session
    rig.signIn(session.who, { at, ...(pwd === undefined ? {} : { pwd }), ...(mfa === undefined ? {} : { mfa }) })
  }
  const ended = rig.session
  if (accountAtStart) setUser(rig, accountAtStart.who, accountAtStart.change)
  prepare(rig)
  const [first, second] = policies
  const compiled = [
    compile('p1', first, 1, makeCondition),
    ...(second ? [compile('p2', second, 1, makeCondition)] : []),
  ]
  observe(rig, rig.begin(...compiled), undefined)
  let version = 1
  for (const each of commands) {
    const before = rig.state
    assert.ok(before)
    switch (each.do) {
      case 'check': {
        const named =
          each.who === null ? rig.personById(before.user?.id) : each.who === 'nobody' ? undefined : rig.people[each.who]
        const secret =
          { right: named?.password, second: named?.second, wrong: undefined }[each.secret] ?? `${canary}-bad`
        const username = each.who === null ? {} : { username: each.who }
        observe(rig, rig.post('usernamePassword.check', { ...username, password: secret }), before)
        break
      }
      case 'reset':
        observe(rig, rig.post('session.reset', {}), before)
        break
      case 'resume':
        observe(rig, rig.resume(), before)
        break
      case 'change': {
        const password = each.current === 'right' ? rig.personById(before.user?.id)?.password : undefined
        const body = { currentPassword: password ?? `${canary}-bad`, newPassword: each.fresh }
        observe(rig, rig.post('password.reset', body), before)
        break
      }
      case 'consent':
        observe(rig, rig.post('oauth.consent', { accept: each.accept }), before)
        break
      case 'userCode':
        observe(
          rig,
          rig.post('deviceAuthGrant.userCode.verify', { userCode: each.code === 'right' ? userCode : 'BBBB-2222' }),
          before,
        )
        break
      case 'deviceConsent':
        observe(rig, rig.post('deviceAuthGrant.consent', { accept: each.accept }), before)
        break
      case 'lookup':
        observe(rig, rig.post('user.lookup', { username: each.who }), before)
        break
      case 'forgot':
        observe(rig, rig.post('password.forgot', { username: each.who }), before)
        break
      case 'recover': {
        const recoveryCode = codeFor(rig, before, each.code)
        observe(rig, rig.post('password.recover', { recoveryCode, newPassword: each.fresh }), before)
        break
      }
      case 'select':
        observe(rig, rig.post('device.select', { device: { id: deviceOf(each.who, each.type) } }), before)
        break
      case 'app': {
        const lies = { none: {}, number: { number: '24' }, device: { deviceId: 'x' }, request: { requestId: 'x' } }
        observe(rig, rig.answerPush(each.decision, lies[each.lie]), before)
        break
      }
      case 'passcode':
        observe(
          rig,
          rig.post('otp.check', { otp: codeFor(rig, before, each.code), rememberMe: each.rememberMe }),
          before,
        )
        break
      case 'sign':
        observe(
          rig,
          rig.post('assertion.check', {
            origin: '',
            assertion: codeFor(rig, before, each.code),
            rememberMe: each.rememberMe,
          }),
          before,
        )
        break
      case 'passkey':
        observe(rig, rig.post('assertion.check', { origin: '', assertion: codeOf(each.who) }), before)
        break
      case 'verify':
        observe(rig, rig.post('user.verify', { verificationCode: codeFor(rig, before, each.code) }), before)
        break
      case 'register': {
        const body = { username: each.who, email: `${each.who}@example.com`, password: each.fresh }
        observe(rig, rig.post('user.register', body), before)
        break
      }
      case 'comeBack': {
        const address = `${each.who}@idp.example`
        const email = each.email === 'none' ? null : { address, verified: each.email === 'verified' }
        const wasEnabled = rig.configuration.identityProviders.get(partner.id)?.enabled
        const outcome = rig.comeBack(each.who, { email })
        const isTaken = outcome.kind === 'done' && outcome.reason.startsWith('external-account')
        assert.ok(wasEnabled || !isTaken, 'a disabled provider takes nobody')
        observe(rig, outcome, before)
        break
      }
      case 'confirm':
        observe(rig, rig.post('user.confirm', { username: each.who }), before)
        break
      case 'provider':
        rig.configuration.identityProviders.set(partner.id, { ...partner, enabled: each.enabled })
        break
      case 'tell':
        observe(rig, rig.post('user.update', each.nickname === null ? {} : { nickname: each.nickname }), before)
        break
      case 'agree':
        observe(rig, rig.post('user.consent', { accept: each.accept }), before)
        break
      case 'invited': {
        const { code, accept, fresh } = each
        const inviteCode = code === 'right' ? codeOf(rig.request.loginHint ?? '') : codeOf('nobody')
        const password = fresh === null ? {} : { password: fresh }
        observe(rig, rig.post('user.acceptInvite', { inviteCode, accept, ...password }), before)
        break
      }
      case 'revise':
        rig.configuration.agreements.set(
          terms.id,
          revised(rig.configuration.agreements.get(terms.id) ?? terms, rig.now),
        )
        break
      case 'instruct':
        rig.webhookAnswer = each.answer
        break
      case 'endSession':
        rig.session = null
        break
      case 'restoreSession':
        rig.session = ended
        break
      case 'disable':
        setUser(rig, each.who, { enabled: false })
        break
      case 'enable':
        setUser(rig, each.who, { enabled: true })
        break
      case 'forceChange':
        setUser(rig, each.who, { password: 'MUST_CHANGE_PASSWORD' })
        break
      case 'forceVerification':
        setUser(rig, each.who, { verification: 'REQUIRED' })
        break
      case 'rewrite':
        version += 1
        if (each.plans) rig.current.set(each.policy, compile(each.policy, each.plans, version, makeCondition))
        else rig.current.delete(each.policy)
        break
      case 'wait':
        rig.wait(each.seconds)
        break
    }
  }
  if (rig.state) assert.deepEqual(decode(encode(rig.state)), rig.state, 'the codec keeps every state')
  return rig
}

/** A code for the flow's user; where there is none, anybody's. */
function codeFor(rig: Rig, { user }: FlowState, which: 'right' | 'wrong'): string {
  return which === 'wrong' ? `${canary}-bad` : codeOf(rig.personById(user?.id)?.username ?? 'alice')
}

/** A body in which every media type finds what it needs. */
const everyMember = {
  username: 'alice',
  email: 'alice@example.com',
  password: `${canary}-1-alice`,
  currentPassword: `${canary}-1-alice`,
  newPassword: `${canary}-new`,
  recoveryCode: codeOf('alice'),
  verificationCode: codeOf('alice'),
  inviteCode: codeOf('alice'),
  accept: true,
  userCode,
  otp: codeOf('alice'),
  origin: 'https://auth.example.com',
  assertion: codeOf('alice'),
  device: { id: deviceOf('alice', 'TOTP') },
  reason: 'CHANGE_DEVICE',
}

function setUser(rig: Rig, name: 'alice' | 'bob', change: Partial<(typeof rig.people)['alice']['facts']>): void {
  rig.people[name].facts = { ...rig.people[name].facts, ...change }
}

/** Every value a condition can take when each missing fact may be anything. */
function possible(json: ConditionJson, rig: Rig, counts: boolean, userId: string): Set<boolean> {
  if ('not' in json) return new Set([...possible(json.not, rig, counts, userId)].map((value) => !value))
  if ('and' in json || 'or' in json) {
    const isAnd = 'and' in json
    let values = new Set([isAnd])
    for (const part of isAnd ? json.and : json.or) {
      const next = possible(part, rig, counts, userId)
      values = new Set([...values].flatMap((a) => [...next].map((b) => (isAnd ? a && b : a || b))))
    }
    return values
  }
  const both = new Set([true, false])
  if ('secondsSince' in json) {
    const { lastSignOn } = (counts && rig.state?.session) || {}
    const path = json.secondsSince
    const at = path.includes('pwd')
      ? lastSignOn?.withAuthenticator.pwd?.at
      : path.includes('mfa')
        ? lastSignOn?.withAuthenticator.mfa?.at
        : lastSignOn?.at
    return at === undefined ? both : new Set([rig.now - at > json.greater * 1000])
  }
  if ('equals' in json) {
    const attributes = rig.personById(userId)?.facts.attributes
    const population = (attributes?.population as { id: string } | undefined)?.id
    const value = {
      '${user.population.id}': population,
      '${user.mfaEnabled}': attributes?.mfaEnabled,
      '${user.nickname}': attributes?.nickname,
    }[json.value]
    return value === undefined ? both : new Set([value === json.equals])
  }
  if ('includes' in json) {
    const groups = rig.groupsOf(userId).ids
    return groups === null ? both : new Set([groups.includes(json.includes)])
  }
  if (!('ipRange' in json)) return both
  const octets = rig.remoteIp?.match(/^(\d+\.\d+\.\d+)\.\d+$/)
  if (!octets) return rig.remoteIp?.includes(':') ? new Set([false]) : both
  return new Set([json.ipRange.some((range) => range === '0.0.0.0/0' || range.startsWith(`${octets[1]}.`))])
}

/** What the policy of a completed flow asks for and the model cannot find; empty when all is well. */
function unprovedActions(rig: Rig, userId: string, policyId: string): string[] {
  const { state, session } = rig
  const own = rig.evidence.filter((each) => each.userId === userId)
  const stash = state?.session
  const counts =
    !rig.request.forcesLogin && !rig.isSessionForgotten && stash?.userId === userId && session?.id === stash.id
  const { maxAge, forcesLogin } = rig.request
  const isForced = forcesLogin || (maxAge !== null && stash != null && rig.now - stash.lastSignOn.at >= maxAge * 1000)
  const { password, verification } = rig.personById(userId)?.facts ?? {}
  const isDemanded = password === 'MUST_CHANGE_PASSWORD' || verification === 'REQUIRED'
  const { atStart, current } = rig.policies().find((each) => each.atStart.id === policyId) ?? {}
  assert.ok(atStart && current, 'a policy that is gone is never completed')
  return [atStart, current].flatMap((policy) => {
    const hasPrimary = policy.actions.some(({ definition }) => definition.isPrimary)
    return policy.actions.flatMap((action) => {
      const each = planned.get(action)
      assert.ok(each)
      const { nickname } = rig.personById(userId)?.facts.attributes ?? {}
      if (each.factor === 'profile' && nickname !== undefined) return []
      if (each.factor === 'device' && rig.remembered.has(userId)) return []
      if (each.factor === 'agreement' && rig.agreementConsents.has(userId)) return []
      if (each.factor === 'hook' ? hasPassed(rig, userId, action) : isProved(each, own, action.id)) return []
      if (rig.demands.has(action.id)) return [action.id]
      const isDue = isForced && (each.factor === 'pwd' || each.factor === 'idp' || !hasPrimary)
      const isSkippable = each.condition !== null && !possible(each.condition, rig, counts, userId).has(true)
      const somebodyIsThere = counts || own.some(({ method }) => method !== 'profile' && method !== 'consent')
      if (isSkippable && somebodyIsThere && !isDue && !(isDemanded && each.factor === 'pwd')) return []
      return [action.id]
    })
  })
}

/** Whether the endpoint of an action, as that is configured here, was asked by it about this user and let them pass. */
function hasPassed(rig: Rig, userId: string, { id, config }: CompiledAction): boolean {
  const { webhook } = config as { webhook: { url: string; onError: string } }
  return rig.passed.some(
    (each) =>
      each.userId === userId &&
      each.actionId === id &&
      each.url === webhook.url &&
      (each.answered || webhook.onError === 'CONTINUE'),
  )
}

/** Whether the user granted what the request asks for: in this flow, or before where that counts. */
function isGranted({ request: { consent }, evidence, consents }: Rig, userId: string): boolean {
  if (evidence.some((each) => each.method === 'consent' && each.userId === userId)) return true
  const before = consents.get(userId)?.scopeIds
  return !consent?.isAsked && before !== undefined && (consent?.scopeIds.every((id) => before.includes(id)) ?? true)
}

/** Whether what was truly checked is what an action asks for. */
function isProved({ factor, trusts, passkeys }: ActionPlan, own: Rig['evidence'], id: string): boolean {
  if (factor === 'name') {
    const wasPasskey = own.some(({ method, actionId }) => method === 'passkey' && actionId === id)
    return (passkeys || !wasPasskey) && (trusts || !own.some(({ trustedBy }) => trustedBy === 'IDENTIFIER_FIRST'))
  }
  if (
    own.some(
      ({ method }) =>
        method === factor ||
        (factor === 'pwd' && passkeys && method === 'passkey') ||
        (factor === 'device' && (method === 'signature' || method === 'passkey')) ||
        (factor === 'mfa' && (method === 'device' || method === 'signature' || method === 'passkey')),
    )
  )
    return true
  const stands = (by: string | undefined) => by === 'IDENTIFIER_FIRST' || (by === 'LOGIN' && trusts)
  return factor === 'pwd' && own.some(({ method, trustedBy }) => method === 'idp' && stands(trustedBy))
}

suite('properties of the flow machine', () => {
  test('no sequence completes without the proofs the policy asks for, of one and the same user', () => {
    let completed = 0
    let bySession = 0
    let judged = 0
    let consented = 0
    let withoutPassword = 0
    fc.assert(
      fc.property(scenario, (plannedScenario) => {
        run(plannedScenario, (rig, outcome) => {
          if (outcome.kind !== 'done' || outcome.state.status !== 'COMPLETED') return
          const result = outcome.state.outcome
          assert.ok(result)
          assert.ok(isUsable(rig.personById(result.userId)?.facts), 'the user may sign on')
          if (outcome.state.resumedAt) return
          const { userId, policyId, proved, amr } = result
          completed += 1
          if (rig.calls.length > 0) judged += 1
          if (rig.evidence.length === 0) bySession += 1
          if (rig.evidence.every(({ method }) => method === 'passkey') && rig.evidence.length > 0) withoutPassword += 1
          assert.deepEqual(unprovedActions(rig, userId, policyId), [], 'every action is proved or may be skipped')
          if (rig.request.consent) {
            consented += 1
            assert.ok(isGranted(rig, userId), 'what is asked for was granted by this user')
            assert.equal(result.consentId, rig.consents.get(userId)?.id)
          } else assert.equal(result.consentId, undefined)
          for (const proof of outcome.state.proofs) assert.equal(proof.userId, userId, 'proofs are of one user')
          const evidence = rig.evidence.filter((each) => each.userId === userId).map(({ method }) => method)
          const shown = (word: string) => evidence.some((each) => each === word || (shownBy[word] ?? []).includes(each))
          for (const method of Object.keys(proved)) assert.ok(shown(method), 'proved means checked')
          const remembered = Object.keys(outcome.state.session?.lastSignOn.withAuthenticator ?? {})
          for (const word of amr) assert.ok(shown(word) || remembered.includes(word))
        })
      }),
      { numRuns: 3000 },
    )
    assert.ok(completed > 300 && bySession > 30, `the model reaches completion: ${completed}, by session ${bySession}`)
    assert.ok(judged > 10, `webhooks take part: ${judged}`)
    assert.ok(consented > 10, `consent takes part: ${consented}`)
    assert.ok(withoutPassword > 30, `passkeys take part: ${withoutPassword}`)
  })

  test('what an endpoint demands is proved, whatever the conditions and whatever happens meanwhile', () => {
    let demanded = 0
    fc.assert(
      fc.property(scenario, plan, plan, fc.constantFrom('LOGIN', 'IDENTITY_PROVIDER'), (drawn, one, two, type) => {
        const first: ActionPlan[] = [
          { ...one, id: 'a', factor: 'pwd' },
          { ...one, id: 'b', factor: 'hook', condition: null },
          { ...two, id: 'c', factor: type === 'LOGIN' ? 'mfa' : 'idp' },
        ]
        const plannedScenario: Scenario = {
          ...drawn,
          policies: [first, drawn.policies[1]],
          webhookAnswer: { result: 'STEP_UP', type },
          commands: [{ do: 'check', who: 'alice', secret: 'right' }, ...drawn.commands],
        }
        run(plannedScenario, (rig, outcome) => {
          if (outcome.kind !== 'done' || outcome.state.status !== 'COMPLETED' || outcome.state.resumedAt) return
          const result = outcome.state.outcome
          assert.ok(result)
          assert.deepEqual(unprovedActions(rig, result.userId, result.policyId), [])
          if (rig.demands.size > 0) demanded += 1
        })
      }),
      { numRuns: 1500 },
    )
    assert.ok(demanded > 20, `what is demanded is proved: ${demanded}`)
  })

  test('an app proves what it was asked, in time, by the number that was shown, and nothing else', () => {
    let approved = 0
    const answer = fc.record({
      do: fc.constant('app' as const),
      decision: fc.constantFrom('APPROVE' as const, 'APPROVE' as const, 'DENY' as const),
      lie: fc.constantFrom('none' as const, 'number' as const, 'device' as const, 'request' as const),
    })
    const again = fc.constant<Command>({ do: 'select', who: 'alice', type: 'MOBILE' })
    const meanwhile = fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(10, 60) })
    const then = fc.array(fc.oneof({ weight: 3, arbitrary: answer }, again, meanwhile, command), { maxLength: 6 })
    fc.assert(
      fc.property(scenario, plan, then, (drawn, one, commands) => {
        const first: ActionPlan[] = [
          { ...one, id: 'a', factor: 'pwd' },
          { ...one, id: 'b', factor: 'device', condition: null },
        ]
        const begun: Command[] = [
          { do: 'check', who: 'alice', secret: 'right' },
          { do: 'select', who: 'alice', type: 'MOBILE' },
        ]
        run({ ...drawn, policies: [first, drawn.policies[1]], commands: [...begun, ...commands] }, (rig, outcome) => {
          if (outcome.kind !== 'done' || outcome.state.status !== 'COMPLETED' || outcome.state.resumedAt) return
          const { state, effects } = outcome
          assert.ok(state.outcome)
          assert.deepEqual(unprovedActions(rig, state.outcome.userId, state.outcome.policyId), [])
          const isByApp = state.trace.at(-1)?.event === 'push'
          // The browser is the one that signs on, and the app is not it.
          assert.deepEqual(
            [state.signOnDue === true, effects.some(({ kind }) => kind === 'signOn')],
            [isByApp, !isByApp],
          )
          if (isByApp) approved += 1
        })
      }),
      { numRuns: 1500 },
    )
    assert.ok(approved > 50, `apps approve: ${approved}`)
  })

  test('Q06, Q07: no device is let have anything but by its code, a consent, and the policies of its own application', () => {
    const reached = { here: 0, elsewhere: 0, more: 0 }
    const other = fc.option(plans, { freq: 2 })
    const then = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom<Command>({ do: 'check', who: 'alice', secret: 'right' }) },
        { weight: 2, arbitrary: fc.constantFrom<Command>({ do: 'check', who: 'alice', secret: 'second' }) },
        {
          weight: 4,
          arbitrary: fc.record({
            do: fc.constant('userCode' as const),
            code: fc.constantFrom('right', 'right', 'wrong'),
          }),
        },
        {
          weight: 5,
          arbitrary: fc.record({
            do: fc.constant('deviceConsent' as const),
            accept: fc.constantFrom(true, true, false),
          }),
        },
        command,
      ),
      { maxLength: 14 },
    )
    fc.assert(
      fc.property(scenario, plan, then, other, (drawn, one, commands, theirs) => {
        const second: ActionPlan = { ...one, id: 'd', factor: 'mfa', condition: null, asksDeviceFirst: false }
        const elsewhere = theirs && one.passkeys ? [second] : theirs

        const signIn: Command[] = [{ do: 'check', who: 'alice', secret: 'right' }]
        const first: ActionPlan[] = [{ ...one, id: 'a', factor: 'pwd' }]
        const policies: Scenario['policies'] = [one.trusts ? first : drawn.policies[0], drawn.policies[1]]
        const planned: Scenario = { ...drawn, policies, consent: null, commands: [...signIn, ...commands] }
        const prepare = (rig: Rig) => {
          rig.request = { ...rig.request, deviceGrant: { userCode, applicationId: elsewhere ? null : 'application' } }
          if (!elsewhere) return
          rig.device = { ...rig.device, applicationId: 'other' }
          rig.elsewhere = [compile('p3', elsewhere, 1, asWritten)]
        }
        let entered = 0
        const observe = (rig: Rig, outcome: Outcome) => {
          if (outcome.kind !== 'done') return
          if (outcome.state.application.id === 'other') entered += 1
          if (outcome.state.status !== 'COMPLETED' || outcome.state.resumedAt) return
          const { outcome: result, application } = outcome.state
          assert.ok(result)
          const own = rig.evidence.filter(({ userId }) => userId === result.userId).map(({ method }) => method)
          assert.ok(own.includes('userCode'), 'the code was entered by this user, in this flow')
          assert.ok(own.includes('consent'), 'and what it asks for was granted')
          assert.equal(result.consentId, rig.consents.get(result.userId)?.id)
          assert.equal(application.id, rig.device.applicationId)
          assert.equal(result.policyId === 'p3', elsewhere !== null, 'the policies are those of its application')
          assert.deepEqual(unprovedActions(rig, result.userId, result.policyId), [])
          reached[elsewhere ? 'elsewhere' : 'here'] += 1
          if (entered > 2) reached.more += 1
        }
        run(planned, observe, asWritten, prepare)
      }),
      { numRuns: 1500 },
    )
    assert.ok(reached.here > 20 && reached.elsewhere > 5 && reached.more > 0, JSON.stringify(reached))
  })

  test('K36: nobody but whom it invites signs on by an invitation, and not before they accepted it, nor past the policy', () => {
    const reached = { completed: 0, more: 0, declined: 0 }
    const accepting = fc.record({
      do: fc.constant('invited' as const),
      code: fc.constantFrom('right' as const, 'right' as const, 'wrong' as const),
      accept: fc.constantFrom(true, true, true, true, false),
      fresh: fc.constantFrom(`${canary}-new`, `${canary}-new`, `${canary}-weak`, null),
    })
    const signing = fc.record({
      do: fc.constant('check' as const),
      who: fc.constantFrom('alice' as const, 'bob' as const, null),
      secret: fc.constantFrom('right' as const, 'second' as const),
    })
    const then = fc.array(fc.oneof({ weight: 3, arbitrary: accepting }, { weight: 2, arbitrary: signing }, command), {
      maxLength: 10,
    })
    fc.assert(
      fc.property(scenario, who, then, (drawn, invited, commands) => {
        const planned: Scenario = { ...drawn, consent: null, accountAtStart: null, commands }
        const observe = (rig: Rig, outcome: Outcome) => {
          if (outcome.kind !== 'done') return
          const { state } = outcome
          const { id } = rig.people[invited].facts
          assert.ok(state.user === null || state.user.id === id, 'the flow is about nobody else')
          if (state.failure?.code === 'INVITATION_DECLINED') reached.declined += 1
          const isAccepted = state.trace.some(({ reason }) => reason === 'invitation-accepted')
          if (!isAccepted && state.status !== 'FAILED') assert.equal(state.status, 'INVITATION_REQUIRED')
          if (state.status !== 'COMPLETED' || state.resumedAt) return
          assert.ok(state.outcome)
          assert.equal(state.outcome.userId, id)
          assert.ok(rig.evidence.some(({ method, userId }) => method === 'pwd' && userId === id))
          assert.deepEqual(unprovedActions(rig, id, state.outcome.policyId), [])
          assert.equal(state.steps[0]?.type, 'INVITATION')
          reached.completed += 1
          if (state.proofs.length > 1) reached.more += 1
        }
        run(planned, observe, asWritten, (rig) => rig.invite(invited))
      }),
      { numRuns: 1500 },
    )
    assert.ok(
      Object.values(reached).every((count) => count > 5),
      JSON.stringify(reached),
    )
  })

  test('an action once required stays required while its policy runs', () => {
    fc.assert(
      fc.property(scenario, (plannedScenario) => {
        let required = new Set<string>()
        let candidate = 0
        run(plannedScenario, (_rig, outcome) => {
          if (outcome.kind !== 'done') return
          if (outcome.state.candidate !== candidate) required = new Set()
          candidate = outcome.state.candidate
          const standing = new Map(outcome.state.steps.map((step) => [step.id, step.standing]))
          const isRequired = (id: string) => ['REQUIRED', 'SATISFIED', undefined].includes(standing.get(id))
          for (const id of required) assert.ok(isRequired(id), `${id} was required and is ${standing.get(id)}`)
          for (const [id, each] of standing) if (each === 'REQUIRED' || each === 'SATISFIED') required.add(id)
          if (outcome.state.status !== 'COMPLETED') return
          assert.ok([...standing.values()].every((each) => each === 'SATISFIED' || each === 'SKIPPED'))
        })
      }),
      runs,
    )
  })

  test('session.reset forgets the user and every proof, and keeps what the flow is for', () => {
    let resets = 0
    fc.assert(
      fc.property(scenario, (plannedScenario) => {
        run(plannedScenario, (_rig, outcome, before) => {
          if (outcome.kind !== 'done' || !before) return
          const { state } = outcome
          if (!state.trace.slice(before.trace.length).some(({ reason }) => reason === 'session-reset')) return
          resets += 1
          assert.deepEqual([state.user, state.proofs, state.sessionCounts], [null, [], false])
          for (const member of ['application', 'request', 'candidates', 'session', 'createdAt', 'endsAt'] as const) {
            assert.equal(state[member], before[member])
          }
          if (state.candidate !== before.candidate) return
          const isRequired = ({ standing }: { standing: string }) => standing === 'REQUIRED' || standing === 'SATISFIED'
          const idsBefore = before.steps.filter(isRequired).map(({ id }) => id)
          for (const id of idsBefore) assert.notEqual(state.steps.find((step) => step.id === id)?.standing, 'SKIPPED')
        })
      }),
      runs,
    )
    assert.ok(resets > 10, `the model resets: ${resets}`)
  })

  test('every transition is in the trace, with its reason; the trace is one unbroken chain', () => {
    fc.assert(
      fc.property(scenario, (plannedScenario) => {
        run(plannedScenario, (rig, outcome, before) => {
          if (outcome.kind !== 'done') return
          const { state, reason } = outcome
          const fresh = state.trace.slice(before?.trace.length ?? 0)
          assert.ok(fresh.length > 0 && fresh.every(({ at }) => at === rig.now))
          assert.equal(fresh.at(-1)?.reason, reason)
          assert.equal(fresh[0]?.before ?? null, before?.status ?? null)
          const newProofs = state.proofs.length - (before?.proofs.length ?? 0)
          // Linking shows a password and a provider; an address may stand before both.
          const proving: Partial<Record<string, number>> = {
            'password-accepted': 1,
            'password-changed': 1,
            'password-recovered': 1,
            'invitation-accepted': 1,
            'passcode-accepted': 1,
            'assertion-accepted': 1,
            'push-approved': 1,
            'browser-remembered': 1,
            'passkey-accepted': 1,
            'email-verified': 2,
            'external-account-known': 1,
            'profile-updated': 1,
            'agreement-in-force': 1,
            'agreement-accepted': 1,
            'consent-given': 1,
            'webhook-allowed': 1,
            'webhook-demands': 1,
            'webhook-failed-open': 1,
            'external-account-made': 1,
            'external-account-linked': 2,
          }
          const most = fresh.reduce((sum, entry) => sum + (proving[entry.reason] ?? 0), 0)
          assert.ok(newProofs <= most, 'a proof is explained')
          assert.equal(fresh.at(-1)?.after, state.status)
          for (const [index, entry] of fresh.entries()) {
            if (index > 0) assert.equal(entry.before, fresh[index - 1]?.after)
          }
        })
      }),
      runs,
    )
  })

  test('wherever a flow stands, what is out of place is refused and changes nothing', () => {
    fc.assert(
      fc.property(scenario, (plannedScenario) => {
        const rig = run(plannedScenario, () => undefined)
        const { state } = rig
        assert.ok(state)
        const count = rig.effects.length
        for (const name of mediaTypeNames.filter((each) => !state.offers.includes(each))) {
          const outcome = rig.post(name, everyMember)
          assert.ok(outcome.kind === 'refused' && ['action-not-allowed', 'flow-gone'].includes(outcome.refusal.reason))
          assert.deepEqual(Object.keys(outcome).toSorted(), ['kind', 'refusal'])
        }
        assert.ok(rig.state === state && rig.effects.length === count)
      }),
      runs,
    )
  })

  test('the links are exactly the media types that are not refused as out of place', () => {
    fc.assert(
      fc.property(scenario, fc.constantFrom(...mediaTypeNames), (plannedScenario, name) => {
        const rig = run(plannedScenario, () => undefined)
        const links = Object.keys(rig.view()._links)
        const outcome = rig.post(name, everyMember)
        const reason = outcome.kind === 'refused' ? outcome.refusal.reason : null
        if (reason !== 'flow-gone') assert.equal(links.includes(name), reason !== 'action-not-allowed')
      }),
      runs,
    )
  })

  test('no secret shows up in a state, a question, an effect, a trace or a view', () => {
    fc.assert(
      fc.property(scenario, (plannedScenario) => {
        const rig = run(plannedScenario, (each) => each.output.push(each.view()))
        assert.ok(!JSON.stringify(rig.output).includes(canary))
      }),
      runs,
    )
  })

  test('a flow that is over stays over: at most one issue, nothing after 15 idle or 60 absolute minutes', () => {
    fc.assert(
      fc.property(scenario, (plannedScenario) => {
        const rig = run(plannedScenario, (each, outcome, before) => {
          if (outcome.kind !== 'done') return
          assert.ok(each.now < outcome.state.createdAt + flowLifetime.absolute)
          assert.ok(outcome.state.expiresAt <= outcome.state.endsAt)
          assert.ok(before === undefined || each.now < before.expiresAt)
          if (before && (before.status === 'COMPLETED' || before.status === 'FAILED')) {
            assert.ok(outcome.state.resumedAt !== null, 'only resume acts on a finished flow')
          }
        })
        assert.ok(rig.effects.filter(({ kind }) => kind === 'issue' || kind === 'deny').length <= 1)
        for (const effect of rig.effects) {
          if (effect.kind === 'issue') assert.ok(rig.effects.some(({ kind }) => kind === 'signOn'))
        }
      }),
      runs,
    )
  })

  test('the same input gives the same output, and no input is written to', () => {
    fc.assert(
      fc.property(scenario, (plannedScenario) => {
        const outputs = [run(deepFreeze(plannedScenario), () => undefined), run(plannedScenario, () => undefined)]
        const [first, second] = outputs.map(({ output }) => JSON.stringify(output))
        assert.equal(first, second)
      }),
      { numRuns: 500 },
    )
  })
})

suite('conditions never remove a step by failing', () => {
  const failing: CompiledCondition = {
    reads: [],
    evaluate: () => {
      throw new Error('evaluation failed')
    },
  }

  test('with an evaluator that throws, every action runs as if it had no condition', () => {
    fc.assert(
      fc.property(scenario, (plannedScenario) => {
        const statuses = (makeCondition: MakeCondition) => {
          const seen: unknown[] = []
          run(
            plannedScenario,
            (_rig, outcome) => seen.push(outcome.kind === 'done' ? outcome.state.status : outcome.refusal.reason),
            makeCondition,
          )
          return seen
        }
        assert.deepEqual(
          statuses(() => failing),
          statuses(() => null),
        )
      }),
      runs,
    )
  })

  test('taking a fact away never turns a condition false, whatever it is nested in', () => {
    const facts = fc.record({
      session: fc.constantFrom(...ages).map((age) => {
        const rig = new Rig()
        rig.signIn('alice', { at: age, pwd: age, mfa: age })
        return rig.session
      }),
      user: fc.constantFrom(new Rig().people.alice.facts, new Rig().people.bob.facts),
      request: fc.constantFrom({ remoteIp: '192.0.2.9' }, { remoteIp: '203.0.113.9' }),
      groups: fc.subarray([groupId]),
    })
    const taken = fc.constantFrom('session' as const, 'user' as const, 'request' as const, 'groups' as const)
    fc.assert(
      fc.property(condition, facts, taken, (json, all, name) => {
        const compiled = readCondition(json).condition
        const { now } = new Rig()
        const whole = evaluate(compiled, { ...all, now })
        const without = evaluate(compiled, { ...all, now, [name]: null })
        if (whole !== 'false') assert.notEqual(without, 'false')
      }),
      runs,
    )
  })

  test('the machine skips a step only if no value of the missing facts could ask for it', () => {
    let skipped = 0
    fc.assert(
      fc.property(scenario, (plannedScenario) => {
        run({ ...plannedScenario, commands: [] }, (rig, outcome) => {
          if (outcome.kind !== 'done') return
          const { steps, user, session, candidate } = outcome.state
          for (const { id, standing } of steps) {
            if (standing !== 'SKIPPED') continue
            skipped += 1
            const action = rig.policies()[candidate]?.atStart.actions.find((each) => each.id === id)
            const each = action && planned.get(action)
            assert.ok(each?.condition && user && session)
            assert.ok(!possible(each.condition, rig, true, user.id).has(true))
          }
        })
      }),
      runs,
    )
    assert.ok(skipped > 30, `the model skips steps: ${skipped}`)
  })
})

test('states of random flows survive the codec', () => {
  fc.assert(
    fc.property(scenario, (plannedScenario) => {
      run(plannedScenario, (_rig, outcome) => {
        if (outcome.kind !== 'done') return
        const text = encode(outcome.state)
        assert.ok(text.startsWith('{"v":1,'))
        assert.deepEqual(decode(text), outcome.state)
      })
    }),
    { numRuns: 300 },
  )
})
