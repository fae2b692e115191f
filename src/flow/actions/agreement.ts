/**
 * AGREEMENT: users consent to what an agreement says now. authentication-api 4.2 `user.consent`, 5.4; platform-api 3.16;
 * row J22. What there is to consent to is the one rule of `flow/agreement.ts`; who has nothing to consent to goes on.
 *
 * Never: a consent to another revision than the one that was shown; anybody asked who has not proved who they are.
 */
import { z } from 'zod'
import { type Decision, defineAction } from '../action.ts'
import { type Agreement, type NeededConsent, neededConsent } from '../agreement.ts'
import type { Facts, UserFacts } from '../facts.ts'
import { provenUser } from '../proven-user.ts'
import { consentRequired } from '../refusal.ts'

const config = z.object({
  agreement: z.object({ id: z.string() }),
  disableDeclineOption: z.boolean().default(false),
})

type Config = z.output<typeof config>

/** The revision that is shown, and the language it is shown in. */
const slot = z.strictObject({ languageId: z.string(), revisionId: z.string(), locale: z.string() }).nullable()

type Slot = z.infer<typeof slot>
type Decided = Decision<Slot, 'AGREEMENT_CONSENT_REQUIRED'>

export const agreement = defineAction({
  type: 'AGREEMENT',
  config,
  problems: () => [],
  conditionFacts: ['session', 'user'],
  needs: ['user', 'agreements', 'configuration'],
  slot,
  freshSlot: null,
  statuses: ['AGREEMENT_CONSENT_REQUIRED'],
  accepts: { 'user.consent': { in: ['AGREEMENT_CONSENT_REQUIRED'], body: z.object({ accept: z.boolean() }) } },
  setsPasswordIn: [],
  methods: ['agreement'],
  isPrimary: false,
  isDemandedBy: () => false,
  isSatisfied: (proofs, { agreement: { id } }) => proofs.some((proof) => proof.agreement === id),

  decide({ event, config: configured, slot: shown, user, facts, now }): Decided {
    const known = provenUser(user, facts)
    const asked = agreementOf(configured, facts)
    if (!known || !asked) return { outcome: 'fail', failure: 'POLICY_NOT_SATISFIED', reason: 'action-failed' }
    switch (event.type) {
      case 'enter':
        return ask(asked, needed(asked, known, facts, now), known)
      case 'user.consent': {
        if (!event.body.accept) return decline(configured)
        // Whoever reads another language by now still consents to what they were shown, as long as that is in force.
        const wanted = needed(asked, known, facts, now, shown?.locale)
        if (!wanted || wanted.revisionId !== shown?.revisionId) return ask(asked, wanted, known)
        const { agreementId, languageId, revisionId } = wanted
        return {
          outcome: 'ask',
          question: { kind: 'acceptAgreement', userId: known.id, agreementId, languageId, revisionId },
        }
      }
      case 'external':
        throw new Error('AGREEMENT sends nobody anywhere')
      case 'answer':
        if (event.answer.to !== 'acceptAgreement') throw new Error('AGREEMENT asks nothing else')
        return prove(asked, event.answer.user, 'agreement-accepted')
    }
  },
  viewFacts: ['configuration'],
  view({ config: configured, slot: shown, facts }) {
    const asked = agreementOf(configured, facts)
    const language = asked?.languages.find(({ id }) => id === shown?.languageId)
    const revision = language?.revisions.find(({ id }) => id === shown?.revisionId)
    if (!asked || !language || !revision) return {}
    const { id, name } = asked
    const { locale, displayName, userExperience } = language
    return {
      agreement: {
        id,
        name,
        displayName,
        locale,
        language: { id: language.id },
        revision: { id: revision.id },
        contentType: revision.contentType,
        declineOption: !configured.disableDeclineOption,
        userExperience,
      },
    }
  },
})

/** The agreement, unless it is gone or not enabled: writes keep a policy from asking for such a one. */
function agreementOf({ agreement: { id } }: Config, { configuration }: Facts): Agreement | undefined {
  const found = configuration?.agreements.get(id)
  return found?.enabled ? found : undefined
}

/** What the user has to consent to now. @param locale instead of the languages the user reads */
function needed(
  asked: Agreement,
  { id: userId }: UserFacts,
  { agreements: known }: Facts,
  now: number,
  locale?: string,
): NeededConsent | undefined {
  if (known?.userId !== userId) throw new Error('the consents of the user are not known')
  const consent = known.given.find(({ agreementId }) => agreementId === asked.id)
  return neededConsent(asked, consent, locale === undefined ? known.locales : [locale], now)
}

function ask(asked: Agreement, wanted: NeededConsent | undefined, user: UserFacts): Decided {
  if (!wanted) return prove(asked, user, 'agreement-in-force')
  const { languageId, revisionId, locale } = wanted
  return {
    outcome: 'wait',
    status: 'AGREEMENT_CONSENT_REQUIRED',
    slot: { languageId, revisionId, locale },
    reason: 'agreement-needed',
  }
}

function prove({ id }: Agreement, user: UserFacts, reason: 'agreement-in-force' | 'agreement-accepted'): Decided {
  return { outcome: 'prove', methods: ['agreement'], agreement: id, user, reason }
}

function decline({ disableDeclineOption }: Config): Decided {
  if (disableDeclineOption) return { outcome: 'refuse', refusal: consentRequired }
  return { outcome: 'fail', failure: 'AGREEMENT_DECLINED', isFinal: true, reason: 'agreement-declined' }
}
