/**
 * The promise of durability, seen from the system calls: no acknowledgement leaves before the `fdatasync` that covers
 * its write has returned. And with calls made to fail: a failed sync stops all writes, a full disk passes.
 */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { absent } from '../absent.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const run = promisify(execFile)
const install = 'apt-get install -y strace'
const canTrace = spawnSync('strace', ['-f', 'true'], { stdio: 'ignore' }).status === 0

/** Runs the writer under strace. Returns what it said and, line by line, the calls that were traced. */
async function traced(strace: readonly string[], writer: readonly string[]) {
  const directory = await temporaryDirectory()
  try {
    const data = join(directory.path, 'data')
    const log = join(directory.path, 'trace')
    const only = strace.includes('--wal') ? ['-P', join(data, 'stile.db-wal')] : []
    const options = ['-f', '-y', '-s', '10000', '-o', log, ...only, ...strace.filter((option) => option !== '--wal')]
    // strace counts the calls it makes fail per thread: one thread in the pool makes the count exact.
    const env = { ...process.env, ...(only.length > 0 && { UV_THREADPOOL_SIZE: '1' }) }
    const program = [process.execPath, `${import.meta.dirname}/writer.ts`, data, ...writer]
    const { stdout } = await run('strace', [...options, ...program], { env })
    return { said: stdout.trim().split('\n'), calls: (await readFile(log, 'utf8')).split('\n') }
  } finally {
    await directory.remove()
  }
}

function tracing(name: string, body: () => Promise<void>): void {
  test(name, async (context: TestContext) => {
    if (canTrace) await body()
    else absent(context, install)
  })
}

/** The line at which the call that begins at `start` has returned; strace splits a call that others overlap. */
function returned(calls: readonly string[], start: number): number {
  const line = calls[start] ?? ''
  if (!line.endsWith('<unfinished ...>')) return start
  const [thread] = line.split(' ')
  return calls.findIndex((other, at) => at > start && other.startsWith(`${thread} `) && other.includes('resumed>'))
}

suite('embedded engine, system calls', () => {
  tracing('no acknowledgement leaves before the sync of its group has returned', async () => {
    const { calls, said } = await traced(['-e', 'trace=pwrite64,write,writev,fdatasync'], ['4', '25'])
    const syncs = calls.flatMap((line, start) => {
      if (!line.includes('fdatasync(') || !line.includes('stile.db-wal')) return []
      const end = returned(calls, start)
      return calls[end]?.trimEnd().endsWith('= 0') ? [{ start, end }] : []
    })
    const acknowledgements = calls.flatMap((line, at) => {
      const [, id] = / write\(1.*"inserted ([\d.]+)/.exec(line) ?? []
      return id === undefined ? [] : [{ id, at }]
    })
    assert.equal(acknowledgements.length, said.filter((line) => line.startsWith('inserted')).length)
    assert.equal(acknowledgements.length, 100)
    for (const { id, at } of acknowledgements) {
      const begun = calls.findIndex((line) => line.includes('stile.db-wal') && line.includes(id))
      assert.ok(begun !== -1 && begun < at, `${id} was acknowledged and never written`)
      const written = returned(calls, begun)
      const covering = syncs.find(({ start, end }) => start > written && end < at)
      assert.ok(covering, `${id} was written at ${written}, acknowledged at ${at}, with no sync between`)
    }
    assert.ok(syncs.length < acknowledgements.length, 'units of one turn share a sync')
  })

  tracing('a failed sync stops all writes for good', async () => {
    const { said } = await traced(
      ['--wal', '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO:when=30'],
      ['1', '60'],
    )
    const first = said.findIndex((line) => line.startsWith('refused'))
    assert.ok(first > 10, `${first}`)
    assert.ok(said.slice(first).every((line) => line.startsWith('refused') && line.endsWith('StorageUnavailable')))
    assert.ok(said.length - first > 30)
  })

  tracing('a full disk refuses what it cannot hold, and writes go on when there is room', async () => {
    const { said } = await traced(
      ['--wal', '-e', 'trace=pwrite64', '-e', 'inject=pwrite64:error=ENOSPC:when=60..70'],
      ['1', '60'],
    )
    const refused = said.filter((line) => line.startsWith('refused'))
    assert.ok(refused.length > 0)
    assert.ok(
      refused.every((line) => /StorageUnavailable|AlreadyConsumed/.test(line)),
      refused.join('\n'),
    )
    assert.match(said.at(-1) ?? '', /^consumed/)
  })
})
