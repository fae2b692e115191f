/** Agreements, their languages and revisions: platform-api 3.16, 1.14; row J22. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { agreementTextOf } from '../../src/directory/agreement-consents.ts'
import { type AgreementConsent, neededConsent } from '../../src/flow/agreement.ts'
import { isAskedFor } from '../../src/platform/agreement-rules.ts'
import { rows } from '../flow-runtime/arrange.ts'
import type { Answer, Stile } from '../harness/stile.ts'
import { addAgreement, addAgreementLanguage, addRevision, enable } from './agreement.ts'
import { sentMembers } from './members.ts'
import { onEachEngine } from './people.ts'

const HOUR = 3_600_000
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR).toISOString()

await onEachEngine('agreements', (stile) => {
  const refusal = ({ status, json }: Answer) => {
    const { code, target } = json.details[0]
    return [status, json.code, code, target]
  }
  const constrained = [400, 'REQUEST_FAILED', 'CONSTRAINT_VIOLATION', undefined]

  test('are created, read, listed, replaced and deleted', async () => {
    const sent = { name: `Terms ${randomUUID()}`, description: 'Of use.', enabled: false, reconsentPeriodDays: 30.5 }
    const created = await stile().api('POST', '/agreements', sent)
    assert.equal(created.status, 201, created.text)
    const { id, environment, _links } = created.json
    assert.deepEqual(sentMembers(created.json), sent)
    assert.deepEqual(environment, { id: stile().environmentId })
    assert.equal(created.headers.get('location'), _links.self.href)
    assert.deepEqual((await stile().api('GET', `/agreements/${id}`)).json, created.json)
    const listed = await stile().api('GET', `/agreements?filter=${encodeURIComponent(`((name eq "${sent.name}"))`)}`)
    assert.deepEqual(listed.json._embedded.agreements, [created.json])

    const renamed = { name: `${sent.name}!`, enabled: false, description: null }
    const replaced = await stile().api('PUT', `/agreements/${id}`, renamed)
    assert.deepEqual(sentMembers(replaced.json), { name: renamed.name, enabled: false })
    assert.deepEqual((await stile().api('GET', `/agreements/${id}`)).json, replaced.json)
    assert.equal((await stile().api('DELETE', `/agreements/${id}`)).status, 204)
    assert.equal((await stile().api('GET', `/agreements/${id}`)).status, 404)
    assert.equal((await stile().api('DELETE', `/agreements/${id}`)).status, 404)
  })

  test('what is no agreement is refused', async () => {
    const name = `Terms ${randomUUID()}`
    const taken = await addAgreement(stile())
    for (const [body, code, target] of [
      [{ name }, 'REQUIRED_VALUE', 'enabled'],
      [{ enabled: false }, 'REQUIRED_VALUE', 'name'],
      [{ name: ' ', enabled: false }, 'INVALID_VALUE', 'name'],
      [{ name: taken.name, enabled: false }, 'UNIQUENESS_VIOLATION', 'name'],
      [{ name, enabled: false, reconsentPeriodDays: 0 }, 'OUT_OF_RANGE', 'reconsentPeriodDays'],
      [{ name, enabled: false, reconsentPeriodDays: '30' }, 'INVALID_VALUE', 'reconsentPeriodDays'],
      [{ name, enabled: false, description: 'a < b' }, 'INVALID_VALUE', 'description'],
    ] as const) {
      assert.deepEqual(refusal(await stile().api('POST', '/agreements', body)), [400, 'INVALID_DATA', code, target])
    }
    assert.deepEqual(refusal(await stile().api('POST', '/agreements', { name, enabled: true })), constrained)
    assert.deepEqual(await rows(stile(), 'agreements', 'name = $2', name), [])
  })

  test('have languages of the environment', async () => {
    const { id } = await addAgreement(stile())
    const path = `/agreements/${id}/languages`
    const userExperience = {
      acceptCheckboxText: 'J’accepte',
      continueButtonText: 'Continuer',
      declineButtonText: 'Non !',
    }
    const sent = { locale: 'fr', displayName: 'Conditions', enabled: false, userExperience }
    const created = await stile().api('POST', path, sent)
    assert.equal(created.status, 201, created.text)
    assert.deepEqual(sentMembers(created.json), { ...sent, agreement: { id } })
    assert.deepEqual(created.json.environment, { id: stile().environmentId })
    assert.ok(!('customerAdded' in created.json), 'clients would take it for a language of the environment')
    const one = `${path}/${created.json.id}`
    assert.equal(created.headers.get('location'), created.json._links.self.href)
    assert.deepEqual((await stile().api('GET', one)).json, created.json)
    assert.deepEqual((await stile().api('GET', path)).json._embedded.languages, [created.json])

    const changed = await stile().api('PUT', one, { locale: 'fr', displayName: 'Contrat', enabled: true })
    assert.deepEqual(sentMembers(changed.json), {
      locale: 'fr',
      displayName: 'Contrat',
      enabled: true,
      agreement: { id },
    })
    const wrong = { displayName: 'x', enabled: false }
    for (const [body, code, target] of [
      [{ ...wrong, locale: 'fr' }, 'UNIQUENESS_VIOLATION', 'locale'],
      [{ ...wrong, locale: 'sv' }, 'INVALID_VALUE', 'locale'],
      [{ ...wrong, locale: '../fr' }, 'INVALID_VALUE', 'locale'],
      [{ ...wrong, locale: 'de', displayName: '' }, 'OUT_OF_RANGE', 'displayName'],
      [
        { ...wrong, locale: 'de', userExperience: { continueButtonText: '<b>' } },
        'INVALID_VALUE',
        'userExperience.continueButtonText',
      ],
    ] as const) {
      assert.deepEqual(refusal(await stile().api('POST', path, body)), [400, 'INVALID_DATA', code, target])
    }
    assert.equal((await stile().api('PUT', one, { ...wrong, locale: 'de' })).status, 400, 'a locale stays')
    const other = await addAgreement(stile())
    assert.equal((await stile().api('GET', `/agreements/${other.id}/languages/${created.json.id}`)).status, 404)
    assert.equal((await stile().api('GET', `/agreements/${randomUUID()}/languages`)).status, 404)
    assert.equal((await stile().api('POST', `/agreements/${randomUUID()}/languages`, sent)).status, 404)
    assert.equal((await stile().api('DELETE', one)).status, 204)
    assert.equal((await stile().api('GET', one)).status, 404)
  })

  test('have revisions, each in force until the next one is; the text is at the end of a link', async () => {
    const { id } = await addAgreement(stile())
    const language = await addAgreementLanguage(stile(), id, 'en')
    const path = `/agreements/${id}/languages/${language}/revisions`
    const current = async () =>
      (await stile().api('GET', `/agreements/${id}/languages/${language}`)).json.currentRevision
    assert.equal(await current(), undefined)

    const text = '<h1>Terms</h1><p>Be kind &amp; <a href="https://example.com/terms">fair</a>.</p>'
    const sent = { contentType: 'text/html', effectiveAt: '2026-01-02T04:04:05+01:00', requireReconsent: true }
    const first = await stile().api('POST', path, { ...sent, text })
    assert.equal(first.status, 201, first.text)
    const effectiveAt = '2026-01-02T03:04:05.000Z'
    assert.deepEqual(sentMembers(first.json), { ...sent, effectiveAt, agreement: { id }, language: { id: language } })
    assert.deepEqual(first.json.environment, { id: stile().environmentId })
    assert.equal(first.headers.get('location'), first.json._links.self.href)
    assert.deepEqual(await current(), { id: first.json.id })
    const read = await stile().send(first.json._links.text.href, { token: await stile().workerToken() })
    const { apiUrl, environmentId } = stile()
    assert.deepEqual(read.json, {
      resourcePath: first.json._links.self.href.replace(`${apiUrl}/v1`, ''),
      data: text,
      dataType: 'text/html',
    })
    assert.ok(read.json.resourcePath.startsWith(`/environments/${environmentId}/agreements/${id}/languages/`))

    const later = { contentType: 'text/plain', effectiveAt: inHours(1), requireReconsent: false }
    const second = await stile().api('POST', path, { ...later, text: 'a < b' })
    assert.equal(second.status, 201, second.text)
    const ending = { ...first.json, notValidAfter: later.effectiveAt }
    assert.deepEqual((await stile().api('GET', `${path}/${first.json.id}`)).json, ending)
    assert.deepEqual((await stile().api('GET', path)).json._embedded.revisions, [ending, second.json])
    assert.deepEqual(await current(), { id: first.json.id }, 'one that is to come is not in force')

    assert.equal((await stile().api('PUT', `${path}/${first.json.id}`, { ...sent, text })).status, 405)
    const elsewhere = await addAgreementLanguage(stile(), id, 'de')
    for (const wrong of [
      `/agreements/${id}/languages/${elsewhere}`,
      `/agreements/${randomUUID()}/languages/${language}`,
    ]) {
      for (const part of ['', '/text']) {
        assert.equal((await stile().api('GET', `${wrong}/revisions/${first.json.id}${part}`)).status, 404)
      }
    }
    assert.equal((await stile().api('DELETE', `${path}/${second.json.id}`)).status, 204)
    assert.deepEqual((await stile().api('GET', path)).json._embedded.revisions, [first.json])
  })

  test('W01, W15: a revision with anything but simple markup is refused, and nothing is written', async () => {
    const { id } = await addAgreement(stile())
    const language = await addAgreementLanguage(stile(), id, 'en')
    const path = `/agreements/${id}/languages/${language}/revisions`
    const good = { contentType: 'text/html', text: '<p>x</p>', effectiveAt: inHours(-1), requireReconsent: true }
    for (const [body, code, target] of [
      [{ text: '<script>alert(1)</script>' }, 'INVALID_VALUE', 'text'],
      [{ text: '<p onclick="x">x</p>' }, 'INVALID_VALUE', 'text'],
      [{ text: '<a href="javascript:x">x</a>' }, 'INVALID_VALUE', 'text'],
      [{ text: '' }, 'OUT_OF_RANGE', 'text'],
      [{ text: 'x'.repeat(65_537) }, 'OUT_OF_RANGE', 'text'],
      [{ text: undefined }, 'REQUIRED_VALUE', 'text'],
      [{ contentType: 'text/markdown' }, 'INVALID_VALUE', 'contentType'],
      [{ contentType: 'text/plain', text: 'a\u0007b' }, 'INVALID_VALUE', 'text'],
      [{ effectiveAt: '2026-02-30T00:00:00Z' }, 'INVALID_VALUE', 'effectiveAt'],
      [{ effectiveAt: 'tomorrow' }, 'INVALID_VALUE', 'effectiveAt'],
      [{ effectiveAt: undefined }, 'REQUIRED_VALUE', 'effectiveAt'],
      [{ requireReconsent: undefined }, 'REQUIRED_VALUE', 'requireReconsent'],
    ] as const) {
      const answer = await stile().api('POST', path, { ...good, ...body })
      assert.deepEqual(refusal(answer), [400, 'INVALID_DATA', code, target], JSON.stringify(body).slice(0, 80))
    }
    assert.deepEqual((await stile().api('GET', path)).json._embedded.revisions, [])
    assert.equal((await stile().api('POST', path, good)).status, 201)
    const again = { ...good, text: 'again' }
    assert.deepEqual(refusal(await stile().api('POST', path, again)), [
      400,
      'INVALID_DATA',
      'UNIQUENESS_VIOLATION',
      'effectiveAt',
    ])
  })

  test('J22: are enabled with a text in force in the default language, and keep one while they are', async () => {
    const { id, name } = await addAgreement(stile())
    const allowed = () => stile().api('PUT', `/agreements/${id}`, { name, enabled: true })
    assert.deepEqual(refusal(await allowed()), constrained, 'no language')
    const german = await addAgreementLanguage(stile(), id, 'de')
    await addRevision(stile(), id, german)
    assert.deepEqual(refusal(await allowed()), constrained, 'not the default language')
    const english = await addAgreementLanguage(stile(), id, 'en')
    assert.deepEqual(refusal(await allowed()), constrained, 'no revision')
    await addRevision(stile(), id, english, { effectiveAt: inHours(1) })
    assert.deepEqual(refusal(await allowed()), constrained, 'none in force')
    const revision = await addRevision(stile(), id, english)
    const path = `/agreements/${id}/languages/${english}`
    const disabled = { locale: 'en', displayName: 'Terms', enabled: false }
    await stile().api('PUT', path, disabled)
    assert.deepEqual(refusal(await allowed()), constrained, 'its language is not enabled')
    await stile().api('PUT', path, { ...disabled, enabled: true })
    assert.equal((await allowed()).status, 200)

    const { id: fr } = await languageOf(stile(), 'fr')
    for (const answer of [
      await stile().api('PUT', path, disabled),
      await stile().api('DELETE', path),
      await stile().api('DELETE', `${path}/revisions/${revision}`),
      await stile().api('PUT', `/languages/${fr}`, { locale: 'fr', enabled: true, default: true }),
    ]) {
      assert.deepEqual(refusal(answer), constrained, answer.text)
    }
    assert.equal((await stile().api('GET', path)).json.enabled, true)
    assert.equal((await languageOf(stile(), 'en')).default, true)
    assert.equal((await stile().api('DELETE', `/agreements/${id}/languages/${german}`)).status, 204)
    await addRevision(stile(), id, english, { effectiveAt: inHours(-2) })
    assert.equal((await stile().api('DELETE', `${path}/revisions/${revision}`)).status, 204, 'there is another')
    assert.equal((await stile().api('PUT', `/agreements/${id}`, { name, enabled: false })).status, 200)
    assert.equal((await stile().api('DELETE', path)).status, 204)
  })

  test('J22: what a sign-on would ask for follows every write', async () => {
    const { kernel } = stile().node
    const added = await addAgreement(stile())
    const { id, name } = added
    const asked = async (consent: AgreementConsent | undefined, ...locales: readonly string[]) => {
      const environment = await kernel.environments.get(stile().environmentId)
      const agreement = environment?.agreements.get(id)
      assert.ok(agreement)
      return neededConsent(agreement, consent, locales, kernel.world.now())
    }
    assert.equal(await asked(undefined), undefined, 'it is not enabled')
    const english = await enable(stile(), added, { reconsentPeriodDays: 1 })
    const german = await addAgreementLanguage(stile(), id, 'de')
    const erste = await addRevision(stile(), id, german, { contentType: 'text/html', text: '<p>Sei nett.</p>' })
    assert.equal((await asked(undefined, 'de'))?.revisionId, english.revisionId, 'German is not of the environment yet')
    const de = await languageOf(stile(), 'de')
    const switchGerman = (enabled: boolean) =>
      stile().api('PUT', `/languages/${de.id}`, { locale: 'de', enabled, default: false })
    await switchGerman(true)
    const needed = await asked(undefined, 'de-AT')
    assert.deepEqual(needed, {
      agreementId: id,
      languageId: german,
      locale: 'de',
      displayName: 'Terms',
      userExperience: {},
      revisionId: erste,
      contentType: 'text/html',
    })
    assert.equal(await agreementTextOf(kernel, stile().environmentId, needed), '<p>Sei nett.</p>')
    assert.equal(await agreementTextOf(kernel, randomUUID(), needed), undefined)
    const consent = { languageId: german, revisionId: erste, consentedAt: kernel.world.now(), revokedAt: null }
    assert.equal(await asked(consent, 'de'), undefined)
    assert.equal((await asked({ ...consent, consentedAt: consent.consentedAt - 24 * HOUR }, 'de'))?.revisionId, erste)
    const zweite = await addRevision(stile(), id, german, { effectiveAt: inHours(-0.5) })
    assert.equal((await asked(consent, 'de'))?.revisionId, zweite)
    await switchGerman(false)
    await stile().api('PUT', `/agreements/${id}`, { name, enabled: false })
    assert.equal(await asked(undefined, 'de'), undefined)
  })

  test('J22: an action names one that is enabled, which stays so as long as it does', async () => {
    const agreement = await addAgreement(stile())
    const { id, name } = agreement
    const { json: policy } = await stile().api('POST', '/signOnPolicies', { name: randomUUID() })
    const actions = `/signOnPolicies/${policy.id}/actions`
    await stile().api('POST', actions, { type: 'LOGIN', priority: 1, recovery: { enabled: true } })
    const action = (named: string) => ({ type: 'AGREEMENT', priority: 2, agreement: { id: named } })
    for (const named of [id, randomUUID()]) {
      const { status, json } = await stile().api('POST', actions, action(named))
      assert.deepEqual([status, json.details[0].target], [400, 'agreement.id'])
    }
    await enable(stile(), agreement)
    const made = await stile().api('POST', actions, action(id))
    assert.deepEqual([made.status, made.json.disableDeclineOption], [201, false], made.text)
    const refused = [
      await stile().api('PUT', `/agreements/${id}`, { name, enabled: false }),
      await stile().api('DELETE', `/agreements/${id}`),
    ]
    for (const answer of refused) assert.deepEqual(refusal(answer), constrained, answer.text)
    assert.equal((await stile().api('GET', `/agreements/${id}`)).json.enabled, true)
    assert.equal((await stile().api('DELETE', `${actions}/${made.json.id}`)).status, 204)
    assert.equal((await stile().api('DELETE', `/agreements/${id}`)).status, 204)
  })

  test('an action refers to an agreement by its type and its member', () => {
    const id = randomUUID()
    const asks = (...actions: readonly object[]) => isAskedFor(JSON.stringify(actions), id)
    assert.equal(asks({ type: 'LOGIN' }, { type: 'AGREEMENT', agreement: { id } }), true)
    assert.equal(asks({ type: 'AGREEMENT', agreement: { id: randomUUID() } }), false)
    assert.equal(asks({ id, type: 'LOGIN' }), false)
    assert.equal(asks(), false)
  })

  test('there are no more than an environment may have, however many are made at once', async () => {
    const count = async () => (await rows(stile(), 'agreements')).length
    const wanted = 110 - (await count())
    const answers = await Promise.all(
      Array.from({ length: wanted }, () => stile().api('POST', '/agreements', { name: randomUUID(), enabled: false })),
    )
    assert.equal(answers.filter(({ status }) => status === 400).length, 10)
    assert.equal(answers.find(({ status }) => status === 400)?.json.details[0].code, 'LIMIT_EXCEEDED')
    assert.equal(await count(), 100)
  })
})

async function languageOf(stile: Stile, locale: string) {
  const { json } = await stile.api('GET', `/languages?filter=${encodeURIComponent(`locale eq "${locale}"`)}`)
  return json._embedded.languages[0] as { readonly id: string; readonly default: boolean }
}
