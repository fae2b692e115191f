/** AGREEMENT in a flow, over HTTP: authentication-api 4.2 `user.consent`, 5.4; platform-api 3.16; row J22, W01. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { type AddedAgreement, addAgreement, addAgreementLanguage, addRevision, enable } from '../platform/agreement.ts'
import { assign, begin, bodyOf, newApplication, newPerson, newPolicy, type Person, rows, stateOf } from './arrange.ts'

suite('agreements', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  /** An application that asks for an agreement after the password. */
  async function arranged(more: object = {}) {
    const agreement = await addAgreement(stile)
    const english = await enable(stile, agreement)
    const client = await newApplication(stile)
    const action = { type: 'AGREEMENT', agreement: { id: agreement.id }, ...more }
    await assign(stile, client, await newPolicy(stile, { type: 'LOGIN' }, action))
    return { agreement, client, ...english, person: await newPerson(stile) }
  }

  async function pass(client: string, person: Person, language = 'en') {
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: client, ui_locales: language })
    const answer = await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    assert.equal(answer.status, 200, answer.text)
    return { browser, flowId, answer }
  }

  const consentOf = (person: Person, { id }: AddedAgreement) =>
    stile.api('GET', `/users/${person.id}/agreementConsents/${id}`)

  test('J22: what it says now is shown, consented to, and recorded; the next sign-on asks nothing', async () => {
    const { agreement, client, languageId, revisionId, person } = await arranged()
    const { browser, flowId, answer } = await pass(client, person)
    assert.equal(answer.json.status, 'AGREEMENT_CONSENT_REQUIRED')
    assert.deepEqual(answer.json._embedded.agreement, {
      id: agreement.id,
      name: agreement.name,
      displayName: 'Terms',
      locale: 'en',
      language: { id: languageId },
      revision: { id: revisionId },
      contentType: 'text/plain',
      declineOption: true,
      userExperience: {},
      text: 'Be kind.',
    })
    assert.equal((await browser.flow(flowId)).json._embedded.agreement.text, 'Be kind.')
    assert.equal((await consentOf(person, agreement)).status, 404)

    const done = await browser.act(flowId, 'user.consent', { accept: true })
    assert.equal(done.json.status, 'COMPLETED', done.text)
    const consent = (await consentOf(person, agreement)).json
    assert.deepEqual([consent.status, consent.language.id, consent.revision.id], ['ACCEPTED', languageId, revisionId])
    const [event] = await rows<{ action: string; document: string }>(stile, 'events', 'subject_id = $2', consent.id)
    assert.equal(event?.action, 'AGREEMENT_CONSENT.ACCEPTED')
    assert.deepEqual(JSON.parse(event.document), {
      userId: person.id,
      agreementId: agreement.id,
      languageId,
      revisionId,
    })

    const again = await pass(client, person)
    assert.equal(again.answer.json.status, 'COMPLETED')
    assert.deepEqual((await stateOf(stile, again.flowId)).trace.map(({ reason }) => reason).slice(-2), [
      'agreement-in-force',
      'policy-satisfied',
    ])
  })

  test('J22: a session does not skip it, and a silent request says that somebody has to be there', async () => {
    const { client, person } = await arranged()
    const plain = await newApplication(stile)
    await assign(
      stile,
      plain,
      await newPolicy(stile, {
        type: 'LOGIN',
        condition: { secondsSince: '${session.lastSignOn.withAuthenticator.pwd.at}', greater: 3600 },
      }),
    )
    const { browser, answer } = await pass(plain, person)
    assert.equal(answer.json.status, 'COMPLETED')
    const silent = await browser.authorize(
      piFlowRequest(stile, pkce().challenge, {
        client_id: client,
        prompt: 'none',
        redirect_uri: 'https://app.example.com/callback',
      }),
    )
    assert.match(silent.text, /LOGIN_REQUIRED/)
  })

  test('declining ends the flow, unless there is no declining', async () => {
    const { agreement, client, person } = await arranged()
    const { browser, flowId } = await pass(client, person)
    const declined = await browser.act(flowId, 'user.consent', { accept: false })
    assert.deepEqual([declined.json.status, declined.json.error.code], ['FAILED', 'AGREEMENT_DECLINED'])
    assert.equal((await browser.resume(flowId)).status, 403)
    assert.equal((await consentOf(person, agreement)).status, 404)

    const firm = await arranged({ disableDeclineOption: true })
    const asked = await pass(firm.client, firm.person)
    assert.equal(asked.answer.json._embedded.agreement.declineOption, false)
    const refused = await asked.browser.act(asked.flowId, 'user.consent', { accept: false })
    assert.deepEqual([refused.status, refused.json.details[0].target], [400, 'accept'])
    for (const body of [{}, { accept: 'true' }, { accept: null }]) {
      assert.equal((await asked.browser.act(asked.flowId, 'user.consent', body)).status, 400)
    }
    assert.equal((await stateOf(stile, asked.flowId)).status, 'AGREEMENT_CONSENT_REQUIRED')
    assert.equal((await asked.browser.act(asked.flowId, 'user.consent', { accept: true })).json.status, 'COMPLETED')
  })

  test('J22: a revision that came into force since it was shown is shown first', async () => {
    const { agreement, client, languageId, person } = await arranged()
    const { browser, flowId } = await pass(client, person)
    const newer = { text: 'Be kinder.', effectiveAt: new Date(Date.now() - 1000).toISOString() }
    const revisionId = await addRevision(stile, agreement.id, languageId, newer)
    const shown = await browser.act(flowId, 'user.consent', { accept: true })
    assert.deepEqual(
      [shown.json.status, shown.json._embedded.agreement.text],
      ['AGREEMENT_CONSENT_REQUIRED', 'Be kinder.'],
    )
    assert.equal((await consentOf(person, agreement)).status, 404)
    assert.equal((await browser.act(flowId, 'user.consent', { accept: true })).json.status, 'COMPLETED')
    assert.equal((await consentOf(person, agreement)).json.revision.id, revisionId)

    await addRevision(stile, agreement.id, languageId, { text: 'Third.', effectiveAt: new Date().toISOString() })
    assert.equal((await pass(client, person)).answer.json._embedded.agreement?.text, 'Third.')
  })

  test('J22: the language is the one that was asked for, and counts for itself', async () => {
    const { agreement, client, languageId, person } = await arranged()
    const german = await addAgreementLanguage(stile, agreement.id, 'de')
    await addRevision(stile, agreement.id, german, { text: 'Sei nett.', requireReconsent: false })
    const { json: languages } = await stile.api('GET', '/languages')
    const { id } = languages._embedded.languages.find(({ locale }: { readonly locale: string }) => locale === 'de')
    const enabled = await stile.api('PUT', `/languages/${id}`, { locale: 'de', enabled: true, default: false })
    assert.equal(enabled.status, 200, enabled.text)

    const asked = await pass(client, person, 'de-AT en')
    assert.equal(asked.answer.json._embedded.agreement.text, 'Sei nett.')
    assert.equal((await pass(client, person, 'fr')).answer.json._embedded.agreement.language.id, languageId)
    await asked.browser.act(asked.flowId, 'user.consent', { accept: true })
    const { language } = (await consentOf(person, agreement)).json
    assert.equal(language.id, german)
    assert.equal((await pass(client, person, 'en')).answer.json.status, 'COMPLETED', 'both were in force then')
    await addRevision(stile, agreement.id, languageId, { effectiveAt: new Date(Date.now() - 1000).toISOString() })
    assert.equal((await pass(client, person, 'de')).answer.json.status, 'COMPLETED')
    assert.equal((await pass(client, person, 'en')).answer.json.status, 'AGREEMENT_CONSENT_REQUIRED')
  })

  test('J22: what was shown is what counts, whatever language the browser asks for by then', async () => {
    const { agreement, client, languageId, person } = await arranged()
    const german = await addAgreementLanguage(stile, agreement.id, 'de')
    await addRevision(stile, agreement.id, german, { text: 'Sei nett.' })
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: client })
    const body = bodyOf('usernamePassword.check', person)
    const shown = await browser.act(flowId, 'usernamePassword.check', body, { 'accept-language': 'de' })
    const { language } = shown.json._embedded.agreement
    const other = language.id === german ? 'en' : 'de'
    const done = await browser.act(flowId, 'user.consent', { accept: true }, { 'accept-language': other })
    assert.equal(done.json.status, 'COMPLETED', done.text)
    assert.ok([german, languageId].includes(language.id))
    assert.equal((await consentOf(person, agreement)).json.language.id, language.id)
  })

  test('whoever has only been named is asked for nothing', async () => {
    const { agreement, person } = await arranged()
    const client = await newApplication(stile)
    await assign(
      stile,
      client,
      await newPolicy(stile, { type: 'IDENTIFIER_FIRST' }, { type: 'AGREEMENT', agreement: { id: agreement.id } }),
    )
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: client })
    const named = await browser.act(flowId, 'user.lookup', { username: person.username })
    assert.equal(named.json.status, 'FAILED')
  })

  test('W01: the page makes its own markup of the text, and a form says yes or no', async () => {
    const { agreement, client, languageId, person } = await arranged()
    const text =
      '<h1>Rules</h1><p>Be <b>kind</b> &amp; fair. <a href="https://books.example/x?a=1&amp;b=2">More</a></p>'
    const effectiveAt = new Date(Date.now() - 1000).toISOString()
    await addRevision(stile, agreement.id, languageId, { contentType: 'text/html', text, effectiveAt })
    const { browser, flowId } = await pass(client, person)
    const address = `/${stile.environmentId}/signon/?flowId=${flowId}`
    const page = await browser.send(address)
    assert.ok(page.text.includes('<h2>Rules</h2><p>Be <b>kind</b> &amp; fair.'), page.text)
    assert.ok(
      page.text.includes('<a href="https://books.example/x?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">'),
    )
    const origin = { origin: stile.authUrl }
    const empty = await browser.send(address, {
      body: new URLSearchParams({ action: 'user.consent' }),
      headers: origin,
    })
    assert.equal(empty.status, 400)
    assert.match(empty.text, /You cannot go on without agreeing/)
    const body = new URLSearchParams({ action: 'user.consent', accept: 'true' })
    assert.equal((await browser.send(address, { body, headers: origin })).status, 303)
    assert.equal((await stateOf(stile, flowId)).status, 'COMPLETED')
  })
})
