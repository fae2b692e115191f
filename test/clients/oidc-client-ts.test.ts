/** oidc-client-ts, the client library of single-page applications, in Chromium against a node: on another origin. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { SignoutResponse, User } from 'oidc-client-ts'
import type { Page } from 'playwright-core'
import { browserSuite } from '../browser/chromium.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { isLive } from '../oauth/journeys.ts'
import { customResource, grant, register, spa } from '../oauth/registrations.ts'

const library = readFileSync(
  fileURLToPath(import.meta.resolve('oidc-client-ts')).replace(/esm\/.*$/, 'browser/oidc-client-ts.min.js'),
)

/** What the page is told. */
interface Application {
  readonly authority: string
  readonly client_id: string
}

/** How a user signs on: the library answers with the user, wherever it got to. */
interface SignOn {
  /** Settings of the UserManager, as the page writes them; they hold on every page of the tab. */
  readonly settings?: string
}

browserSuite('oidc-client-ts', ({ withPage }) => {
  let stile: Stile
  let server: Server
  let origin: string
  let application: Application
  let withoutRefresh: Application
  let ordering: Application

  before(async () => {
    stile = await startStile()
    // The application: one page, whatever its address, that has the library and a UserManager. The pages that frames and
    // windows come back to tell the page that opened them.
    server = createServer((request, response) => {
      if (request.url === '/oidc-client-ts.js') {
        response.setHeader('content-type', 'text/javascript').end(library)
        return
      }
      response.setHeader('content-type', 'text/html').end(`<!doctype html><title>Application</title>
        <script src="/oidc-client-ts.js"></script>
        <script>
          const at = (path) => location.origin + path
          window.manager = new oidc.UserManager({
            ...${JSON.stringify(application)},
            redirect_uri: at('/callback'),
            silent_redirect_uri: at('/silent'),
            popup_redirect_uri: at('/popup'),
            post_logout_redirect_uri: at('/signed-off'),
            popup_post_logout_redirect_uri: at('/popup-signed-off'),
            scope: 'openid profile email',
            loadUserInfo: true,
            automaticSilentRenew: false,
            ...window.settings?.(),
          })
          if (location.pathname === '/silent' || location.pathname === '/popup') manager.signinCallback()
          if (location.pathname === '/popup-signed-off') {
            void (window === top ? manager.signoutPopupCallback() : manager.signoutSilentCallback())
          }
        </script>`)
    })
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
    // The same site as the node, as far as cookies are concerned: on plain http they are SameSite=Lax.
    origin = `http://localhost:${(server.address() as AddressInfo).port}`
    const properties = {
      ...spa,
      redirectUris: ['/callback', '/silent', '/popup'].map((path) => origin + path),
      postLogoutRedirectUris: ['/signed-off', '/popup-signed-off'].map((path) => origin + path),
      opSessionCheckEnabled: true,
    }
    const grantTypes = [...spa.grantTypes, 'REFRESH_TOKEN']
    application = await applicationOf({ ...properties, grantTypes })
    withoutRefresh = await applicationOf(properties)
    ordering = await applicationOf({ ...properties, grantTypes })
    const orders = await customResource(stile, { audience: 'https://orders.test' }, ['orders:read'])
    await grant(stile, ordering.client_id, orders.id, [orders.scope('orders:read')])
  })
  after(async () => {
    server.closeAllConnections()
    server.close()
    await stile.close()
  })

  async function applicationOf(properties: object): Promise<Application> {
    const { clientId } = await register(stile, properties)
    return { authority: stile.issuer, client_id: clientId }
  }

  /** Fills in the sign-on page. */
  async function fillIn(page: Page) {
    await page.getByLabel('Username').fill(stile.user.username)
    await page.getByLabel('Password', { exact: true }).fill(stile.user.password)
    await page.getByRole('button', { name: 'Sign On' }).click()
  }

  const arrivalAt = (page: Page, path: string) =>
    page.waitForURL((url) => url.origin === origin && url.pathname === path)

  async function signOn(page: Page, { settings }: SignOn = {}): Promise<User> {
    if (settings) await page.addInitScript(`window.settings = () => (${settings})`)
    await page.goto(`${origin}/`)
    // It leaves the page, so there is nothing to wait for on it.
    await page.evaluate('void manager.signinRedirect({ state: { place: "cart" } })')
    await fillIn(page)
    await arrivalAt(page, '/callback')
    return page.evaluate<User>('manager.signinCallback()')
  }

  /** What its page would get for the refresh token of a user. */
  const refresh = ({ refresh_token = '' }: User, { client_id } = application) =>
    stile.send(`/${stile.environmentId}/as/token`, {
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token, client_id }),
      headers: { origin },
    })

  /** Settings of the application that has no refresh tokens. */
  const byFrame = () => JSON.stringify({ client_id: withoutRefresh.client_id })

  /** The error that a call of the library ends with. */
  const errorOf = (page: Page, call: string) =>
    page.evaluate<string>(
      `${call}.then((it) => 'no error: ' + JSON.stringify(it), (error) => error.error ?? String(error))`,
    )

  test('signs a user on by code and PKCE, and reads userinfo', () =>
    withPage({}, async (page) => {
      const user = await signOn(page)
      assert.deepEqual(
        [user.profile.sub, user.profile.email, user.state, user.scope],
        [stile.user.id, 'demo@example.com', { place: 'cart' }, 'openid profile email'],
      )
    }))

  test('signs a user on in a window of its own, by signinPopup', () =>
    withPage({}, async (page) => {
      await page.goto(`${origin}/`)
      const opened = page.waitForEvent('popup')
      const signedOn = page.evaluate<User>('manager.signinPopup()')
      await fillIn(await opened)
      assert.equal((await signedOn).profile.sub, stile.user.id)
    }))

  test('renews by the refresh token: signinSilent', () =>
    withPage({}, async (page) => {
      const first = await signOn(page)
      const second = await page.evaluate<User>('manager.signinSilent()')
      assert.equal(second.profile.sub, first.profile.sub)
      assert.notEqual(second.access_token, first.access_token)
      assert.ok(second.refresh_token && second.refresh_token !== first.refresh_token)
      assert.equal(await isLive(stile, second.access_token), true)
    }))

  test('renews in a frame by prompt=none where there is no refresh token, and not without a session', () =>
    withPage({}, async (page) => {
      const first = await signOn(page, { settings: byFrame() })
      assert.equal(first.refresh_token, undefined)
      const second = await page.evaluate<User>('manager.signinSilent()')
      assert.equal(second.profile.sub, first.profile.sub)
      assert.equal(second.profile.auth_time, first.profile.auth_time)
      assert.notEqual(second.access_token, first.access_token)
      await page.context().clearCookies()
      assert.equal(await errorOf(page, 'manager.signinSilent()'), 'login_required')
    }))

  test('binds tokens by DPoP, and the code too; renews and reads userinfo with them', () =>
    withPage({}, async (page) => {
      const dpop =
        '{ dpop: { store: new oidc.IndexedDbDPoPStore(), bind_authorization_code: true }, loadUserInfo: false }'
      await signOn(page, { settings: dpop })
      const renewed = await page.evaluate<User>('manager.signinSilent()')
      assert.equal(renewed.token_type, 'DPoP')
      assert.equal(await isLive(stile, renewed.access_token), false, 'it is no bearer token')
      const sub = await page.evaluate<string>(`(async () => {
        const [user, address] = [await manager.getUser(), ${JSON.stringify(`${stile.issuer}/userinfo`)}]
        const headers = { authorization: 'DPoP ' + user.access_token, dpop: await manager.dpopProof(address, user) }
        return (await (await fetch(address, { headers })).json()).sub
      })()`)
      assert.equal(sub, stile.user.id)
    }))

  test('revokes its refresh token, and with it the access token: revokeTokens', () =>
    withPage({}, async (page) => {
      const user = await signOn(page)
      await page.evaluate('manager.revokeTokens(["refresh_token"])')
      assert.equal(await isLive(stile, user.access_token), false)
      assert.equal((await refresh(user)).json.error, 'invalid_grant')
    }))

  test('revokes all of its tokens where they are for an API of its own: revokeTokens', () =>
    withPage({}, async (page) => {
      const settings = `{ client_id: ${JSON.stringify(ordering.client_id)}, scope: 'openid orders:read', loadUserInfo: false }`
      const user = await signOn(page, { settings })
      await page.evaluate('manager.revokeTokens()')
      assert.equal((await refresh(user, ordering)).json.error, 'invalid_grant')
    }))

  test('signs off and comes back: signoutRedirect', () =>
    withPage({}, async (page) => {
      const user = await signOn(page)
      await page.evaluate('void manager.signoutRedirect({ state: { from: "menu" } })')
      await arrivalAt(page, '/signed-off')
      const { userState } = await page.evaluate<SignoutResponse>('manager.signoutCallback()')
      assert.deepEqual(userState, { from: 'menu' })
      assert.equal(await isLive(stile, user.access_token), false)
      assert.equal(await errorOf(page, 'manager.signinSilent()'), 'login_required')
    }))

  for (const [way, call] of [
    ['in a window of its own', 'manager.signoutPopup()'],
    ['in a frame', 'manager.signoutSilent()'],
  ] as const) {
    test(`signs off ${way}: ${call}`, () =>
      withPage({}, async (page) => {
        const user = await signOn(page, { settings: '{ includeIdTokenInSilentSignout: true }' })
        await page.evaluate(call)
        assert.equal(await isLive(stile, user.access_token), false)
        assert.equal(await errorOf(page, 'manager.signinSilent()'), 'login_required')
      }))
  }

  test('watches the session: told nothing while it lives, and that the user signed off elsewhere', () =>
    withPage({}, async (page) => {
      const watching = '{ monitorSession: true, checkSessionIntervalInSeconds: 0.05 }'
      const user = await signOn(page, { settings: watching })
      const { session_state } = await page.evaluate<{ session_state: string }>('manager.querySessionStatus()')
      assert.ok(user.session_state && session_state)
      await page.evaluate(`{
        window.events = []
        window.signedOff = new Promise((resolve) => manager.events.addUserSignedOut(() => resolve('signed off')))
        manager.events.addUserSignedOut(() => events.push('signed off'))
        manager.events.addUserSessionChanged(() => events.push('changed'))
      }`)
      const elsewhere = await page.context().newPage()
      await elsewhere.goto(`${origin}/`)
      await elsewhere.evaluate('void manager.signinRedirect()')
      await arrivalAt(elsewhere, '/callback')
      await elsewhere.evaluate('manager.signinCallback()')
      assert.deepEqual(await page.evaluate('events'), [], 'the same user in the same session')
      await elsewhere.evaluate('void manager.signoutRedirect()')
      await arrivalAt(elsewhere, '/signed-off')
      assert.equal(await page.evaluate('signedOff'), 'signed off')
    }))

  test('gets nothing for a password: signinResourceOwnerCredentials is refused', () =>
    withPage({}, async (page) => {
      await page.goto(`${origin}/`)
      const { username, password } = stile.user
      const given = JSON.stringify({ username, password })
      assert.equal(await errorOf(page, `manager.signinResourceOwnerCredentials(${given})`), 'unsupported_grant_type')
    }))
})
