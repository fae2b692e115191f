/** The embedded engine: conformance. What only this engine promises is in `sqlite/`. */
import { after, suite } from 'node:test'
import { join } from 'node:path'
import { openSqlite } from '../../src/storage/sqlite/engine.ts'
import { conformance } from './conformance.ts'
import { temporaryDirectory } from './temporary-directory.ts'

suite('embedded engine', async () => {
  const directory = await temporaryDirectory()
  after(() => directory.remove())
  let opened = 0
  conformance({
    async open() {
      opened += 1
      return [await openSqlite({ directory: join(directory.path, `${opened}`) })]
    },
  })
})
