/** What users consented to: platform-api 3.5, 1.13; rows E23, I32, J22, N01, N05. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { rows } from '../flow-runtime/arrange.ts'
import type { Answer, Call } from '../harness/stile.ts'
import { addAgreement, addAgreementLanguage, addRevision, enable } from './agreement.ts'
import { addPopulation, addUser, administrator, giveRoles, onEachEngine, userToken, vendor } from './people.ts'

await onEachEngine('agreement consents', (stile) => {
  const pathOf = (userId: string, agreementId = '') =>
    `/users/${userId}/agreementConsents${agreementId === '' ? '' : `/${agreementId}`}`
  const accept = (userId: string, agreementId: string, languageId: string, revisionId: string, more: object = {}) =>
    stile().api(
      'POST',
      pathOf(userId, agreementId),
      { language: { id: languageId }, revision: { id: revisionId }, ...more },
      vendor('consent.accept'),
    )
  const revoke = (userId: string, agreementId: string, call: Call = {}) =>
    stile().api('POST', pathOf(userId, agreementId), {}, { ...vendor('consent.revoke'), ...call })
  const read = async (userId: string, agreementId: string) =>
    (await stile().api('GET', pathOf(userId, agreementId))).json

  async function arranged() {
    const agreement = await addAgreement(stile())
    return { agreement, ...(await enable(stile(), agreement)), user: await addUser(stile()) }
  }

  test('are recorded, read, listed, revoked, and recorded again', async () => {
    const { agreement, languageId, revisionId, user } = await arranged()
    assert.equal((await stile().api('GET', pathOf(user.id, agreement.id))).status, 404)
    assert.deepEqual((await stile().api('GET', pathOf(user.id))).json._embedded.agreementConsents, [])
    assert.equal((await revoke(user.id, agreement.id)).status, 404)

    const accepted = await accept(user.id, agreement.id, languageId, revisionId)
    assert.equal(accepted.status, 200, accepted.text)
    const { _links, id, consentedAt, ...shown } = accepted.json
    assert.deepEqual(shown, {
      environment: { id: stile().environmentId },
      user: { id: user.id },
      agreement: { id: agreement.id },
      language: { id: languageId },
      revision: { id: revisionId },
      status: 'ACCEPTED',
    })
    assert.ok(Date.now() - Date.parse(consentedAt) < 60_000)
    assert.equal(_links['consent.revoke'].href, _links.self.href)
    assert.deepEqual(await read(user.id, agreement.id), accepted.json)
    assert.deepEqual((await stile().api('GET', pathOf(user.id))).json._embedded.agreementConsents, [accepted.json])

    const revoked = await revoke(user.id, agreement.id)
    assert.deepEqual([revoked.status, revoked.json.status], [200, 'REVOKED'])
    assert.deepEqual((await revoke(user.id, agreement.id)).json, revoked.json, 'once is enough')
    const at = '2026-03-04T05:06:07.000Z'
    const again = await accept(user.id, agreement.id, languageId, revisionId, { consentedAt: at })
    assert.deepEqual([again.json.status, again.json.consentedAt, again.json.id], ['ACCEPTED', at, id])
    assert.equal(again.json.revokedAt, undefined)

    const events = await rows<{ action: string; document: string }>(stile(), 'events', 'subject_id = $2', id)
    assert.deepEqual(
      events.map(({ action }) => action).toSorted(),
      ['ACCEPTED', 'ACCEPTED', 'REVOKED', 'REVOKED'].map((what) => `AGREEMENT_CONSENT.${what}`),
    )
    for (const { document } of events) {
      assert.deepEqual(JSON.parse(document), { userId: user.id, agreementId: agreement.id, languageId, revisionId })
    }
  })

  test('expire by the period of the agreement', async () => {
    const { agreement, languageId, revisionId, user } = await arranged()
    const period = { name: agreement.name, enabled: true, reconsentPeriodDays: 10 }
    await stile().api('PUT', `/agreements/${agreement.id}`, period)
    const before = (days: number) => ({ consentedAt: new Date(Date.now() - days * 86_400_000).toISOString() })
    const fresh = (await accept(user.id, agreement.id, languageId, revisionId, before(9))).json
    assert.equal(fresh.status, 'ACCEPTED')
    assert.equal(Date.parse(fresh.expiresAt) - Date.parse(fresh.consentedAt), 10 * 86_400_000)
    assert.equal((await accept(user.id, agreement.id, languageId, revisionId, before(11))).json.status, 'EXPIRED')
  })

  test('J22: expire by a later revision that asks for it anew, and with a revision that is deleted', async () => {
    const { agreement, languageId, revisionId, user } = await arranged()
    await accept(user.id, agreement.id, languageId, revisionId)
    const minutesAgo = (minutes: number) => ({ effectiveAt: new Date(Date.now() - minutes * 60_000).toISOString() })
    await addRevision(stile(), agreement.id, languageId, { ...minutesAgo(3), requireReconsent: false })
    assert.equal((await read(user.id, agreement.id)).status, 'ACCEPTED')
    await addRevision(stile(), agreement.id, languageId, minutesAgo(-3))
    const ending = await read(user.id, agreement.id)
    assert.deepEqual([ending.status, typeof ending.expiresAt], ['ACCEPTED', 'string'])
    const strict = await addRevision(stile(), agreement.id, languageId, minutesAgo(2))
    assert.equal((await read(user.id, agreement.id)).status, 'EXPIRED')
    assert.equal((await accept(user.id, agreement.id, languageId, strict)).json.status, 'ACCEPTED')
    const path = `/agreements/${agreement.id}/languages/${languageId}/revisions/${strict}`
    assert.equal((await stile().api('DELETE', path)).status, 204)
    assert.equal((await read(user.id, agreement.id)).status, 'EXPIRED')
  })

  test('J22: to what is not in force, not of the agreement, or in the future are refused', async () => {
    const { agreement, languageId, revisionId, user } = await arranged()
    const other = await addAgreement(stile())
    const elsewhere = await enable(stile(), other)
    const german = await addAgreementLanguage(stile(), agreement.id, 'de')
    const later = await addRevision(stile(), agreement.id, languageId, { effectiveAt: '2096-01-01T00:00:00Z' })
    const tomorrow = { consentedAt: new Date(Date.now() + 86_400_000).toISOString() }
    for (const [answer, target] of [
      [await accept(user.id, agreement.id, elsewhere.languageId, elsewhere.revisionId), 'language.id'],
      [await accept(user.id, agreement.id, languageId, elsewhere.revisionId), 'revision.id'],
      [await accept(user.id, agreement.id, german, revisionId), 'revision.id'],
      [await accept(user.id, agreement.id, languageId, later), 'revision.id'],
      [await accept(user.id, agreement.id, languageId, revisionId, tomorrow), 'consentedAt'],
      [await accept(user.id, agreement.id, languageId, revisionId, { consentedAt: 'now' }), 'consentedAt'],
      [await accept(user.id, agreement.id, languageId, revisionId, { revision: null }), 'revision'],
    ] as const) {
      assert.deepEqual([answer.status, answer.json.details[0].target], [400, target], answer.text)
    }
    assert.equal((await accept(user.id, randomUUID(), languageId, revisionId)).status, 404)
    assert.equal((await accept(randomUUID(), agreement.id, languageId, revisionId)).status, 404)
    assert.equal((await stile().api('POST', pathOf(user.id, agreement.id), {})).status, 415)
    assert.deepEqual(await rows(stile(), 'agreement_consents', 'user_id = $2', user.id), [])
  })

  test('I32: of many at once there is one', async () => {
    const { agreement, languageId, revisionId, user } = await arranged()
    const answers: Answer[] = await Promise.all(
      Array.from({ length: 20 }, () => accept(user.id, agreement.id, languageId, revisionId)),
    )
    assert.ok(answers.every(({ status }) => status === 200))
    assert.equal(new Set(answers.map(({ json }) => json.id)).size, 1)
    assert.equal((await rows(stile(), 'agreement_consents', 'user_id = $2', user.id)).length, 1)
  })

  test('E23: go with the user, and with the agreement', async () => {
    const { agreement, languageId, revisionId, user } = await arranged()
    const other = await addUser(stile())
    for (const { id } of [user, other]) await accept(id, agreement.id, languageId, revisionId)
    assert.equal((await stile().api('DELETE', `/users/${user.id}`)).status, 204)
    assert.deepEqual(await rows(stile(), 'agreement_consents', 'user_id = $2', user.id), [])
    assert.equal((await accept(user.id, agreement.id, languageId, revisionId)).status, 404)
    assert.equal((await read(other.id, agreement.id)).status, 'ACCEPTED', 'nobody else is touched')
    assert.equal((await stile().api('DELETE', `/agreements/${agreement.id}`)).status, 204)
    for (const table of ['agreement_consents', 'agreement_revisions', 'agreement_languages']) {
      assert.deepEqual(await rows(stile(), table, 'agreement_id = $2', agreement.id), [], table)
    }
    assert.deepEqual((await stile().api('GET', pathOf(other.id))).json._embedded.agreementConsents, [])
  })

  test('E23: none is left of a user who is deleted while they consent', async () => {
    const { agreement, languageId, revisionId } = await arranged()
    for (let times = 0; times < 5; times++) {
      const { id } = await addUser(stile())
      const accepting = () => accept(id, agreement.id, languageId, revisionId)
      const deletion = stile().api('DELETE', `/users/${id}`)
      const answers = await Promise.all([accepting(), accepting(), deletion, accepting(), accepting()])
      assert.ok(answers.every(({ status }) => [200, 204, 404].includes(status)))
      assert.deepEqual(await rows(stile(), 'agreement_consents', 'user_id = $2', id), [])
    }
  })

  test('N01: are read by their user through a scope, and by nobody else’s; users write none', async () => {
    const { agreement, languageId, revisionId, user } = await arranged()
    const other = await addUser(stile())
    await accept(user.id, agreement.id, languageId, revisionId)
    const token = await userToken(stile(), user.id, 'p1:read:userConsent')
    for (const path of [pathOf(user.id), pathOf(user.id, agreement.id)]) {
      assert.equal((await stile().api('GET', path, undefined, { token })).status, 200)
      const unscoped = await userToken(stile(), user.id, 'p1:read:user')
      assert.equal((await stile().api('GET', path, undefined, { token: unscoped })).status, 403)
      const foreign = await userToken(stile(), other.id, 'p1:read:userConsent')
      assert.ok([403, 404].includes((await stile().api('GET', path, undefined, { token: foreign })).status))
    }
    assert.equal((await revoke(user.id, agreement.id, { token })).status, 403)
    assert.equal((await read(user.id, agreement.id)).status, 'ACCEPTED')
  })

  test('N05: reach as far as the role, and not to who holds roles the actor could not give', async () => {
    const { agreement, languageId, revisionId, user } = await arranged()
    await accept(user.id, agreement.id, languageId, revisionId)
    const population = await addPopulation(stile())
    const elsewhere = await administrator(stile(), { role: 'Identity Data Admin', type: 'POPULATION', id: population })
    assert.equal((await stile().api('GET', pathOf(user.id), undefined, { token: elsewhere })).status, 404)
    assert.equal((await revoke(user.id, agreement.id, { token: elsewhere })).status, 404)

    const here = { type: 'POPULATION', id: user.population.id } as const
    const reader = await administrator(stile(), { role: 'Identity Data Read Only', ...here })
    assert.equal((await stile().api('GET', pathOf(user.id), undefined, { token: reader })).status, 200)
    assert.equal((await revoke(user.id, agreement.id, { token: reader })).status, 403)
    const admin = await administrator(stile(), { role: 'Identity Data Admin', ...here })
    await giveRoles(stile(), `/users/${user.id}`, [
      { role: 'Environment Admin', type: 'ENVIRONMENT', id: stile().environmentId },
    ])
    assert.equal((await revoke(user.id, agreement.id, { token: admin })).status, 403)
    assert.equal((await read(user.id, agreement.id)).status, 'ACCEPTED')
  })
})
