/**
 * Mutual TLS: RFC 8705. Clients that are known by their certificate, tokens that are bound to one, and whom a certificate
 * is believed from; rows D02, D22, D24.
 */
import assert from 'node:assert/strict'
import { hash, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { readConfig } from '../../src/config.ts'
import { startNode } from '../../src/http/node.ts'
import { openMtlsPort } from '../../src/http/mtls.ts'
import { served } from '../../src/http/operations.ts'
import { realWorld } from '../../src/world.ts'
import { serverCertificate } from '../external/certificate.ts'
import { authority, certificate, type Held } from '../harness/client-certificates.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, basic, type Stile, startStile } from '../harness/stile.ts'
import { authorizeBySignOnPage, codeRequest, expectRefusal, told } from './journeys.ts'
import { change, expectStatus, otherEnvironment, type Registered, register, spa, wrk } from './registrations.ts'

const root = await authority('Root')
const between = await authority('Between', { issuer: root })
const subjectDn = 'CN=client,O=Example,C=DE'
const client = await certificate({ issuer: root })
const other = await certificate({ issuer: root, subject: [{ C: ['DE'] }, { CN: ['other'] }] })

/** As nginx sends it in `$ssl_client_escaped_cert`. */
const escaped = ({ cert }: Held): string => encodeURIComponent(cert)
/** As RFC 9440 writes it. */
const byteSequence = ({ certificate: { raw } }: Held): string => `:${raw.toString('base64')}:`
const thumbprintOf = ({ certificate: { raw } }: Held): string => hash('sha256', raw, 'base64url')
const jwksOf = ({ certificate: { raw }, publicKey }: Held): string =>
  JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), x5c: [raw.toString('base64')] }] })

suite('mutual TLS', () => {
  let stile: Stile
  let byCertificate: Registered
  let bound: Registered
  before(async () => {
    const authorities = { STILE_CLIENT_CERTIFICATE_AUTHORITIES: root.cert }
    const proxies = { STILE_TRUSTED_PROXIES: '127.0.0.1', STILE_CLIENT_CERTIFICATE_HEADER: 'Client-Cert' }
    stile = await startStile({ environment: { ...authorities, ...proxies } })
    byCertificate = await register(stile, {
      ...wrk,
      tokenEndpointAuthMethod: 'TLS_CLIENT_AUTH',
      tlsClientAuthSubjectDn: subjectDn,
    })
    bound = await register(stile, { ...wrk, tlsClientCertificateBoundAccessTokens: true }, [])
  })
  after(() => stile.close())

  const form = (clientId: string) => new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId })
  const present = (
    { clientId }: Registered,
    headers: Readonly<Record<string, string>> = {},
    from: Stile = stile,
  ): Promise<Answer> => from.send(`/${from.environmentId}/as/token`, { body: form(clientId), headers })

  test('tls_client_auth: behind a proxy, in either form', async () => {
    expectStatus(await present(byCertificate, { 'client-cert': byteSequence(client) }), 200)
    expectStatus(await present(byCertificate, { 'client-cert': escaped(client) }), 200)
  })

  test('tls_client_auth: with what is between sent along (RFC 9440)', async () => {
    const leaf = await certificate({ issuer: between })
    expectRefusal(await present(byCertificate, { 'client-cert': byteSequence(leaf) }), 'invalid_client')
    const chain = `${byteSequence(between)}, ${byteSequence(root)}`
    const headers = { 'client-cert': byteSequence(leaf), 'client-cert-chain': chain }
    expectStatus(await present(byCertificate, headers), 200)
  })

  test('D02: nothing, another name, nobody of ours, or another method', async () => {
    const wrong: Readonly<Record<string, Held>> = {
      'another name': other,
      'self-signed': await certificate(),
      'of another authority': await certificate({ issuer: await authority('Root') }),
      expired: await certificate({ issuer: root, notAfter: Date.now() - 1000 }),
    }
    expectRefusal(await present(byCertificate), 'invalid_client')
    for (const held of Object.values(wrong)) {
      expectRefusal(await present(byCertificate, { 'client-cert': byteSequence(held) }), 'invalid_client')
    }
    const authorization = basic(byCertificate.clientId, byCertificate.clientSecret)
    const withBoth = await stile.send(`/${stile.environmentId}/as/token`, {
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      headers: { authorization, 'client-cert': byteSequence(client) },
    })
    expectRefusal(withBoth, 'invalid_client')
    const byBasic = await register(stile, wrk, [])
    const answer = await present(byBasic, { 'client-cert': byteSequence(client) })
    expectRefusal(answer, 'invalid_client')
    assert.match(answer.json.error_description, /Unsupported authentication method/)
  })

  test('D22: a header that is malformed or came twice is no certificate', async () => {
    const whole = byteSequence(client)
    for (const header of [
      '',
      'x',
      '::',
      whole.slice(0, -1),
      whole.slice(1),
      `${whole.slice(0, 40)}!${whole.slice(40)}`,
      `${whole}, ${whole}`,
      `${byteSequence(other)}, ${whole}`,
      `${escaped(client)},${escaped(client)}`,
      `${escaped(client)}%0A, ${escaped(other)}%0A`,
      '%',
      '%E0%A4%A',
      escaped(client).slice(0, 300),
    ]) {
      expectRefusal(await present(byCertificate, { 'client-cert': header }), 'invalid_client')
    }
  })

  test('D22: a header by another name, or of a peer that is no proxy, is ignored', async () => {
    for (const name of [
      'x-client-cert',
      'x-ssl-client-cert',
      'x-forwarded-client-cert',
      'x-forwarded-tls-client-cert',
      'ssl-client-cert',
      'client-certificate',
    ]) {
      for (const value of [byteSequence(client), escaped(client)]) {
        expectRefusal(await present(byCertificate, { [name]: value }), 'invalid_client')
      }
    }
    const settings = { STILE_CLIENT_CERTIFICATE_HEADER: 'Client-Cert', STILE_TRUSTED_PROXIES: '192.0.2.1' }
    const direct = await startStile({
      environment: { ...settings, STILE_CLIENT_CERTIFICATE_AUTHORITIES: root.cert },
    })
    try {
      const properties = { ...wrk, tokenEndpointAuthMethod: 'TLS_CLIENT_AUTH', tlsClientAuthSubjectDn: subjectDn }
      const known = await register(direct, properties, [])
      for (const value of [byteSequence(client), escaped(client)]) {
        const headers = { 'client-cert': value, 'x-forwarded-for': '192.0.2.1' }
        expectRefusal(await present(known, headers, direct), 'invalid_client')
      }
    } finally {
      await direct.close()
    }
  })

  test('names beside the subject', async () => {
    const named = await certificate({
      issuer: root,
      names: [
        { type: 'dns', value: 'Client.example.com' },
        { type: 'url', value: 'https://client.example.com/a' },
        { type: 'ip', value: '2001:db8::1' },
        { type: 'email', value: 'client@example.com' },
      ],
    })
    const members: readonly (readonly [string, string, string])[] = [
      ['tlsClientAuthSanDns', 'client.example.com', 'example.com'],
      ['tlsClientAuthSanUri', 'https://client.example.com/a', 'https://client.example.com/'],
      ['tlsClientAuthSanIp', '2001:0db8:0:0::1', '2001:db8::2'],
      ['tlsClientAuthSanEmail', 'client@example.com', 'other@example.com'],
      ['tlsClientAuthSubjectDn', subjectDn, 'O=Example,C=DE'],
    ]
    for (const [member, right, wrong] of members) {
      const registered = await register(
        stile,
        { ...wrk, tokenEndpointAuthMethod: 'TLS_CLIENT_AUTH', [member]: right },
        [],
      )
      const headers = { 'client-cert': byteSequence(named) }
      expectStatus(await present(registered, headers), 200)
      if (member !== 'tlsClientAuthSubjectDn') {
        expectRefusal(await present(registered, { 'client-cert': byteSequence(client) }), 'invalid_client')
      }
      await change(stile, registered.clientId, { [member]: wrong })
      expectRefusal(await present(registered, headers), 'invalid_client')
    }
  })

  test('self_signed_tls_client_auth: one of the certificates that are registered', async () => {
    const own = await certificate()
    const registered = await register(
      stile,
      { ...wrk, tokenEndpointAuthMethod: 'SELF_SIGNED_TLS_CLIENT_AUTH', jwks: jwksOf(own) },
      [],
    )
    expectStatus(await present(registered, { 'client-cert': byteSequence(own) }), 200)
    for (const held of [await certificate(), client]) {
      expectRefusal(await present(registered, { 'client-cert': byteSequence(held) }), 'invalid_client')
    }
    expectRefusal(await present(registered), 'invalid_client')
    const expired = await certificate({ notAfter: Date.now() - 1000 })
    await change(stile, registered.clientId, { jwks: jwksOf(expired) })
    expectRefusal(await present(registered, { 'client-cert': byteSequence(expired) }), 'invalid_client')
    await change(stile, registered.clientId, {
      jwks: JSON.stringify({ keys: [own.publicKey.export({ format: 'jwk' })] }),
    })
    expectRefusal(await present(registered, { 'client-cert': byteSequence(own) }), 'invalid_client')
  })

  test('an environment may name authorities of its own, in the place of those of the installation', async () => {
    const foreign = await otherEnvironment(stile)
    const own = await authority('Own')
    const settings = expectStatus(await foreign.api('GET', '/settings'), 200)
    const put = (clientCertificateAuthorities: string) =>
      foreign.api('PUT', '/settings', { ...settings, clientCertificateAuthorities })
    expectStatus(await put('x'), 400)
    expectStatus(await put(client.cert), 400)
    const properties = { ...wrk, tokenEndpointAuthMethod: 'TLS_CLIENT_AUTH', tlsClientAuthSubjectDn: subjectDn }
    const registered = await register(foreign, properties, [])
    expectStatus(await present(registered, { 'client-cert': byteSequence(client) }, foreign), 200)
    expectStatus(await put(own.cert), 200)
    expectRefusal(await present(registered, { 'client-cert': byteSequence(client) }, foreign), 'invalid_client')
    const issued = await certificate({ issuer: own })
    expectStatus(await present(registered, { 'client-cert': byteSequence(issued) }, foreign), 200)
    expectRefusal(await present(byCertificate, { 'client-cert': byteSequence(issued) }), 'invalid_client')
  })

  test('registration: exactly one name, that is one', async () => {
    const refused = async (properties: object, target: string) => {
      const body = { ...wrk, name: randomUUID(), tokenEndpointAuthMethod: 'TLS_CLIENT_AUTH', ...properties }
      const { status, json } = await stile.api('POST', '/applications', body)
      assert.deepEqual([status, json.details?.[0]?.target], [400, target], JSON.stringify(properties))
    }
    await refused({}, 'tlsClientAuthSubjectDn')
    await refused({ tlsClientAuthSubjectDn: subjectDn, tlsClientAuthSanDns: 'a.test' }, 'tlsClientAuthSanDns')
    await refused({ tlsClientAuthSubjectDn: '/C=DE/CN=x' }, 'tlsClientAuthSubjectDn')
    await refused({ tlsClientAuthSanDns: 'a test' }, 'tlsClientAuthSanDns')
    await refused({ tlsClientAuthSanUri: 'a' }, 'tlsClientAuthSanUri')
    await refused({ tlsClientAuthSanIp: 'localhost' }, 'tlsClientAuthSanIp')
    await refused({ tlsClientAuthSanEmail: 'x' }, 'tlsClientAuthSanEmail')
    await refused(
      { tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC', tlsClientAuthSanDns: 'a.test' },
      'tlsClientAuthSanDns',
    )
    await refused({ tokenEndpointAuthMethod: 'SELF_SIGNED_TLS_CLIENT_AUTH' }, 'jwks')
  })

  suite('tokens that are bound to a certificate', () => {
    const ask = ({ clientId, clientSecret }: Registered, headers: Readonly<Record<string, string>> = {}) =>
      stile.send(`/${stile.environmentId}/as/token`, {
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { authorization: basic(clientId, clientSecret), ...headers },
      })

    test('are given for a certificate, whoever issued it, and for nothing else', async () => {
      expectRefusal(await ask(bound), 'invalid_request')
      const own = await certificate()
      const { access_token, token_type } = expectStatus(await ask(bound, { 'client-cert': byteSequence(own) }), 200)
      assert.equal(token_type, 'Bearer')
      assert.deepEqual(decodeJwt(access_token)['cnf'], { 'x5t#S256': thumbprintOf(own) })
      const plain = expectStatus(await ask(await register(stile, wrk, []), { 'client-cert': byteSequence(own) }), 200)
      assert.equal(decodeJwt(plain.access_token)['cnf'], undefined)
    })

    test('count at the management API with this certificate alone', async () => {
      const { access_token: token } = expectStatus(await ask(bound, { 'client-cert': byteSequence(client) }), 200)
      const path = `/v1/environments/${stile.environmentId}`
      const use = (headers: Readonly<Record<string, string>> = {}) => stile.send(path, { token, headers })
      assert.equal((await use({ 'client-cert': byteSequence(client) })).status, 403, 'known, without roles')
      assert.equal((await use()).status, 401)
      assert.equal((await use({ 'client-cert': byteSequence(other) })).status, 401)
    })

    test('D24: none from the front channel; those of a user count at userinfo with this certificate alone', async () => {
      const app = await register(stile, {
        ...spa,
        tlsClientCertificateBoundAccessTokens: true,
        pkceEnforcement: 'OPTIONAL',
        redirectUris: ['https://spa.test/cb'],
      })
      const browser = new Browser(stile)
      const answer = await authorizeBySignOnPage(browser, codeRequest(app))
      const code = told(answer).get('code') ?? assert.fail('no code')
      const implicit = told(await browser.authorize(codeRequest(app, { response_type: 'token' })))
      assert.equal(implicit.get('error'), 'unauthorized_client')
      const body = new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri: app.redirectUri,
        client_id: app.clientId,
      })
      const redeem = (headers: Readonly<Record<string, string>>) =>
        stile.send(`/${stile.environmentId}/as/token`, { body, headers })
      expectRefusal(await redeem({}), 'invalid_request')
      const { access_token: token } = expectStatus(await redeem({ 'client-cert': escaped(client) }), 200)
      const userinfo = (headers: Readonly<Record<string, string>>) =>
        stile.send(`/${stile.environmentId}/as/userinfo`, { token, headers })
      expectStatus(await userinfo({ 'client-cert': byteSequence(client) }), 200)
      assert.equal((await userinfo({})).status, 401)
      assert.equal((await userinfo({ 'client-cert': byteSequence(other) })).status, 401)
    })
  })

  test('the metadata promises what the installation has', async () => {
    const metadataOf = async (one: Stile) =>
      expectStatus(await one.send(`/${one.environmentId}/as/.well-known/openid-configuration`), 200)
    const behindProxy = await metadataOf(stile)
    assert.ok(behindProxy.token_endpoint_auth_methods_supported.includes('tls_client_auth'))
    assert.deepEqual(
      [behindProxy.tls_client_certificate_bound_access_tokens, behindProxy.mtls_endpoint_aliases],
      [true, undefined],
    )
    const elsewhere = await startStile({ environment: { STILE_MTLS_URL: 'https://mtls.example.com' } })
    try {
      const { mtls_endpoint_aliases: aliases, ...own } = await metadataOf(elsewhere)
      const base = `https://mtls.example.com/${elsewhere.environmentId}/as`
      assert.equal(own.token_endpoint, `${elsewhere.issuer}/token`)
      assert.equal(own.issuer, elsewhere.issuer)
      assert.deepEqual(
        [aliases.token_endpoint, aliases.userinfo_endpoint, aliases.pushed_authorization_request_endpoint],
        [`${base}/token`, `${base}/userinfo`, `${base}/par`],
      )
      assert.equal(aliases.authorization_endpoint, undefined)
    } finally {
      await elsewhere.close()
    }
  })
})

/** A request over TLS, with a certificate or without. */
async function overTls(
  port: number,
  path: string,
  held: Held | undefined,
  options: {
    readonly body?: string
    readonly chain?: readonly Held[]
    readonly authorization?: string
    /** Sessions that may be resumed; new ones are added. */
    readonly sessions?: Buffer[]
  } = {},
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const { body, chain = [], authorization, sessions = [] } = options
  const [session] = sessions
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: string }>()
  const sent = request(
    {
      host: '127.0.0.1',
      port,
      path,
      method: body === undefined ? 'GET' : 'POST',
      rejectUnauthorized: false,
      agent: false,
      ...(session ? { session } : {}),
      ...(held ? { key: held.key, cert: [held, ...chain].map(({ cert }) => cert).join('\n') } : {}),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(authorization === undefined ? {} : { authorization }),
      },
    },
    (response) => {
      text(response).then((received) => resolve({ status: response.statusCode, body: received }), reject)
    },
  )
  sent.on('socket', (socket) => socket.on('session', (begun: Buffer) => sessions.push(begun)))
  sent.on('error', reject).end(body)
  return promise
}

suite('the port for certificates', () => {
  let directory: string
  let files: { readonly cert: string; readonly key: string }
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stile-mtls-'))
    const made = await serverCertificate({ host: '127.0.0.1' })
    files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
    await writeFile(files.cert, made.cert)
    await writeFile(files.key, made.key)
  })
  after(() => rm(directory, { recursive: true, force: true }))

  test('serves what the main port serves, and hands on the certificate of the connection', async () => {
    const settings = { STILE_CLIENT_CERTIFICATE_AUTHORITIES: root.cert, STILE_MTLS_URL: 'https://mtls.example.com' }
    const stile = await startStile({ environment: settings })
    const opened = await openMtlsPort(stile.node.app, { tls: files, host: '127.0.0.1' }, 0)
    try {
      const properties = { ...wrk, tokenEndpointAuthMethod: 'TLS_CLIENT_AUTH', tlsClientAuthSubjectDn: subjectDn }
      const known = await register(stile, { ...properties, tlsClientCertificateBoundAccessTokens: true }, [])
      const path = `/${stile.environmentId}/as/token`
      const body = `grant_type=client_credentials&client_id=${known.clientId}`
      const answer = await overTls(opened.port, path, client, { body })
      assert.equal(answer.status, 200, answer.body)
      const { access_token } = JSON.parse(answer.body) as { readonly access_token: string }
      assert.deepEqual(decodeJwt(access_token)['cnf'], { 'x5t#S256': thumbprintOf(client) })

      assert.equal((await overTls(opened.port, path, undefined, { body })).status, 401)
      assert.equal((await overTls(opened.port, path, other, { body })).status, 401)
      const leaf = await certificate({ issuer: between })
      assert.equal((await overTls(opened.port, path, leaf, { body })).status, 401)
      assert.equal((await overTls(opened.port, path, leaf, { body, chain: [between] })).status, 200)
      assert.equal((await overTls(opened.port, path, leaf, { body, chain: [between, root] })).status, 200)
      const sessions: Buffer[] = []
      for (const connection of ['a first connection', 'one that would resume it']) {
        const resumed = await overTls(opened.port, path, leaf, { body, chain: [between], sessions })
        assert.equal(resumed.status, 200, connection)
      }

      const api = `/v1/environments/${stile.environmentId}`
      const authorization = `Bearer ${access_token}`
      assert.equal((await overTls(opened.port, api, client, { authorization })).status, 403)
      assert.equal((await overTls(opened.port, api, other, { authorization })).status, 401)
      assert.equal((await stile.send(api, { token: access_token })).status, 401)
    } finally {
      await opened.close()
      await stile.close()
    }
  })

  test('is opened by its setting, named in the metadata, and closed with the node', async () => {
    const environment = {
      STILE_LOG_LEVEL: 'silent',
      STILE_HOST: '127.0.0.1',
      STILE_PUBLIC_URL: 'https://127.0.0.1',
      STILE_TLS_CERT: files.cert,
      STILE_TLS_KEY: files.key,
      STILE_MTLS_PORT: '0',
    }
    const config = readConfig('dev', environment, { port: '0', dataDirectory: join(directory, 'data') })
    assert.equal(readConfig('dev', { ...environment, STILE_MTLS_PORT: '8444' }).mtlsUrl, 'https://127.0.0.1:8444')
    const stile = await startStile()
    const { masterKeys } = stile.node.kernel
    await stile.close()
    const node = await startNode(config, realWorld, masterKeys, served)
    const { mtlsUrl } = node.kernel.origins
    const port = Number(new URL(mtlsUrl ?? '').port)
    assert.notEqual(port, 0)
    assert.equal((await overTls(port, '/no/such/path', undefined)).status, 404)
    assert.equal((await overTls(node.port, '/no/such/path', undefined)).status, 404)
    await node.close()
    await assert.rejects(overTls(port, '/no/such/path', undefined))
  })

  test('needs TLS', () => {
    assert.throws(() => readConfig('dev', { STILE_MTLS_PORT: '8444' }), /STILE_MTLS_PORT needs STILE_TLS_CERT/)
  })
})
