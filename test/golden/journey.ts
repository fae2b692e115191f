/**
 * What the golden tests share. Each test drives the real server to where an example of authentication-api stands, and
 * compares the answer with the example. Two kinds of golden:
 *
 * - what is documented stands in the tests, written by hand; a host, an id, a name or a time that the example makes up is
 *   put in the place of the real one first, and nothing else is left out;
 * - what Stile decides on the way (answers, steps, trace) is recorded beside each test file (`*.test.ts.snapshot`). After a
 *   deliberate change: `npm test -- test/golden --test-update-snapshots`, then read the difference before it is committed.
 */
import assert from 'node:assert/strict'
import { snapshot, type TestContext } from 'node:test'
import type { MediaType } from '../../src/flow/actions/index.ts'
import type { FlowStatus } from '../../src/flow/state.ts'
import {
  type ActionBody,
  type Arranged,
  assign,
  begin,
  bodyOf,
  codeSentTo,
  addressOf,
  type Door,
  flowIn,
  newApplication,
  newPerson,
  newPolicy,
  type Person,
  type Policy,
  stateOf,
} from '../flow-runtime/arrange.ts'
import { Browser } from '../harness/sign-on.ts'
import type { Answer, Stile } from '../harness/stile.ts'

snapshot.setDefaultSnapshotSerializers([String])

/**
 * The runner records under the file that its process was started with, and there the file of the test is the outermost
 * suite where a process takes one file after the other (scripts/test-process.ts). This is the test as its own file has it.
 */
function recordedBesideItsFile(context: TestContext): TestContext {
  const [file = '', ...names] = context.fullName.split(' > ')
  if (!file.endsWith('.test.ts')) return context
  return Object.defineProperties(context, { filePath: { value: file }, fullName: { value: names.join(' > ') } })
}

export type Json = Answer['json']
/** What the examples call something -> what it is called here. */
export type Names = Readonly<Record<string, string>>

export const flowUrl = 'https://auth.pingone.com/{envId}/flows/{flowId}'
export const signOnPage = { href: 'https://apps.pingone.com/{envId}/signon/?flowId={flowId}' }

/** The links of an example: each to the flow. */
export function links(...relations: readonly (MediaType | 'self')[]): Record<string, { readonly href: string }> {
  return Object.fromEntries(relations.map((relation) => [relation, { href: flowUrl }]))
}

/** What every example of a flow has. */
export const flow = {
  id: '{flowId}',
  resumeUrl: 'https://auth.pingone.com/{envId}/as/resume?flowId={flowId}',
  createdAt: '{time}',
  expiresAt: '{time}',
}

/** JSON with the hosts, ids, times and names of the examples in the place of the real ones. */
export function asDocumented(stile: Stile, value: unknown, names: Names = {}): Json {
  const replaced: Names = {
    'https://apps.pingone.com/{envId}/signon/': `${stile.authUrl}/${stile.environmentId}/signon/`,
    'https://api.pingone.com/v1': `${stile.apiUrl}/v1`,
    'https://auth.pingone.com': stile.authUrl,
    '{envId}': stile.environmentId,
    '{popId}': stile.populationId,
    ...names,
  }
  const text = Object.entries(replaced).reduce(
    (json, [documented, real]) => json.replaceAll(JSON.stringify(real).slice(1, -1), documented),
    JSON.stringify(value),
  )
  return JSON.parse(
    text
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '{time}')
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '{uuid}')
      .replaceAll(/"(Application \{uuid\}|Demo (native|web) application)"/g, '"Shared-Web-App"'),
  )
}

/** Who begins a flow, in which browser, by which request; a new person in a new browser where nothing is said. */
export interface Beginning {
  readonly person?: Person
  readonly browser?: Browser
  readonly names?: Names
  readonly request?: Readonly<Record<string, string>>
  /** Properties of the application, where one is made. */
  readonly application?: Readonly<Record<string, unknown>>
}

/** One flow, the browser that drives it, and what happened on the way. */
export class Journey {
  readonly stile: Stile
  readonly browser: Browser
  readonly flowId: string
  readonly person: Person
  /** The application and its policy, where they are this journey's own. */
  readonly client: string
  readonly policy: Policy
  private names: Names
  private readonly answers: string[] = []

  constructor(
    stile: Stile,
    {
      browser,
      flowId,
      person,
      client = '',
      policy = { id: '', name: '', actions: [] },
    }: Omit<Arranged, 'code'> & { readonly client?: string; readonly policy?: Policy },
    names: Names = {},
  ) {
    this.client = client
    this.policy = policy
    this.stile = stile
    this.browser = browser
    this.flowId = flowId
    this.person = person
    this.names = {
      '{flowId}': flowId,
      'johndoe@example.com': addressOf(person),
      johndoe: person.username,
      '{userId}': person.id,
      ...names,
    }
  }

  /** Drives a new flow into a status. */
  static async in(stile: Stile, status: FlowStatus, door?: Door): Promise<Journey & { readonly code: string }> {
    const { code = '', ...arranged } = await flowIn(stile, status, door)
    return Object.assign(new Journey(stile, arranged), { code })
  }

  /** Begins a flow of an application of its own whose policy has these actions. */
  static async under(stile: Stile, actions: readonly ActionBody[], beginning: Beginning = {}): Promise<Journey> {
    const client = await newApplication(stile, beginning.application)
    const policy = await newPolicy(stile, ...actions)
    await assign(stile, client, policy)
    return Journey.of(stile, client, beginning, policy)
  }

  /** Begins a flow of an application that is there. */
  static async of(
    stile: Stile,
    client: string,
    { person, names, browser = new Browser(stile), request }: Beginning = {},
    policy?: Policy,
  ): Promise<Journey> {
    const flowId = await begin(browser, 'pi.flow', { client_id: client, ...request })
    const about = person ?? (await newPerson(stile))
    return new Journey(stile, { browser, flowId, person: about, client, ...(policy ? { policy } : {}) }, names)
  }

  /** Says what more the examples call by a name of theirs. */
  call(names: Names): void {
    this.names = { ...this.names, ...names }
  }

  /** Carries out an action, by default with a body that fits. */
  async act(action: MediaType, body: unknown = bodyOf(action, this.person)): Promise<Answer> {
    const answer = await this.browser.act(this.flowId, action, body)
    const { json, status } = answer
    const details = (json.details ?? []).map(({ code, target }: Json) => ` ${code}${target ? ` (${target})` : ''}`)
    this.answers.push(`${action}: ${status} ${json.status ?? json.code}${details.join('')}`)
    return answer
  }

  /** Carries out actions that are accepted; the status that each leads to is part of the test. */
  async acts(...path: readonly (readonly [MediaType, unknown, FlowStatus])[]): Promise<void> {
    for (const [action, body, status] of path) {
      const answer = await this.act(action, body)
      assert.equal(answer.json.status, status, `${action}: ${answer.text}`)
    }
  }

  /** Signs the person on with their password. */
  password(): Promise<Answer> {
    return this.act('usernamePassword.check')
  }

  read(): Promise<Answer> {
    return this.browser.flow(this.flowId)
  }

  /** The code that was sent to the person last. */
  code(): Promise<string> {
    return codeSentTo(this.stile, addressOf(this.person))
  }

  documented(value: unknown): Json {
    return asDocumented(this.stile, value, this.names)
  }

  /**
   * Compares a flow with its example. Where the example is silent, the flow has `environment.id` (3.1), and while it waits
   * the link to the sign-on page (9) and the step of the first edition that it waits for (1.4), which is compared with that
   * step's own resource.
   */
  async shows({ json: flowJson, status, text }: Answer, example: Json): Promise<void> {
    assert.equal(status, 200, text)
    const shown = this.documented(flowJson)
    const waits = flowJson.status !== 'COMPLETED' && flowJson.status !== 'FAILED'
    assert.equal('requiredStep' in shown._links, waits)
    assert.equal('requiredStep' in shown._embedded, waits)
    if (waits) {
      const step = await this.browser.send(flowJson._links.requiredStep.href)
      assert.deepEqual(flowJson._embedded.requiredStep, step.json)
      delete shown._links.requiredStep
      delete shown._embedded.requiredStep
    }
    const _links = { ...(waits ? { signOnPage } : {}), ...example._links }
    assert.deepEqual(shown, { environment: { id: '{envId}' }, ...example, _links })
  }

  /** Records what was answered and decided: the answers, the steps as their resource shows them, the trace. */
  async record(context: TestContext): Promise<void> {
    const steps = await this.browser.send(`/${this.stile.environmentId}/flows/${this.flowId}/steps`)
    const state = await stateOf(this.stile, this.flowId)
    const lines = [
      ...this.answers,
      ...state.trace.map(({ event, before, after, reason }) => `  ${event}: ${before} -> ${after}, ${reason}`),
      ...steps.json._embedded.steps.map(
        ({ type, status, reason }: Json) => `  step ${type}: ${status}, ${reason.code}`,
      ),
    ]
    recordedBesideItsFile(context).assert.snapshot(lines.join('\n'))
  }
}

/** The first detail of an error, and the status and code around it. */
export function errorOf({ status, json }: Answer): readonly unknown[] {
  const { code, target } = json.details?.[0] ?? {}
  return [status, json.code, code, target]
}
