/**
 * How a flow came to know its user, and whether they have shown who they are: by a session or by credentials, not by a name
 * that was typed or that an application gave, signed or not. Decision D7; rows J26, J29.
 */
import type { Facts, UserFacts } from './facts.ts'

/**
 * `hint`: the application that asks names them, and nobody is there who could be asked (OpenID CIBA). `vouched`: the
 * application has signed whom it means (`login_hint_token`). `invitation`: an administrator has invited them, and the flow
 * was begun with the code that was mailed to them.
 */
export const waysToKnow = ['session', 'identifier', 'credentials', 'hint', 'vouched', 'invitation'] as const

/** Who a flow is about. */
export interface FlowUser {
  readonly id: string
  readonly knownBy: (typeof waysToKnow)[number]
}

/** Whether the way a user became known shows that it is them. */
export const shows: Readonly<Record<FlowUser['knownBy'], boolean>> = {
  session: true,
  identifier: false,
  credentials: true,
  hint: false,
  vouched: false,
  invitation: false,
}

/**
 * Whether what is known of the user may be told: to themselves, to an application that has signed whom it means, and to
 * whoever has the message by which they were invited.
 */
export const mayBeTold: typeof shows = { ...shows, vouched: true, invitation: true }

/** The flow's user as they are now, if they have shown who they are. */
export function provenUser(user: FlowUser | null, { user: facts }: Facts): UserFacts | null {
  return user && shows[user.knownBy] && facts?.id === user.id ? facts : null
}
