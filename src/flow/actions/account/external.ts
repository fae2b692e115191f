/**
 * Coming back from an identity provider: authentication-api 3.5, 4.2 `user.confirm`; rows M08 to M19. Whoever is linked
 * signs on. Whoever is not gets an account of their own, or shows that an account is theirs by its password.
 *
 * Never: an account linked by its name or address alone (M08, M10); an account made that the action or the provider does
 * not ask for; anything proved before that is settled.
 */
import { z } from 'zod'
import type { Decision } from '../../action.ts'
import { type Confirmed, confirmedBy, type ExternalAuthentication } from '../../external-authentication.ts'
import type { Facts } from '../../facts.ts'
import { isUsable } from '../../facts.ts'
import type { AnswerTo } from '../../question.ts'
import {
  accountNotConfirmed,
  alreadyLinked,
  lockedOut,
  otherUser,
  passwordChangeFirst,
  valueMissing,
  wrongCredentials,
} from '../../refusal.ts'
import { registrationAttributes } from '../../user-attributes.ts'
import type { registrationConfig } from './registration.ts'
import { type AccountSlot, freshAccountSlot, pass } from './verification.ts'

/** The statuses in which somebody who came back is asked something. */
export const externalStatuses = ['ACCOUNT_CONFIRMATION_REQUIRED', 'ACCOUNT_LINKING_REQUIRED'] as const

type Status = (typeof externalStatuses)[number] | 'VERIFICATION_CODE_REQUIRED'
type Settling = Decision<AccountSlot, Status>

/** `user.confirm`: like a patch of the user. */
export const confirmBody = registrationAttributes.partial()

/** `socialProviders`, `discoveryRules` and the like refer to providers so. */
export const providerReference = z.object({ id: z.string() })

/** What of an action's configuration matters when somebody comes back. */
interface Configured {
  readonly registration?: z.infer<typeof registrationConfig>
  readonly enforceLockoutForIdentityProviders?: boolean | undefined
}

/** What of a turn matters here. */
interface Turn {
  readonly config: Configured
  readonly slot: AccountSlot
  readonly user: { readonly id: string } | null
  readonly facts: Facts
}

/** Whose account is it? */
export function askForAccount({ config }: Pick<Turn, 'config'>, authentication: ExternalAuthentication): Settling {
  return {
    outcome: 'ask',
    question: whose(config, authentication),
    slot: { ...freshAccountSlot, pending: authentication },
  }
}

function whose({ enforceLockoutForIdentityProviders }: Configured, authentication: ExternalAuthentication) {
  const checksLockout = enforceLockoutForIdentityProviders === true
  return { kind: 'findExternalAccount', authentication, checksLockout } as const
}

/** The account is found, may be linked, has to be shown to be somebody's, or is yet to be made. */
export function judgeAccount(turn: Turn, answer: AnswerTo<'findExternalAccount'>): Settling {
  const { config, slot } = turn
  const { pending } = slot
  if (!pending) return { outcome: 'refuse', refusal: accountNotConfirmed }
  switch (answer.result) {
    case 'lockedOut':
      return { outcome: 'refuse', refusal: lockedOut(answer.secondsUntilUnlock) }
    case 'linked':
      // Who may not sign on is refused by the machine, and nothing is sent to them.
      if (!isUsable(answer.user)) return proved(answer.user, slot, ['idp'])
      return pass(answer.user, ['idp'], 'external-account-known', [], { provider: pending.providerId })
    case 'linkable':
      return askToLink(answer.userId, pending)
    case 'matched':
    case 'unknown': {
      if (config.registration?.confirmIdentityProviderAttributes === true && slot.isConfirmed !== true) {
        const reason = 'external-account-to-confirm'
        return { outcome: 'wait', status: 'ACCOUNT_CONFIRMATION_REQUIRED', slot, reason }
      }
      const population = answer.result === 'unknown' ? populationFor(turn, pending) : undefined
      if (population === undefined) return awaitLinking(slot)
      const question = { kind: 'provisionUser', authentication: pending, populationId: population.id } as const
      return { outcome: 'ask', question }
    }
  }
}

/** Where a new account goes; undefined where none is to be made. */
function populationFor({ config, facts }: Turn, { providerId }: ExternalAuthentication) {
  const own = facts.configuration?.identityProviders.get(providerId)?.populationId ?? null
  if (config.registration?.enabled !== true && own === null) return undefined
  return { id: config.registration?.population?.id ?? own }
}

function awaitLinking(slot: AccountSlot): Settling {
  return { outcome: 'wait', status: 'ACCOUNT_LINKING_REQUIRED', slot, reason: 'external-account-to-link' }
}

function proved(
  user: AnswerTo<'linkAccount'>['user'],
  slot: AccountSlot,
  methods: readonly ('idp' | 'pwd')[],
): Settling {
  const { pending } = slot
  if (!user || !pending) return { outcome: 'refuse', refusal: alreadyLinked }
  const reason = 'external-account-known'
  return { outcome: 'prove', methods, user, provider: pending.providerId, reason }
}

/** `user.confirm`: what the provider said, as the person wants it; then whose account it is once more. */
export function confirm(turn: Turn, confirmed: Confirmed): Settling {
  const { pending } = turn.slot
  if (!pending) return { outcome: 'refuse', refusal: accountNotConfirmed }
  const authentication = confirmedBy(pending, confirmed)
  const slot = { ...turn.slot, pending: authentication, isConfirmed: true }
  return { outcome: 'ask', question: whose(turn.config, authentication), slot }
}

/** The account is made, or its name was taken meanwhile. */
export function judgeProvisioned(slot: AccountSlot, answer: AnswerTo<'provisionUser'>): Settling {
  const { pending } = slot
  if (answer.result === 'refused' || !pending) return awaitLinking(slot)
  const { user } = answer
  if (user.verification === 'OK') {
    const reason = 'external-account-made'
    return { outcome: 'prove', methods: ['idp'], user, provider: pending.providerId, reason }
  }
  // The code that proves the address goes out with the account.
  const waiting: AccountSlot = { proved: ['idp'], provider: pending.providerId }
  const reason = 'external-account-made'
  return { outcome: 'wait', status: 'VERIFICATION_CODE_REQUIRED', slot: waiting, user, reason }
}

/** `usernamePassword.check` while an account is to be linked: its password shows that it is theirs. */
export function askForOwnership({ user }: Pick<Turn, 'user'>, username: string | undefined): Settling {
  if (!user && username === undefined) return { outcome: 'refuse', refusal: valueMissing('username') }
  const question = { kind: 'checkPassword', username: username ?? null, userId: user?.id ?? null } as const
  return { outcome: 'ask', question }
}

/** The password was right, or not. One that has to be changed first shows nothing. */
export function judgeOwnership(slot: AccountSlot, answer: AnswerTo<'checkPassword'>): Settling {
  const { pending } = slot
  switch (answer.result) {
    case 'rejected':
      return { outcome: 'refuse', refusal: wrongCredentials }
    case 'otherUser':
      return { outcome: 'refuse', refusal: otherUser }
    case 'lockedOut':
      return { outcome: 'refuse', refusal: lockedOut(answer.secondsUntilUnlock) }
    case 'accepted':
      if (!isUsable(answer.user)) return { outcome: 'refuse', refusal: wrongCredentials }
      if (answer.password !== 'OK') return { outcome: 'refuse', refusal: passwordChangeFirst }
      if (!pending) return { outcome: 'refuse', refusal: accountNotConfirmed }
      return { ...askToLink(answer.user.id, pending), slot: { ...slot, proved: ['pwd'] } }
  }
}

function askToLink(userId: string, { providerId, subject }: ExternalAuthentication): Settling & { outcome: 'ask' } {
  return { outcome: 'ask', question: { kind: 'linkAccount', userId, providerId, subject } }
}

/** The accounts are one from now on, or somebody was faster. */
export function judgeLink(slot: AccountSlot, answer: AnswerTo<'linkAccount'>): Settling {
  if (answer.result === 'taken' || !slot.pending) return { outcome: 'refuse', refusal: alreadyLinked }
  return pass(answer.user, ['idp', ...slot.proved], 'external-account-linked', [], {
    provider: slot.pending.providerId,
  })
}
