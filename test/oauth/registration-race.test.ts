/** H06, H10: what may happen so many times happens no more often, whoever comes at once; on both engines, and two nodes. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Stile } from '../harness/stile.ts'
import { raceOnBothEngines } from './race.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import { startDocumentServer } from '../harness/document-server.ts'
import { codeRequest, flowOf } from './journeys.ts'
import { policy, registered, registering, webClient } from './registering.ts'
import { expectStatus } from './registrations.ts'

const atOnce = 20
const unlimited = { perNetworkAddress: { count: 100_000, seconds: 60 } }

await raceOnBothEngines('the race to register', (nodes) => {
  let stile: Stile
  before(() => {
    stile = nodes()[0] ?? assert.fail()
  })

  const others = () => Array.from({ length: atOnce }, (_, at) => nodes()[at % nodes().length] ?? stile)
  const count = (statuses: readonly number[], wanted: number) => statuses.filter((each) => each === wanted).length

  /** Every node has the policy, once it asks for a token. */
  async function everywhere(members: object): Promise<void> {
    await policy(stile, { ...unlimited, ...members })
    const wanted = members as { mode: string; maximumClients?: number }
    for (const node of nodes()) {
      for (;;) {
        const { status } = await registering(node, 'null')
        if (status === (wanted.mode === 'OPEN' ? 400 : 401)) break
      }
    }
  }

  test('an initial access token lets in as many as it says', async () => {
    await everywhere({ mode: 'INITIAL_ACCESS_TOKEN' })
    const { token } = expectStatus(await stile.api('POST', '/initialAccessTokens', { maximumUses: 3 }), 201)
    const answers = await Promise.all(others().map((node) => registering(node, webClient, { token })))
    const statuses = answers.map(({ status }) => status)
    assert.deepEqual([count(statuses, 201), count(statuses, 401)], [3, atOnce - 3])
  })

  test('there are never more clients than the policy allows', async () => {
    await everywhere({ mode: 'INITIAL_ACCESS_TOKEN', maximumClients: 5 })
    await everywhere({ mode: 'OPEN', maximumClients: 5 })
    const answers = await Promise.all(others().map((node) => registering(node, webClient)))
    const statuses = answers.map(({ status }) => status)
    assert.deepEqual([count(statuses, 201), count(statuses, 429)], [2, atOnce - 2])
    await policy(stile, { mode: 'OPEN', ...unlimited })
  })

  test('whoever comes first with a metadata document, there is one application of it', async () => {
    await everywhere({ mode: 'INITIAL_ACCESS_TOKEN', clientIdMetadataDocuments: { enabled: true } })
    const server = await startDocumentServer()
    try {
      for (let round = 0; round < 3; round++) {
        const path = `/${round}.json`
        const clientId = `${server.base}${path}`
        const redirectUri = `${server.base}/cb`
        server.documents.set(path, { body: { client_id: clientId, client_name: 'x', redirect_uris: [redirectUri] } })
        const challenge = { code_challenge: pkce().challenge, code_challenge_method: 'S256', scope: 'openid' }
        const request = codeRequest({ clientId, clientSecret: '', redirectUri }, challenge)
        const answers = await Promise.all(others().map((node) => new Browser(node).authorize(request)))
        for (const answer of answers) flowOf(answer)
        assert.ok(server.hits(path) <= nodes().length)
        const text = 'SELECT application_id FROM dynamic_clients WHERE environment_id = $1 AND client_uri = $2'
        const values = [stile.environmentId, clientId]
        const rows = await stile.node.kernel.storage.read<{ application_id: string }>({ text, values })
        assert.equal(rows.length, 1)
      }
    } finally {
      server.close()
    }
    await policy(stile, { mode: 'OPEN', ...unlimited })
    await everywhere({ mode: 'OPEN' })
  })

  test('of changes by one registration access token one is taken', async () => {
    const { client_id, registration_access_token: token } = await registered(stile)
    const path = `/${stile.environmentId}/as/register/${client_id}`
    const answers = await Promise.all(
      others().map((node, at) =>
        node.send(path, { method: 'PUT', token, body: { ...webClient, client_id, client_name: `Books ${at}` } }),
      ),
    )
    const taken = answers.filter(({ status }) => status === 200)
    assert.deepEqual([taken.length, answers.filter(({ status }) => status === 401).length], [1, atOnce - 1])
    const next = taken[0]?.json.registration_access_token
    // Another node may have taken it, which this one is told by the feed.
    await stile.node.kernel.environments.poll()
    assert.equal(expectStatus(await stile.send(path, { token: next }), 200).client_name, taken[0]?.json.client_name)
  })
})
