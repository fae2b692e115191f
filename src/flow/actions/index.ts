/**
 * The closed list of policy action types this version runs, and what follows from it: the words of the wire.
 *
 * Never: an action found by scanning a folder; a status or media type that no action declares.
 */
import type { Accepted, ActionDefinition, ActionTurn, Decision, MachineEvent, MediaTypeEvent } from '../action.ts'
import type { Json } from '../json.ts'
import { agreement } from './agreement.ts'
import { backchannelConsent } from './backchannel-consent.ts'
import { deviceConsent } from './device-consent.ts'
import { deviceUserCode } from './device-user-code.ts'
import { identifierFirst } from './identifier-first.ts'
import { identityProvider } from './identity-provider.ts'
import { invitation } from './invitation.ts'
import { login } from './login.ts'
import { progressiveProfiling } from './progressive-profiling.ts'
import { multiFactorAuthentication } from './multi-factor-authentication.ts'
import { oauthConsent } from './oauth-consent.ts'
import { webhook } from './webhook.ts'

/** Every type of policy action; a new one is added here and nowhere else. */
export const actions = [
  login,
  identifierFirst,
  multiFactorAuthentication,
  identityProvider,
  webhook,
  progressiveProfiling,
  agreement,
] as const

/** All that a flow may wait for: actions of policies, and what the request itself asks for. */
export const everyAction = [
  ...actions,
  invitation,
  oauthConsent,
  deviceUserCode,
  deviceConsent,
  backchannelConsent,
] as const

type Listed = (typeof everyAction)[number]

/** `type` of an action. */
export type ActionType = Listed['type']

/** A status in which an action waits for the client. */
export type ActionStatus = Listed['statuses'][number]

/** The name inside `application/vnd.pingidentity.<name>+json`; also the link relation. */
export type MediaType = { [Name in ActionType]: keyof Extract<Listed, { type: Name }>['accepts'] }[ActionType]

/** A request to act on a flow, its secrets cut out. */
export type ActionRequest = {
  [Name in ActionType]: MediaTypeEvent<Extract<Listed, { type: Name }>['accepts']>
}[ActionType]

type ErasedAccepts = Readonly<Partial<Record<MediaType, Accepted<unknown, ActionStatus>>>>

/** Any event any action decides about. */
export type AnyActionEvent = MachineEvent | ActionRequest

/** An action with its own types erased, as the machine sees it. */
export interface AnyAction
  extends Omit<ActionDefinition<ActionType, unknown, Json, ActionStatus, ErasedAccepts>, 'decide'> {
  decide(turn: ActionTurn<unknown, Json, AnyActionEvent>): Decision<Json, ActionStatus>
}

const listed: readonly AnyAction[] = everyAction

/** The status of a flow. */
export const flowStatuses: readonly (ActionStatus | 'COMPLETED' | 'FAILED')[] = [
  ...new Set(listed.flatMap((action) => action.statuses)),
  'COMPLETED',
  'FAILED',
]

/** Every media type an action accepts. */
export const mediaTypeNames: readonly MediaType[] = [...new Set(listed.flatMap((action) => acceptedBy(action)))]

/** The media types of one action. */
export function acceptedBy(action: AnyAction): readonly MediaType[] {
  return Object.keys(action.accepts) as MediaType[]
}

/** The definition of an action type. */
export function actionOfType(type: ActionType): AnyAction {
  const action = listed.find((candidate) => candidate.type === type)
  if (!action) throw new Error(`no such action type: ${type}`)
  return action
}

/** What an action with this configuration accepts in this status: its links, and nothing else is let in. */
export function offers(action: AnyAction, config: unknown, status: string): readonly MediaType[] {
  return acceptedBy(action).filter((name) => {
    const accepted = action.accepts[name]
    return accepted?.in.some((allowed) => allowed === status) && (accepted.when?.(config) ?? true)
  })
}
