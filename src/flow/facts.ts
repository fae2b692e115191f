/**
 * Facts: what the machine may know of the world, handed to it as plain data. An absent member has not been loaded yet
 * (the machine asks for it); `null` means that there is none or that it cannot be had, and then whatever depends on it
 * is decided the strict way (security catalogue J23).
 *
 * Never: a fact that the client could have written itself, such as a forwarded address from an untrusted peer.
 */
import { z } from 'zod'
import type { AgreementConsent } from './agreement.ts'
import type { Location, NetworkFacts } from './client-network.ts'
import type { FlowConfiguration } from './configuration.ts'
import type { ConsentFacts } from './consent.ts'
import type { DeviceFacts } from './factors/device.ts'

/** The browser's session as it stood when it was read; authentication-api 2.18. Times in epoch milliseconds. */
export const sessionFacts = z.strictObject({
  id: z.string(),
  userId: z.string(),
  lastSignOn: z.strictObject({
    at: z.int(),
    withAuthenticator: z.strictObject({
      pwd: z.strictObject({ at: z.int() }).exactOptional(),
      mfa: z.strictObject({ at: z.int() }).exactOptional(),
      idp: z.strictObject({ at: z.int() }).exactOptional(),
    }),
  }),
})

/** The session a sign-on starts from. */
export type SessionFacts = Readonly<z.infer<typeof sessionFacts>>

/** A user as the directory holds them now. */
export interface UserFacts {
  /** Whether MFA is switched on for the user. */
  readonly mfaEnabled: boolean
  readonly id: string
  readonly enabled: boolean
  /** The account is locked by an administrator or by MFA failures; not the temporary lock-out of the password. */
  readonly locked: boolean
  readonly canAuthenticate: boolean
  readonly password: 'OK' | 'NO_PASSWORD' | 'MUST_CHANGE_PASSWORD' | 'PASSWORD_EXPIRED'
  /** `REQUIRED`: the e-mail address has to be proved before anything else counts (lifecycle VERIFICATION_REQUIRED). */
  readonly verification: 'OK' | 'REQUIRED'
  /** When the user was last asked for attributes, epoch milliseconds. */
  readonly profileAskedAt?: number | null
  /** The sign-on before; null: there was none. `at` is in epoch milliseconds. */
  readonly lastSignOn?: { readonly at: number; readonly location?: Location } | null
  /** The user resource, for conditions such as `${user.population.id}`; never credentials. */
  readonly attributes: Readonly<Record<string, unknown>>
}

/** The HTTP request being judged. */
export interface RequestFacts {
  /** The client's address as trusted proxies report it. */
  readonly remoteIp: string
  /** What is known of its network; absent: nothing is. */
  readonly network?: NetworkFacts
}

/** Membership that is asked of whoever signs on: of one of the groups, or of all. */
export interface GroupRule {
  readonly type: 'ANY_GROUP' | 'ALL_GROUPS'
  readonly groups: readonly { readonly id: string }[]
}

/** What a flow may know of the application it was begun for. */
export interface ApplicationFacts {
  /** Null: whatever groups they are in. */
  readonly groupRule: GroupRule | null
  /** Whether only those who hold a role may sign on. */
  readonly administratorsOnly: boolean
}

/** The groups of a user. */
export interface GroupFacts {
  readonly userId: string
  /** Ids, of groups they are in directly or not; null: it cannot be known. */
  readonly ids: readonly string[] | null
}

/** Whether a user holds a role of the platform. */
export interface AdministratorFacts {
  readonly userId: string
  readonly isOne: boolean
}

/** What a user has consented to, and the languages they read. */
export interface AgreementFacts {
  readonly userId: string
  readonly given: readonly (AgreementConsent & { readonly agreementId: string })[]
  /** BCP 47, the preferred one first. */
  readonly locales: readonly string[]
}

/** What has been loaded so far. `configuration` and `application` are there from the beginning. */
export interface Facts {
  /** When a flow starts: the browser's live session. Later: that same session, read again; `null` once it is gone. */
  readonly session?: SessionFacts | null
  /** The flow's user; before there is one, the user of the session. `null` when deleted. */
  readonly user?: UserFacts | null
  readonly request?: RequestFacts | null
  /** The devices of the flow's user, in their order; none where there is no user. */
  readonly devices?: readonly DeviceFacts[]
  readonly configuration?: FlowConfiguration
  readonly application?: ApplicationFacts
  /** Loaded only where a condition or the application asks for them. */
  readonly groups?: GroupFacts
  /** Loaded only where the application asks for it. */
  readonly administrator?: AdministratorFacts
  /** Loaded only where an action asks for them. */
  readonly agreements?: AgreementFacts
  /** Whether the browser is one in which this user need not prove a second factor; `null`: it is not. */
  readonly remembered?: { readonly userId: string } | null
  /** What the flow's user has granted to the application before. */
  readonly consent?: ConsentFacts | null
}

/** A fact the machine can ask for. */
export type FactName = keyof Facts

/** Whether this account may sign on at all. */
export function isUsable(user: UserFacts | null | undefined): user is UserFacts {
  return user != null && user.enabled && !user.locked && user.canAuthenticate
}
