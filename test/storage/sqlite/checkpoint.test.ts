/** When units are held: for the last frames of a log whose first were copied, and early where copying does not keep up. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Checkpoint } from '../../../src/storage/sqlite/checkpoint.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

/** Bytes of one write: 1 MiB and what SQLite adds, some 260 frames. */
const megabyte = Buffer.alloc(1_048_576, 'x')

for (const { name, megabytes, isHeldEarly } of [
  { name: 'a log that grows little while it is copied holds nobody meanwhile', megabytes: 20, isHeldEarly: false },
  { name: 'a log of more than 64 MiB has units held until it is copied', megabytes: 70, isHeldEarly: true },
]) {
  test(name, async () => {
    const directory = await temporaryDirectory()
    const path = join(directory.path, 'log.db')
    const writer = new DatabaseSync(path)
    writer.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (b BLOB)')
    const insert = writer.prepare('INSERT INTO t VALUES (?)')
    const write = (count: number) => {
      for (let n = 0; n < count; n += 1) insert.run(megabyte)
    }
    const slow = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    let held = 0
    const checkpoint = new Checkpoint({
      path,
      announce: () => slow.promise,
      advanceReader: () => undefined,
      quietly: async (work) => {
        held += 1
        await work().finally(ended.resolve)
      },
    })
    const look = async () => {
      for (let group = 0; group < 8; group += 1) checkpoint.consider()
      await turn()
    }

    write(17)
    await look()
    assert.equal(held, 0, 'the cycle has begun and nobody waits')
    write(megabytes - 17)
    await look()
    assert.equal(held, isHeldEarly ? 1 : 0)

    slow.resolve()
    await ended.promise
    assert.equal(held, 1)
    assert.ok(statSync(path).size > megabytes * megabyte.length, 'all of it was copied')
    await checkpoint.close()
    writer.close()
    await directory.remove()
  })
}
