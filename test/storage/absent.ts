/** What a test does where a tool of the operating system is missing: one skip that says how to install it; in CI, a failure. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'

/** @param install the command that brings the tool */
export function absent(context: TestContext, install: string): void {
  assert.notEqual(process.env['CI'], 'true', `CI must run this test: ${install}`)
  context.skip(install)
}
