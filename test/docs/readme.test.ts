/** The README is executed: its curl lines, as printed, against a server started as it says. And what is generated is up to date. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { generatedFiles } from '../../scripts/generated-files.ts'
import { runStile } from '../harness/process.ts'

const needed = ['bash', 'curl', 'jq', 'openssl', 'basenc']
const missing = needed.filter((program) => spawnSync('which', [program]).status !== 0)
const skip = missing.length > 0 && !process.env['CI'] ? 'apt-get install -y curl jq openssl coreutils' : false

test('the lines of the README work as printed', { skip }, async () => {
  assert.deepEqual(missing, [], 'install: apt-get install -y curl jq openssl coreutils')
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
  assert.deepEqual(blocks.slice(0, 2), ['npm start\n', 'npm test\n'])
  const directory = await mkdtemp(join(tmpdir(), 'stile-readme-'))
  const running = runStile(['dev', '--port', '0', '--json'], {}, directory)
  try {
    await running.firstLine
    const script = `set -euo pipefail\n${blocks.slice(2).join('\n')}`
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script], {
      cwd: directory,
      encoding: 'utf8',
      timeout: 30_000,
    })
    assert.equal(status, 0, stderr)
    assert.match(stdout, /"Demo"/)
    assert.match(stdout, /"USERNAME_PASSWORD_REQUIRED"/)
    assert.match(stdout, /"usernamePassword\.check"/)
    assert.match(stdout, /"COMPLETED"/)
    assert.match(stdout, /"openid profile"/)
  } finally {
    await running.stop()
    await rm(directory, { recursive: true, force: true })
  }
})

test('every link of the README leads somewhere', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  for (const [, target = ''] of readme.matchAll(/\]\(([^)#:]+)\)/g)) {
    const { access } = await import('node:fs/promises')
    await assert.doesNotReject(access(new URL(`../../${target}`, import.meta.url)), target)
  }
})

test('the map of the house has every room', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const entries = await readdir(new URL('../../src', import.meta.url), { withFileTypes: true })
  const rooms = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `src/${name}`)
  const named = [...readme.matchAll(/^\| `(src\/[\w-]+)` \|/gm)].map(([, room]) => room)
  assert.deepEqual(named.toSorted(), rooms.toSorted())
})

test('openapi.json and the reference pages are what the code generates', async () => {
  for (const [path, content] of await generatedFiles()) {
    const present = await readFile(new URL(`../../${path}`, import.meta.url), 'utf8').catch(() => '')
    assert.ok(present === content, `${path} is out of date: npm run generate`)
  }
})
