/** What a flow shows of application, user and password policy: gathered here, decided on by the pure view. */
import type { Context } from '../contract/operation.ts'
import { userWithPasswordById } from '../directory/users.ts'
import type { Application } from '../environment/application.ts'
import { passwordPolicyOf } from '../environment/snapshot.ts'
import type { FlowState } from '../flow/state.ts'
import { type FlowDisplay, type FlowView, viewFlow } from '../flow/view.ts'
import { flowLinks } from './address.ts'

/** The display of a flow; one read when it has a user. */
export async function displayOf(context: Context, state: FlowState, application: Application): Promise<FlowDisplay> {
  const { environment, kernel } = context
  const { icon } = application.document
  const shown = { application: { name: application.name, ...(icon ? { icon } : {}) } }
  const found = state.user ? await userWithPasswordById(kernel, environment.id, state.user.id) : undefined
  if (!found) return shown
  const { user } = found
  const { name } = user.document
  const { policy } = passwordPolicyOf(environment, user.populationId)
  return { ...shown, user: { id: user.id, username: user.username, ...(name ? { name } : {}) }, passwordPolicy: policy }
}

/** The flow resource. */
export async function flowResource(context: Context, state: FlowState, application: Application): Promise<FlowView> {
  return viewFlow(state, await displayOf(context, state, application), flowLinks(context.site, application, state.id))
}
