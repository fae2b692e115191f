/**
 * The flow as clients see it: PingOne's flow JSON, and the steps of the first edition. authentication-api 1.4, 3.1-3.4;
 * security catalogue J26.
 *
 * Never: a link that the status does not allow or one that is missing; a user whose primary factor is not proved, unless
 * the browser's own session named them; an address made here.
 */
import type { ActionView, AgreementView } from './action.ts'
import { asksForPasskey } from './actions/account/passkey.ts'
import { actionOfType, type MediaType } from './actions/index.ts'
import type { DeviceView } from './factors/device.ts'
import type { Failure } from './failure.ts'
import type { FlowIdentityProvider } from './identity-provider.ts'
import { mayBeTold } from './proven-user.ts'
import { type StepReason, stepReasons } from './reasons.ts'
import type { FlowState, FlowStatus, FlowStep } from './state.ts'

/** Absolute addresses, made by the caller. */
export interface FlowLinks {
  /** The flow itself: every action is posted there. */
  readonly self: string
  readonly resume: string
  /** Left out where the answer does not carry it (authentication-api 3.1). */
  readonly signOnPage?: string
  step(stepId: string): string
  /** Where a browser goes to sign on at a provider. */
  authenticate(providerId: string): string
}

/** What is shown beside the state; the view decides whether it is. */
export interface FlowDisplay {
  readonly application: { readonly name: string; readonly icon?: { readonly id: string; readonly href: string } }
  /** The user the state names, if any. */
  readonly user?: { readonly id: string; readonly username: string; readonly name?: object }
  /** The password policy of that user (authentication-api 7.7). */
  readonly passwordPolicy?: object
  /** The identity providers that may be used now. */
  readonly providers?: readonly FlowIdentityProvider[]
  /** What a provider said of whoever has come back, while they are asked whether it is right. */
  readonly toConfirm?: { readonly providerId: string; readonly attributes: Readonly<Record<string, string>> }
  /** Where accounts are made, if not here, while nobody is named. */
  readonly registrationUrl?: string
  /** What the waiting action shows of itself. */
  readonly action?: ActionView
  /** JSON text: what `navigator.credentials.get` takes (authentication-api 3.4). */
  readonly publicKeyCredentialRequestOptions?: string
  /** The text of the agreement to consent to. */
  readonly agreementText?: string
}

interface Link {
  readonly href: string
}

/** A provider, and the way there: authentication-api 3.1, 3.4. */
export interface ProviderView {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly icon?: { readonly id: string; readonly href: string }
  readonly _links: { readonly authenticate: Link }
}

/** A step of the policy, first edition. */
export interface StepView {
  readonly _links: { readonly self: Link; readonly flow: Link }
  readonly id: string
  readonly type: FlowStep['type']
  /** REQUIRED: it waits or will wait for the client. */
  readonly status: 'PENDING' | 'SKIPPED' | 'REQUIRED' | 'COMPLETED'
  readonly reason: { readonly code: StepReason; readonly message: string }
}

/** The flow resource. */
export interface FlowView {
  readonly _links: Readonly<Partial<Record<'self' | 'signOnPage' | 'requiredStep' | MediaType, Link>>>
  readonly _embedded: {
    readonly application: FlowDisplay['application']
    readonly user?: NonNullable<FlowDisplay['user']>
    readonly passwordPolicy?: object
    readonly socialProviders?: readonly ProviderView[]
    readonly identityProvider?: ProviderView
    /** Extension: what there is to confirm. */
    readonly externalAuthentication?: {
      readonly identityProvider: { readonly id: string }
      readonly attributes: Readonly<Record<string, string>>
    }
    /** Extension: an address outside. */
    readonly registration?: { readonly external: Link }
    readonly devices?: readonly DeviceView[]
    readonly attributes?: NonNullable<ActionView['attributes']>
    readonly agreement?: AgreementView & { readonly text: string }
    /** Extension. */
    readonly scopes?: NonNullable<ActionView['scopes']>
    /** Extension. */
    readonly deviceAuthorization?: NonNullable<ActionView['deviceAuthorization']>
    /** Extension. */
    readonly authorizationDetails?: NonNullable<ActionView['authorizationDetails']>
    readonly requiredStep?: StepView
  }
  readonly promptText?: string
  readonly id: string
  readonly environment: { readonly id: string }
  readonly session?: { readonly id: string }
  readonly resumeUrl: string
  readonly status: FlowStatus
  readonly createdAt: string
  readonly expiresAt: string
  readonly error?: Failure
  readonly bypassAllowed?: boolean
  readonly selectedDevice?: { readonly id: string }
  readonly publicKeyCredentialRequestOptions?: string
  /** Extension: what the person types into the app. */
  readonly numberMatching?: { readonly number: string }
  /** Extension. */
  readonly bindingMessage?: string
  /** Extension. */
  readonly rememberMe?: NonNullable<ActionView['rememberMe']>
}

/** The flow resource for a state. */
export function viewFlow(state: FlowState, display: FlowDisplay, links: FlowLinks): FlowView {
  const user = state.user && mayBeTold[state.user.knownBy] && display.user?.id === state.user.id ? display.user : null
  const session = sessionId(state)
  const requiredStep = viewSteps(state, links).find(({ id }) => id === state.action?.id)
  const { passwordPolicy, action = {}, publicKeyCredentialRequestOptions, agreementText: text } = display
  // Nothing of somebody who has proved nothing yet (row J26).
  const shown = user ? action : {}
  const { devices, attributes, agreement, assertion, push, scopes, deviceAuthorization, ...others } = shown
  const { authorizationDetails, ...members } = others
  const isChallenged = assertion !== undefined || asksForPasskey(state)
  return {
    _links: {
      ...Object.fromEntries(state.offers.map((name) => [name, { href: links.self }])),
      self: { href: links.self },
      ...(links.signOnPage ? { signOnPage: { href: links.signOnPage } } : {}),
      ...(requiredStep ? { requiredStep: requiredStep._links.self } : {}),
    },
    _embedded: {
      ...(user ? { user } : {}),
      application: display.application,
      ...(passwordPolicy && setsPassword(state) ? { passwordPolicy } : {}),
      ...externalView(state, display, links),
      ...(display.registrationUrl ? { registration: { external: { href: display.registrationUrl } } } : {}),
      ...(devices ? { devices } : {}),
      ...(attributes ? { attributes } : {}),
      ...(agreement && text !== undefined ? { agreement: { ...agreement, text } } : {}),
      ...(scopes ? { scopes } : {}),
      ...(deviceAuthorization ? { deviceAuthorization } : {}),
      ...(authorizationDetails ? { authorizationDetails } : {}),
      ...(requiredStep ? { requiredStep } : {}),
    },
    ...members,
    ...(push && push.number !== null ? { numberMatching: { number: push.number } } : {}),
    ...(isChallenged && publicKeyCredentialRequestOptions ? { publicKeyCredentialRequestOptions } : {}),
    id: state.id,
    environment: { id: state.environmentId },
    ...(session ? { session: { id: session } } : {}),
    resumeUrl: links.resume,
    status: state.status,
    createdAt: new Date(state.createdAt).toISOString(),
    expiresAt: new Date(state.expiresAt).toISOString(),
    ...(state.failure ? { error: state.failure } : {}),
  }
}

/** The providers, as a choice or as what the status asks for, and what somebody has to confirm. */
function externalView({ status }: FlowState, { providers = [], toConfirm }: FlowDisplay, links: FlowLinks) {
  const shown = providers.map(
    ({ id, name, type, icon }): ProviderView => ({
      id,
      name,
      type,
      ...(icon ? { icon } : {}),
      _links: { authenticate: { href: links.authenticate(id) } },
    }),
  )
  const [first] = shown
  if (status === 'EXTERNAL_AUTHENTICATION_REQUIRED') return first ? { identityProvider: first } : {}
  if (status === 'ACCOUNT_CONFIRMATION_REQUIRED' && toConfirm) {
    const { providerId: id, attributes } = toConfirm
    return { externalAuthentication: { identityProvider: { id }, attributes } }
  }
  return first ? { socialProviders: shown } : {}
}

/** Every step of the running policy in order, and why it runs or does not. */
export function viewSteps(state: FlowState, links: FlowLinks): readonly StepView[] {
  return state.steps.map(({ id, type, standing, reason }) => ({
    _links: { self: { href: links.step(id) }, flow: { href: links.self } },
    id,
    type,
    status: standing === 'SATISFIED' ? 'COMPLETED' : standing,
    reason: { code: reason, message: stepReasons[reason] },
  }))
}

/** The session the flow came to, or the browser's own while it names the user. */
function sessionId({ outcome, session, user }: FlowState): string | null {
  if (outcome) return outcome.session.id
  return user?.knownBy === 'session' && session ? session.id : null
}

function setsPassword({ steps, action, status, offers }: FlowState): boolean {
  if (offers.includes('user.register')) return true
  const step = steps.find(({ id }) => id === action?.id)
  return step !== undefined && actionOfType(step.type).setsPasswordIn.some((setting) => setting === status)
}
