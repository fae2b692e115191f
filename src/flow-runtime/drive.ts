/**
 * Drives the pure machine: loads the facts it lacks, answers what it asks, until the flow waits, is finished, or the
 * request is refused. Architecture section 3. At most 16 turns: a policy that needs more is broken, and fails closed.
 */
import type { Context } from '../contract/operation.ts'
import { deviceFacts, devicesOf } from '../directory/devices.ts'
import { sessionFacts, sessionFrom } from '../directory/sessions.ts'
import { type UserWithPassword, userWithPasswordById } from '../directory/users.ts'
import type { DeviceFacts } from '../flow/factors/device.ts'
import type { Facts, RequestFacts, SessionFacts } from '../flow/facts.ts'
import { step } from '../flow/machine.ts'
import type { QuestionKind } from '../flow/question.ts'
import type { PolicyVersions } from '../flow/policy-versions.ts'
import type { StepResult } from '../flow/turn.ts'
import { sessionById } from '../storage/sql/sessions.ts'
import type { Write } from './asked.ts'
import { answerQuestion } from './asks/index.ts'
import { userFacts } from './user-facts.ts'

/**
 * What a drive came to, with what answering the questions wants written in the saving unit, and the user it had to
 * load on the way, so that nobody reads them again for the answer (architecture section 5, "Budgets").
 */
export type Driven =
  | (Extract<StepResult, { kind: 'done' }> & {
      readonly writes: readonly Write[]
      readonly user: UserWithPassword | undefined
    })
  | Extract<StepResult, { kind: 'refused' }>

const maximumTurns = 16

/** Questions whose answer is a message to somebody. */
const messages: ReadonlySet<QuestionKind> = new Set([
  'sendPasscode',
  'sendPush',
  'sendRecoveryCode',
  'sendVerificationCode',
])

/** What an event is run with. */
export interface Driving {
  /** The versions that answers are judged by. */
  readonly policies: readonly PolicyVersions[]
  /** What was cut out of the body; it goes to the answers and nowhere else. */
  readonly secrets: Readonly<Record<string, string>>
  /** The session the flow depends on: as the caller has just read it with its user, or the id to read it by. */
  readonly session:
    | { readonly read: SessionFacts | null; readonly user: UserWithPassword | undefined }
    | { readonly id: string | undefined }
  /** Whether nobody is there who could be asked anything (`prompt=none`). */
  readonly isSilent: boolean
}

/** Nobody is there, and somebody would have to be asked. */
export class LoginRequired extends Error {}

/**
 * Runs one event through the machine.
 * @param begin the first call of the machine, to be repeated with more facts as long as it lacks some
 * @throws LoginRequired when somebody would have to be written to, and nobody is there
 */
export async function drive(
  context: Context,
  begin: (facts: Facts) => StepResult,
  { policies, secrets, session, isSilent }: Driving,
): Promise<Driven> {
  let user = 'read' in session ? session.user : undefined
  const read = 'read' in session ? factsRead(context, session.read, user) : {}
  let facts: Facts = { configuration: context.environment.flowConfiguration, ...read }
  const sessionId = 'read' in session ? undefined : session.id
  let next = begin
  const writes: Write[] = []
  for (let turn = 0; turn < maximumTurns; turn++) {
    const result = next(facts)
    switch (result.kind) {
      case 'done':
        return { ...result, writes, user }
      case 'refused':
        return result
      case 'needs': {
        const loaded = await load(context, facts, result, sessionId)
        facts = loaded.facts
        user = loaded.user ?? user
        break
      }
      case 'ask': {
        const { ask, state } = result
        if (turn === 0 && state.user === null && state.identifier !== null) {
          // A flow about somebody who exists has read its user by now: whoever does not shall not be answered sooner (D7).
          await userWithPasswordById(context.kernel, context.environment.id, state.id)
        }
        // A silent request, made every few minutes, must neither write to anybody nor spend their messages.
        if (isSilent && messages.has(ask.question.kind)) throw new LoginRequired()
        const { answer, write } = await answerQuestion(context, ask.question, secrets, state)
        if (write) writes.push(write)
        if ('user' in answer && answer.user) facts = { ...facts, user: answer.user }
        next = (known) => step(policies, state, { type: 'answer', ask, answer }, known, context.now)
        break
      }
    }
  }
  throw new Error('a flow did not come to rest')
}

function factsRead(context: Context, session: SessionFacts | null, user: UserWithPassword | undefined): Facts {
  return session ? { session, user: user ? userFacts(context, user) : null } : { session }
}

function requestFacts({ kernel, remoteAddress }: Context): RequestFacts {
  return { remoteIp: remoteAddress, network: kernel.ipIntelligence.lookUp(remoteAddress) }
}

/** The devices of a user as facts; none where there is no user. */
export async function devicesFact(
  { kernel, environment, now }: Context,
  userId: string | null,
): Promise<readonly DeviceFacts[]> {
  return userId === null ? [] : (await devicesOf(kernel, environment.id, userId, now)).map(deviceFacts)
}

async function load(
  context: Context,
  facts: Facts,
  needs: Extract<StepResult, { kind: 'needs' }>,
  sessionId: string | undefined,
): Promise<{ readonly facts: Facts; readonly user: UserWithPassword | undefined }> {
  const { kernel, environment, now } = context
  let loaded = facts
  let user: UserWithPassword | undefined
  for (const fact of needs.facts) {
    switch (fact) {
      case 'session': {
        const [row] = sessionId ? await kernel.storage.read(sessionById(environment.id, sessionId, now)) : []
        loaded = { ...loaded, session: row ? sessionFacts(sessionFrom(row)) : null }
        break
      }
      case 'user': {
        const id = needs.userId ?? loaded.session?.userId
        user = id ? await userWithPasswordById(kernel, environment.id, id) : undefined
        loaded = { ...loaded, user: user ? userFacts(context, user) : null }
        break
      }
      case 'configuration':
        loaded = { ...loaded, configuration: environment.flowConfiguration }
        break
      case 'request':
        loaded = { ...loaded, request: requestFacts(context) }
        break
      case 'devices':
        loaded = { ...loaded, devices: await devicesFact(context, needs.userId) }
        break
    }
  }
  return { facts: loaded, user }
}
