/**
 * Telling users of backchannel authentication requests (OpenID CIBA): the promise to reach one, kept by the outbox, and the
 * message with the link for those whose app cannot be asked; row K07.
 *
 * Never: words of the client in the message, which speaks for the environment; more messages than anybody reads.
 */
import { notify } from '../delivery/notification.ts'
import { enqueue } from '../delivery/outbox.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { Kernel } from '../kernel.ts'
import { type GuessBound, takeGuess } from '../limits/guesses.ts'
import type { Statement, UnitBody } from '../storage/port.ts'
import type { User } from './users.ts'

/** How many links one user is sent. */
const linksSent: GuessBound = { guesses: 5, seconds: 900 }

/** The statement that promises to reach the user of a grant; for the unit that stores it. */
export function promiseToReach(
  { world }: Pick<Kernel, 'world'>,
  environmentId: string,
  grantId: string,
  now: number,
): Statement<object> {
  return enqueue(world, { kind: 'backchannel.reach', environmentId, payload: JSON.stringify({ grantId }) }, now)
}

/** The grant that a promise is about. */
export function grantPromised(payload: string): string {
  return (JSON.parse(payload) as { readonly grantId: string }).grantId
}

/** What a user is told. */
export interface BackchannelNotice {
  readonly user: User
  readonly applicationName: string
  readonly approvalUrl: string
  /** When the request is over, epoch milliseconds. */
  readonly expiresAt: number
}

/** Promises the message with the link; for the unit that notes that the user is reached. Nothing where none can be sent. */
export function* tellOfRequest(
  { world }: Pick<Kernel, 'world'>,
  environment: Environment,
  { user, applicationName, approvalUrl, expiresAt }: BackchannelNotice,
  now: number,
): UnitBody<void> {
  const { email, emailVerified, name, preferredLanguage } = user.document
  if (email === undefined || emailVerified === false) return
  const counter = { environmentId: environment.id, kind: 'backchannel-notice', subject: user.id } as const
  const { allowed } = yield* takeGuess(counter, linksSent, now).run()
  if (!allowed) return
  yield notify(
    world,
    environment,
    {
      template: 'backchannel_authentication',
      deliveryMethod: 'Email',
      to: email,
      userId: user.id,
      locales: preferredLanguage ? [preferredLanguage] : [],
      variables: {
        'user.username': user.username,
        'user.name': name?.given ?? user.username,
        'application.name': applicationName,
        approvalUrl,
      },
      usefulUntil: expiresAt,
    },
    now,
  )
}
