/**
 * Agreements users consent to, and the one rule about them: does this user have to consent now, to which revision, in
 * which language? platform-api 3.16, 3.5; authentication-api 5.4 (AGREEMENT); row J22.
 *
 * A consent is to one revision in one language. It ends when the agreement's period is over, and when a later revision in
 * its language asks for it anew. Who is shown another language is asked anew as well if what is in force there came later
 * and asks for it: no choice of language is a way around a revision.
 *
 * Never: a revision asked for before it is in force; a step skipped because there is no text for it.
 */

/** What kind of text a revision has. */
export const agreementContentTypes = ['text/html', 'text/plain'] as const

/** A revision of an agreement in one language; its text is read when it is shown. */
export interface AgreementRevision {
  readonly id: string
  readonly contentType: (typeof agreementContentTypes)[number]
  /** From when it is in force, epoch milliseconds; until the next one in its language is. */
  readonly effectiveAt: number
  /** Whether who consented to an earlier revision has to consent again. */
  readonly requireReconsent: boolean
}

/** What a page says around the text. */
export interface AgreementUserExperience {
  readonly acceptCheckboxText?: string | undefined
  readonly continueButtonText?: string | undefined
  readonly declineButtonText?: string | undefined
}

/** An agreement in one language. */
export interface AgreementLanguage {
  readonly id: string
  /** BCP 47. */
  readonly locale: string
  readonly displayName: string
  /** Whether users may be shown it. */
  readonly isOffered: boolean
  readonly userExperience: AgreementUserExperience
  /** In the order in which they come into force. */
  readonly revisions: readonly AgreementRevision[]
}

/** An agreement, ready to be asked about. */
export interface Agreement {
  readonly id: string
  readonly name: string
  readonly enabled: boolean
  /** How long a consent holds; null: until something ends it. */
  readonly reconsentPeriodDays: number | null
  /** The default language of the environment; undefined where it has none. */
  readonly defaultLocale: string | undefined
  /** In the order in which they were added. */
  readonly languages: readonly AgreementLanguage[]
}

/** The consent of a user as it was recorded. Times are epoch milliseconds. */
export interface AgreementConsent {
  readonly languageId: string
  readonly revisionId: string
  readonly consentedAt: number
  readonly revokedAt: number | null
}

/** Whether a consent holds. */
export type ConsentStatus = 'ACCEPTED' | 'REVOKED' | 'EXPIRED'

/** What a user has to be shown; the text is the one of `revisionId`. */
export interface NeededConsent {
  readonly agreementId: string
  readonly languageId: string
  readonly locale: string
  readonly displayName: string
  readonly userExperience: AgreementUserExperience
  readonly revisionId: string
  readonly contentType: AgreementRevision['contentType']
}

const dayMilliseconds = 86_400_000

/** The revision that is in force in a language at `now`, epoch milliseconds. */
export function currentRevision(
  { revisions }: Pick<AgreementLanguage, 'revisions'>,
  now: number,
): AgreementRevision | undefined {
  return revisions.findLast(({ effectiveAt }) => effectiveAt <= now)
}

/** The revision of a language of an agreement that a consent is to; undefined when it was deleted. */
function consentedRevision({ languages }: Agreement, consent: AgreementConsent): AgreementRevision | undefined {
  const language = languages.find(({ id }) => id === consent.languageId)
  return language?.revisions.find(({ id }) => id === consent.revisionId)
}

/**
 * When a consent ends: by the period of the agreement, or by a later revision in its language, whichever comes first.
 * A consent to a revision that was deleted says nothing any more.
 * @returns epoch milliseconds, perhaps still to come; null: nothing known ends it
 */
export function consentEnd(agreement: Agreement, consent: AgreementConsent): number | null {
  const { consentedAt } = consent
  const revision = consentedRevision(agreement, consent)
  if (!revision) return consentedAt
  const { reconsentPeriodDays: days, languages } = agreement
  const ends = days === null ? [] : [consentedAt + Math.round(days * dayMilliseconds)]
  const next = languages
    .find(({ id }) => id === consent.languageId)
    ?.revisions.find((later) => isAskedAnew(later, revision))
  if (next) ends.push(Math.max(next.effectiveAt, consentedAt))
  return ends.length > 0 ? Math.min(...ends) : null
}

function isAskedAnew(later: AgreementRevision, consented: AgreementRevision): boolean {
  return later.requireReconsent && later.effectiveAt > consented.effectiveAt
}

/** Whether a consent holds at `now`, epoch milliseconds. */
export function consentStatus(agreement: Agreement, consent: AgreementConsent, now: number): ConsentStatus {
  if (consent.revokedAt !== null) return 'REVOKED'
  const end = consentEnd(agreement, consent)
  return end !== null && end <= now ? 'EXPIRED' : 'ACCEPTED'
}

/**
 * Does a user have to consent to an agreement now, and to what?
 * @param consent what the user consented to last; undefined: nothing
 * @param locales the languages the user reads, BCP 47, the preferred one first
 * @param now epoch milliseconds
 * @returns undefined: there is nothing to ask, because the consent holds or the agreement is not enabled
 * @throws when an enabled agreement has no text in force. Writes keep that from happening
 *   (`platform/agreement-rules.ts`), and where it happens nevertheless nobody goes on without a consent.
 */
export function neededConsent(
  agreement: Agreement,
  consent: AgreementConsent | undefined,
  locales: readonly string[],
  now: number,
): NeededConsent | undefined {
  if (!agreement.enabled) return undefined
  const shown = presented(agreement, locales, now)
  if (!shown) throw new Error(`nothing of the enabled agreement ${agreement.id} is in force`)
  const { language, revision } = shown
  if (consent && consentStatus(agreement, consent, now) === 'ACCEPTED') {
    const consented = consentedRevision(agreement, consent)
    const isNewHere = (later: AgreementRevision) =>
      consented !== undefined && later.effectiveAt <= now && isAskedAnew(later, consented)
    if (!language.revisions.some(isNewHere)) return undefined
  }
  return {
    agreementId: agreement.id,
    languageId: language.id,
    locale: language.locale,
    displayName: language.displayName,
    userExperience: language.userExperience,
    revisionId: revision.id,
    contentType: revision.contentType,
  }
}

interface Presented {
  readonly language: AgreementLanguage
  readonly revision: AgreementRevision
}

/**
 * What a user is shown: the first of their languages (RFC 4647 section 3.4, lookup), else the default one, else the
 * first there is.
 */
function presented(
  { languages, defaultLocale }: Agreement,
  locales: readonly string[],
  now: number,
): Presented | undefined {
  const choices = languages.flatMap((language): Presented[] => {
    const revision = language.isOffered ? currentRevision(language, now) : undefined
    return revision ? [{ language, revision }] : []
  })
  const inLocale = (tag: string) => choices.find(({ language }) => language.locale.toLowerCase() === tag.toLowerCase())
  for (const locale of locales) {
    const subtags = locale.split('-')
    for (let length = subtags.length; length > 0; length--) {
      const choice = inLocale(subtags.slice(0, length).join('-'))
      if (choice) return choice
    }
  }
  return (defaultLocale === undefined ? undefined : inLocale(defaultLocale)) ?? choices[0]
}
