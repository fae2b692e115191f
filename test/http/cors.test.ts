/**
 * What a page of another origin can read of refusals for a request's own form: wrong method, too large, wrong media type
 * (decision D12, rows D21, I08). Whose origin may read the rest: `flow-runtime/application-origin.test.ts`.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { watchStorage } from '../flow-runtime/watch-storage.ts'

const origin = 'https://app.example.com:8443'
const tooLarge = 'a'.repeat(65_537)

/** A request and its refusal: method, path under the environment, media type, body, status. */
type Refusal = readonly [method: string, path: string, mediaType: string, body: string | undefined, status: number]

const form = 'application/x-www-form-urlencoded'
const check = 'application/vnd.pingidentity.usernamePassword.check+json'

/** Of endpoints for every origin. */
const forAny: readonly Refusal[] = [
  ['GET', 'as/token', '', undefined, 405],
  ['PUT', 'as/token', form, 'a=b', 405],
  ['POST', 'as/token', form, tooLarge, 413],
  ['POST', 'as/token', 'application/json', '{}', 415],
  ['POST', 'as/token', 'nothing', '{}', 415],
  ['POST', 'as/jwks', form, 'a=b', 405],
  ['POST', 'as/.well-known/openid-configuration', form, 'a=b', 405],
]

/** Of endpoints for the origins of an application. */
const forApplications: readonly Refusal[] = [
  ['PUT', `flows/${randomUUID()}`, check, '{}', 405],
  ['POST', `flows/${randomUUID()}/steps`, check, '{}', 405],
  ['POST', `flows/${randomUUID()}`, check, tooLarge, 413],
  ['POST', `flows/${randomUUID()}`, 'application/json', '{}', 401],
  ['POST', `flows/${randomUUID()}`, 'nothing', '{}', 401],
  ['DELETE', 'as/userinfo', '', undefined, 405],
  ['POST', 'as/userinfo', form, 'a'.repeat(1_048_577), 413],
  ['POST', 'as/userinfo', 'application/json', '{}', 415],
  ['PUT', 'as/authorize', form, 'a=b', 405],
  ['POST', 'as/authorize', form, tooLarge, 413],
  ['POST', 'as/authorize', 'application/json', '{}', 415],
  ['POST', 'as/resume', form, 'a=b', 405],
]

/** Of endpoints for no other origin. */
const forNone: readonly Refusal[] = [
  ['PUT', 'signon/', form, 'a=b', 405],
  ['POST', 'signon/', form, tooLarge, 413],
  ['POST', 'signon/', 'application/json', '{}', 415],
  ['POST', 'as/authorization_challenge', form, tooLarge, 413],
]

suite('refusals for the form of a request, across origins', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  async function refused([method, path, mediaType, body, status]: Refusal, from: string): Promise<Headers> {
    const answer: Answer = await stile.send(`/${stile.environmentId}/${path}`, {
      method,
      headers: { origin: from },
      ...(mediaType === '' ? {} : { mediaType }),
      ...(body === undefined ? {} : { body }),
    })
    assert.equal(answer.status, status, `${method} ${path} ${mediaType}: ${answer.text}`)
    return answer.headers
  }
  const granted = (headers: Headers) => ({
    origin: headers.get('access-control-allow-origin'),
    credentials: headers.get('access-control-allow-credentials'),
    exposed: headers.get('access-control-expose-headers'),
  })
  const nothing = { origin: null, credentials: null, exposed: null }

  test('of tokens, keys and metadata: for every origin, without credentials', async () => {
    for (const refusal of forAny) {
      const expected = {
        origin: '*',
        credentials: null,
        exposed: 'Correlation-Id, DPoP-Nonce, OAuth-Client-Attestation-Challenge, WWW-Authenticate',
      }
      assert.deepEqual(granted(await refused(refusal, origin)), expected, refusal.join(' ').slice(0, 100))
    }
  })

  test('of flows, authorize, resume and userinfo: for the exact origin, with credentials, and storage is not asked', async () => {
    const watch = watchStorage(stile.node.kernel)
    for (const refusal of forApplications) {
      const headers = await refused(refusal, origin)
      const expected = {
        origin,
        credentials: 'true',
        exposed: 'Correlation-Id, DPoP-Nonce, OAuth-Client-Attestation-Challenge, WWW-Authenticate',
      }
      assert.deepEqual(granted(headers), expected, refusal.join(' ').slice(0, 100))
      assert.equal(headers.get('vary'), 'Origin')
    }
    watch.stop()
    assert.deepEqual([watch.reads, watch.commits], [[], []])
  })

  test('D21, I08: what no application can list as an origin reads none of them', async () => {
    for (const from of ['null', '*', 'https://APP.example.com', `${origin}/`, `${origin}, ${origin}`, 'x:y']) {
      for (const refusal of forApplications) {
        const headers = await refused(refusal, from)
        assert.deepEqual(granted(headers), nothing, from)
        assert.equal(headers.get('vary'), 'Origin')
      }
    }
  })

  test('of the hosted pages: for no other origin', async () => {
    for (const refusal of forNone) assert.deepEqual(granted(await refused(refusal, origin)), nothing)
  })
})
