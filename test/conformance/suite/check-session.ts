/**
 * A page of the suite beside the frame of the server (Session Management 1.0 section 3.1): sends it the client and the
 * session state, and takes its answer. The frame's own script runs here, as it is served, with what a browser gives it:
 * its cookies, messages and the Web Crypto API.
 */
import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { createContext, runInContext } from 'node:vm'
import { hasArrived } from './browser.ts'
import type { Run } from './run.ts'

/** Asks the frame at an address. @param origin of the page that asks */
export async function askCheckSessionFrame(run: Run, frame: string, question: string, origin: string): Promise<string> {
  const page = await run.browser.open(frame)
  if (hasArrived(page)) assert.fail('the frame is a page of the server')
  const source = /<script type="module" src="([^"]*)">/.exec(page.html)?.[1] ?? assert.fail('it has a script')
  const script = await run.suite.stile.send(source)
  assert.equal(script.status, 200)
  const { promise, resolve } = Promise.withResolvers<string>()
  const cookie = run.browser.cookie('OPBS', page.url.pathname)
  const context = createContext({
    document: { cookie: cookie === undefined ? '' : `OPBS=${cookie}` },
    crypto: webcrypto,
    TextEncoder,
    Uint8Array,
    btoa,
    setInterval() {},
    window: {},
    addEventListener(type: string, listen: (message: object) => void) {
      assert.equal(type, 'message')
      listen({ data: question, origin, source: { postMessage: (answer: string) => resolve(answer) } })
    },
  })
  runInContext(script.text, context)
  return promise
}
