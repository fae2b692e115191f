/** Who has to consent to what: the rule of agreements as a table and as properties. platform-api 3.16; row J22. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  type Agreement,
  type AgreementConsent,
  type AgreementLanguage,
  type AgreementRevision,
  consentEnd,
  consentStatus,
  currentRevision,
  neededConsent,
} from '../../src/flow/agreement.ts'

const DAY = 86_400_000
const now = 1_700_000_000_000

const revision = (id: string, effectiveAt: number, requireReconsent = true): AgreementRevision => {
  return { id, contentType: 'text/plain', effectiveAt, requireReconsent }
}
const language = (locale: string, ...revisions: readonly AgreementRevision[]): AgreementLanguage => {
  return { id: `in ${locale}`, locale, displayName: locale, isOffered: true, userExperience: {}, revisions }
}
const agreement = (...languages: readonly AgreementLanguage[]): Agreement => {
  return { id: 'terms', name: 'Terms', enabled: true, reconsentPeriodDays: null, defaultLocale: 'en', languages }
}
const consent = (locale: string, revisionId: string, consentedAt = now - DAY): AgreementConsent => {
  return { languageId: `in ${locale}`, revisionId, consentedAt, revokedAt: null }
}

suite('who has to consent', () => {
  const first = revision('first', now - 30 * DAY)
  const terms = agreement(language('en', first))
  const asked = (of: Agreement, by?: AgreementConsent, locales: readonly string[] = [], at = now) =>
    neededConsent(of, by, locales, at)?.revisionId

  test('whoever has not, and nobody to an agreement that is not enabled', () => {
    assert.deepEqual(neededConsent(terms, undefined, [], now), {
      agreementId: 'terms',
      languageId: 'in en',
      locale: 'en',
      displayName: 'en',
      userExperience: {},
      revisionId: 'first',
      contentType: 'text/plain',
    })
    assert.equal(asked({ ...terms, enabled: false }), undefined)
  })

  test('not again, until the consent is revoked or its period is over', () => {
    const given = consent('en', 'first', now - DAY)
    assert.equal(asked(terms, given), undefined)
    assert.equal(asked(terms, { ...given, revokedAt: now - 1 }), 'first')
    const monthly = { ...terms, reconsentPeriodDays: 30 }
    const until = given.consentedAt + 30 * DAY
    assert.equal(consentEnd(monthly, given), until)
    assert.deepEqual([asked(monthly, given, [], until - 1), asked(monthly, given, [], until)], [undefined, 'first'])
  })

  test('again to a revision that asks for it, from the moment it is in force, and not to one that does not', () => {
    const given = consent('en', 'first')
    const mild = agreement(language('en', first, revision('mild', now, false)))
    assert.equal(asked(mild, given), undefined)
    const strict = agreement(language('en', first, revision('strict', now)))
    assert.deepEqual([asked(strict, given, [], now - 1), asked(strict, given)], [undefined, 'strict'])
    assert.equal(asked(strict, consent('en', 'strict', now)), undefined)
  })

  test('J22: again when a strict revision was followed by a mild one before the user came back', () => {
    const since = agreement(language('en', first, revision('strict', now - 2), revision('mild', now - 1, false)))
    assert.equal(asked(since, consent('en', 'first')), 'mild')
  })

  test('J22: again when the consent is to a revision that was deleted', () => {
    const gone = consent('en', 'gone')
    assert.equal(asked(terms, gone), 'first')
    assert.equal(consentStatus(terms, gone, now), 'EXPIRED')
  })

  test('J22: another language is no way around a revision', () => {
    const german = revision('erste', now - 30 * DAY)
    const later = agreement(language('en', first, revision('second', now - 1)), language('de', german))
    assert.equal(asked(later, consent('en', 'first'), ['de']), 'erste')
    assert.equal(asked(later, consent('de', 'erste'), ['en']), 'second')
    assert.equal(asked(later, consent('de', 'erste', now), ['de']), undefined)
    assert.equal(asked(later, consent('en', 'second', now), ['de']), undefined)
  })

  test('in the first of their languages that is offered and in force, else in the default one', () => {
    const german = language('de', revision('erste', now - 1))
    const french = language('fr-CA', revision('première', now - 1))
    const many = agreement(french, language('en', first), german)
    for (const [locales, locale] of [
      [[], 'en'],
      [['it'], 'en'],
      [['de-AT-1996'], 'de'],
      [['DE'], 'de'],
      [['it', 'fr-ca', 'de'], 'fr-CA'],
      [['fr'], 'en'],
    ] as const) {
      assert.equal(neededConsent(many, undefined, locales, now)?.locale, locale, locales.join())
    }
    const withheld = agreement({ ...german, isOffered: false }, language('en', first))
    assert.equal(asked(withheld, undefined, ['de']), 'first')
    const early = agreement(language('de', revision('erste', now + 1)), language('en', first))
    assert.equal(asked(early, undefined, ['de']), 'first')
  })

  test('J22: nobody goes on where an enabled agreement has nothing to show', () => {
    assert.throws(() => neededConsent(agreement(), undefined, [], now))
    assert.throws(() => neededConsent(agreement(language('en', revision('later', now + 1))), undefined, [], now))
  })
})

suite('for every agreement, consent and moment', () => {
  const locales = ['en', 'de', 'fr-CA'] as const
  const revisions = (locale: string) =>
    fc
      .uniqueArray(fc.record({ at: fc.integer({ min: 0, max: 40 }), requireReconsent: fc.boolean() }), {
        selector: ({ at }) => at,
        maxLength: 6,
      })
      .map((drawn) =>
        drawn
          .toSorted((one, other) => one.at - other.at)
          .map(({ at, requireReconsent }) => revision(`${locale} ${at}`, at * DAY, requireReconsent)),
      )
  const languages = fc.subarray([...locales]).chain((offered) =>
    fc.tuple(...locales.map((locale) => revisions(locale))).map((drawn) =>
      locales.map((locale, at): AgreementLanguage => {
        return { ...language(locale, ...(drawn[at] ?? [])), isOffered: offered.includes(locale) }
      }),
    ),
  )
  const arranged = fc.record({
    agreement: fc.record({
      languages,
      period: fc.option(fc.integer({ min: 1, max: 20 })),
      defaultLocale: fc.constantFrom(...locales),
    }),
    consent: fc.option(
      fc.record({
        locale: fc.constantFrom(...locales),
        at: fc.integer({ min: 0, max: 40 }),
        consentedAt: fc.integer({ min: 0, max: 40 }),
        isRevoked: fc.boolean(),
      }),
    ),
    preferred: fc.array(fc.constantFrom('en', 'de-AT', 'fr-CA', 'it'), { maxLength: 3 }),
    now: fc.integer({ min: 0, max: 60 }).map((day) => day * DAY),
  })
  type Arranged = typeof arranged extends fc.Arbitrary<infer T> ? T : never

  const agreementOf = ({ agreement: { languages: all, period, defaultLocale } }: Arranged): Agreement => {
    return { ...agreement(...all), reconsentPeriodDays: period, defaultLocale }
  }
  const consentOf = ({ consent: given }: Arranged): AgreementConsent | undefined => {
    if (!given) return undefined
    const { locale, at, consentedAt, isRevoked } = given
    return {
      ...consent(locale, `${locale} ${at}`, consentedAt * DAY),
      revokedAt: isRevoked ? (consentedAt + 1) * DAY : null,
    }
  }
  const isShowable = (of: Agreement, at: number) =>
    of.languages.some((each) => each.isOffered && currentRevision(each, at) !== undefined)
  const always = (judge: (terms: Agreement, given: AgreementConsent | undefined, drawn: Arranged) => void) =>
    fc.assert(
      fc.property(arranged, (drawn) => {
        const terms = agreementOf(drawn)
        fc.pre(isShowable(terms, drawn.now))
        judge(terms, consentOf(drawn), drawn)
      }),
      { numRuns: 2000 },
    )
  const languageOf = (terms: Agreement, id: string) => {
    const found = terms.languages.find((each) => each.id === id)
    assert.ok(found)
    return found
  }

  test('what is asked for is offered, and in force', () => {
    always((terms, given, drawn) => {
      const needed = neededConsent(terms, given, drawn.preferred, drawn.now)
      if (!needed) return
      const shown = languageOf(terms, needed.languageId)
      assert.ok(shown.isOffered)
      const asked = shown.revisions.find(({ id }) => id === needed.revisionId)
      assert.ok(asked && asked.effectiveAt <= drawn.now)
      const superseding = shown.revisions.filter((each) => each.effectiveAt > asked.effectiveAt)
      assert.ok(superseding.every((each) => each.effectiveAt > drawn.now))
    })
  })

  test('a consent to what was asked for is not asked for again in that language before it ends', () => {
    always((terms, given, drawn) => {
      const needed = neededConsent(terms, given, drawn.preferred, drawn.now)
      if (!needed) return
      const { languageId, revisionId } = needed
      const fresh: AgreementConsent = { languageId, revisionId, consentedAt: drawn.now, revokedAt: null }
      const end = consentEnd(terms, fresh) ?? drawn.now + 100 * DAY
      assert.ok(end > drawn.now)
      for (const at of [drawn.now, end - 1]) {
        assert.equal(neededConsent(terms, fresh, [needed.locale], at), undefined)
      }
    })
  })

  test('however often the language changes, a user is asked no more often than there are languages', () => {
    always((terms, given, drawn) => {
      let last = given
      let times = 0
      for (const locale of [...locales, ...locales, ...locales]) {
        const needed = neededConsent(terms, last, [locale], drawn.now)
        if (!needed) continue
        times++
        const { languageId, revisionId } = needed
        last = { languageId, revisionId, consentedAt: drawn.now, revokedAt: null }
      }
      assert.ok(times <= locales.length, `asked ${times} times`)
    })
  })

  test('a new revision is asked for anew exactly if it requires that', () => {
    always((terms, _, drawn) => {
      const needed = neededConsent(terms, undefined, drawn.preferred, drawn.now)
      assert.ok(needed)
      const { languageId, revisionId } = needed
      const given: AgreementConsent = { languageId, revisionId, consentedAt: drawn.now, revokedAt: null }
      for (const requireReconsent of [true, false]) {
        const added = revision('added', drawn.now + 1, requireReconsent)
        const more = terms.languages.map((each) =>
          each.id === languageId
            ? { ...each, revisions: [...each.revisions.filter((one) => one.effectiveAt <= drawn.now), added] }
            : each,
        )
        const after = { ...terms, reconsentPeriodDays: null, languages: more }
        const again = neededConsent(after, given, [needed.locale], drawn.now + 1)
        assert.equal(again?.revisionId, requireReconsent ? 'added' : undefined)
      }
    })
  })

  test('the language falls back to the default one where none of the preferred is there', () => {
    always((terms, _, { now: at }) => {
      const standard = terms.languages.find(({ locale }) => locale === terms.defaultLocale)
      if (!standard?.isOffered || !currentRevision(standard, at)) return
      for (const wanted of [[], ['it'], ['x']]) {
        assert.equal(neededConsent(terms, undefined, wanted, at)?.locale, terms.defaultLocale)
      }
    })
  })

  test('who holds no consent that is accepted is asked', () => {
    always((terms, given, drawn) => {
      if (given && consentStatus(terms, given, drawn.now) === 'ACCEPTED') return
      assert.ok(neededConsent(terms, given, drawn.preferred, drawn.now))
    })
  })
})
