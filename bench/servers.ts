/**
 * The servers that are measured, each brought to the point where the load generator can begin: started, with sessions
 * signed on where the code flow needs them.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Browser } from './browser.ts'
import type { Algorithm, CodeSource, Target } from './scenarios.ts'
import { ManagementApi, type Quickstart } from './management-api.ts'
import { type ServerProcess, startServer } from './server-process.ts'

/** Sessions per server; connections share them out, as users of one application would. */
const sessions = 8

export const kinds = ['floor', 'node-oidc-provider', 'Stile embedded', 'Stile PostgreSQL'] as const
export type Kind = (typeof kinds)[number]

/** Where the bundle is built for the bench, the form in which Stile is published; its dependencies are found above it. */
export const bundleFolder = 'bench/results/bundle'

/** The sources, as the scripts of package.json start them. */
const sourcesAsStarted = ['--min-semi-space-size=4', '--max-semi-space-size=4', 'src/main.ts']

/** A server that is ready to be measured. */
export interface Measured {
  readonly kind: Kind
  readonly target: Target
  readonly process: ServerProcess
  /**
   * Starts another process, on the same data where there is any, after the first has stopped; `ready.origin` is then
   * where its metadata begins.
   */
  readonly restart: () => Promise<ServerProcess>
  /** The same from the sources, as `npm start` runs them. */
  readonly restartFromSources?: (() => Promise<ServerProcess>) | undefined
  stop(): Promise<void>
}

/** The floor: client credentials only. */
export async function startFloor(algorithm: Algorithm): Promise<Measured> {
  const start = (): Promise<ServerProcess> => startServer(['bench/floor.ts', algorithm])
  const process = await start()
  const target = { ...(process.ready as Target), algorithm }
  return { kind: 'floor', target, process, restart: start, stop: () => process.stop() }
}

/** node-oidc-provider, with its sessions signed on. */
export async function startNodeOidcProvider(algorithm: Algorithm): Promise<Measured> {
  const start = (): Promise<ServerProcess> => startServer(['bench/node-oidc-provider.ts', algorithm])
  const process = await start()
  const target = { ...(process.ready as Target), algorithm }
  const cookies = await signOnSessions(target, async (browser, authorizeUrl, redirectUri) => {
    await browser.follow(authorizeUrl, [redirectUri])
  })
  return {
    kind: 'node-oidc-provider',
    target: { ...target, cookies },
    process,
    restart: start,
    stop: () => process.stop(),
  }
}

/**
 * Stile as in production: the bundle that `npm run build` makes, on data that its development mode has prepared.
 * @param databaseUrl an empty PostgreSQL database; without it the embedded engine, durable as always
 */
export async function startStile(algorithm: Algorithm, databaseUrl?: string): Promise<Measured> {
  const data = await mkdtemp(join(tmpdir(), 'stile-bench-'))
  await using onFailure = new AsyncDisposableStack()
  onFailure.defer(() => rm(data, { recursive: true, force: true }))
  const settings = {
    // As `npm start` sets it.
    NODE_COMPILE_CACHE: 'node_modules/.cache/compile',
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
  }
  const preparing = await startServer(['src/main.ts', 'dev', '--data', data, '--port', '0', '--json'], {
    ...settings,
    STILE_DEV_SIGNING_ALGORITHM: algorithm,
  })
  const quickstart = preparing.ready as Quickstart
  const { authUrl, environmentId, worker, singlePageApp, user } = quickstart
  onFailure.defer(() => preparing.stop())
  const api = await ManagementApi.of(quickstart)
  const { resource, ...application } = await api.makeRefreshingApplication()
  await preparing.stop()
  const serve = async (program = [`${bundleFolder}/main.js`]): Promise<ServerProcess> => {
    const node = await startServer([...program, 'serve', '--data', data, '--port', new URL(authUrl).port], {
      ...settings,
      STILE_MASTER_KEY_FILE: join(data, 'master.key'),
      STILE_HOST: 'localhost',
      STILE_PUBLIC_URL: authUrl,
      STILE_MANAGEMENT_PORT: '0',
    })
    return { ...node, ready: { origin: `${authUrl}/${environmentId}/as` } }
  }
  const process = await serve()
  onFailure.defer(() => process.stop())
  const endpoint = (name: string): string => `/${environmentId}/as/${name}`
  const authorizePath = endpoint('authorize')
  const source = { authorizePath, clientId: application.clientId, redirectUri: application.redirectUri }
  const target: Target = {
    origin: authUrl,
    algorithm,
    tokenPath: endpoint('token'),
    confidential: worker,
    code: { authorizePath, ...singlePageApp, scope: 'openid' },
    pushPath: endpoint('par'),
    refresh: { ...source, scope: 'openid offline_access' },
    bearer: {
      ...source,
      scope: `openid ${resource.scope}`,
      userinfoPath: endpoint('userinfo'),
      introspectionPath: endpoint('introspect'),
      introspector: resource,
    },
  }
  const cookies = await signOnSessions(target, (browser, authorizeUrl, redirectUri) =>
    signOnToStile(browser, { authorizeUrl, redirectUri, authBase: `${authUrl}/${environmentId}`, user }),
  )
  const cleanup = onFailure.move()
  return {
    kind: databaseUrl ? 'Stile PostgreSQL' : 'Stile embedded',
    target: { ...target, cookies },
    process,
    restart: () => serve(),
    restartFromSources: databaseUrl ? undefined : () => serve(sourcesAsStarted),
    stop: () => cleanup.disposeAsync(),
  }
}

/** One sign-on with a password, as a custom page would do it: authorize, check the password, resume. */
async function signOnToStile(
  browser: Browser,
  {
    authorizeUrl,
    redirectUri,
    authBase,
    user,
  }: {
    readonly authorizeUrl: string
    readonly redirectUri: string
    readonly authBase: string
    readonly user: Quickstart['user']
  },
): Promise<void> {
  const page = new URL(await browser.follow(authorizeUrl, [`${authBase}/signon`]))
  const answer = await browser.request(`${authBase}/flows/${page.searchParams.get('flowId')}`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.pingidentity.usernamePassword.check+json' },
    body: JSON.stringify({ username: user.username, password: user.password }),
  })
  const { status, resumeUrl } = (await answer.json()) as { readonly status?: string; readonly resumeUrl?: string }
  if (status !== 'COMPLETED' || !resumeUrl) throw new Error(`The sign-on flow stands at ${status ?? answer.status}`)
  await browser.follow(resumeUrl, [redirectUri])
}

/** Signs on as many times as there are sessions, and returns the cookies of each. */
async function signOnSessions(
  target: Target,
  signOn: (browser: Browser, authorizeUrl: string, redirectUri: string) => Promise<void>,
): Promise<readonly string[]> {
  if (!target.code) return []
  const { authorizePath, clientId, redirectUri, scope }: CodeSource = target.code
  const url = new URL(authorizePath, target.origin)
  const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
  const query = { response_type: 'code', client_id: clientId, redirect_uri: redirectUri, scope }
  url.search = new URLSearchParams({ ...query, code_challenge: challenge, code_challenge_method: 'S256' }).toString()
  const cookies: string[] = []
  for (let session = 0; session < sessions; session += 1) {
    const browser = new Browser()
    await signOn(browser, url.href, redirectUri)
    cookies.push(browser.cookie)
  }
  return cookies
}
