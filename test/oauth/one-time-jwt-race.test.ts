/**
 * What counts once: an assertion (row D11), a request object (row C17) and a DPoP proof (row D23), of twenty at the same time, on a second node, and
 * after a restart; on both engines.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { startNode } from '../../src/http/node.ts'
import { served } from '../../src/http/operations.ts'
import { realWorld } from '../../src/world.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, basic, type Call, type Stile, startStile } from '../harness/stile.ts'
import { assertion, byAssertion, clientKey, keySet, registerPkj } from './assertions.ts'
import { authorizeBySignOnPage, codeRequest, expectRefusal, told } from './journeys.ts'
import { proofOf } from './proofs.ts'
import { raceOnBothEngines } from './race.ts'
import { expectStatus, register, web } from './registrations.ts'
import { requestObject } from './request-objects.ts'

const key = clientKey('ES256')
const rounds = 10
const presentations = 20

function together(nodes: readonly Stile[], path: string, call: Call): Promise<Answer[]> {
  const nodeOf = (at: number) => nodes[at % nodes.length] ?? assert.fail()
  return Promise.all(Array.from({ length: presentations }, (_, at) => nodeOf(at).send(path, call)))
}

await raceOnBothEngines('D11, D23: the race for what counts once', (nodes) => {
  const only = (answers: readonly Answer[], refusal: (answer: Answer) => void) => {
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    for (const answer of answers) if (answer.status !== 200) refusal(answer)
  }

  test('D11: one of twenty assertions', async () => {
    const [stile] = nodes() as readonly [Stile]
    const pkj = await registerPkj(stile, key)
    for (let round = 0; round < rounds; round++) {
      const call = byAssertion(await assertion(stile, pkj.clientId, key))
      only(await together(nodes(), `/${stile.environmentId}/as/token`, call), (answer) =>
        expectRefusal(answer, 'invalid_client'),
      )
    }
  })

  test('C17: one of twenty request objects', async () => {
    const [stile] = nodes() as readonly [Stile]
    const app = await register(stile, { ...web, jwks: keySet(key) })
    const browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(app))
    const headers = { cookie: browser.cookie ?? assert.fail() }
    for (let round = 0; round < rounds; round++) {
      const request = await requestObject(stile, app, key, { ...codeRequest(app), jti: randomUUID() })
      const query = new URLSearchParams(codeRequest(app, { request }))
      const answers = await together(nodes(), `/${stile.environmentId}/as/authorize?${query}`, { headers })
      const won = answers.filter((answer) => told(answer).has('code'))
      assert.equal(won.length, 1)
      for (const answer of answers) {
        if (!won.includes(answer)) assert.equal(told(answer).get('error'), 'invalid_request_object')
      }
    }
  })

  test('D23: one of twenty proofs, where tokens are asked for and where they are used', async () => {
    const [stile] = nodes() as readonly [Stile]
    const { clientId, clientSecret } = stile.worker
    for (let round = 0; round < rounds; round++) {
      const answers = await together(nodes(), `/${stile.environmentId}/as/token`, {
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { authorization: basic(clientId, clientSecret), dpop: await proofOf(stile, key) },
      })
      only(answers, (answer) => expectRefusal(answer, 'invalid_dpop_proof'))
      const { access_token: accessToken } = answers.find(({ status }) => status === 200)?.json ?? {}
      const path = `/v1/environments/${stile.environmentId}`
      const dpop = await proofOf(stile, key, { method: 'GET', path, accessToken })
      const used = await together(nodes(), path, { headers: { authorization: `DPoP ${accessToken}`, dpop } })
      only(used, ({ status, headers }) => {
        assert.equal(status, 401)
        assert.match(headers.get('www-authenticate') ?? '', /^DPoP error="invalid_dpop_proof"/)
      })
    }
  })
})

suite('D11: an assertion after a restart', () => {
  test('counts no more', async () => {
    const stile = await startStile()
    try {
      const pkj = await registerPkj(stile, key)
      const jwt = await assertion(stile, pkj.clientId, key)
      const present = (port: number) =>
        stile.send(`http://127.0.0.1:${port}/${stile.environmentId}/as/token`, byAssertion(jwt))
      expectStatus(await present(stile.node.port), 200)
      const { config, masterKeys, passwords } = stile.node.kernel
      await stile.node.close()
      const addresses = { authUrl: stile.authUrl, apiUrl: stile.apiUrl }
      const again = await startNode({ ...config, ...addresses }, realWorld, masterKeys, served, { passwords })
      try {
        expectRefusal(await present(again.port), 'invalid_client')
      } finally {
        await again.close()
      }
    } finally {
      await stile.close()
    }
  })
})
