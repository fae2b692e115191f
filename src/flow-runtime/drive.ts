/**
 * Drives the pure machine: loads the facts it lacks, answers what it asks, until the flow waits, is finished, or the
 * request is refused. Architecture section 3. At most 16 turns: a policy that needs more is broken, and fails closed.
 */
import type { Context } from '../contract/operation.ts'
import { consentsOf } from '../directory/agreement-consents.ts'
import { deviceFacts, devicesOf } from '../directory/devices.ts'
import { groupIdsOf } from '../directory/groups.ts'
import { readConsent } from '../directory/oauth-consents.ts'
import { isRemembered, readBrowserToken } from '../directory/remembered-browsers.ts'
import { sessionFacts, sessionFrom } from '../directory/sessions.ts'
import { type UserWithPassword, userWithPasswordById } from '../directory/users.ts'
import type { Application } from '../environment/application.ts'
import type { DeviceFacts } from '../flow/factors/device.ts'
import type { AgreementFacts, Facts, GroupFacts, RequestFacts, SessionFacts, UserFacts } from '../flow/facts.ts'
import { step } from '../flow/machine.ts'
import type { QuestionKind } from '../flow/question.ts'
import type { PolicyVersions } from '../flow/policy-versions.ts'
import type { FlowState } from '../flow/state.ts'
import type { StepResult } from '../flow/turn.ts'
import { sessionById } from '../storage/sql/sessions.ts'
import { applicationFacts, isAdministrator } from './admission.ts'
import type { Write } from './asked.ts'
import { answerQuestion } from './asks/index.ts'
import { flowApplication } from './flow-application.ts'
import { localesOf } from './locales.ts'
import { userFacts } from './user-facts.ts'

/**
 * What a drive came to, with what answering the questions wants written in the saving unit, and the user it had to
 * load on the way, so that nobody reads them again for the answer (architecture section 5, "Budgets").
 */
export type Driven =
  | (Extract<StepResult, { kind: 'done' }> & {
      readonly writes: readonly Write[]
      readonly user: UserWithPassword | undefined
      /** The application that the flow is about from now on. */
      readonly application: Application
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
  readonly application: Application
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
  /** Whether the flow has no browser, whose network could be judged (door `backchannel`). */
  readonly isUnattended: boolean
  /** The checked authorization request; of it, `uiLocales` and `remoteIp` are looked at. */
  readonly parameters: FlowState['request']['parameters']
}

/** Nobody is there, and somebody would have to be asked. */
export class LoginRequired extends Error {}

/**
 * Runs one event through the machine.
 * @param begin the first call of the machine, to be repeated with more facts as long as it lacks some
 * @throws LoginRequired when somebody would have to be written to, and nobody is there
 */
export async function drive(context: Context, begin: (facts: Facts) => StepResult, driving: Driving): Promise<Driven> {
  const { secrets, session, isSilent } = driving
  let { application, policies } = driving
  let user = 'read' in session ? session.user : undefined
  const read = 'read' in session ? factsRead(context, session.read, user) : {}
  const configuration = context.environment.flowConfiguration
  let facts: Facts = { configuration, application: applicationFacts(application), ...read }
  const sessionId = 'read' in session ? undefined : session.id
  let next = begin
  const writes: Write[] = []
  for (let turn = 0; turn < maximumTurns; turn++) {
    const result = next(facts)
    switch (result.kind) {
      case 'done':
        return { ...result, writes, user, application }
      case 'refused':
        return result
      case 'needs': {
        const loaded = await load(context, { ...driving, application }, facts, result, sessionId)
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
        const found = answer.to === 'verifyUserCode' && answer.result === 'accepted' ? answer : undefined
        if (found && found.request.applicationId !== application.id) {
          application = (await flowApplication(context, found.request.applicationId)) ?? application
          policies = [...policies, ...policiesOf(context, found.candidates)]
          facts = { ...facts, application: applicationFacts(application) }
        }
        const versions = policies
        next = (known) => step(versions, state, { type: 'answer', ask, answer }, known, context.now)
        break
      }
    }
  }
  throw new Error('a flow did not come to rest')
}

/** The present versions of policies that may run from now on. */
function policiesOf({ environment }: Context, candidates: FlowState['candidates']): readonly PolicyVersions[] {
  return candidates.flatMap(({ policyId }) => {
    const policy = environment.policies.get(policyId)
    return policy ? [{ atStart: policy, current: policy }] : []
  })
}

/** That the user of the session is gone says nothing of whom the flow is about, who may be somebody else. */
function factsRead(context: Context, session: SessionFacts | null, user: UserWithPassword | undefined): Facts {
  return { session, ...(user ? { user: userFacts(context, user) } : {}) }
}

/** The groups of a user, who may have been made in this very request: then nobody but the machine knows them yet. */
async function groupFacts(
  { kernel, environment }: Context,
  userId: string,
  user: UserFacts | null | undefined,
): Promise<GroupFacts> {
  if (user?.id !== userId) return { userId, ids: null }
  return { userId, ids: await groupIdsOf(kernel, environment.id, userId, user.attributes) }
}

async function rememberedFact(
  { kernel, environment, headers, now }: Context,
  userId: string | null,
): Promise<{ readonly userId: string } | null> {
  const token = readBrowserToken(headers.cookie)
  const counts = userId !== null && (await isRemembered(kernel, environment.id, userId, token, now))
  return counts ? { userId } : null
}

async function agreementFacts(
  context: Context,
  userId: string | null,
  user: UserFacts | null | undefined,
  uiLocales: unknown,
): Promise<AgreementFacts> {
  const { kernel, environment } = context
  const preferred = user?.attributes['preferredLanguage']
  const locales = [...(typeof preferred === 'string' ? [preferred] : []), ...localesOf(context, uiLocales)]
  const given = userId === null ? [] : await consentsOf(kernel, environment.id, userId)
  return { userId: userId ?? '', given, locales }
}

/** Of the user: of whoever calls, unless the application has said for whom it does (`pi.remoteIp`, authentication-api 2.14). */
function requestFacts({ kernel, remoteAddress }: Context, { remoteIp: said }: Driving['parameters']): RequestFacts {
  const remoteIp = typeof said === 'string' ? said : remoteAddress
  return { remoteIp, network: kernel.ipIntelligence.lookUp(remoteIp) }
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
  { application, isUnattended, parameters }: Driving,
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
      case 'application':
        loaded = { ...loaded, application: applicationFacts(application) }
        break
      case 'request':
        loaded = { ...loaded, request: isUnattended ? null : requestFacts(context, parameters) }
        break
      case 'devices':
        loaded = { ...loaded, devices: await devicesFact(context, needs.userId) }
        break
      case 'remembered':
        loaded = { ...loaded, remembered: await rememberedFact(context, needs.userId) }
        break
      case 'agreements':
        loaded = {
          ...loaded,
          agreements: await agreementFacts(context, needs.userId, loaded.user, parameters['uiLocales']),
        }
        break
      case 'groups':
        if (needs.userId === null) throw new Error('only the groups of a user can be asked for')
        loaded = { ...loaded, groups: await groupFacts(context, needs.userId, loaded.user) }
        break
      case 'administrator': {
        const { userId } = needs
        if (userId === null) throw new Error('only of a user it can be asked whether they hold a role')
        const isOne = await isAdministrator(kernel, environment.id, userId)
        loaded = { ...loaded, administrator: { userId, isOne } }
        break
      }
      case 'consent': {
        const { userId } = needs
        const consent = userId ? await readConsent(kernel, environment.id, userId, application.id) : undefined
        loaded = { ...loaded, consent: consent ?? null }
        break
      }
    }
  }
  return { facts: loaded, user }
}
