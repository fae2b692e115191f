/** `kill -9` at random moments: nothing acknowledged is lost, nothing consumed comes back. Catalogue R01. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { DirectoryInUse } from '../../../src/storage/sqlite/directory-lock.ts'
import { openSqlite } from '../../../src/storage/sqlite/engine.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const rounds = 12

/** A writer process and what it has acknowledged so far. */
async function startWriter(directory: string) {
  const process_ = spawn(process.execPath, [`${import.meta.dirname}/writer.ts`, directory, '8', '1000000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(process_, 'close')
  const acknowledged: string[] = []
  const lines = createInterface(process_.stdout)
  const ready = new Promise<void>((resolve) => {
    lines.on('line', (line) => (line === 'ready' ? resolve() : acknowledged.push(line)))
  })
  await Promise.race([ready, ended])
  return {
    acknowledged,
    async kill() {
      process_.kill('SIGKILL')
      await ended
    },
  }
}

suite('embedded engine, kill -9', () => {
  test('no acknowledged write is lost and the store opens again', async () => {
    const directory = await temporaryDirectory()
    const all: string[] = []
    try {
      for (let round = 0; round < rounds; round += 1) {
        const writer = await startWriter(directory.path)
        await pause(Math.random() * 150)
        await writer.kill()
        all.push(...writer.acknowledged)

        const storage = await openSqlite({ directory: directory.path })
        const rows = await storage.read<{ readonly id: string }>({ text: 'SELECT id FROM codes', values: [] })
        await storage.close()
        const present = new Set(rows.map(({ id }) => id))
        const consumed = new Set(all.filter((line) => line.startsWith('consumed')).map((line) => line.slice(9)))
        for (const id of consumed) assert.ok(!present.has(id), `${id} was consumed and is back`)
        for (const line of all) {
          assert.doesNotMatch(line, /^refused/)
          const id = line.startsWith('inserted') ? line.slice(9) : ''
          // An odd round is consumed next, and that may have been committed without being acknowledged.
          const maybeConsumed = Number(id.slice(-1)) % 2 === 1
          if (id && !maybeConsumed) assert.ok(present.has(id), `${id} was acknowledged and is lost`)
        }
      }
      assert.ok(all.length > rounds * 10, `only ${all.length} writes were acknowledged`)
    } finally {
      await directory.remove()
    }
  })

  test('a second process is refused while the first lives, and let in when it was killed', async () => {
    const directory = await temporaryDirectory()
    const writer = await startWriter(directory.path)
    try {
      await assert.rejects(openSqlite({ directory: directory.path }), (error) => {
        assert.ok(error instanceof DirectoryInUse)
        assert.ok(error.message.includes(directory.path), error.message)
        assert.match(error.message, /in use by another process\. Stop that process, or choose another directory/)
        return true
      })
      await writer.kill()
      const storage = await openSqlite({ directory: directory.path })
      await storage.close()
    } finally {
      await writer.kill()
      await directory.remove()
    }
  })
})
