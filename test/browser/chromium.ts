/**
 * Chromium for the tests that need a real browser: one process per test file, a fresh profile per test.
 *
 * Where there is no Chromium the suite is one skipped test that says how to get it; under CI it is a failure, so that
 * nobody takes a run without a browser for a complete one.
 */
import assert from 'node:assert/strict'
import { accessSync, constants } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** The shell first: the same engine without the parts of a window that nobody looks at, for half the processor time. */
const places = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]
const howToGetIt = 'apt-get install -y chromium-headless-shell'

/**
 * What playwright-core turns off, which a list of one's own takes the place of, and the process that Chromium keeps ready for
 * the next page: it is made anew for every profile, and a third of what a page costs.
 */
const disabledFeatures = [
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'SpareRendererForSitePerProcess',
  'ThirdPartyStoragePartitioning',
  'Translate',
]

const launchArguments = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  // What is left of its work needs no process of its own.
  '--in-process-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--disable-features=${disabledFeatures.join(',')}`,
]

/** Where Chromium is; undefined when this machine has none. */
function findChromium(): string | undefined {
  return places.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** What the tests of a browser suite are handed. */
export interface TestBrowser {
  /** Runs with a page of a fresh profile, which is closed afterwards. */
  readonly withPage: <Result>(options: BrowserContextOptions, run: (page: Page) => Promise<Result>) => Promise<Result>
}

/**
 * A suite that needs Chromium.
 * @param define declares the tests; the browser runs as soon as one of them does
 */
export function browserSuite(name: string, define: (browser: TestBrowser) => void): void {
  const executablePath = findChromium()
  if (executablePath === undefined) {
    test(name, process.env['CI'] === 'true' ? {} : { skip: howToGetIt }, () =>
      assert.fail(`no Chromium: ${howToGetIt}`),
    )
    return
  }
  suite(name, () => {
    let browser: Browser | undefined
    before(async () => {
      browser = await chromium.launch({ executablePath, args: launchArguments })
    })
    after(() => browser?.close())
    define({
      withPage: async (options, run) => {
        assert.ok(browser)
        const context = await browser.newContext(options)
        try {
          return await run(await context.newPage())
        } finally {
          await context.close()
        }
      },
    })
  })
}
