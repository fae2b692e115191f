/** Which identity providers a waiting flow may send its user to, and take them back from: authentication-api 3.5, row M14. */
import type { FlowConfiguration } from './configuration.ts'
import { type ExternalAuthentication, usableProviders } from './external-authentication.ts'
import type { Facts } from './facts.ts'
import type { FlowIdentityProvider } from './identity-provider.ts'
import type { CompiledAction } from './policy.ts'
import type { FlowState } from './state.ts'

type Waiting = Pick<FlowState, 'slot' | 'status'>

/** The providers, in the order they are shown. */
export function providersOf(
  { slot, status }: Waiting,
  { definition, config }: CompiledAction,
  configuration: FlowConfiguration | undefined,
): readonly FlowIdentityProvider[] {
  const ids = definition.external?.providers({ config, slot: definition.slot.parse(slot), status }) ?? []
  return usableProviders(configuration, ids)
}

/** Whether the waiting action takes users of this provider. */
export function mayComeFrom(
  state: Waiting,
  action: CompiledAction,
  { configuration }: Facts,
  { providerId }: ExternalAuthentication,
): boolean {
  return providersOf(state, action, configuration).some(({ id }) => id === providerId)
}
