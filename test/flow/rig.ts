/**
 * A rig to run flows in: a directory of two people, a browser with a session, a clock set by hand, and the loop the
 * runtime drives the machine with. It keeps its own record of what was truly checked, for tests to compare with.
 */
import assert from 'node:assert/strict'
import type { MediaType } from '../../src/flow/actions/index.ts'
import type { CompiledCondition } from '../../src/flow/condition.ts'
import type { ConsentFacts } from '../../src/flow/consent.ts'
import {
  type ApplicationFacts,
  isUsable,
  type Facts,
  type FactName,
  type SessionFacts,
  type UserFacts,
} from '../../src/flow/facts.ts'
import type { ExternalAuthentication } from '../../src/flow/external-authentication.ts'
import type { FlowIdentityProvider } from '../../src/flow/identity-provider.ts'
import type { FlowConfiguration } from '../../src/flow/configuration.ts'
import type { Agreement, AgreementConsent } from '../../src/flow/agreement.ts'
import { type DeviceFacts, type DeviceType, deviceTypes } from '../../src/flow/factors/device.ts'
import type { PendingPush, PushAnswer } from '../../src/flow/factors/push.ts'
import { defaultDeviceAuthenticationPolicy } from '../../src/flow/factors/device-authentication-policy.ts'
import { asOf } from '../../src/flow/lapse.ts'
import { start, step } from '../../src/flow/machine.ts'
import { filledBy } from '../../src/flow/profile.ts'
import { readRequest } from '../../src/flow/media-types.ts'
import { compilePolicy, type CompiledAction, type CompiledPolicy, type PolicyAction } from '../../src/flow/policy.ts'
import type { PolicyVersions } from '../../src/flow/policy-versions.ts'
import type { Answer, Effect, QuestionOf, Questions } from '../../src/flow/question.ts'
import type { Refusal } from '../../src/flow/refusal.ts'
import type { FlowOrigin, FlowState } from '../../src/flow/state.ts'
import type { Ask, StepResult } from '../../src/flow/turn.ts'
import { type FlowView, viewFlow } from '../../src/flow/view.ts'
import { secondSecret } from './second-secret.ts'

/** Somebody with two secrets. */
export interface Person {
  readonly username: string
  password: string
  readonly second: string
  failures: number
  facts: UserFacts
}

/** Text that stands in for every secret; wherever it shows up, one has leaked. */
export const canary = 'CANARY'

function person(username: string, populationId: string): Person {
  const facts: UserFacts = {
    id: `id-of-${username}`,
    enabled: true,
    locked: false,
    canAuthenticate: true,
    password: 'OK',
    mfaEnabled: true,
    verification: 'OK',
    attributes: { username, population: { id: populationId }, mfaEnabled: username === 'alice' },
  }
  return { username, password: `${canary}-1-${username}`, second: `${canary}-2-${username}`, failures: 0, facts }
}

function accountKey({ providerId, subject }: { readonly providerId: string; readonly subject: string }): string {
  return `${providerId}/${subject}`
}

/** The code that is sent to somebody, whatever for. */
export function codeOf(username: string): string {
  return `${canary}-code-${username}`
}

/** The id of somebody's invitation. */
export function invitationOf(username: string): string {
  return `invitation-of-${username}`
}

/** The id of somebody's device. */
export function deviceOf(username: string, type: DeviceType): string {
  return `${type}-of-${username}`
}

/** The code that the device of tests shows. */
export const userCode = 'BVKV-2GZ2'

const tooShort = { name: 'length', message: 'too short' }

export const noon = Date.UTC(2026, 10, 22, 12)

export const plainRequest: FlowOrigin['request'] = {
  forcesLogin: false,
  maxAge: null,
  loginHint: null,
  hintedUserId: null,
  parameters: {},
}

export const plainOrigin: FlowOrigin = {
  id: 'flow',
  environmentId: 'environment',
  door: 'redirect',
  application: { id: 'application' },
  request: plainRequest,
  newSessionId: 'new-session',
}

/** The identity provider of tests. */
export const partner: FlowIdentityProvider = {
  id: 'partner',
  name: 'Partner',
  type: 'OPENID_CONNECT',
  enabled: true,
  populationId: null,
}

/** A policy of LOGIN actions, one per condition given; `null` for none. */
export function loginPolicy(
  conditions: readonly (PolicyAction['condition'] | null)[],
  version = 1,
  config: object = {},
): CompiledPolicy {
  const actions = conditions.map((condition, index) => ({
    id: `login-${index + 1}`,
    type: 'LOGIN' as const,
    priority: index + 1,
    ...config,
    ...(condition ? { condition } : {}),
  }))
  return compilePolicy({ id: 'policy', name: 'Single_Factor', version, actions })
}

/** A condition that lets its step be skipped. */
export const neverTrue: CompiledCondition = { reads: [], evaluate: () => 'false' }

export function policyOf(id: string, actions: readonly CompiledAction[], version = 1): CompiledPolicy {
  return { id, name: `name-of-${id}`, version, actions }
}

/** What one request came to. */
export type Outcome =
  | { readonly kind: 'done'; readonly state: FlowState; readonly effects: readonly Effect[]; readonly reason: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Freezes a value and all it holds, so that a machine that writes into its input is found out. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}

/** An agreement with one revision, that may get more. */
export const terms: Agreement = {
  id: 'terms',
  name: 'Terms',
  enabled: true,
  reconsentPeriodDays: null,
  defaultLocale: 'en',
  languages: [
    {
      id: 'terms-en',
      locale: 'en',
      displayName: 'Terms of use',
      isOffered: true,
      userExperience: {},
      revisions: [{ id: 'terms-1', contentType: 'text/plain', effectiveAt: 0, requireReconsent: true }],
    },
  ],
}

/** The agreement with one revision more, which asks for consent anew. */
export function revised(agreement: Agreement, now: number): Agreement {
  const languages = agreement.languages.map((language) => {
    const revision = {
      id: `terms-${language.revisions.length + 1}`,
      contentType: 'text/plain',
      effectiveAt: now,
      requireReconsent: true,
    } as const
    return { ...language, revisions: [...language.revisions, revision] }
  })
  return { ...agreement, languages }
}

export class Rig {
  now = noon
  readonly people = { alice: person('alice', 'staff'), bob: person('bob', 'guests') }
  /** The identity providers there are, and the default device authentication policy. */
  readonly configuration = {
    identityProviders: new Map([[partner.id, partner]]),
    agreements: new Map([[terms.id, terms]]),
    deviceAuthenticationPolicies: new Map(),
    defaultDeviceAuthenticationPolicy: {
      ...defaultDeviceAuthenticationPolicy,
      authentication: { deviceSelection: 'PROMPT_TO_SELECT' },
      mobile: {
        ...defaultDeviceAuthenticationPolicy.mobile,
        applications: [{ id: 'app', push: { enabled: true }, otp: { enabled: true } }],
      },
      rememberMe: { web: { enabled: true, lifeTime: { duration: 30, timeUnit: 'DAYS' } } },
    },
    scopes: new Map(
      ['openid', 'read', 'write'].map((name) => [`id-of-${name}`, { name, resource: { name: 'Shop API' } }]),
    ),
  } satisfies FlowConfiguration
  /** Ids of users whom the browser is remembered for. */
  readonly remembered = new Set<string>()
  /** What each user has consented to, by their id. */
  readonly agreementConsents = new Map<string, AgreementConsent & { readonly agreementId: string }>()
  /** Accounts at providers: `provider/subject` -> the user's id. */
  readonly links = new Map<string, string>()
  /** What an endpoint says when it is asked, and what it was asked. */
  webhookAnswer: Questions['callWebhook']['answer'] = { result: 'CONTINUE' }
  readonly calls: QuestionOf<'callWebhook'>[] = []
  /** Which calls passed since the flow began or was reset, and the ids of the actions that endpoints demanded. */
  passed: { userId: string; actionId: string; url: string; answered: boolean }[] = []
  readonly demands = new Set<string>()
  /** The last push request, and whom it asks. */
  asked: (PendingPush & { readonly userId: string; readonly deviceId: string }) | undefined
  /** What was granted to the application, by the user's id. */
  readonly consents = new Map<string, ConsentFacts>()
  /** The application whose device waits, until when, and who has entered its code. */
  device: { readonly applicationId: string; readonly expiresAt: number; claimedBy?: string } = {
    applicationId: 'application',
    expiresAt: noon + 600_000,
  }
  /** The policies of that application, where it is another one than the flow began with. */
  elsewhere: readonly CompiledPolicy[] = []
  /** Who registered in this flow. */
  readonly registered: Person[] = []
  /** What answers want done once the state is saved. */
  private pending: (() => void)[] = []
  /** The browser's session, as long as it lives. */
  session: SessionFacts | null = null
  remoteIp: string | null = '192.0.2.1'
  /** The names of those who hold a role. */
  administrators: ReadonlySet<string> = new Set()
  application: ApplicationFacts = { groupRule: null, administratorsOnly: false }
  /** Ids of the groups of people, by name; null: nobody can say. Who is missing is in none. */
  readonly groups: Record<string, readonly string[] | null> = {}
  /** How often groups were asked for. */
  groupReads = 0
  /** A runtime that checks the password of whoever is named, although the flow has a user: the machine has to notice. */
  isCareless = false
  request: FlowOrigin['request'] = plainRequest
  door: FlowOrigin['door'] = 'redirect'
  /** The policies now, by id; a policy that is gone has no entry. */
  readonly current = new Map<string, CompiledPolicy>()
  private atStart: readonly CompiledPolicy[] = []
  state: FlowState | undefined
  /** Secrets that were truly checked since the flow began or was reset: the model's own view of what is proved. */
  evidence: {
    method: 'pwd' | 'mfa' | 'idp' | 'device' | 'signature' | 'passkey' | 'profile' | 'consent' | 'userCode'
    userId: string
    trustedBy?: string
    /** The action that a passkey was shown to. */
    actionId?: string
  }[] = []
  /** Whom a provider vouched for, while their address is yet to be verified. */
  private unverified: { userId: string; trustedBy: string } | undefined
  /** Who has shown a passkey, and to which action, while their address is yet to be verified. */
  private unverifiedPasskey: { userId: string; actionId: string } | undefined
  /** Whether the session may still spare steps, by the model's own account. */
  isSessionForgotten = false
  readonly effects: Effect[] = []
  /** Everything the machine has let out. */
  readonly output: unknown[] = []

  /** Gives the browser a session of this person; ages in seconds. */
  signIn(name: 'alice' | 'bob', ages: { at: number; pwd?: number; mfa?: number }): void {
    const before = (age: number) => this.now - age * 1000
    this.session = {
      id: `session-of-${name}`,
      userId: this.people[name].facts.id,
      lastSignOn: {
        at: before(ages.at),
        withAuthenticator: {
          ...(ages.pwd === undefined ? {} : { pwd: { at: before(ages.pwd) } }),
          ...(ages.mfa === undefined ? {} : { mfa: { at: before(ages.mfa) } }),
        },
      },
    }
  }

  /** Has somebody invited who has no password: the next flow is for that. */
  invite(name: 'alice' | 'bob'): void {
    const person = this.people[name]
    person.facts = { ...person.facts, password: 'NO_PASSWORD', verification: 'REQUIRED' }
    const invitation = { id: invitationOf(name) }
    this.request = { ...this.request, hintedUserId: person.facts.id, loginHint: name, invitation }
  }

  begin(...policies: CompiledPolicy[]): Outcome {
    this.atStart = policies
    for (const policy of policies) this.current.set(policy.id, policy)
    const origin: FlowOrigin = { ...plainOrigin, door: this.door, request: this.request }
    return this.run((facts) => start(policies, origin, facts, this.now), {})
  }

  post(name: MediaType, body: object): Outcome {
    const read = readRequest(name, body)
    if ('refusal' in read) return { kind: 'refused', refusal: read.refusal }
    const state = this.present()
    return this.run((facts) => step(this.policies(), state, read.request, facts, this.now), read.secrets)
  }

  /** Somebody comes back from a provider, which calls them by this name. */
  comeBack(subject: string, more: Partial<ExternalAuthentication> = {}): Outcome {
    const state = this.present()
    const attributes = [{ name: 'username', value: subject, update: 'EMPTY_ONLY' as const }]
    const authentication = { providerId: partner.id, subject, email: null, attributes, ...more }
    const event = { type: 'external', authentication } as const
    return this.run((facts) => step(this.policies(), state, event, facts, this.now), {})
  }

  /** The app that was asked last answers; by this rig's own account, that proves something or does not. */
  answerPush(decision: PushAnswer['decision'], more: Partial<PushAnswer> = {}): Outcome {
    const asked = this.asked
    const { requestId = 'none', deviceId = 'none', number = null } = asked ?? {}
    const answer: PushAnswer = { requestId, deviceId, decision, number, ...more }
    const isRight = asked?.requestId === answer.requestId && asked.deviceId === answer.deviceId
    const isInTime = asked !== undefined && this.now < asked.expiresAt && asked.number === answer.number
    const count = this.evidence.length
    if (isRight && isInTime && decision === 'APPROVE') this.evidence.push({ method: 'signature', userId: asked.userId })
    const state = this.present()
    const outcome = this.run((facts) => step(this.policies(), state, { type: 'push', answer }, facts, this.now), {})
    if (outcome.kind === 'refused') this.evidence.length = count
    else this.asked = undefined
    return outcome
  }

  /** The flow as it is when it is loaded now. */
  private present(): FlowState {
    assert.ok(this.state)
    return deepFreeze(asOf(this.state, this.now))
  }

  /** Lets time pass. */
  wait(seconds: number): void {
    this.now += seconds * 1000
    this.state = this.present()
  }

  resume(): Outcome {
    const state = this.present()
    return this.run((facts) => step(this.policies(), state, { type: 'resume' }, facts, this.now), {})
  }

  signOn(name: 'alice' | 'bob'): Outcome {
    const { username, password } = this.people[name]
    return this.post('usernamePassword.check', { username, password })
  }

  policies(): PolicyVersions[] {
    return this.atStart.map((policy) => ({ atStart: policy, current: this.current.get(policy.id) ?? null }))
  }

  view(): FlowView {
    assert.ok(this.state)
    const user = this.personById(this.state.user?.id)
    return viewFlow(
      this.state,
      {
        application: { name: 'Shop' },
        ...(user ? { user: { id: user.facts.id, username: user.username } } : {}),
        passwordPolicy: { name: 'Standard' },
      },
      {
        self: 'https://auth/flow',
        resume: 'https://auth/resume',
        step: (id) => `https://auth/flow/steps/${id}`,
        authenticate: (id) => `https://auth/rp/authenticate?providerId=${id}`,
      },
    )
  }

  personById(id: string | undefined): Person | undefined {
    return this.everybody().find(({ facts }) => facts.id === id)
  }

  private everybody(): readonly Person[] {
    return [...Object.values(this.people), ...this.registered]
  }

  /** The runtime's loop, without its storage. */
  private run(first: (facts: Facts) => StepResult, secrets: Readonly<Record<string, string>>): Outcome {
    let facts: Facts = { configuration: this.configuration }
    let call = first
    this.pending = []
    for (let turn = 0; turn < 16; turn++) {
      const result = deepFreeze(call(facts))
      this.output.push(result)
      switch (result.kind) {
        case 'needs':
          facts = this.load(facts, result.facts, result.userId)
          break
        case 'ask': {
          const { state, ask } = result
          const answer = this.answer(ask, secrets, state)
          call = (loaded) => step(this.policies(), state, { type: 'answer', ask, answer }, loaded, this.now)
          break
        }
        case 'refused':
          return result
        case 'done':
          this.save(result.state)
          for (const write of this.pending) write()
          this.effects.push(...result.effects)
          for (const effect of result.effects) this.carryOut(effect, secrets)
          return { ...result }
      }
    }
    throw new Error('more than 16 turns')
  }

  private save(state: FlowState): void {
    const fresh = state.trace.slice(this.state?.trace.length ?? 0)
    if (fresh.some(({ reason }) => reason === 'session-reset' || reason === 'user-not-usable')) {
      this.evidence = []
      this.passed = []
      this.isSessionForgotten = true
    }
    this.state = deepFreeze(state)
  }

  private load(facts: Facts, names: readonly FactName[], userId: string | null): Facts {
    const user = this.personById(userId ?? this.session?.userId)?.facts ?? null
    return {
      ...facts,
      ...(names.includes('session') ? { session: this.session } : {}),
      ...(names.includes('user') ? { user } : {}),
      ...(names.includes('devices') ? { devices: this.devicesOf(userId) } : {}),
      ...(names.includes('application') ? { application: this.application } : {}),
      ...(names.includes('groups') ? { groups: this.loadGroups(userId) } : {}),
      ...(names.includes('administrator') && userId !== null
        ? { administrator: { userId, isOne: this.administrators.has(this.personById(userId)?.username ?? '') } }
        : {}),
      ...(names.includes('remembered')
        ? { remembered: userId !== null && this.remembered.has(userId) ? { userId } : null }
        : {}),
      ...(names.includes('agreements')
        ? { agreements: { userId: userId ?? '', given: this.agreementConsentsOf(userId), locales: ['en'] } }
        : {}),
      ...(names.includes('consent') ? { consent: this.consents.get(userId ?? '') ?? null } : {}),
      ...(names.includes('request') ? { request: this.remoteIp === null ? null : { remoteIp: this.remoteIp } } : {}),
    }
  }

  private loadGroups(userId: string | null): NonNullable<Facts['groups']> {
    assert.ok(userId !== null)
    this.groupReads += 1
    return this.groupsOf(userId)
  }

  groupsOf(userId: string): NonNullable<Facts['groups']> {
    const person = this.personById(userId)
    // Somebody who is made in this very request is not in the directory yet.
    if (!person) return { userId, ids: null }
    return { userId, ids: person.username in this.groups ? (this.groups[person.username] ?? null) : [] }
  }

  private agreementConsentsOf(userId: string | null) {
    const consent = this.agreementConsents.get(userId ?? '')
    return consent ? [consent] : []
  }

  /** Everybody has an e-mail device and an authenticator app. */
  private devicesOf(userId: string | null): readonly DeviceFacts[] {
    const person = this.personById(userId ?? '')
    if (!person) return []
    return deviceTypes.map((type) => ({
      id: deviceOf(person.username, type),
      type,
      status: 'ACTIVE',
      isBlocked: false,
      nickname: null,
      target: null,
      ...(type === 'MOBILE' ? { mobile: { applicationId: 'app', showsPasscodes: true } } : {}),
    }))
  }

  private answer({ question, action }: Ask, secrets: Readonly<Record<string, string>>, state: FlowState): Answer {
    // What is shown last is what the verification of the address makes count.
    const isAboutAddress = question.kind === 'sendVerificationCode' || question.kind === 'verifyEmail'
    if (!isAboutAddress) this.pending.push(() => (this.unverifiedPasskey = undefined))
    switch (question.kind) {
      case 'checkPassword':
        return this.checkPassword(question, action, secrets)
      case 'evaluateNewPassword': {
        const to = question.kind
        const user = this.personById(question.userId)
        if (!user || secrets.currentPassword !== user.password) return { to, result: 'wrongCurrent' }
        if (secrets.newPassword?.endsWith('weak')) return { to, result: 'unsatisfied', requirements: [tooShort] }
        return { to, result: 'accepted', user: this.shown(user, { ...user.facts, password: 'OK' }) }
      }
      case 'lookUpUser': {
        const { kind: to, username: identifier } = question
        const user = this.personByName(identifier)?.facts ?? null
        return { to, identifier, user: isUsable(user) || this.isCareless ? user : null }
      }
      case 'sendRecoveryCode': {
        const { kind: to, userId, identifier } = question
        const user = (userId === null ? this.personByName(identifier) : this.personById(userId))?.facts ?? null
        return { to, result: 'sent', identifier, user: isUsable(user) || this.isCareless ? user : null }
      }
      case 'recoverPassword': {
        const { kind: to, userId } = question
        const user = this.personById(userId ?? '')
        if (!user || secrets.recoveryCode !== codeOf(user.username)) return { to, result: 'wrongCode' }
        const { newPassword = '' } = secrets
        if (newPassword.endsWith('weak')) return { to, result: 'unsatisfied', requirements: [tooShort] }
        this.pending.push(() => this.setPassword(user, newPassword))
        return { to, result: 'accepted', user: this.shown(user, { ...user.facts, password: 'OK' }) }
      }
      case 'acceptInvitation': {
        const { kind: to, userId, invitationId } = question
        const user = this.personById(userId)
        const { inviteCode, password } = secrets
        if (password === undefined) return { to, result: 'noPassword' }
        const isRight = user && inviteCode === codeOf(user.username) && invitationId === invitationOf(user.username)
        if (!isRight || user.facts.password !== 'NO_PASSWORD') return { to, result: 'wrongCode' }
        if (password.endsWith('weak')) return { to, result: 'unsatisfied', requirements: [tooShort] }
        const facts: UserFacts = { ...user.facts, password: 'OK', verification: 'OK' }
        this.pending.push(() => {
          user.password = password
          user.facts = facts
        })
        return { to, result: 'accepted', user: this.shown(user, facts) }
      }
      case 'registerUser': {
        const { kind: to, attributes } = question
        if (this.personByName(attributes.username)) {
          return { to, result: 'refused', detail: { code: 'UNIQUENESS_VIOLATION', message: 'is taken' } }
        }
        const { password = '' } = secrets
        if (password.endsWith('weak')) return { to, result: 'unsatisfied', requirements: [tooShort] }
        const { link } = question
        if (link && this.links.has(accountKey(link))) {
          return { to, result: 'refused', detail: { code: 'CONSTRAINT_VIOLATION', message: 'is linked' } }
        }
        const made = { ...person(attributes.username, 'guests'), password }
        made.facts = { ...made.facts, verification: 'REQUIRED' }
        if (link) this.vouched(made, action)
        this.pending.push(() => {
          this.registered.push(made)
          if (link) this.links.set(accountKey(link), made.facts.id)
        })
        return { to, result: 'registered', user: made.facts }
      }
      case 'callWebhook':
        return this.callWebhook(question, action, state)
      case 'sendVerificationCode':
      case 'sendPasscode':
        return { to: question.kind, result: 'sent' }
      case 'sendPush': {
        const { kind: to, userId, deviceId } = question
        const request = { requestId: `push-${this.output.length}`, number: '42', expiresAt: this.now + 40_000 }
        this.pending.push(() => (this.asked = { ...request, userId, deviceId }))
        return { to, result: 'sent', request }
      }
      case 'checkPasscode': {
        const { kind: to, userId, deviceId } = question
        const user = this.personById(userId ?? '')
        const factor = deviceTypes.find((type) => user && deviceId === deviceOf(user.username, type))
        if (!user || !factor || secrets.otp !== codeOf(user.username)) return { to, result: 'rejected' }
        this.evidence.push({ method: 'device', userId: user.facts.id })
        return { to, result: 'accepted', user: user.facts, factor }
      }
      case 'acceptAgreement': {
        const { kind: to, userId, agreementId, languageId, revisionId } = question
        const user = this.personById(userId)
        assert.ok(user)
        const consent = { agreementId, languageId, revisionId, consentedAt: this.now, revokedAt: null }
        this.pending.push(() => this.agreementConsents.set(userId, consent))
        return { to, user: user.facts }
      }
      case 'checkAssertion': {
        const { kind: to, userId, deviceIds } = question
        const user = this.personById(userId)
        const isTheirs = user && deviceIds.includes(deviceOf(user.username, 'FIDO2'))
        if (!isTheirs || secrets.assertion !== codeOf(user.username)) return { to, result: 'rejected' }
        this.evidence.push({ method: 'signature', userId: user.facts.id })
        return { to, result: 'accepted', user: user.facts }
      }
      case 'checkPasskey': {
        const { kind: to, isNamed, userId } = question
        const user = this.everybody().find(({ username }) => codeOf(username) === secrets.assertion)
        const isMeant = !isNamed || user?.facts.id === userId || this.isCareless
        if (!user || !isMeant || (!isUsable(user.facts) && !this.isCareless)) return { to, result: 'rejected' }
        const shown = { userId: user.facts.id, actionId: action.id }
        if (user.facts.verification === 'REQUIRED') this.pending.push(() => (this.unverifiedPasskey = shown))
        else this.evidence.push({ method: 'passkey', ...shown })
        return { to, result: 'accepted', user: user.facts }
      }
      case 'updateProfile': {
        const { kind: to, userId, attributes } = question
        const user = this.personById(userId)
        assert.ok(user)
        const facts: UserFacts = { ...user.facts, attributes: filledBy(user.facts.attributes, attributes) }
        this.pending.push(() => (user.facts = facts))
        this.evidence.push({ method: 'profile', userId })
        return { to, user: facts }
      }
      case 'verifyUserCode':
        return this.verifyUserCode(question)
      case 'recordConsent': {
        const { kind: to, userId, scopeIds } = question
        const before = this.consents.get(userId)
        const id = before?.id ?? `consent-of-${userId}`
        this.pending.push(() =>
          this.consents.set(userId, { id, userId, scopeIds: [...(before?.scopeIds ?? []), ...scopeIds] }),
        )
        this.evidence.push({ method: 'consent', userId })
        return { to, consentId: id }
      }
      case 'verifyEmail': {
        const { kind: to, userId } = question
        const user = this.personById(userId)
        if (!user || secrets.verificationCode !== codeOf(user.username)) return { to, result: 'wrongCode' }
        const facts: UserFacts = { ...user.facts, verification: 'OK' }
        this.pending.push(() => (user.facts = facts))
        if (this.unverified?.userId === userId) this.evidence.push({ method: 'idp', ...this.unverified })
        if (this.unverifiedPasskey?.userId === userId) {
          this.evidence.push({ method: 'passkey', ...this.unverifiedPasskey })
          return { to, result: 'accepted', user: facts }
        }
        return { to, result: 'accepted', user: this.shown(user, facts) }
      }
      case 'findExternalAccount': {
        const { kind: to, authentication } = question
        const owner = this.personById(this.links.get(accountKey(authentication)))
        if (owner) return { to, result: 'linked', user: this.vouched(owner, action) }
        const name = authentication.attributes.find((attribute) => attribute.name === 'username')?.value ?? ''
        const namesake = this.personByName(name)
        if (namesake && authentication.email?.verified) return { to, result: 'linkable', userId: namesake.facts.id }
        return { to, result: namesake ? 'matched' : 'unknown' }
      }
      case 'linkAccount': {
        const { kind: to, userId } = question
        const user = this.personById(userId)
        const isTaken = this.links.has(accountKey(question)) || [...this.links.values()].includes(userId)
        if (!user || isTaken) return { to, result: 'taken' }
        this.pending.push(() => this.links.set(accountKey(question), userId))
        return { to, result: 'linked', user: this.vouched(user, action) }
      }
      case 'provisionUser': {
        const { kind: to, authentication } = question
        const name = authentication.attributes.find((attribute) => attribute.name === 'username')?.value
        if (name === undefined || this.personByName(name)) return { to, result: 'refused' }
        const made = person(name, 'guests')
        const verification = authentication.email?.verified === false ? 'REQUIRED' : 'OK'
        made.facts = { ...made.facts, password: 'NO_PASSWORD', verification }
        this.pending.push(() => {
          this.registered.push(made)
          this.links.set(accountKey(authentication), made.facts.id)
        })
        return { to, result: 'registered', user: this.vouched(made, action) }
      }
    }
  }

  /** A code is entered once, by one user; from then on the flow is about its application. */
  private verifyUserCode(question: QuestionOf<'verifyUserCode'>): Answer {
    const { kind: to, userId, applicationId: only } = question
    const { applicationId, expiresAt, claimedBy = userId } = this.device
    const isRight = question.userCode === userCode && claimedBy === userId && this.now < expiresAt
    if (!isRight || (only !== null && only !== applicationId)) return { to, result: 'rejected' }
    this.evidence.push({ method: 'userCode', userId })
    this.pending.push(() => (this.device.claimedBy = userId))
    if (applicationId !== plainOrigin.application.id) {
      this.atStart = [...this.atStart, ...this.elsewhere]
      for (const policy of this.elsewhere) this.current.set(policy.id, policy)
    }
    const scopeIds = ['id-of-openid', 'id-of-read']
    const request = {
      grantId: 'grant',
      applicationId,
      scopeIds,
      userCode,
      remoteAddress: '198.51.100.7',
      requestedAt: noon,
      expiresAt,
    }
    const candidates = this.elsewhere.map(({ id, version }) => ({ policyId: id, version }))
    return { to, result: 'accepted', request, candidates }
  }

  /** What an endpoint lets pass counts for the action that asked; what it demands, for the steps there are. */
  private callWebhook(question: QuestionOf<'callWebhook'>, { id: actionId }: Ask['action'], state: FlowState): Answer {
    const { kind: to, userId, url } = question
    const answer = this.webhookAnswer
    this.calls.push(question)
    if (answer.result !== 'DENY') this.passed.push({ userId, actionId, url, answered: answer.result !== 'ERROR' })
    if (answer.result === 'STEP_UP') {
      for (const { id, type } of state.steps) if (type === answer.type) this.demands.add(id)
    }
    return { to, ...answer }
  }

  /** Whom a provider vouches for counts once nothing stands before it. */
  private vouched({ facts }: Person, action: Ask['action']): UserFacts {
    const trustedBy = this.compiledAction(action)?.type ?? ''
    if (facts.verification === 'REQUIRED') this.unverified = { userId: facts.id, trustedBy }
    else if (isUsable(facts)) this.evidence.push({ method: 'idp', userId: facts.id, trustedBy })
    return facts
  }

  /** What somebody has shown counts once nothing stands before it. */
  private shown(user: Person, facts: UserFacts): UserFacts {
    if (facts.verification === 'OK' && facts.password !== 'NO_PASSWORD') {
      this.evidence.push({ method: 'pwd', userId: user.facts.id })
    }
    return facts
  }

  private checkPassword(
    { kind: to, username, userId }: Extract<Ask['question'], { kind: 'checkPassword' }>,
    action: Ask['action'],
    secrets: Readonly<Record<string, string>>,
  ): Answer {
    const user = username === null ? this.personById(userId ?? '') : this.personByName(username)
    if (userId !== null && user?.facts.id !== userId && !this.isCareless) return { to, result: 'otherUser' }
    if (!user) return { to, result: 'rejected' }
    if (user.failures >= 5) return { to, result: 'lockedOut', secondsUntilUnlock: 900 }
    const isSecond = this.compiledAction(action)?.definition === secondSecret
    const method = isSecond ? 'mfa' : 'pwd'
    if (!isUsable(user.facts) || secrets.password !== (isSecond ? user.second : user.password)) {
      if (secrets.password !== undefined) user.failures += 1
      return { to, result: 'rejected' }
    }
    const state = user.facts.password
    if (state === 'NO_PASSWORD') return { to, result: 'rejected' }
    const counts = isSecond || (state === 'OK' && user.facts.verification === 'OK')
    if (counts) this.evidence.push({ method, userId: user.facts.id })
    return { to, result: 'accepted', user: user.facts, password: isSecond ? 'OK' : state }
  }

  private compiledAction({ id, policyVersion }: Ask['action']): CompiledAction | undefined {
    const versions = [...this.atStart, ...this.current.values()]
    return versions
      .flatMap(({ actions }) => actions)
      .find((each) => each.id === id && each.policyVersion === policyVersion)
  }

  private personByName(username: string): Person | undefined {
    return this.everybody().find((candidate) => candidate.username === username)
  }

  private carryOut(effect: Effect, secrets: Readonly<Record<string, string>>): void {
    if (effect.kind === 'rememberBrowser') this.remembered.add(effect.userId)
    const user = effect.kind === 'setPassword' ? this.personById(effect.userId) : undefined
    if (user && secrets.newPassword !== undefined) this.setPassword(user, secrets.newPassword)
  }

  private setPassword(user: Person, password: string): void {
    user.password = password
    user.facts = { ...user.facts, password: 'OK' }
  }
}
