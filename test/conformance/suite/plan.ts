/**
 * Runs a plan: a test for each module with each of its variants, named as the suite names it. What the suite would say is
 * part of the name where it is not PASSED, with the reason, so that a run of the real suite can be compared line by line.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { type ModuleName, modules } from '../modules/index.ts'
import { expectationOf } from './expectations.ts'
import type { SuiteBrowser } from './browser.ts'
import { type PlanName, plans } from './plans.ts'
import { resultOf, Run } from './run.ts'
import { startSuite, type Suite } from './suite.ts'
import { type Variant, variantName } from './variants.ts'

/** Defines the tests of a plan. */
export function runPlan(name: PlanName): void {
  suite(name, () => {
    let started: Suite
    before(async () => {
      started = await startSuite()
    })
    after(() => started.close())
    for (const { variant, modules: names } of plans[name]) {
      for (const module of names) runModule(module, variant, () => started)
    }
  })
}

/** The suite has a new browser for every module; here those share one that are not about the session or its pages. */
function browserFor(name: ModuleName, { browser, newBrowser }: Suite): SuiteBrowser {
  return /-(server|display|prompt|max-age|id-token-hint|login-hint|locales|registration|logout)\b/.test(name)
    ? newBrowser()
    : browser
}

function runModule(name: ModuleName, variant: Variant, started: () => Suite): void {
  const expected = expectationOf(name, variant)
  const why = expected.why === undefined ? '' : `: ${expected.why}`
  test(`${name} (${variantName(variant)}) ${expected.result.join(' ')}${why}`, async () => {
    const run = new Run(started(), variant, browserFor(name, started()))
    assert.deepEqual(await resultOf(modules[name], run), expected.result)
  })
}
