/** What a flow shows of application, user and password policy: gathered here, decided on by the pure view. */
import type { Context } from '../contract/operation.ts'
import { agreementTextOf } from '../directory/agreement-consents.ts'
import { credentialsOf, fido2Terms } from '../directory/fido2-devices.ts'
import { challengeFor, requestOptions } from '../directory/fido2-options.ts'
import { passkeyOptions } from '../directory/passkeys.ts'
import type { PasswordPolicy } from '../directory/passwords/policy.ts'
import { userWithPasswordById } from '../directory/users.ts'
import type { Application } from '../environment/application.ts'
import { type Environment, passwordPolicyOf } from '../environment/snapshot.ts'
import { asksForPasskey } from '../flow/actions/account/passkey.ts'
import { accountSlot } from '../flow/actions/account/verification.ts'
import type { ActionView } from '../flow/action.ts'
import type { Facts } from '../flow/facts.ts'
import type { CompiledAction } from '../flow/policy.ts'
import { mayBeTold } from '../flow/proven-user.ts'
import { providersOf } from '../flow/providers.ts'
import { type FlowState, isFinished, positionOf } from '../flow/state.ts'
import { type FlowDisplay, type FlowView, viewFlow } from '../flow/view.ts'
import { flowLinks } from './address.ts'
import { devicePolicy } from './device-policy.ts'
import { devicesFact } from './drive.ts'
import { waitingAction } from './waiting-action.ts'

/** The display of a flow; one read when it has a user. */
export async function displayOf(context: Context, state: FlowState, application: Application): Promise<FlowDisplay> {
  const { environment, kernel, now } = context
  const { icon } = application.document
  const action = await waitingAction(context, state)
  const shown = {
    application: { name: application.name, ...(icon ? { icon } : {}) },
    ...(action ? externalDisplay(context, state, action) : {}),
    ...registrationDisplay(state, action),
    ...(asksForPasskey(state)
      ? {
          publicKeyCredentialRequestOptions: passkeyOptions(
            kernel,
            environment,
            { flowId: state.id, position: positionOf(state) },
            now,
          ),
        }
      : {}),
  }
  const isKnown = state.user !== null && mayBeTold[state.user.knownBy]
  const found = isKnown ? await userWithPasswordById(kernel, environment.id, state.user.id) : undefined
  // Somebody who only named themselves is told the same as somebody who does not exist.
  if (!found) return { ...shown, passwordPolicy: shownPolicy(environment, registrationPopulation(context, state)) }
  const { user } = found
  const { name } = user.document
  return {
    ...shown,
    user: { id: user.id, username: user.username, ...(name ? { name } : {}) },
    passwordPolicy: shownPolicy(environment, user.populationId),
    ...(action ? await actionDisplay(context, state, action, user.id) : {}),
  }
}

/** The password policy of a population as flows embed it (authentication-api 3.4, 7.7). */
function shownPolicy(environment: Environment, populationId: string): PasswordPolicy & { readonly default: boolean } {
  const { policy, isDefault } = passwordPolicyOf(environment, populationId)
  return { ...policy, default: isDefault }
}

/** Shown as long as nobody is named: whether a name is anybody's must not show (D7). */
function registrationDisplay(
  { user, identifier }: FlowState,
  action: CompiledAction | undefined | null,
): Pick<FlowDisplay, 'registrationUrl'> {
  if (user !== null || identifier !== null) return {}
  const registrationUrl = action?.definition.registersAt?.(action.config)
  return registrationUrl === undefined ? {} : { registrationUrl }
}

/** What the waiting action shows; for a FIDO2 device with what the browser hands it, for an agreement with its text. */
async function actionDisplay(
  context: Context,
  state: FlowState,
  action: CompiledAction,
  userId: string,
): Promise<Pick<FlowDisplay, 'action' | 'publicKeyCredentialRequestOptions' | 'agreementText'>> {
  const view = await actionView(context, state, action)
  const { kernel, environment } = context
  if (view.agreement) {
    const { id: agreementId, language, revision } = view.agreement
    const shown = { agreementId, languageId: language.id, revisionId: revision.id }
    const text = await agreementTextOf(kernel, environment.id, shown)
    return { action: view, ...(text === undefined ? {} : { agreementText: text }) }
  }
  if (!view.assertion) return { action: view }
  const { deviceIds, policyId, challengedAt } = view.assertion
  const credentials = await credentialsOf(kernel, environment.id, userId)
  return {
    action: view,
    publicKeyCredentialRequestOptions: requestOptions({
      ...fido2Terms(kernel, environment, devicePolicy(environment, policyId)),
      challenge: challengeFor(environment, { kind: 'assertion', flowId: state.id, challengedAt }),
      credentialIds: credentials.filter(({ deviceId }) => deviceIds.includes(deviceId)).map(({ id }) => id),
    }),
  }
}

/** What the waiting action shows of itself, with the facts it reads for that. */
async function actionView(
  context: Context,
  state: FlowState,
  { definition, config }: CompiledAction,
): Promise<ActionView> {
  if (!definition.view) return {}
  const needsDevices = definition.viewFacts?.includes('devices') ?? false
  const facts: Facts = {
    configuration: context.environment.flowConfiguration,
    ...(needsDevices ? { devices: await devicesFact(context, state.user?.id ?? null) } : {}),
  }
  return definition.view({ config, slot: definition.slot.parse(state.slot), facts })
}

/** What the waiting action has to do with identity providers. */
function externalDisplay(
  context: Context,
  state: FlowState,
  action: CompiledAction,
): Pick<FlowDisplay, 'providers' | 'toConfirm'> {
  if (!action.definition.external) return {}
  const providers = providersOf(state, action, context.environment.flowConfiguration)
  if (state.status !== 'ACCOUNT_CONFIRMATION_REQUIRED') return { providers }
  const { pending } = accountSlot.parse(state.slot)
  if (!pending) return {}
  const attributes = Object.fromEntries(pending.attributes.map(({ name, value }) => [name, value]))
  return { toConfirm: { providerId: pending.providerId, attributes } }
}

/** The population that whoever registers now gets into; the default one where nobody can. */
function registrationPopulation({ environment }: Context, { action }: FlowState): string {
  const actions = [...environment.policies.values()].flatMap((policy) => policy.actions)
  const config = actions.find(({ id }) => id === action?.id)?.config as
    | { readonly registration?: { readonly population?: { readonly id: string } } }
    | undefined
  return config?.registration?.population?.id ?? ''
}

/** The flow resource. */
export async function flowResource(context: Context, state: FlowState, application: Application): Promise<FlowView> {
  return viewFlow(state, await displayOf(context, state, application), flowLinks(context.site, application, state.id))
}

/** The flow resource as an action answers it: once the flow is finished, only `resumeUrl` leads on (authentication-api 0.3). */
export async function actionAnswer(context: Context, state: FlowState, application: Application): Promise<FlowView> {
  const { signOnPage, ...links } = flowLinks(context.site, application, state.id)
  const display = await displayOf(context, state, application)
  return viewFlow(state, display, isFinished(state) || !signOnPage ? links : { ...links, signOnPage })
}
