/**
 * The language flow actions are written in: one value per policy action type, from which the machine, the flow JSON, the
 * links, validation and the contract are derived (architecture section 4). A new action is a new file and one more name
 * in the list of `actions/index.ts`.
 *
 * Never: I/O, a clock or a secret in `decide`; a decision without a reason.
 */
import { z } from 'zod'
import type { AgreementRevision, AgreementUserExperience } from './agreement.ts'
import type { ConsentDetail, ScopeView } from './consent.ts'
import type { Destination, DeviceAuthorizationView, DeviceRequest } from './device-grant.ts'
import type { ExternalAuthentication, ProviderRequest } from './external-authentication.ts'
import type { FactName, Facts, UserFacts } from './facts.ts'
import type { DeviceType, DeviceView } from './factors/device.ts'
import type { PendingPush, PushAnswer } from './factors/push.ts'
import type { RememberedFor } from './factors/device-authentication-policy.ts'
import type { FailureCode, FailureDetails } from './failure.ts'
import type { Json } from './json.ts'
import type { FlowSummary } from './flow-summary.ts'
import type { ProfileAttribute } from './profile.ts'
import type { Method, Proof } from './proof.ts'
import type { FlowUser } from './proven-user.ts'
import type { Answer, Effect, Question } from './question.ts'
import type { Detail, Refusal } from './refusal.ts'
import type { TransitionReason } from './reasons.ts'
import type { PublicBody } from './secret.ts'

/** The body of an action that has nothing to say. */
export const noBody = z.object({})

/** A media type an action accepts: in which of its statuses, and with which body. */
export interface Accepted<Config, Status extends string> {
  readonly in: readonly Status[]
  readonly body: z.ZodObject
  /** Whether the action's configuration offers it at all; absent means always. */
  when?(config: Config): boolean
}

/** The events that `accepts` gives rise to. */
export type MediaTypeEvent<Accepts> = {
  [Name in keyof Accepts & string]: Accepts[Name] extends { readonly body: infer Body extends z.ZodObject }
    ? { readonly type: Name; readonly body: Readonly<PublicBody<z.infer<Body>>> }
    : never
}[keyof Accepts & string]

/**
 * What the machine tells every action: it is being entered, its question has been answered, or somebody has come back
 * from a provider that the action sends to.
 */
export type MachineEvent =
  | { readonly type: 'enter' }
  | { readonly type: 'answer'; readonly answer: Answer }
  | { readonly type: 'external'; readonly authentication: ExternalAuthentication }

/** What an action decides about. */
export type ActionEvent<Accepts> = MachineEvent | MediaTypeEvent<Accepts>

/** All an action may look at. `user` is the flow's user, if there is one yet. */
export interface ActionTurn<Config, Slot, Event> {
  readonly config: Config
  readonly slot: Slot
  /** The status the flow is in; while the action is being entered, that of whatever was before. */
  readonly status: string
  readonly event: Event
  readonly user: FlowUser | null
  /** Whether the application has signed whom it means. */
  readonly isVouched: boolean
  readonly flow: FlowSummary
  /** What was typed to name the user, whether or not anybody has that name. */
  readonly identifier: string | null
  readonly facts: Facts
  /** Epoch milliseconds. */
  readonly now: number
}

/** Whom somebody named. Where nobody usable has that name, the flow goes on as if somebody had (D7), and never succeeds. */
export interface Named {
  readonly identifier: string
  readonly user: UserFacts | null
}

/** What an action decides. */
export type Decision<Slot, Status extends string> =
  /** Wait in this status for the client. `user`: the credentials sent are theirs. `named`: somebody named them. */
  | {
      readonly outcome: 'wait'
      readonly status: Status
      readonly slot: Slot
      readonly user?: UserFacts
      readonly named?: Named
      /** Media types that the status takes, but not this time. */
      readonly withholds?: readonly string[]
      readonly effects?: readonly Effect[]
      readonly reason: TransitionReason
    }
  /** This user has proved these methods, now. */
  | {
      readonly outcome: 'prove'
      readonly methods: readonly Method[]
      /** The identity provider that vouches for them, where one does. */
      readonly provider?: string
      /** The webhook the sign-on may go on by, where there is one. */
      readonly webhook?: NonNullable<Proof['webhook']>
      /** A type of action that has to be proved as well, whatever its condition. */
      readonly demands?: string
      /** The agreement that the user has consented to. */
      readonly agreement?: string
      /** The device that proved it, what it showed, and whether it has verified its user, as a passkey alone does. */
      readonly factor?: DeviceType
      readonly shows?: NonNullable<Proof['shows']>
      readonly userVerified?: true
      /** The consent that was recorded. */
      readonly consentId?: string
      /** What the device asks for whose user code was entered. */
      readonly deviceRequest?: DeviceRequest
      /** The application that this turns out to be about: its policies are judged by what was proved so far. */
      readonly goesTo?: Destination
      readonly user: UserFacts
      readonly effects?: readonly Effect[]
      readonly reason: TransitionReason
    }
  /** Ask the world. `slot` and `user` (the credentials sent are theirs) hold from then on. */
  | {
      readonly outcome: 'ask'
      readonly question: Question
      readonly slot?: Slot
      readonly user?: UserFacts
      readonly effects?: readonly Effect[]
    }
  /** Somebody named the user; nothing is proved by that. */
  | { readonly outcome: 'identify'; readonly named: Named; readonly reason: TransitionReason }
  /** Forget the user and everything proved, and begin the policy again. */
  | { readonly outcome: 'restart'; readonly reason: TransitionReason }
  /** The action cannot succeed any more; the next policy gets its turn, unless this is the last word on the sign-on. */
  | {
      readonly outcome: 'fail'
      readonly failure: FailureCode
      readonly details?: FailureDetails
      readonly isFinal?: true
      readonly reason: TransitionReason
    }
  /** The request does not fit; nothing changes. */
  | { readonly outcome: 'refuse'; readonly refusal: Refusal }

/** Who asks, and what is known of the flow's user beside the proofs. */
export interface Standing {
  /** The policy action that asks. */
  readonly actionId: string
  readonly user: UserFacts | null
  readonly facts: Facts
  readonly identifier: string | null
  /** Epoch milliseconds. */
  readonly now: number
}

/** One policy action type. */
export interface ActionDefinition<Type extends string, Config, Slot, Status extends string, Accepts> {
  readonly type: Type
  /** Its part of the policy action's JSON. */
  readonly config: z.ZodObject & z.ZodType<Config>
  /** What is wrong with a configuration although it has the right form. */
  problems(config: Config): readonly Detail[]
  /** Facts its condition may read (authentication-api 5.5); those of the user never on the action of priority 1. */
  readonly conditionFacts: readonly FactName[]
  /** Facts `decide` reads when the action is entered. */
  readonly needs: readonly FactName[]
  /** Its own place in the flow state, and what that holds when the action is entered. */
  readonly slot: z.ZodType<Slot>
  readonly freshSlot: Slot
  /** The first one holds while the action is being entered. */
  readonly statuses: readonly [Status, ...Status[]]
  /** Every event each status can take. */
  readonly accepts: Accepts
  /** Statuses in which a password may be set, so that the flow shows the password policy. */
  readonly setsPasswordIn: readonly Status[]
  /** What it can prove. */
  readonly methods: readonly Method[]
  /** Whether it can be proved by a passkey, which is `mfa`, as well. */
  takesPasskeys?(config: NoInfer<Config>): boolean
  /** Whether it proves who the user is, so that `prompt=login` and `max_age` demand it whatever its condition. */
  readonly isPrimary: boolean
  /** Whether the account itself has to go through this action, whatever its condition. */
  isDemandedBy(user: UserFacts): boolean
  /** Whether these proofs, all of the flow's user, are what the action asks for. */
  isSatisfied(proofs: readonly Proof[], config: Config, standing: Standing): boolean
  decide(turn: ActionTurn<Config, Slot, ActionEvent<Accepts>>): Decision<Slot, Status>
  /** The address of a page where accounts are made, which whoever has none is shown. */
  registersAt?(config: Config): string | undefined
  /** What it has to do with identity providers, if anything. */
  readonly external?: ExternalPart<Config, Slot>
  /** What becomes of a status by the mere passing of time; the status it becomes accepts no more than it did. */
  lapse?(slot: Slot, status: string): Lapse<Status> | undefined
  /** The app on a device has answered, whose signature is verified. */
  answerPush?(turn: ActionTurn<Config, Slot, PushAnswer>): Decision<Slot, Status>
  /** Facts that `view` reads. */
  readonly viewFacts?: readonly FactName[]
  /** What the flow shows while the action waits, once the user has proved who they are (row J26). */
  view?(turn: ViewTurn<Config, Slot>): ActionView
}

/** A status that ends at a time. */
export interface Lapse<Status extends string> {
  /** Epoch milliseconds. */
  readonly at: number
  readonly status: Status
  readonly reason: TransitionReason
}

/** All that is shown from. */
export interface ViewTurn<Config, Slot> {
  readonly config: Config
  readonly slot: Slot
  readonly facts: Facts
}

/** What a flow shows beside what every status shows: authentication-api 3.1, 3.4. */
export interface ActionView {
  readonly bypassAllowed?: boolean
  readonly selectedDevice?: { readonly id: string }
  readonly devices?: readonly DeviceView[]
  /** An agreement to consent to; its text is added by whoever shows it. */
  readonly agreement?: AgreementView
  /** What a FIDO2 device is asked to sign; what is shown of it are the options of the browser's API. */
  readonly assertion?: AssertionRequest
  /** The push request that is waited for. */
  readonly push?: PendingPush
  /** Extension: how long the browser is remembered, where that may be asked for. */
  readonly rememberMe?: { readonly lifeTime: RememberedFor }
  /** Attributes that are asked for. */
  readonly attributes?: readonly { readonly name: ProfileAttribute; readonly required: boolean }[]
  readonly promptText?: string
  /** Extension: scopes that the application asks for. */
  readonly scopes?: readonly ScopeView[]
  /** Extension: the device that asks; before its code is entered, the code that the address brought along. */
  readonly deviceAuthorization?: DeviceAuthorizationView
  /** Extension: what the client shows as well. */
  readonly bindingMessage?: string
  /** Extension: what it asks for in detail (RFC 9396). */
  readonly authorizationDetails?: readonly ConsentDetail[]
}

/** An agreement in the language and revision in which it is shown. */
export interface AgreementView {
  readonly id: string
  readonly name: string
  readonly displayName: string
  /** BCP 47. */
  readonly locale: string
  readonly language: { readonly id: string }
  readonly revision: { readonly id: string }
  readonly contentType: AgreementRevision['contentType']
  /** Whether it may be declined. */
  readonly declineOption: boolean
  readonly userExperience: AgreementUserExperience
}

/** A challenge for some of the user's FIDO2 devices. */
export interface AssertionRequest {
  readonly deviceIds: readonly string[]
  /** `null`: the environment's default device authentication policy. */
  readonly policyId: string | null
  /** Epoch milliseconds. */
  readonly challengedAt: number
}

/** How an action uses identity providers. */
export interface ExternalPart<Config, Slot> {
  /** Ids of those the user may be sent to in a status, in the order they are shown. */
  providers(turn: { readonly config: Config; readonly slot: Slot; readonly status: string }): readonly string[]
  request(config: Config): ProviderRequest
}

/** Declares a policy action type. */
export function defineAction<
  const Type extends string,
  Config,
  Slot extends Json,
  const Status extends string,
  const Accepts extends Readonly<Record<string, Accepted<NoInfer<Config>, NoInfer<Status>>>>,
>(
  definition: ActionDefinition<Type, Config, Slot, Status, Accepts>,
): ActionDefinition<Type, Config, Slot, Status, Accepts> {
  return definition
}
