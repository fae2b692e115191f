/**
 * Reaching the user of a backchannel authentication request: the handler of `backchannel.reach`. Where the sign-on policy can
 * be satisfied by the app on a device of the user, that is asked; everybody else is sent a link to the hosted page. OpenID CIBA
 * Core section 8, docs/decisions/2026-11-26-ciba.md; rows Q08, K07.
 *
 * Never: anybody reached who may not sign on; a user written to more often than they read.
 */
import type { Context } from '../../contract/operation.ts'
import { grantPromised, tellOfRequest } from '../../directory/backchannel-notice.ts'
import { type PolledGrant, readPolledGrant } from '../../directory/polled-grants.ts'
import { canAuthenticate, type User, userWithPasswordById } from '../../directory/users.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { record } from '../../events/record.ts'
import type { BackchannelRequest } from '../../flow/backchannel.ts'
import { beginFlow, storeFlow } from '../../flow-runtime/runtime.ts'
import type { Kernel } from '../../kernel.ts'
import { originsUnder, resolveSite } from '../../site.ts'
import { run } from '../../storage/port.ts'
import { AlreadyConsumed } from '../../storage/refusals.ts'
import { markReached } from '../../storage/sql/polled-grants.ts'
import { backchannelLink } from './link.ts'

/** A promise of the outbox. */
interface Promised {
  readonly environmentId: string
  readonly id: string
  readonly payload: string
}

/** Makes the handler. */
export function reachUser(kernel: Kernel): (promised: Promised) => Promise<'done'> {
  return async (promised) => {
    const environment = await kernel.environments.get(promised.environmentId)
    if (!environment) return 'done'
    const grantId = grantPromised(promised.payload)
    const grant = await readPolledGrant(kernel.storage, environment.id, grantId, kernel.world.now())
    if (!grant || grant.isDecided || grant.userId === null) return 'done'
    const [application, found] = await Promise.all([
      kernel.environments.application(environment.id, grant.clientId),
      userWithPasswordById(kernel, environment.id, grant.userId),
    ])
    const context = contextFor(kernel, environment, grant, promised)
    if (!application?.enabled || !found || !canAuthenticate(found.user, context.now)) return 'done'
    // Of an application that has registered itself users have to be told so, which the page does.
    const mayAskApp = application.document.registration === undefined
    const isAsked = mayAskApp && (await askApp(context, grant, application))
    if (!isAsked) await sendLink(context, grant, application, found.user)
    return 'done'
  }
}

/** What a flow may know of the request of a client that is elsewhere. */
export function backchannelRequestOf({ id, request, expiresAt }: PolledGrant): BackchannelRequest {
  const { scopeIds, details, bindingMessage } = request
  return { grantId: id, scopeIds: [...scopeIds], ...(details ? { details } : {}), bindingMessage, expiresAt }
}

/** There is no request of a browser: the address is that of the client. */
function contextFor(
  kernel: Kernel,
  environment: Environment,
  { request: { remoteAddress, byCustomDomain } }: PolledGrant,
  { id: correlationId }: Promised,
): Context {
  const now = kernel.world.now()
  const actor = { kind: 'anonymous' } as const
  const origin = { world: kernel.world, now, environmentId: environment.id, correlationId, remoteAddress, actor }
  return {
    kernel,
    now,
    correlationId,
    remoteAddress,
    headers: {},
    certificate: undefined,
    method: 'POST',
    target: '',
    mediaType: undefined,
    actor,
    environment,
    site: resolveSite(byCustomDomain ? originsUnder(kernel.origins, environment) : kernel.origins, environment),
    answer: {},
    record: ({ action = 'BACKCHANNEL_AUTHENTICATION.STARTED', ...event }) => record(origin, { action, ...event }),
  }
}

/** Begins a flow without a browser; whether it waits for an app, which is asked with it. */
async function askApp(context: Context, grant: PolledGrant, application: Application): Promise<boolean> {
  const { kernel, environment, now } = context
  const begun = await beginFlow(context, {
    application,
    door: 'backchannel',
    forcesLogin: false,
    isSilent: false,
    maxAge: null,
    loginHint: null,
    hintedUserId: grant.userId,
    acrValues: grant.request.acrValues,
    grants: { backchannel: backchannelRequestOf(grant) },
    parameters: {},
    session: null,
    sessionUser: undefined,
  })
  const { state } = begun
  if (state.status !== 'PUSH_CONFIRMATION_REQUIRED') return false
  // Bound to a token that nobody is told: only the app gets there.
  await storeFlow(context, begun, kernel.world.uuid(), function* () {
    yield* reachOnce(environment, grant, state.id, now)
  }).catch(passOver)
  return true
}

async function sendLink(context: Context, grant: PolledGrant, { name }: Application, user: User): Promise<void> {
  const { kernel, environment, site, now } = context
  const approvalUrl = backchannelLink(kernel.world, environment, site, grant.id)
  const notice = { user, applicationName: name, approvalUrl, expiresAt: grant.expiresAt }
  await kernel.storage
    .commit({
      name: 'send-backchannel-link',
      *run() {
        yield* reachOnce(environment, grant, null, now)
        yield* tellOfRequest(kernel, environment, notice, now)
      },
    })
    .catch(passOver)
  kernel.wakeOutbox()
}

/** @throws AlreadyConsumed when the user was reached before, or there is nothing to decide any more */
function* reachOnce({ id }: Environment, grant: PolledGrant, flowId: string | null, now: number) {
  if ((yield* run(markReached(id, grant.id, flowId, now))).length === 0) throw new AlreadyConsumed('polled_grants')
}

function passOver(error: unknown): void {
  if (!(error instanceof AlreadyConsumed)) throw error
}
