/** What flows are tested with: people, applications and policies of their own, and a flow in each status there is. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import type { MediaType } from '../../src/flow/actions/index.ts'
import type { PolicyAction } from '../../src/flow/policy.ts'
import { decode, type FlowState, type FlowStatus } from '../../src/flow/state.ts'
import { update } from '../../src/storage/operations.ts'
import { run } from '../../src/storage/port.ts'
import { flowById, type FlowRow } from '../../src/storage/sql/sessions.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import type { Answer, Stile } from '../harness/stile.ts'

/** A user whom a test knows the password of. */
export interface Person {
  readonly id: string
  readonly username: string
  readonly password: string
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
    email: `${username}@example.com`,
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
export type Door = FlowState['door']

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
}

/** A password that satisfies every policy: letters and digits take turns, so that nothing comes three times in a row. */
export function newPassword(): string {
  const pairs = [...randomBytes(8)].map((byte) => `${'bdfgkmpr'[byte % 8]}${byte % 10}`)
  return `New-CANARY-${pairs.join('')}`
}

/** Bodies that would succeed if the action were allowed. */
export function bodyOf(action: MediaType, person: Person): object {
  switch (action) {
    case 'usernamePassword.check':
      return { username: person.username, password: person.password }
    case 'password.reset':
      return { currentPassword: person.password, newPassword: newPassword() }
    case 'session.reset':
      return {}
  }
}

/** Drives a new flow into a status. */
export async function flowIn(stile: Stile, status: FlowStatus, door: Door = 'pi.flow'): Promise<Arranged> {
  const browser = new Browser(stile)
  const person = await newPerson(stile, { forceChange: status === 'MUST_CHANGE_PASSWORD' || status === 'FAILED' })
  if (status === 'PASSWORD_EXPIRED') await agePassword(stile, person)
  const check = (flowId: string) =>
    browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
  let flowId = await begin(browser, door)
  switch (status) {
    case 'USERNAME_PASSWORD_REQUIRED':
      break
    case 'PASSWORD_REQUIRED':
      await check(flowId)
      flowId = await begin(browser, door, { max_age: '0' })
      break
    case 'MUST_CHANGE_PASSWORD':
    case 'PASSWORD_EXPIRED':
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
  return { browser, flowId, person }
}

/** The stored row of a flow; undefined when there is none that lives. */
export async function rowOf(stile: Stile, flowId: string): Promise<FlowRow | undefined> {
  const { storage, world } = stile.node.kernel
  const [row] = await storage.read(flowById(stile.environmentId, flowId, world.now()))
  return row
}

/** The stored state of a flow. */
export async function stateOf(stile: Stile, flowId: string): Promise<FlowState> {
  const row = await rowOf(stile, flowId)
  assert.ok(row, 'there is no such flow')
  const state = decode(row.state)
  assert.ok(!('unsupportedVersion' in state))
  return state
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
