import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../storage/temporary-directory.ts'

const context = new URL('../../scripts/test-context.ts', import.meta.url)

const tests = `
import { after, before, suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
const failed = (signal) => pause(60_000, undefined, { signal }).catch(() => {})
const tooLate = new Promise((resolve) => process.on('uncaughtException', ({ message }) => {
  if (message === 'too late') resolve()
}))
suite('outer', async () => {
  await pause(1)
  before(() => pause(1))
  after(() => pause(1))
  test('a timer throws', async ({ signal }) => {
    setTimeout(() => { throw new Error('thrown late') }, 1)
    await failed(signal)
  })
  test('a promise is rejected', async ({ signal }) => {
    pause(1).then(() => { throw new Error('rejected') })
    await failed(signal)
  })
  test('declares another', async () => { await pause(1); await test('within', () => {}) })
  suite('inner', async () => { await pause(5); test('declared late', () => {}) })
  test('leaves something behind', () => { setTimeout(() => { throw new Error('too late') }, 50) })
  test('stays untouched', () => tooLate)
})
`

/** What the runner says, without its times and its stack traces. */
function report(directory: string, flags: readonly string[]): readonly string[] {
  const args = ['--test', '--test-reporter=spec', ...flags, join(directory, 'some.test.mjs')]
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: directory, env, encoding: 'utf8' })
  assert.equal(status, 1)
  return stdout
    .split('\n')
    .filter((line) => !/^ +at |duration_ms/.test(line))
    .map((line) => line.replace(/ \([\d.]+ms\)$/, ''))
}

suite('test context', () => {
  test('tests and their failures are where the runner puts them by itself', async () => {
    const { path, remove } = await temporaryDirectory()
    try {
      writeFileSync(join(path, 'some.test.mjs'), tests)
      const ours = report(path, [`--import=${context.href}`])
      assert.deepEqual(ours, report(path, []))
      for (const line of ['  ✖ a timer throws', '  ✖ a promise is rejected', '    ✔ within', '    ✔ declared late']) {
        assert.ok(ours.includes(line), `${line} in ${fileURLToPath(context)}`)
      }
      assert.ok(ours.some((line) => line.includes('leaves something behind') && line.includes('after the test ended')))
    } finally {
      await remove()
    }
  })
})
