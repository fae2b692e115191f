/**
 * Addresses that a client that registers itself makes this server ask: rows G01, G02, G05, G06, G09, G15, H15.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { type DocumentServer, startDocumentServer } from '../harness/document-server.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { expectMetadataError, policy, registering, webClient } from './registering.ts'
import { expectStatus } from './registrations.ts'

const open = { mode: 'OPEN', perNetworkAddress: { count: 100_000, seconds: 60 } }

suite('addresses of a client, where only public ones may be asked', () => {
  let stile: Stile
  let sink: Server
  let port: number
  let connections = 0
  before(async () => {
    stile = await startStile({ asksPublicOnly: true })
    sink = createServer((socket) => socket.on('error', () => {}).destroy(void connections++))
    sink.listen(0, '127.0.0.1')
    await once(sink, 'listening')
    port = (sink.address() as AddressInfo).port
    await policy(stile, open)
  })
  after(async () => {
    sink.close()
    await stile.close()
  })

  const members: readonly (readonly [string, (uri: string) => unknown])[] = [
    ...['jwks_uri', 'logo_uri', 'sector_identifier_uri', 'backchannel_logout_uri'].map(
      (name) => [name, (uri: string) => uri] as const,
    ),
    ['request_uris', (uri) => ['https://books.test/r', uri]],
  ]

  test('G01, G02: none that is not public is taken, in whatever form, and nobody is asked', async () => {
    const hosts = `127.0.0.1 [::1] 0.0.0.0 169.254.169.254 [fd00:ec2::254] 10.0.0.1 172.16.0.1 192.168.0.1 100.64.0.1 [fe80::1]
      [::ffff:127.0.0.1] [64:ff9b::7f00:1] localhost localhost. 2130706433 0x7f.1 127.1 127.0.0.1. 0177.0.0.1`
    for (const host of hosts.split(/\s+/)) {
      for (const [member, value] of members) {
        const answer = await registering(stile, { ...webClient, [member]: value(`https://${host}:${port}/`) })
        expectMetadataError(answer, 'invalid_client_metadata', member)
      }
    }
    assert.equal(connections, 0)
  })

  test('G05, G06, G15: no other scheme, no port of another service, nothing that splits a request', async () => {
    const bad = `http://books.test/ file:///etc/passwd gopher://books.test/ ftp://books.test/ data:,x dict://books.test/
      https://books.test:22/ https://books.test:25/ https://books.test:5432/ https://books.test:6379/ https://books.test:11211/
      https://u:p@books.test/ https://books.test/%0d%0aHost:x https://books.test/%00`.split(/\s+/)
    for (const uri of [...bad, 'https://books.test/a b', 'https://books.test/\r\nHost: x']) {
      for (const [member, value] of members) {
        const answer = await registering(stile, { ...webClient, [member]: value(uri) })
        expectMetadataError(answer, 'invalid_client_metadata', member)
      }
    }
    assert.equal(connections, 0)
  })

  test('G01: nor are they as the keys of an issuer of software statements', async () => {
    const issuer = { issuer: 'https://issuer.test', jwksUrl: `https://127.0.0.1:${port}/` }
    const body = { ...open, softwareStatements: { trustedIssuers: [issuer] } }
    const refused = expectStatus(await stile.api('PUT', '/clientRegistrationPolicy', body), 400)
    assert.equal(refused.details[0].target, 'softwareStatements.trustedIssuers.0.jwksUrl')
  })
})

suite('what a client publishes', () => {
  let stile: Stile
  let server: DocumentServer
  before(async () => {
    server = await startDocumentServer()
    stile = await startStile()
    await policy(stile, open)
  })
  after(async () => {
    await stile.close()
    server.close()
  })

  const uris = ['https://books.test/cb', 'https://books.example/cb']
  const client = (path: string) => ({
    ...webClient,
    redirect_uris: uris,
    sector_identifier_uri: `${server.base}${path}`,
  })

  test('H15, G09: a document of a sector that does not list every redirect URI is refused, the same for every reason', async () => {
    const bad: readonly (Parameters<DocumentServer['documents']['set']>[1] | undefined)[] = [
      { body: [uris[0]] },
      { body: [] },
      { body: [...uris, 1] },
      { body: [...uris, null] },
      { body: { 0: uris[0], 1: uris[1] } },
      { body: uris[0] },
      { body: '<html></html>', headers: { 'content-type': 'text/html' } },
      { status: 404, body: uris },
      { status: 302, headers: { location: `${server.base}/sector.json` } },
      undefined,
    ]
    const told = new Set<string>()
    for (const [at, document] of bad.entries()) {
      if (document) server.documents.set(`/bad/${at}`, document)
      const answer = await registering(stile, client(`/bad/${at}`))
      expectMetadataError(answer, 'invalid_client_metadata', 'sector_identifier_uri')
      told.add(answer.json.error_description.replace(/ \(Correlation.*/, ''))
    }
    assert.equal(told.size, 1)
    // What is refused unread may say so.
    const plain = await registering(stile, { ...client('/'), sector_identifier_uri: 'http://127.0.0.1:1/' })
    expectMetadataError(plain, 'invalid_client_metadata', 'sector_identifier_uri: must be an https address')
  })
})
