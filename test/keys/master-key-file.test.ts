import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { InvalidMasterKey, parseMasterKey } from '../../src/keys/master-key.ts'
import { loadOrCreateMasterKeyFile } from '../../src/keys/master-key-file.ts'
import { realWorld, type World } from '../../src/world.ts'

suite('master key file', () => {
  let directory = ''
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stile-master-key-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  test('is made once, for the owner alone, and read ever after', async () => {
    const path = join(directory, 'deep', 'master.key')
    const made = await loadOrCreateMasterKeyFile(path, realWorld)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal((await loadOrCreateMasterKeyFile(path, realWorld)).id, made.id)
    assert.deepEqual(await readdir(join(directory, 'deep')), ['master.key'])
  })

  test('twenty servers that start at once agree on one key and leave no drafts', async () => {
    const path = join(directory, 'master.key')
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateMasterKeyFile(path, realWorld)))
    assert.equal(new Set(keys.map((key) => key.id)).size, 1)
    assert.deepEqual(await readdir(directory), ['master.key'])
  })

  test('a server that comes second takes the key of the first, however late it notices', async () => {
    const path = join(directory, 'master.key')
    const first = randomBytes(32).toString('base64url')
    const overtaken: World = {
      ...realWorld,
      bytes(size) {
        writeFileSync(path, first, { mode: 0o600 })
        return realWorld.bytes(size)
      },
    }
    assert.equal((await loadOrCreateMasterKeyFile(path, overtaken)).id, parseMasterKey(first).id)
    assert.deepEqual(await readdir(directory), ['master.key'])
  })

  test('is refused when others may read it', async () => {
    const path = join(directory, 'master.key')
    await writeFile(path, randomBytes(32).toString('base64url'))
    await chmod(path, 0o640)
    await assert.rejects(loadOrCreateMasterKeyFile(path, realWorld), InvalidMasterKey)
  })

  test('is refused, not replaced, when it is damaged', async () => {
    const path = join(directory, 'master.key')
    await writeFile(path, 'half a k', { mode: 0o600 })
    await assert.rejects(loadOrCreateMasterKeyFile(path, realWorld), InvalidMasterKey)
  })
})
