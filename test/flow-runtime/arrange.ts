/** What flows are tested with: people, applications and policies of their own, and a flow in each status there is. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { MediaType } from '../../src/flow/actions/index.ts'
import { defaultDeviceAuthenticationPolicy } from '../../src/flow/factors/device-authentication-policy.ts'
import type { PolicyAction } from '../../src/flow/policy.ts'
import { asOf } from '../../src/flow/lapse.ts'
import { decode, encode, type FlowState, type FlowStatus } from '../../src/flow/state.ts'
import { update } from '../../src/storage/operations.ts'
import { run } from '../../src/storage/port.ts'
import type { InboxRow } from '../../src/storage/sql/inbox.ts'
import { flowById, type FlowRow } from '../../src/storage/sql/sessions.ts'
import { addAgreement, enable as enableAgreement } from '../platform/agreement.ts'
import { type OpenIdProvider, startOpenIdProvider } from '../harness/openid-provider.ts'
import { passcodeShown } from '../harness/authenticator-app.ts'
import { MobileApp } from '../harness/mobile-app.ts'
import { type Said, SoftwareAuthenticator } from '../harness/software-authenticator.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import type { Answer, Stile } from '../harness/stile.ts'
import { comeBack, newIdentityProvider } from './external.ts'

/** A user whom a test knows the password of. */
export interface Person {
  readonly id: string
  readonly username: string
  readonly password: string
  /** The device that takes passcodes by e-mail, where there is one. */
  readonly deviceId?: string
}

/** What may be said of a new person. */
export interface NewPerson {
  readonly forceChange?: boolean
  readonly populationId?: string
  readonly name?: { readonly given: string; readonly family: string }
  /** Left out: a random one. `null`: none at all. */
  readonly password?: string | null
}

const daysToMilliseconds = 86_400_000

/** Makes a user. Every password holds the word CANARY, which must never come back (row J28). */
export async function newPerson(stile: Stile, options: NewPerson = {}): Promise<Person> {
  const username = `person-${randomUUID()}`
  const password = options.password ?? `CANARY-${randomUUID()}`
  const created = await stile.api('POST', '/users', {
    username,
    email: addressOf({ username }),
    population: { id: options.populationId ?? stile.populationId },
    ...(options.name ? { name: options.name } : {}),
  })
  assert.equal(created.status, 201, created.text)
  const person = { id: created.json.id as string, username, password }
  if (options.password !== null) await setPassword(stile, person, { forceChange: options.forceChange ?? false })
  return person
}

/** Sets the password of a user as an administrator. */
export async function setPassword(
  stile: Stile,
  person: Person,
  more: { readonly forceChange: boolean },
): Promise<void> {
  const body = { value: person.password, bypassPolicy: true, ...more }
  const mediaType = 'application/vnd.pingidentity.password.set+json'
  const answer = await stile.api('PUT', `/users/${person.id}/password`, body, { mediaType })
  assert.equal(answer.status, 200, answer.text)
}

/** Makes a user with two devices that take passcodes: the first by e-mail, the second by an authenticator app. */
export async function newPersonWithDevices(stile: Stile): Promise<Person & { readonly deviceId: string }> {
  const person = await newPerson(stile)
  await enableMfa(stile, person)
  const deviceId = await addEmailDevice(stile, person)
  await addTotpDevice(stile, person)
  return { ...person, deviceId }
}

/** Lets a user have devices. */
export async function enableMfa(stile: Stile, { id }: Pick<Person, 'id'>): Promise<void> {
  const answer = await stile.api('PUT', `/users/${id}/mfaEnabled`, { mfaEnabled: true })
  assert.equal(answer.status, 200, answer.text)
}

/** Gives a user a device that takes passcodes at their own address, and returns its id. */
export async function addEmailDevice(stile: Stile, person: Person): Promise<string> {
  const answer = await stile.api('POST', `/users/${person.id}/devices`, {
    type: 'EMAIL',
    email: addressOf(person),
    status: 'ACTIVE',
  })
  assert.equal(answer.status, 201, answer.text)
  return answer.json.id as string
}

/** Gives a user an active authenticator app; the passcode of the present half minute is not used up. */
export async function addTotpDevice(stile: Stile, { id }: Pick<Person, 'id'>): Promise<{ id: string; secret: string }> {
  const created = await stile.api('POST', `/users/${id}/devices`, { type: 'TOTP' })
  assert.equal(created.status, 201, created.text)
  const { id: deviceId, secret } = created.json
  const mediaType = 'application/vnd.pingidentity.device.activate+json'
  const body = { otp: passcodeShown(secret, -1, stile.node.kernel.world.now()) }
  const activated = await stile.api('POST', `/users/${id}/devices/${deviceId}`, body, { mediaType })
  assert.equal(activated.status, 200, activated.text)
  return { id: deviceId, secret }
}

/** Gives a user an active FIDO2 device. */
export async function addPasskey(
  stile: Stile,
  { id }: Pick<Person, 'id'>,
  passkey = new SoftwareAuthenticator(),
): Promise<{ readonly deviceId: string; readonly passkey: SoftwareAuthenticator }> {
  const created = await stile.api('POST', `/users/${id}/devices`, { type: 'FIDO2' })
  assert.equal(created.status, 201, created.text)
  const { id: deviceId, publicKeyCredentialCreationOptions } = created.json
  const attestation = passkey.attest(saidTo(stile, publicKeyCredentialCreationOptions))
  const activated = await activate(stile, { id, deviceId }, attestation)
  assert.equal(activated.status, 200, activated.text)
  return { deviceId, passkey }
}

/** Tries to activate a FIDO2 device. */
export function activate(
  stile: Stile,
  { id, deviceId }: { readonly id: string; readonly deviceId: string },
  attestation: string,
  origin = stile.authUrl,
): Promise<Answer> {
  const mediaType = 'application/vnd.pingidentity.device.activate+json'
  return stile.api('POST', `/users/${id}/devices/${deviceId}`, { attestation, origin }, { mediaType })
}

/** What an honest browser says to options, which hold signed bytes. */
export function saidTo(stile: Stile, options: string): Said {
  const { challenge, rpId, rp } = JSON.parse(options)
  return { challenge: Buffer.from(challenge).toString('base64url'), origin: stile.authUrl, rpId: rpId ?? rp.id }
}

/** The answer of an authenticator to a flow. @param lie what of it is not what an honest one says */
export function signature(
  stile: Stile,
  passkey: SoftwareAuthenticator,
  options: string,
  lie: Partial<Said> = {},
): string {
  return passkey.assert({ ...saidTo(stile, options), ...lie })
}

/** Pairs an app with a user, and returns it. */
export async function addMobileApp(stile: Stile, { id }: Pick<Person, 'id'>, more: object = {}): Promise<MobileApp> {
  const applicationId = await mobileApplicationOf(stile)
  const app = new MobileApp(stile, () => stile.node.kernel.world.now())
  const paired = await app.pair(await newPairingKey(stile, { id }, applicationId), applicationId, more)
  assert.equal(paired.status, 201, paired.text)
  return app
}

/** Makes a pairing key, and returns its code. */
export async function newPairingKey(
  stile: Stile,
  { id }: Pick<Person, 'id'>,
  ...applicationIds: readonly string[]
): Promise<string> {
  const applications = applicationIds.map((applicationId) => ({ id: applicationId }))
  const answer = await stile.api('POST', `/users/${id}/pairingKeys`, { applications })
  assert.equal(answer.status, 201, answer.text)
  return answer.json.code as string
}

const mobileApplicationIds = new WeakMap<Stile, Promise<string>>()

/** The application whose devices the default device authentication policy takes, made when it is first needed. */
export function mobileApplicationOf(stile: Stile): Promise<string> {
  const made = mobileApplicationIds.get(stile) ?? makeMobileApplication(stile)
  mobileApplicationIds.set(stile, made)
  return made
}

async function makeMobileApplication(stile: Stile): Promise<string> {
  const id = await newApplication(stile)
  await putDefaultDevicePolicy(stile, { mobile: mobilePolicy({ id }) })
  return id
}

/** The part of a device authentication policy that takes the devices of an application, in every way there is. */
export function mobilePolicy(application: { readonly id: string } & Readonly<Record<string, unknown>>) {
  return {
    ...defaultDeviceAuthenticationPolicy.mobile,
    applications: [{ push: { enabled: true }, otp: { enabled: true }, ...application }],
  }
}

/** Changes the default device authentication policy. */
export async function putDefaultDevicePolicy(stile: Stile, properties: object): Promise<void> {
  const { json } = await stile.api('GET', '/deviceAuthenticationPolicies')
  const policy = json._embedded.deviceAuthenticationPolicies.find((each: { readonly default: boolean }) => each.default)
  const answer = await stile.api('PUT', `/deviceAuthenticationPolicies/${policy.id}`, { ...policy, ...properties })
  assert.equal(answer.status, 200, answer.text)
}

/** Makes a device authentication policy, and returns its id. */
export async function newDevicePolicy(stile: Stile, properties: object): Promise<string> {
  const answer = await stile.api('POST', '/deviceAuthenticationPolicies', {
    ...defaultDeviceAuthenticationPolicy,
    name: `Devices ${randomUUID()}`,
    ...properties,
  })
  assert.equal(answer.status, 201, answer.text)
  return answer.json.id as string
}

/** Makes the password of a user older than any policy allows. */
export async function agePassword(stile: Stile, person: Person): Promise<void> {
  const { storage, world } = stile.node.kernel
  const changed = await storage.commit({
    name: 'test.age-password',
    *run() {
      const key = { environment_id: stile.environmentId, user_id: person.id }
      return yield* update('passwords', key, { changed_at: world.now() - 400 * daysToMilliseconds })
    },
  })
  assert.ok(changed)
}

/** Switches a user on or off. */
export async function enable(stile: Stile, person: Person, enabled: boolean): Promise<void> {
  const answer = await stile.api('PUT', `/users/${person.id}/enabled`, { enabled })
  assert.equal(answer.status, 200, answer.text)
}

/** Makes a native application for `pi.flow`, and returns its id. */
export async function newApplication(
  stile: Stile,
  properties: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const answer = await stile.api('POST', '/applications', {
    name: `Application ${randomUUID()}`,
    enabled: true,
    type: 'NATIVE_APP',
    protocol: 'OPENID_CONNECT',
    responseTypes: ['CODE'],
    grantTypes: ['AUTHORIZATION_CODE'],
    tokenEndpointAuthMethod: 'NONE',
    redirectUris: ['https://app.example.com/callback'],
    ...properties,
  })
  assert.equal(answer.status, 201, answer.text)
  return answer.json.id as string
}

/** A sign-on policy of a test. */
export interface Policy {
  readonly id: string
  readonly name: string
  /** Ids of its actions, in the order they were given. */
  readonly actions: readonly string[]
}

/** An action as the management API takes it, without its priority. */
export type ActionBody = PolicyAction extends infer Action ? Omit<Action & object, 'priority'> : never

/** Makes a sign-on policy; its actions get the priorities 1, 2, … */
export async function newPolicy(stile: Stile, ...actions: readonly ActionBody[]): Promise<Policy> {
  const name = `Policy_${randomUUID().slice(0, 8)}`
  const created = await stile.api('POST', '/signOnPolicies', { name })
  assert.equal(created.status, 201, created.text)
  const id = created.json.id as string
  const ids: string[] = []
  for (const action of actions) ids.push(await addAction(stile, id, { ...action, priority: ids.length + 1 }))
  return { id, name, actions: ids }
}

/** Adds an action to a sign-on policy, and returns its id. */
export async function addAction(stile: Stile, policyId: string, action: object): Promise<string> {
  const answer = await stile.api('POST', `/signOnPolicies/${policyId}/actions`, action)
  assert.equal(answer.status, 201, answer.text)
  return answer.json.id as string
}

/** Assigns policies to an application in this order, and returns the ids of the assignments. */
export async function assign(stile: Stile, applicationId: string, ...policies: readonly Policy[]): Promise<string[]> {
  const ids: string[] = []
  for (const { id } of policies) {
    const body = { priority: ids.length + 1, signOnPolicy: { id } }
    const answer = await stile.api('POST', `/applications/${applicationId}/signOnPolicyAssignments`, body)
    assert.equal(answer.status, 201, answer.text)
    ids.push(answer.json.id as string)
  }
  return ids
}

/** By which way a flow is begun. */
export type Door = Exclude<FlowState['door'], 'backchannel'>

/** Sends an authorization request: of the native application with `pi.flow`, or of the web application by redirect. */
export function authorize(browser: Browser, door: Door, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const { stile } = browser
  if (door === 'pi.flow') return browser.authorize(piFlowRequest(stile, pkce().challenge, more))
  const { clientId, redirectUri } = stile.webApp
  return browser.authorize({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid',
    ...more,
  })
}

/** Begins a flow that waits, and returns its id. */
export async function begin(
  browser: Browser,
  door: Door = 'pi.flow',
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const answer = await authorize(browser, door, more)
  if (door === 'pi.flow') {
    assert.equal(answer.status, 200, answer.text)
    assert.ok(answer.json.id, `no flow began: ${answer.text}`)
    return answer.json.id as string
  }
  assert.equal(answer.status, 302, answer.text)
  const id = new URL(answer.headers.get('location') ?? '').searchParams.get('flowId')
  assert.ok(id, `no flow began: ${answer.headers.get('location')}`)
  return id
}

/** A flow, the browser it is bound to, and the person it is about. */
export interface Arranged {
  readonly browser: Browser
  readonly flowId: string
  readonly person: Person
  /** The code that was sent, in a status that waits for one. */
  readonly code: string | undefined
}

/** A password that satisfies every policy: letters and digits take turns, so that nothing comes three times in a row. */
export function newPassword(): string {
  const pairs = [...randomBytes(8)].map((byte) => `${'bdfgkmpr'[byte % 8]}${byte % 10}`)
  return `New-CANARY-${pairs.join('')}`
}

/** The e-mail address of a person of a test. */
export function addressOf({ username }: Pick<Person, 'username'>): string {
  return `${username}@example.com`
}

/** Every message to an address that the server has kept, the oldest first; waits until none is on its way. */
export async function inboxOf(stile: Stile, address: string): Promise<readonly InboxRow[]> {
  for (let waited = 0; (await rows(stile, 'outbox')).length > 0; waited += 10) {
    assert.ok(waited < 5000, 'a message is still on its way')
    await pause(10)
  }
  const messages = await rows<InboxRow>(stile, 'inbox', 'recipient = $2', address)
  return messages.toSorted((one, other) => one.created_at - other.created_at)
}

/** The last code or passcode that was sent to an address. */
export async function codeSentTo(stile: Stile, address: string): Promise<string> {
  const [code] = /^([0-9A-Z]{8}|[0-9]{6})$/m.exec((await inboxOf(stile, address)).at(-1)?.body ?? '') ?? []
  assert.ok(code, 'no code was sent')
  return code
}

/** The page that an assertion says it was made for. */
function originIn(assertion: string): string {
  if (!assertion.startsWith('{')) return 'https://auth.example.com'
  const clientData = Buffer.from(JSON.parse(assertion).response.clientDataJSON, 'base64url')
  return JSON.parse(clientData.toString()).origin
}

/** Bodies that would succeed if the action were allowed. Codes are those that were sent. */
export function bodyOf(action: MediaType, person: Person, code = 'CANARYXX'): object {
  switch (action) {
    case 'user.lookup':
    case 'password.forgot':
      return { username: person.username }
    case 'password.recover':
      return { recoveryCode: code, newPassword: newPassword() }
    case 'user.register': {
      const username = `new-${randomUUID()}`
      return { username, email: `${username}@example.com`, password: newPassword() }
    }
    case 'user.verify':
      return { verificationCode: code }
    case 'user.acceptInvite':
      return { inviteCode: code, password: newPassword(), accept: true }
    case 'password.sendRecoveryCode':
    case 'user.sendVerificationCode':
      return {}
    case 'usernamePassword.check':
      return { username: person.username, password: person.password }
    case 'password.reset':
      return { currentPassword: person.password, newPassword: newPassword() }
    case 'device.select':
      return { device: { id: person.deviceId ?? '' } }
    case 'otp.check':
      return { otp: code }
    case 'cancel.push.authentication':
      return { reason: 'CHANGE_DEVICE' }
    case 'assertion.check':
      return { origin: originIn(code), assertion: code }
    case 'user.update':
      return { nickname: 'Ada' }
    case 'user.consent':
    case 'oauth.consent':
    case 'deviceAuthGrant.consent':
      return { accept: true }
    case 'deviceAuthGrant.userCode.verify':
      return { userCode: code }
    case 'user.confirm':
    case 'session.reset':
      return {}
  }
}

/** Applications whose policies offer recovery and registration. */
export interface Offering {
  /** Client ids by door. */
  readonly clients: Readonly<Record<Door, string>>
  /** Those whose users have to consent. */
  readonly consenting: Readonly<Record<Door, string>>
  /** One that has devices. */
  readonly device: string
  /** Names of the policies, for `acr_values`: LOGIN alone, and IDENTIFIER_FIRST before it. */
  readonly login: string
  readonly identifierFirst: string
  /** LOGIN, then MULTI_FACTOR_AUTHENTICATION with a device that the user chooses. */
  readonly multiFactor: string
  /** LOGIN, then PROGRESSIVE_PROFILING for a nickname. */
  readonly profiling: string
  /** LOGIN, then AGREEMENT. */
  readonly agreement: string
  /** LOGIN that asks whether what a provider said is right, and IDENTITY_PROVIDER. */
  readonly confirming: string
  readonly elsewhere: string
  readonly providerId: string
  readonly provider: OpenIdProvider
}

/** Makes an agreement that is asked for, and returns its id. */
async function newAgreement(stile: Stile): Promise<string> {
  const added = await addAgreement(stile)
  await enableAgreement(stile, added)
  return added.id
}

const offerings = new WeakMap<Stile, Promise<Offering>>()

/** Those applications, made when they are first needed. */
export function offeringOf(stile: Stile): Promise<Offering> {
  const made = offerings.get(stile) ?? makeOffering(stile)
  offerings.set(stile, made)
  return made
}

async function makeOffering(stile: Stile): Promise<Offering> {
  const offers = { recovery: { enabled: true }, registration: { enabled: true } }
  const provider = await startOpenIdProvider()
  const providerId = await newIdentityProvider(stile, provider)
  const login = await newPolicy(stile, { type: 'LOGIN', ...offers, socialProviders: [{ id: providerId }] })
  const confirming = await newPolicy(stile, {
    type: 'LOGIN',
    ...offers,
    registration: { enabled: false, confirmIdentityProviderAttributes: true },
    socialProviders: [{ id: providerId }],
  })
  const elsewhere = await newPolicy(stile, { type: 'IDENTITY_PROVIDER', identityProvider: { id: providerId } })
  const identifierFirst = await newPolicy(stile, { type: 'IDENTIFIER_FIRST', ...offers }, { type: 'LOGIN', ...offers })
  const multiFactor = await newPolicy(
    stile,
    { type: 'LOGIN' },
    {
      type: 'MULTI_FACTOR_AUTHENTICATION',
      deviceAuthenticationPolicy: {
        id: await newDevicePolicy(stile, {
          authentication: { deviceSelection: 'PROMPT_TO_SELECT' },
          mobile: mobilePolicy({ id: await mobileApplicationOf(stile) }),
        }),
      },
    },
  )
  const profiling = await newPolicy(
    stile,
    { type: 'LOGIN' },
    {
      type: 'PROGRESSIVE_PROFILING',
      attributes: [
        { name: 'nickname', required: true },
        { name: 'name.given', required: false },
      ],
      preventMultiplePromptsPerFlow: true,
      promptIntervalSeconds: 3600,
      promptText: 'Tell us.',
    },
  )
  const agreement = await newPolicy(
    stile,
    { type: 'LOGIN' },
    { type: 'AGREEMENT', agreement: { id: await newAgreement(stile) } },
  )
  const native = await newApplication(stile)
  const web = await newApplication(stile, { type: 'SINGLE_PAGE_APP', redirectUris: [stile.webApp.redirectUri] })
  const device = await newApplication(stile, { grantTypes: ['DEVICE_CODE'], responseTypes: [], redirectUris: [] })
  await assign(stile, device, login)
  const nativeConsenting = await newApplication(stile, { requireConsent: true })
  const webConsenting = await newApplication(stile, {
    type: 'SINGLE_PAGE_APP',
    redirectUris: [stile.webApp.redirectUri],
    requireConsent: true,
  })
  for (const application of [nativeConsenting, webConsenting]) await assign(stile, application, login)
  for (const application of [native, web]) {
    await assign(stile, application, login, identifierFirst, confirming, elsewhere, multiFactor, profiling, agreement)
  }
  return {
    clients: { 'pi.flow': native, redirect: web },
    consenting: { 'pi.flow': nativeConsenting, redirect: webConsenting },
    device,
    login: login.name,
    identifierFirst: identifierFirst.name,
    confirming: confirming.name,
    multiFactor: multiFactor.name,
    profiling: profiling.name,
    agreement: agreement.name,
    elsewhere: elsewhere.name,
    providerId,
    provider,
  }
}

/** Marks the e-mail address of a user as one that has to be proved. */
async function requireVerification(stile: Stile, person: Person): Promise<void> {
  const changed = await stile.node.kernel.storage.commit({
    name: 'test.require-verification',
    *run() {
      const key = { environment_id: stile.environmentId, id: person.id }
      return yield* update('users', key, { verification_required: 1 })
    },
  })
  assert.ok(changed)
}

/** Makes the push request that a flow waits for older than it may become. */
async function agePush(stile: Stile, flowId: string): Promise<void> {
  const { storage, world } = stile.node.kernel
  const state = await stateOf(stile, flowId)
  const { push, ...slot } = state.slot as { readonly push: object }
  const aged = { ...state, slot: { ...slot, push: { ...push, expiresAt: world.now() - 1 } } }
  const changed = await storage.commit({
    name: 'test.age-push',
    *run() {
      return yield* update('flows', { environment_id: stile.environmentId, id: flowId }, { state: encode(aged) })
    },
  })
  assert.ok(changed)
}

/** Whether a status is only reached where recovery, registration or IDENTIFIER_FIRST is offered. */
export function isOffered(status: FlowStatus): boolean {
  return [
    'SIGN_ON_REQUIRED',
    'RECOVERY_CODE_REQUIRED',
    'VERIFICATION_CODE_REQUIRED',
    'EXTERNAL_AUTHENTICATION_REQUIRED',
    'ACCOUNT_CONFIRMATION_REQUIRED',
    'ACCOUNT_LINKING_REQUIRED',
    'DEVICE_SELECTION_REQUIRED',
    'OTP_REQUIRED',
    'ASSERTION_REQUIRED',
    'PUSH_CONFIRMATION_REQUIRED',
    'PUSH_CONFIRMATION_TIMED_OUT',
    'PROFILE_DATA_REQUIRED',
    'AGREEMENT_CONSENT_REQUIRED',
    'CONSENT_REQUIRED',
    'DAG_USER_CODE_REQUIRED',
    'DAG_CONSENT_REQUIRED',
  ].includes(status)
}

/** What to ask for to be offered it. */
async function offeredRequest(stile: Stile, status: FlowStatus, door: Door): Promise<Readonly<Record<string, string>>> {
  const { clients, consenting, login, device: _, ...others } = await offeringOf(stile)
  const policies: Partial<Record<FlowStatus, string>> = {
    SIGN_ON_REQUIRED: others.identifierFirst,
    EXTERNAL_AUTHENTICATION_REQUIRED: others.elsewhere,
    ACCOUNT_CONFIRMATION_REQUIRED: others.confirming,
    DEVICE_SELECTION_REQUIRED: others.multiFactor,
    OTP_REQUIRED: others.multiFactor,
    ASSERTION_REQUIRED: others.multiFactor,
    PUSH_CONFIRMATION_REQUIRED: others.multiFactor,
    PUSH_CONFIRMATION_TIMED_OUT: others.multiFactor,
    PROFILE_DATA_REQUIRED: others.profiling,
    AGREEMENT_CONSENT_REQUIRED: others.agreement,
  }
  return {
    client_id: (status === 'CONSENT_REQUIRED' ? consenting : clients)[door],
    acr_values: policies[status] ?? login,
    ...(door === 'redirect' ? { code_challenge: pkce().challenge, code_challenge_method: 'S256' } : {}),
  }
}

/** What a device shows, and what it polls with. */
export interface ShownCode {
  readonly userCode: string
  readonly deviceCode: string
}

/** A device of an application asks for codes. */
export async function newUserCode(
  stile: Stile,
  clientId: string,
  more: Readonly<Record<string, string>> = {},
): Promise<ShownCode> {
  const body = new URLSearchParams({ client_id: clientId, scope: 'openid', ...more })
  const { status, text, json } = await stile.send(`/${stile.environmentId}/as/device_authorization`, { body })
  assert.equal(status, 200, text)
  return { userCode: json.user_code, deviceCode: json.device_code }
}

/** Goes to the page for user codes, and returns the flow that begins. @param path of an application, or none */
export async function visitDevicePage(browser: Browser, path: string): Promise<string> {
  const { status, text, headers } = await browser.send(`/${browser.stile.environmentId}/device${path}`)
  assert.equal(status, 302, text)
  const id = new URL(headers.get('location') ?? '').searchParams.get('flowId')
  assert.ok(id)
  return id
}

/** A flow about a device, at the code or, once that was entered, at the question. */
async function deviceFlowIn(
  stile: Stile,
  status: 'DAG_USER_CODE_REQUIRED' | 'DAG_CONSENT_REQUIRED',
): Promise<Arranged> {
  const browser = new Browser(stile)
  const person = await newPerson(stile)
  const { device } = await offeringOf(stile)
  const { userCode } = await newUserCode(stile, device)
  const flowId = await visitDevicePage(browser, `/${device}`)
  await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
  if (status === 'DAG_CONSENT_REQUIRED') await browser.act(flowId, 'deviceAuthGrant.userCode.verify', { userCode })
  assert.equal((await stateOf(stile, flowId)).status, status)
  return { browser, flowId, person, code: userCode }
}

/** Invites a user as an administrator, and returns the code of the link that was sent. @param more of the body */
export async function inviteCodeOf(
  stile: Stile,
  person: Pick<Person, 'id' | 'username'>,
  more: object = {},
): Promise<string> {
  const before = new Set((await inboxOf(stile, addressOf(person))).map(({ id }) => id))
  const mediaType = 'application/vnd.pingidentity.user.invite+json'
  const answer = await stile.api('POST', `/users/${person.id}`, more, { mediaType })
  assert.equal(answer.status, 200, answer.text)
  const message = (await inboxOf(stile, addressOf(person))).find(({ id }) => !before.has(id))
  const [link] = /http\S+/.exec(message?.body ?? '') ?? []
  assert.ok(link, 'no link was sent')
  return new URL(link).searchParams.get('inviteCode') ?? ''
}

/** Follows the link of an invitation, and returns the flow that begins. */
export async function followInvitation(browser: Browser, inviteCode: string): Promise<string> {
  const { status, text, headers } = await browser.send(
    `/${browser.stile.environmentId}/invite?inviteCode=${encodeURIComponent(inviteCode)}`,
  )
  assert.equal(status, 302, text)
  const id = new URL(headers.get('location') ?? '').searchParams.get('flowId')
  assert.ok(id)
  return id
}

async function invitedFlow(stile: Stile): Promise<Arranged> {
  const browser = new Browser(stile)
  const person = await newPerson(stile, { password: null })
  const code = await inviteCodeOf(stile, person, { application: { id: stile.nativeApp.clientId } })
  return { browser, flowId: await followInvitation(browser, code), person, code }
}

/** Drives a new flow into a status. */
export async function flowIn(stile: Stile, status: FlowStatus, door: Door = 'pi.flow'): Promise<Arranged> {
  if (status === 'DAG_USER_CODE_REQUIRED' || status === 'DAG_CONSENT_REQUIRED') return deviceFlowIn(stile, status)
  if (status === 'INVITATION_REQUIRED') return invitedFlow(stile)
  const browser = new Browser(stile)
  const forceChange = status === 'MUST_CHANGE_PASSWORD' || status === 'FAILED'
  const { person, passkey, app } = await personFor(stile, status, forceChange)
  if (status === 'PASSWORD_EXPIRED') await agePassword(stile, person)
  if (status === 'VERIFICATION_CODE_REQUIRED') await requireVerification(stile, person)
  const check = (flowId: string) =>
    browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
  const request = isOffered(status) ? await offeredRequest(stile, status, door) : {}
  let flowId = await begin(browser, door, request)
  switch (status) {
    case 'USERNAME_PASSWORD_REQUIRED':
    case 'SIGN_ON_REQUIRED':
      break
    case 'EXTERNAL_AUTHENTICATION_REQUIRED':
      break
    case 'ACCOUNT_CONFIRMATION_REQUIRED':
    case 'ACCOUNT_LINKING_REQUIRED': {
      const { provider, providerId } = await offeringOf(stile)
      // Its username is the subject: that of the person, to whom it is not linked.
      provider.user = { sub: person.username }
      await comeBack(browser, flowId, providerId, provider)
      break
    }
    case 'RECOVERY_CODE_REQUIRED':
      await browser.act(flowId, 'password.forgot', bodyOf('password.forgot', person))
      break
    case 'PASSWORD_REQUIRED':
      await check(flowId)
      flowId = await begin(browser, door, { ...request, max_age: '0' })
      break
    case 'OTP_REQUIRED':
    case 'ASSERTION_REQUIRED':
    case 'PUSH_CONFIRMATION_REQUIRED':
    case 'PUSH_CONFIRMATION_TIMED_OUT':
      await check(flowId)
      await browser.act(flowId, 'device.select', bodyOf('device.select', person))
      if (status === 'PUSH_CONFIRMATION_TIMED_OUT') await agePush(stile, flowId)
      break
    case 'MUST_CHANGE_PASSWORD':
    case 'PASSWORD_EXPIRED':
    case 'DEVICE_SELECTION_REQUIRED':
    case 'PROFILE_DATA_REQUIRED':
    case 'AGREEMENT_CONSENT_REQUIRED':
    case 'CONSENT_REQUIRED':
    case 'VERIFICATION_CODE_REQUIRED':
    case 'COMPLETED':
      await check(flowId)
      break
    case 'FAILED':
      await check(flowId)
      await enable(stile, person, false)
      await browser.act(flowId, 'password.reset', bodyOf('password.reset', person))
      await enable(stile, person, true)
      break
  }
  assert.equal((await stateOf(stile, flowId)).status, status)
  const waitsForCode = status.endsWith('CODE_REQUIRED') || status === 'OTP_REQUIRED'
  if (waitsForCode) return { browser, flowId, person, code: await codeSentTo(stile, addressOf(person)) }
  if (app) return { browser, flowId, person, code: app.passcode() }
  if (!passkey) return { browser, flowId, person, code: undefined }
  const { json } = await browser.flow(flowId)
  return { browser, flowId, person, code: signature(stile, passkey, json.publicKeyCredentialRequestOptions) }
}

/** Somebody who has what a flow needs to come into a status. */
async function personFor(
  stile: Stile,
  status: FlowStatus,
  forceChange: boolean,
): Promise<{ readonly person: Person; readonly passkey?: SoftwareAuthenticator; readonly app?: MobileApp }> {
  if (status === 'DEVICE_SELECTION_REQUIRED' || status === 'OTP_REQUIRED') {
    return { person: await newPersonWithDevices(stile) }
  }
  const person = await newPerson(stile, { forceChange })
  const isByApp = status === 'PUSH_CONFIRMATION_REQUIRED' || status === 'PUSH_CONFIRMATION_TIMED_OUT'
  if (status !== 'ASSERTION_REQUIRED' && !isByApp) return { person }
  await enableMfa(stile, person)
  await addEmailDevice(stile, person)
  if (isByApp) {
    const app = await addMobileApp(stile, person)
    return { person: { ...person, deviceId: app.deviceId }, app }
  }
  const { deviceId, passkey } = await addPasskey(stile, person)
  return { person: { ...person, deviceId }, passkey }
}

/** The stored row of a flow; undefined when there is none that lives. */
export async function rowOf(stile: Stile, flowId: string): Promise<FlowRow | undefined> {
  const { storage, world } = stile.node.kernel
  const [row] = await storage.read(flowById(stile.environmentId, flowId, world.now()))
  return row
}

/** The state of a flow, as it is when it is loaded now. */
export async function stateOf(stile: Stile, flowId: string): Promise<FlowState> {
  const row = await rowOf(stile, flowId)
  assert.ok(row, 'there is no such flow')
  const state = decode(row.state)
  assert.ok(!('unsupportedVersion' in state))
  return asOf(state, stile.node.kernel.world.now())
}

/** Rows of a table in the demo environment: the oracle of what really happened. */
export function rows<R extends object>(
  stile: Stile,
  table: string,
  where = '',
  ...values: readonly string[]
): Promise<readonly R[]> {
  return stile.node.kernel.storage.read<R>({
    text: `SELECT * FROM ${table} WHERE environment_id = $1${where === '' ? '' : ` AND ${where}`}`,
    values: [stile.environmentId, ...values],
  })
}

/** Removes rows of a table in the demo environment, as an administrator or a job would. */
export async function removeRows(
  stile: Stile,
  table: string,
  where: string,
  ...values: readonly string[]
): Promise<void> {
  await stile.node.kernel.storage.commit({
    name: 'test.remove-rows',
    *run() {
      yield* run({
        text: `DELETE FROM ${table} WHERE environment_id = $1 AND ${where}`,
        values: [stile.environmentId, ...values],
      })
    },
  })
}
