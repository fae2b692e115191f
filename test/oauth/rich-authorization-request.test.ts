/** Rich authorization requests, from the declaration of a type to the token: RFC 9396 sections 2-9; rows C12, J22, W01. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { Browser } from '../harness/sign-on.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import {
  codeOf,
  codeRequest,
  expectRefusal,
  flowOf,
  push,
  pushed,
  redeemCode,
  refreshTokens,
  submitSignOnPage,
  told,
} from './journeys.ts'
import {
  customResource,
  expectStatus,
  grant,
  type Person,
  person,
  type Registered,
  register,
  spa,
  web,
  wrk,
} from './registrations.ts'

const payment = {
  type: 'payment_initiation',
  description: 'Pay somebody',
  members: [
    {
      name: 'instructedAmount',
      label: 'Amount',
      kind: 'OBJECT',
      required: true,
      members: [
        { name: 'currency', kind: 'STRING', required: true },
        { name: 'amount', kind: 'STRING', required: true },
      ],
    },
    { name: 'creditorName', label: 'To', kind: 'STRING', required: true },
  ],
}
const account = { type: 'account_information', description: 'See your accounts' }
const pay = {
  type: 'payment_initiation',
  instructedAmount: { currency: 'EUR', amount: '123.50' },
  creditorName: '<b>Merchant</b> & Co',
}

suite('rich authorization requests', () => {
  let stile: Stile
  let bank: Registered
  let who: Person
  let browser: Browser
  before(async () => {
    stile = await startStile()
    const settings = { signingAlgorithm: 'ES256', authorizationDetailsTypes: [payment, account] }
    expectStatus(await stile.api('PUT', '/settings', settings), 200)
    bank = await register(stile, {
      ...web,
      requireConsent: true,
      authorizationDetailsTypes: ['payment_initiation', 'account_information'],
    })
    who = await person(stile)
    browser = new Browser(stile)
    await granted(codeRequest(bank, { scope: 'openid' }), who)
  })
  after(() => stile.close())

  const asking = (details: unknown, more: Readonly<Record<string, string>> = {}) =>
    codeRequest(bank, { scope: 'openid', authorization_details: JSON.stringify(details), ...more })
  const page = (flowId: string) => `/${stile.environmentId}/signon/?flowId=${flowId}`

  /** The page that asks, and the flow behind it. */
  async function asked(request: Readonly<Record<string, string>>, signsOn?: Person) {
    const flowId = flowOf(await browser.authorize(request))
    if (signsOn) assert.equal((await submitSignOnPage(browser, flowId, signsOn)).status, 303)
    return { flowId, shown: await browser.send(page(flowId)) }
  }

  async function granted(request: Readonly<Record<string, string>>, signsOn?: Person): Promise<string> {
    const { flowId } = await asked(request, signsOn)
    const body = new URLSearchParams({ action: 'oauth.consent', accept: 'true' })
    const headers = { origin: stile.authUrl, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }
    assert.equal((await browser.send(page(flowId), { body, headers })).status, 303)
    return codeOf(await browser.resume(flowId))
  }

  test('the page shows each of them whole, and what is theirs cannot be taken for markup', async () => {
    const { flowId, shown } = await asked(asking([pay, { type: 'account_information' }]))
    for (const text of ['Pay somebody', 'Amount: amount', '123.50', 'EUR', 'See your accounts', 'recognise you']) {
      assert.ok(shown.text.includes(text), text)
    }
    assert.ok(shown.text.includes('&lt;b&gt;Merchant&lt;/b&gt; &amp; Co'))
    assert.ok(!shown.text.includes('<b>Merchant'))
    const { _embedded, status } = expectStatus(await browser.flow(flowId), 200)
    assert.equal(status, 'CONSENT_REQUIRED')
    assert.deepEqual(_embedded.authorizationDetails, [
      {
        description: 'Pay somebody',
        lines: [
          { label: 'Amount: currency', value: 'EUR' },
          { label: 'Amount: amount', value: '123.50' },
          { label: 'To', value: '<b>Merchant</b> & Co' },
        ],
      },
      { description: 'See your accounts', lines: [] },
    ])
  })

  test('7, 9.1: the token response tells what was granted, and the access token says it', async () => {
    const tokens = expectStatus(await redeemCode(stile, bank, await granted(asking([pay]))), 200)
    assert.deepEqual(tokens.authorization_details, [pay])
    assert.deepEqual(decodeJwt(tokens.access_token)['authorization_details'], [pay])
    assert.equal('authorization_details' in decodeJwt(tokens.id_token), false)
    const plain = expectStatus(
      await redeemCode(stile, bank, codeOf(await browser.authorize(codeRequest(bank, { scope: 'openid' })))),
      200,
    )
    assert.equal('authorization_details' in plain, false)
    assert.equal('authorization_details' in decodeJwt(plain.access_token), false)
  })

  test('9.1: details that say where they count are in no token for another resource; the grant keeps them', async () => {
    const located = {
      type: 'ledger',
      description: 'Read a ledger',
      members: [{ name: 'locations', kind: 'STRINGS', required: true }],
    }
    const settings = { signingAlgorithm: 'ES256', authorizationDetailsTypes: [payment, account, located] }
    expectStatus(await stile.api('PUT', '/settings', settings), 200)
    const [first, second] = ['https://first.test', 'https://second.test/api']
    const client = await register(stile, {
      ...web,
      grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'],
      requireConsent: true,
      requestScopesForMultipleResourcesEnabled: true,
      authorizationDetailsTypes: ['ledger', 'account_information'],
    })
    for (const audience of [first, second]) {
      const name = new URL(audience).hostname
      const resource = await customResource(stile, { name, audience }, [`${name}:read`])
      await grant(stile, client.clientId, resource.id, [resource.scope(`${name}:read`)])
    }
    const everywhere = { type: 'account_information' }
    const [ofFirst, ofSecond, ofBoth] = [[first], [`${second}/books`], [first, second]].map((locations) => ({
      type: 'ledger',
      locations,
    }))
    const details = [everywhere, ofFirst, ofSecond, ofBoth]
    const query = new URLSearchParams(codeRequest(client, { scope: 'openid first.test:read second.test:read' }))
    query.set('authorization_details', JSON.stringify(details))
    for (const audience of [first, second]) query.append('resource', audience)
    const flowId = flowOf(await browser.send(`/${stile.environmentId}/as/authorize?${query}`))
    const body = new URLSearchParams({ action: 'oauth.consent', accept: 'true' })
    const headers = { origin: stile.authUrl, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }
    assert.equal((await browser.send(page(flowId), { body, headers })).status, 303)
    const code = codeOf(await browser.resume(flowId))
    const told = (tokens: { readonly access_token: string; readonly authorization_details: unknown }) => {
      assert.deepEqual(decodeJwt(tokens.access_token)['authorization_details'], tokens.authorization_details)
      return tokens.authorization_details
    }
    const tokens = expectStatus(await redeemCode(stile, client, code, { resource: first }), 200)
    assert.deepEqual(told(tokens), [everywhere, ofFirst, ofBoth])
    const next = expectStatus(await refreshTokens(stile, client, tokens.refresh_token, { resource: second }), 200)
    assert.deepEqual(told(next), [everywhere, ofSecond, ofBoth])
    const only = { resource: second, authorization_details: JSON.stringify([ofFirst]) }
    const none = expectStatus(await refreshTokens(stile, client, next.refresh_token, only), 200)
    assert.equal(told(none), undefined)
    expectStatus(
      await stile.api('PUT', '/settings', { ...settings, authorizationDetailsTypes: [payment, account] }),
      200,
    )
  })

  test('it is asked for each time, whatever was granted before; silently it cannot be had', async () => {
    for (let time = 0; time < 2; time++) await granted(asking([pay]))
    assert.equal(told(await browser.authorize(asking([pay], { prompt: 'none' }))).get('error'), 'consent_required')
    codeOf(await browser.authorize(codeRequest(bank, { scope: 'openid' })))
  })

  test('6.1: a token may be for some of them; what is not of the grant is refused and does not use the code up', async () => {
    const code = await granted(asking([pay, { type: 'account_information' }]))
    const more = { ...pay, instructedAmount: { currency: 'EUR', amount: '9999.00' } }
    for (const details of [[more], [{ type: 'payment_initiation' }], [], 'x']) {
      const authorization_details = JSON.stringify(details)
      expectRefusal(await redeemCode(stile, bank, code, { authorization_details }), 'invalid_authorization_details')
    }
    const authorization_details = JSON.stringify([{ type: 'account_information' }])
    const tokens = expectStatus(await redeemCode(stile, bank, code, { authorization_details }), 200)
    assert.deepEqual(decodeJwt(tokens.access_token)['authorization_details'], [{ type: 'account_information' }])
  })

  test('6.2: a refreshed token says it too, or less; the grant keeps the whole', async () => {
    const client = await register(stile, {
      ...web,
      grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'],
      requireConsent: true,
      authorizationDetailsTypes: ['payment_initiation', 'account_information'],
    })
    const details = [pay, { type: 'account_information' }]
    const code = await granted(codeRequest(client, { authorization_details: JSON.stringify(details) }))
    let { refresh_token: refreshToken } = expectStatus(await redeemCode(stile, client, code), 200)
    const refresh = async (more: Readonly<Record<string, string>>) => {
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, ...more })
      const headers = { authorization: basic(client.clientId, client.clientSecret) }
      const answer = await stile.send(`/${stile.environmentId}/as/token`, { body, headers })
      refreshToken = answer.json.refresh_token ?? refreshToken
      return answer
    }
    const authorization_details = JSON.stringify([{ type: 'account_information' }])
    const less = expectStatus(await refresh({ authorization_details }), 200)
    assert.deepEqual(decodeJwt(less.access_token)['authorization_details'], [{ type: 'account_information' }])
    const more = JSON.stringify([{ ...pay, creditorName: 'Somebody else' }])
    expectRefusal(await refresh({ authorization_details: more }), 'invalid_authorization_details')
    const whole = expectStatus(await refresh({}), 200)
    assert.deepEqual(whole.authorization_details, details)
    assert.deepEqual(decodeJwt(whole.access_token)['authorization_details'], details)
  })

  test('5: what is unknown, not allowed or not as declared is refused; pushed, at once', async () => {
    const modest = await register(stile, {
      ...web,
      requireConsent: true,
      authorizationDetailsTypes: ['account_information'],
    })
    const without = await register(stile)
    const table: readonly (readonly [Registered, unknown])[] = [
      [bank, [{ type: 'other' }]],
      [bank, [{ ...pay, creditorName: undefined }]],
      [bank, [{ ...pay, more: 'x' }]],
      [bank, []],
      [bank, {}],
      [modest, [pay]],
      [without, [{ type: 'account_information' }]],
    ]
    for (const [client, details] of table) {
      const request = codeRequest(client, { authorization_details: JSON.stringify(details) })
      const refused = 'invalid_authorization_details'
      assert.equal(told(await browser.authorize(request)).get('error'), refused, JSON.stringify(details))
      expectRefusal(await push(stile, client, request), refused)
    }
  })

  test('C12: pushed, none can be added on the way', async () => {
    const slim = await pushed(stile, bank, asking([{ type: 'account_information' }]))
    const code = await granted({ ...slim, authorization_details: JSON.stringify([pay]) })
    const tokens = expectStatus(await redeemCode(stile, bank, code), 200)
    assert.deepEqual(tokens.authorization_details, [{ type: 'account_information' }])
  })

  test('only a code brings them, and only a user grants them', async () => {
    const singlePage = await register(stile, {
      ...spa,
      pkceEnforcement: 'OPTIONAL',
      requireConsent: true,
      authorizationDetailsTypes: ['account_information'],
    })
    for (const response_type of ['token', 'code token']) {
      const more = { response_type, authorization_details: '[{"type":"account_information"}]' }
      assert.equal(told(await browser.authorize(codeRequest(singlePage, more))).get('error'), 'invalid_request')
    }
    const worker = await register(stile, wrk, [])
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      authorization_details: '[{"type":"account_information"}]',
    })
    const headers = { authorization: basic(worker.clientId, worker.clientSecret) }
    expectRefusal(
      await stile.send(`/${stile.environmentId}/as/token`, { body, headers }),
      'invalid_authorization_details',
    )
  })

  test('an application may ask for them only where its users are asked', async () => {
    const body = { ...web, name: 'Unseen', authorizationDetailsTypes: ['account_information'] }
    const refused = expectStatus(await stile.api('POST', '/applications', body), 400)
    assert.equal(refused.details[0].target, 'authorizationDetailsTypes')
    const { authorizationDetailsTypes } = expectStatus(await stile.api('GET', `/applications/${bank.clientId}`), 200)
    assert.deepEqual(authorizationDetailsTypes, ['payment_initiation', 'account_information'])
  })

  test('a type is declared once', async () => {
    const body = { signingAlgorithm: 'ES256', authorizationDetailsTypes: [account, account] }
    const refused = expectStatus(await stile.api('PUT', '/settings', body), 400)
    assert.equal(refused.details[0].target, 'authorizationDetailsTypes')
  })

  test('10: the metadata names the types', async () => {
    const metadata = expectStatus(await stile.send(`/${stile.environmentId}/as/.well-known/openid-configuration`), 200)
    assert.deepEqual(metadata.authorization_details_types_supported, ['payment_initiation', 'account_information'])
  })

  test('a type that is no longer declared is not granted any more', async () => {
    const slim = await pushed(stile, bank, asking([pay]))
    expectStatus(
      await stile.api('PUT', '/settings', { signingAlgorithm: 'ES256', authorizationDetailsTypes: [account] }),
      200,
    )
    assert.equal(told(await browser.authorize(slim)).get('error'), 'invalid_authorization_details')
  })
})
