/** The examples of authentication-api 2.15 and 2.16: what a device and a backchannel are answered, and the way between. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { bodyOf, newApplication, newPerson, visitDevicePage } from '../flow-runtime/arrange.ts'
import { Browser } from '../harness/sign-on.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { asDocumented, Journey } from './journey.ts'

suite('golden: device authorization grant and CIBA', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const token = (form: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) =>
    stile.send(`/${stile.environmentId}/as/token`, { body: new URLSearchParams(form), headers })

  test('2.15: codes for the device, 302 to the sign-on page, the flow, and the answers of the token endpoint', async (context) => {
    const client = await newApplication(stile, {
      grantTypes: ['DEVICE_CODE'],
      responseTypes: [],
      redirectUris: [],
      devicePathId: 'go',
    })
    const { json, headers } = await stile.send(`/${stile.environmentId}/as/device_authorization`, {
      body: new URLSearchParams({ client_id: client, scope: 'openid' }),
    })
    assert.equal(headers.get('cache-control'), 'no-store')
    const names = { '00d8…': json.device_code as string, 'BVKV-2GZ2': json.user_code as string }
    assert.deepEqual(asDocumented(stile, json, names), {
      device_code: '00d8…',
      user_code: 'BVKV-2GZ2',
      verification_uri: 'https://auth.pingone.com/{envId}/device/go',
      verification_uri_complete: 'https://auth.pingone.com/{envId}/device/go?user_code=BVKV-2GZ2',
      expires_in: 600,
      interval: 5,
    })

    const browser = new Browser(stile)
    const sent = await browser.send(new URL(json.verification_uri_complete).pathname)
    assert.equal(sent.status, 302)
    const location = asDocumented(stile, sent.headers.get('location'))
    assert.equal(location, 'https://apps.pingone.com/{envId}/signon/?flowId={uuid}')
    const flowId = await visitDevicePage(browser, '/go')
    const person = await newPerson(stile)
    const journey = new Journey(stile, { browser, flowId, person })
    assert.equal((await journey.read()).json.status, 'USERNAME_PASSWORD_REQUIRED')
    const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id: client }
    const poll = async () => (await token({ ...grant, device_code: json.device_code })).json
    assert.equal((await poll()).error, 'authorization_pending')
    assert.equal((await poll()).error, 'slow_down')
    await journey.acts(
      ['usernamePassword.check', bodyOf('usernamePassword.check', person), 'DAG_USER_CODE_REQUIRED'],
      ['deviceAuthGrant.userCode.verify', { userCode: json.user_code }, 'DAG_CONSENT_REQUIRED'],
      ['deviceAuthGrant.consent', { accept: true }, 'COMPLETED'],
    )
    assert.equal((await browser.resume(flowId)).status, 200)
    const tokens = await poll()
    assert.deepEqual(Object.keys(tokens).toSorted(), ['access_token', 'expires_in', 'id_token', 'scope', 'token_type'])
    const consents = (await stile.api('GET', `/users/${person.id}/oauthConsents`)).json._embedded.oauthConsents
    assert.equal(consents.length, 1, 'an accepted consent is recorded among the user’s OAuth scope consents')
    await journey.record(context)
  })

  test('2.16: auth_req_id, expires_in, interval; poll errors', async () => {
    const client = await newApplication(stile, {
      type: 'WEB_APP',
      grantTypes: ['CIBA'],
      responseTypes: [],
      redirectUris: [],
      tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
    })
    const { secret } = (await stile.api('GET', `/applications/${client}/secret`)).json
    const authorization = { authorization: basic(client, secret) }
    const { json } = await stile.send(`/${stile.environmentId}/as/cibaAuthorization`, {
      body: new URLSearchParams({ scope: 'openid', login_hint: (await newPerson(stile)).username }),
      headers: authorization,
    })
    assert.deepEqual(json, { auth_req_id: json.auth_req_id, expires_in: 120, interval: 2 })
    const grant = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: json.auth_req_id as string }
    const answers = [await token(grant, authorization), await token(grant, authorization)]
    assert.deepEqual(
      answers.map(({ status, json: { error } }) => [status, error]),
      [
        [400, 'authorization_pending'],
        [400, 'slow_down'],
      ],
    )
  })
})
