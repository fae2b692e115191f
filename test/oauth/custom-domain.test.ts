/**
 * The custom domain of an environment: platform-api 3.17, authentication-api 1.3; rows C08, G18, N02, N25, O12. The environment's
 * id is in no path under it, and it is the issuer of whatever is issued there.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'node:tls'
import { decodeJwt } from 'jose'
import { authority } from '../harness/client-certificates.ts'
import { rows } from '../flow-runtime/arrange.ts'
import { serverCertificate } from '../external/certificate.ts'
import { type ProviderServer, startProviderServer } from '../harness/provider-server.ts'
import { Browser, redeem, signOn } from '../harness/sign-on.ts'
import { customDomainOf } from '../../src/storage/sql/custom-domains.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { clientKey } from './assertions.ts'
import { newDevice } from './device-journeys.ts'
import { registerForSignOff, signedOn } from './endpoints/signed-on.ts'
import { codeRequest, isLive, refreshTokens, sendForm } from './journeys.ts'
import { proofOf } from './proofs.ts'
import { expectStatus, otherEnvironment, person, register, web } from './registrations.ts'

const aliases = new Map<string, readonly string[]>()
const dns = { texts: async () => [], aliases: async (name: string) => aliases.get(name) ?? [] }
const verify = { mediaType: 'application/vnd.pingidentity.domainName.verify+json' }
const importing = { mediaType: 'application/vnd.pingidentity.certificate.import+json' }

/** The same node as whoever knows the environment by its custom domain sees it. */
function under(stile: Stile, name: string): Stile {
  const { port } = new URL(stile.authUrl)
  const host = `${name}:${port}`
  return {
    ...stile,
    authUrl: `http://${host}`,
    issuer: `http://${host}/as`,
    send(path, call = {}) {
      const { pathname, search } = new URL(path, stile.authUrl)
      const target = pathname.replace(`/${stile.environmentId}/`, '/') + search
      return stile.send(target, { ...call, headers: { host, ...call.headers } })
    },
  }
}

/** Gives an environment a custom domain that is active. */
async function withDomain(stile: Stile, name: string): Promise<Stile> {
  const { id } = expectStatus(await stile.api('POST', '/customDomains', { domainName: name }), 201)
  aliases.set(name, ['localhost'])
  const verified = await stile.api('POST', `/customDomains/${id}`, undefined, verify)
  assert.equal(expectStatus(verified, 200).status, 'ACTIVE')
  return under(stile, name)
}

suite('a custom domain', () => {
  let stile: Stile
  let custom: Stile
  let receiver: ProviderServer
  before(async () => {
    stile = await startStile({ dns })
    receiver = await startProviderServer()
    receiver.status = 200
    custom = await withDomain(stile, 'login.example.test')
  })
  after(async () => {
    await stile.close()
    await receiver.close()
  })

  test('is verified by the DNS, is one of an environment, and is gone when it is deleted', async () => {
    const other = await otherEnvironment(stile)
    const created = await other.api('POST', '/customDomains', { domainName: 'Auth.Other.test' })
    const domain = expectStatus(created, 201)
    const path = new URL(domain._links.self.href).pathname
    assert.equal(created.headers.get('location'), domain._links.self.href)
    assert.deepEqual(
      [domain.domainName, domain.canonicalName, domain.status, domain.certificate],
      ['auth.other.test', 'localhost', 'VERIFICATION_REQUIRED', undefined],
    )
    const list = expectStatus(await other.api('GET', '/customDomains'), 200)
    assert.deepEqual(list._embedded.customDomains, [domain])
    const second = await other.api('POST', '/customDomains', { domainName: 'second.test' })
    assert.equal(expectStatus(second, 400).code, 'REQUEST_FAILED')
    const early = await other.api('POST', path, { certificate: 'x', privateKey: 'x' }, importing)
    assert.equal(expectStatus(early, 400).code, 'REQUEST_FAILED')
    const there = under(other, 'auth.other.test')
    for (const seen of [[], ['elsewhere.test']]) {
      aliases.set('auth.other.test', seen)
      assert.equal(expectStatus(await other.api('POST', path, undefined, verify), 400).code, 'REQUEST_FAILED')
      assert.equal((await there.send('/as/jwks')).status, 404)
    }
    aliases.set('auth.other.test', ['localhost'])
    const active = expectStatus(await other.api('POST', path, undefined, verify), 200)
    assert.equal(active.status, 'ACTIVE')
    assert.deepEqual(expectStatus(await other.api('GET', path), 200), active)
    assert.equal(expectStatus(await there.send('/as/.well-known/openid-configuration'), 200).issuer, there.issuer)
    assert.equal((await stile.api('GET', path.replace(other.environmentId, stile.environmentId))).status, 404)
    assert.equal((await other.api('DELETE', path)).status, 204)
    assert.equal((await there.send('/as/jwks')).status, 404)
    assert.equal((await other.api('GET', path)).status, 404)
  })

  test('of twenty at once one gets a domain; of twenty that verify it none undoes what has come since', async () => {
    const other = await otherEnvironment(stile)
    const twenty = <T>(make: (at: number) => Promise<T>) => Promise.all(Array.from({ length: 20 }, (_, at) => make(at)))
    const made = await twenty((at) => other.api('POST', '/customDomains', { domainName: `race-${at % 2}.test` }))
    const created = made.filter(({ status }) => status === 201)
    assert.deepEqual([created.length, made.filter(({ status }) => status === 400).length], [1, 19])
    const { id, domainName } = created[0]?.json ?? assert.fail()
    aliases.set(domainName, ['localhost'])
    const verified = await twenty(() => other.api('POST', `/customDomains/${id}`, undefined, verify))
    for (const answer of verified) assert.equal(expectStatus(answer, 200).status, 'ACTIVE')
    const named = { environmentId: other.environmentId }
    const events = await rows<{ action: string }>({ ...stile, ...named }, 'events', 'action LIKE $2', 'CUSTOM_DOMAIN.%')
    assert.deepEqual(
      events.map(({ action }) => action),
      ['CUSTOM_DOMAIN.CREATED', 'CUSTOM_DOMAIN.UPDATED'],
    )
  })

  test('names that are taken, or of the installation, or none', async () => {
    const other = await otherEnvironment(stile)
    const taken = await other.api('POST', '/customDomains', { domainName: 'LOGIN.example.test' })
    assert.equal(expectStatus(taken, 400).details[0].code, 'UNIQUENESS_VIOLATION')
    for (const domainName of ['127.0.0.1', 'localhost', 'a b.test', 'https://x.test', 'x.test:443', '*.x.test', '']) {
      expectStatus(await other.api('POST', '/customDomains', { domainName }), 400)
    }
  })

  test('every address of the metadata is under it, without the environment', async () => {
    const paths = [
      '/as/.well-known/openid-configuration',
      '/.well-known/openid-configuration/as',
      '/.well-known/oauth-authorization-server/as',
    ]
    for (const path of paths) {
      const metadata = expectStatus(await custom.send(path), 200)
      assert.equal(metadata.issuer, custom.issuer, path)
      const addresses = Object.entries(metadata).filter(([name]) => /(_endpoint|_uri|_iframe)$/.test(name))
      assert.ok(addresses.length > 10)
      for (const [name, address] of addresses) assert.ok(String(address).startsWith(`${custom.issuer}/`), name)
      assert.ok(!JSON.stringify(metadata).includes(stile.environmentId))
    }
    expectStatus(await custom.send('/as/jwks'), 200)
  })

  test('somebody signs on under it by the flows API; cookie, links and tokens are of it', async () => {
    const browser = new Browser(custom)
    const { code, verifier } = await signOn(browser)
    const tokens = expectStatus(await redeem(custom, code, verifier), 200)
    for (const token of [tokens.access_token, tokens.id_token]) assert.equal(decodeJwt(token).iss, custom.issuer)
    const info = await custom.send('/as/userinfo', { token: tokens.access_token })
    assert.equal(expectStatus(info, 200).sub, decodeJwt(tokens.id_token).sub)
    const app = await register(stile, { ...web, loginPageUrl: 'https://app.test/sign-on' }, ['profile'])
    const own = await new Browser(custom).authorize(codeRequest(app))
    assert.match(own.headers.get('location') ?? '', /^https:\/\/app\.test\/sign-on\?flowId=[\w-]{36}$/)
    const hosted = await register(stile, web, ['profile'])
    const begun = await new Browser(custom).authorize(codeRequest(hosted))
    const location = begun.headers.get('location') ?? ''
    assert.ok(location.startsWith(`${custom.authUrl}/signon/?flowId=`), location)
    const [cookie = ''] = begun.headers.getSetCookie()
    assert.match(cookie, /^ST=[\w-]{36}; Path=\/; /)
    const page = await custom.send(location, { headers: { cookie: cookie.split(';')[0] ?? '', accept: 'text/html' } })
    assert.equal(page.status, 200)
  })

  test('tokens of both names are of the same environment; a session of one is none of the other', async () => {
    const app = await registerForSignOff(stile, { grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] })
    const here = await signedOn(stile, app)
    const there = await signedOn(custom, app)
    assert.equal(decodeJwt(here.idToken).iss, stile.issuer)
    assert.equal(decodeJwt(there.idToken).iss, custom.issuer)
    for (const token of [here.accessToken, there.accessToken]) {
      assert.ok(await isLive(stile, token))
      assert.ok(await isLive(custom, token))
    }
    const renewed = expectStatus(await refreshTokens(custom, app, here.refreshToken), 200)
    assert.equal(decodeJwt(renewed.access_token).iss, custom.issuer)
    const hint = { prompt: 'none', id_token_hint: here.idToken, scope: 'openid' }
    const silent = await there.browser.authorize(codeRequest(app, hint))
    assert.ok(new URL(silent.headers.get('location') ?? '').searchParams.get('code'), silent.text)
    // The management API takes tokens of either; it is itself under the name of the installation alone.
    const worker = await sendForm(custom, 'token', stile.worker, { grant_type: 'client_credentials' })
    const token = expectStatus(worker, 200).access_token
    assert.equal(decodeJwt(token).iss, custom.issuer)
    assert.equal((await stile.send('/v1/environments', { token })).status, 200)
    assert.equal((await custom.send('/v1/environments', { token })).status, 404)
  })

  test('N02: nothing of another environment is under it; its own id may be written', async () => {
    const { port } = new URL(stile.authUrl)
    const headers = { host: `login.example.test:${port}` }
    const other = await otherEnvironment(stile)
    assert.equal((await stile.send(`/${other.environmentId}/as/jwks`, { headers })).status, 404)
    const own = `/${stile.environmentId}/as/.well-known/openid-configuration`
    assert.equal(expectStatus(await stile.send(own, { headers }), 200).issuer, custom.issuer)
    for (const path of ['/', '//', '/as', `/${stile.environmentId}`, '/..', '/%2e%2e/v1/environments', '/as/../v1']) {
      assert.equal((await stile.send(path, { headers })).status, 404, path)
    }
  })

  test('C08, G18: a name that is no active domain changes nothing', async () => {
    const own = new URL(stile.discoveryUrl).pathname
    for (const host of [
      'evil.test',
      'login.example.test.evil.test',
      'x.login.example.test',
      'login.example.test@evil',
    ]) {
      for (const headers of [{ host }, { 'x-forwarded-host': host }, { forwarded: `host=${host}` }]) {
        const answer = await stile.send(own, { headers: headers as unknown as Record<string, string> })
        if (answer.status !== 400) assert.equal(expectStatus(answer, 200).issuer, stile.issuer)
      }
    }
    const forwarded = { 'x-forwarded-host': 'login.example.test', forwarded: 'host=login.example.test' }
    assert.equal(expectStatus(await stile.send(own, { headers: forwarded }), 200).issuer, stile.issuer)
  })

  test('DPoP proofs name the address under it', async () => {
    const key = clientKey('ES256', 'dpop')
    const at = (origin: Stile, path: string) => proofOf(origin, key, { path })
    const { clientId, clientSecret } = stile.worker
    const authorization = basic(clientId, clientSecret)
    const send = (dpop: string) =>
      custom.send('/as/token', {
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { authorization, dpop },
      })
    assert.equal(expectStatus(await send(await at(custom, '/as/token')), 200).token_type, 'DPoP')
    const foreign = await send(await at(stile, `/${stile.environmentId}/as/token`))
    assert.equal(expectStatus(foreign, 400).error, 'invalid_dpop_proof')
  })

  test('devices send their users to it', async () => {
    const properties = { grantTypes: ['DEVICE_CODE'], devicePathId: 'tv-of-domain' }
    const app = await register(stile, { ...web, ...properties, responseTypes: [], redirectUris: [] }, ['profile'])
    const device = await newDevice(custom, app)
    assert.equal(device.verification_uri, `${custom.authUrl}/device/tv-of-domain`)
    const begun = await custom.send(device.verification_uri, { headers: { accept: 'text/html' } })
    assert.ok(begun.headers.get('location')?.startsWith(`${custom.authUrl}/signon/?flowId=`), begun.text)
  })

  test('applications are told of a logout by the issuer that they know', async () => {
    for (const [at, name] of [
      [stile, 'installation'],
      [custom, 'domain'],
    ] as const) {
      const path = `/logout/${name}`
      const app = await registerForSignOff(stile, { backchannelLogoutUri: receiver.url + path })
      const { userId, sessionId } = await signedOn(at, app)
      const gone = await stile.api('DELETE', `/users/${userId}/sessions/${sessionId}`)
      assert.equal(gone.status, 204)
      const arrived = () => receiver.received.find(({ target }) => target === path)
      for (let waited = 0; waited < 10_000 && !arrived(); waited += 10) {
        stile.node.kernel.wakeOutbox()
        await pause(10)
      }
      const { iss, sid } = decodeJwt(arrived()?.form['logout_token'] ?? '')
      assert.deepEqual([iss, sid], [at.issuer, sessionId])
    }
  })

  test('a session that a user ends everywhere is told by its own issuer too', async () => {
    const path = '/logout/everywhere'
    const app = await registerForSignOff(stile, { backchannelLogoutUri: receiver.url + path })
    const who = await person(stile)
    await signedOn(custom, app, who)
    expectStatus(await stile.api('PUT', `/users/${who.id}/enabled`, { enabled: false }), 200)
    const arrived = () => receiver.received.find(({ target }) => target === path)
    for (let waited = 0; waited < 10_000 && !arrived(); waited += 10) {
      stile.node.kernel.wakeOutbox()
      await pause(10)
    }
    assert.equal(decodeJwt(arrived()?.form['logout_token'] ?? '').iss, custom.issuer)
  })

  test('certificates: what does not fit is refused, and no private key comes back (N25)', async () => {
    const { id } = expectStatus(await stile.api('GET', '/customDomains'), 200)._embedded.customDomains[0]
    const send = (body: object) => stile.api('POST', `/customDomains/${id}`, body, importing)
    const good = await serverCertificate({ host: 'login.example.test' })
    const late = await serverCertificate({ host: 'login.example.test', expired: true })
    const foreign = await serverCertificate({ host: 'evil.test' })
    const root = await authority('Root')
    const refused: readonly (readonly [object, string])[] = [
      [{ certificate: 'x', privateKey: good.key }, 'certificate'],
      [{ certificate: good.cert + late.cert, privateKey: good.key }, 'certificate'],
      [{ certificate: late.cert, privateKey: late.key }, 'certificate'],
      [{ certificate: foreign.cert, privateKey: foreign.key }, 'certificate'],
      [{ certificate: good.cert, privateKey: foreign.key }, 'privateKey'],
      [{ certificate: good.cert, privateKey: 'x' }, 'privateKey'],
      [
        { certificate: good.cert, privateKey: good.key, intermediateCertificates: String(root.certificate) },
        'intermediateCertificates',
      ],
      [{ certificate: good.cert, privateKey: good.key, intermediateCertificates: 'x' }, 'intermediateCertificates'],
    ]
    for (const [body, target] of refused) {
      const answer = expectStatus(await send(body), 400)
      assert.deepEqual([answer.code, answer.details[0].target], ['INVALID_DATA', target])
    }
    const taken = await send({ certificate: good.cert, privateKey: good.key, intermediateCertificates: '' })
    assert.equal(expectStatus(taken, 200).status, 'ACTIVE')
    assert.ok(Date.parse(taken.json.certificate.expiresAt) > Date.now())
    const read = await stile.api('GET', `/customDomains/${id}`)
    assert.deepEqual(read.json, taken.json)
    assert.doesNotMatch(read.text, /PRIVATE|BEGIN/)
  })
})

suite('a custom domain of a server that ends TLS itself', () => {
  const name = 'login.example.test'
  let directory: string
  let stile: Stile
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stile-domain-'))
    const own = await serverCertificate({ host: 'auth.example.test' })
    const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
    await writeFile(files.cert, own.cert)
    await writeFile(files.key, own.key)
    const environment = {
      STILE_PUBLIC_URL: 'https://auth.example.test',
      STILE_TLS_CERT: files.cert,
      STILE_TLS_KEY: files.key,
    }
    stile = await startStile({ dns, environment })
    aliases.set(name, ['auth.example.test'])
  })
  after(async () => {
    await stile.close()
    await rm(directory, { recursive: true })
  })

  /** A call without the network. */
  async function call(method: 'POST' | 'GET', path: string, headers: Record<string, string>, payload = '') {
    const answer = await stile.node.app.inject({ method, url: path, headers, payload })
    return { status: answer.statusCode, json: answer.json() }
  }

  /** The certificate that a client which says a name is shown: the name in it, and its hash. */
  async function shown(servername: string): Promise<readonly [name: string, fingerprint: string]> {
    const socket = connect({ host: '127.0.0.1', port: stile.node.port, servername, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { subject, fingerprint256 } = socket.getPeerCertificate()
    socket.destroy()
    return [String(subject.CN), fingerprint256]
  }

  test('O12: a connection is never one of HTTP/2, whoever offers it', async () => {
    for (const ALPNProtocols of [['h2', 'http/1.1'], ['h2'], []]) {
      const socket = connect({ host: '127.0.0.1', port: stile.node.port, ALPNProtocols, rejectUnauthorized: false })
      const isOpen = await new Promise((resolve) => {
        socket.once('secureConnect', () => resolve(true)).once('error', () => resolve(false))
      })
      // Whoever speaks nothing else is refused before it begins.
      assert.equal(isOpen, ALPNProtocols.length !== 1)
      assert.notEqual(socket.alpnProtocol, 'h2')
      if (isOpen) {
        // The first bytes of HTTP/2 are a request of HTTP/1.1 that is none (RFC 9113 section 3.4).
        socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
        const [answer] = (await once(socket, 'data')) as [Buffer]
        assert.match(answer.toString(), /^HTTP\/1\.1 400 /)
      }
      socket.destroy()
    }
  })

  test('waits for its certificate, shows it to whoever says its name, and the next one once that is there', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const authorization = basic(stile.worker.clientId, stile.worker.clientSecret)
    const token = await call(
      'POST',
      `/${stile.environmentId}/as/token`,
      { ...form, authorization },
      'grant_type=client_credentials',
    )
    const bearer = { authorization: `Bearer ${token.json.access_token}` }
    const path = `/v1/environments/${stile.environmentId}/customDomains`
    const json = { ...bearer, 'content-type': 'application/json' }
    const { json: domain } = await call('POST', path, json, JSON.stringify({ domainName: name }))
    const self = `${path}/${domain.id}`
    const jwks = () => call('GET', '/as/jwks', { host: name })
    const verified = await call('POST', self, { ...bearer, 'content-type': verify.mediaType })
    assert.equal(verified.json.status, 'SSL_CERTIFICATE_REQUIRED')
    assert.equal((await jwks()).status, 404)
    assert.equal((await shown(name))[0], 'auth.example.test')
    const send = async () => {
      const { cert, key } = await serverCertificate({ host: name })
      const body = JSON.stringify({ certificate: cert, privateKey: key })
      const answer = await call('POST', self, { ...bearer, 'content-type': importing.mediaType }, body)
      assert.equal(answer.json.status, 'ACTIVE', JSON.stringify(answer.json))
    }
    await send()
    const first = await shown(name)
    assert.equal(first[0], name)
    assert.equal((await shown('auth.example.test'))[0], 'auth.example.test')
    assert.equal((await jwks()).status, 200)
    const { json: metadata } = await call('GET', '/as/.well-known/openid-configuration', { host: name })
    assert.equal(metadata.issuer, `https://${name}/as`)
    await send()
    const next = await shown(name)
    assert.equal(next[0], name)
    assert.notEqual(next[1], first[1])
    const [row] = await stile.node.kernel.storage.read(customDomainOf(stile.environmentId))
    assert.ok(row?.sealed_private_key)
    assert.doesNotMatch(row.sealed_private_key, /PRIVATE/)
  })
})
