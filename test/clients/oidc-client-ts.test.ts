/** oidc-client-ts, the client library of single-page applications, in Chromium against a node: on another origin. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { User } from 'oidc-client-ts'
import type { Page } from 'playwright-core'
import { browserSuite } from '../browser/chromium.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { register, spa } from '../oauth/registrations.ts'

const library = readFileSync(
  fileURLToPath(import.meta.resolve('oidc-client-ts')).replace(/esm\/.*$/, 'browser/oidc-client-ts.min.js'),
)

/** What the page is told. */
interface Application {
  readonly authority: string
  readonly client_id: string
}

browserSuite('oidc-client-ts', ({ withPage }) => {
  let stile: Stile
  let server: Server
  let origin: string
  let application: Application

  before(async () => {
    stile = await startStile()
    // The application: one page, whatever its address, that has the library and a UserManager.
    server = createServer((request, response) => {
      if (request.url === '/oidc-client-ts.js') {
        response.setHeader('content-type', 'text/javascript').end(library)
        return
      }
      response.setHeader('content-type', 'text/html').end(`<!doctype html><title>Application</title>
        <script src="/oidc-client-ts.js"></script>
        <script>
          const settings = ${JSON.stringify(application)}
          window.manager = new oidc.UserManager({
            ...settings,
            redirect_uri: location.origin + '/callback',
            post_logout_redirect_uri: location.origin + '/signed-off',
            scope: 'openid profile email',
            loadUserInfo: true,
          })
        </script>`)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const redirectUris = [`${origin}/callback`]
    const { clientId } = await register(stile, { ...spa, redirectUris })
    application = { authority: stile.issuer, client_id: clientId }
  })
  after(async () => {
    server.close()
    await stile.close()
  })

  async function signOn(page: Page) {
    await page.goto(`${origin}/`)
    // It leaves the page, so there is nothing to wait for on it.
    await page.evaluate('void manager.signinRedirect({ state: { place: "cart" } })')
    await page.getByLabel('Username').fill(stile.user.username)
    await page.getByLabel('Password', { exact: true }).fill(stile.user.password)
    await page.getByRole('button', { name: 'Sign On' }).click()
    await page.waitForURL((url) => url.origin === origin && url.pathname === '/callback')
    return page.evaluate<User>('manager.signinCallback()')
  }

  test('signs a user on by code and PKCE, and reads userinfo', () =>
    withPage({}, async (page) => {
      const user = await signOn(page)
      assert.deepEqual(
        [user.profile.sub, user.profile.email, user.state, user.scope],
        [stile.user.id, 'demo@example.com', { place: 'cart' }, 'openid profile email'],
      )
    }))
})
