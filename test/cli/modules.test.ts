/** How the entry has modules found: without asking the file system again and again, which a start from sources pays for. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite, test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** Says, when the process ends, which imports were left to Node: a hook set before the entry's is called after it. */
const witness = `
  import { registerHooks } from 'node:module'
  const left = []
  registerHooks({
    resolve(specifier, context, next) {
      if (context.conditions.includes('import')) left.push([specifier, context.parentURL])
      return next(specifier, context)
    },
  })
  process.on('exit', () => process.stderr.write(JSON.stringify(left)))`

suite('modules', () => {
  test('Node looks for the entry and once for each package, not for every import', async () => {
    const preload = `data:text/javascript,${encodeURIComponent(witness)}`
    const { stderr } = await run(process.execPath, ['--import', preload, main, 'serve', '--help'])
    const left = JSON.parse(stderr) as [specifier: string, parent: string | undefined][]
    const imported = left
      .filter(([, parent]) => parent?.includes('/src/') && !parent.endsWith('/src/main.ts'))
      .map(([specifier]) => specifier)
    assert.deepEqual(
      imported.filter((specifier) => specifier.startsWith('.')),
      [],
      'our sources name files exactly',
    )
    assert.ok(imported.includes('fastify'), 'the witness sees what is left to Node')
    assert.deepEqual(imported.toSorted(), [...new Set(imported)].toSorted(), 'a package is found once')
    const insidePackages = left.filter(([specifier, parent]) => parent?.includes('/zod/') && specifier.startsWith('.'))
    assert.deepEqual(insidePackages, [], 'a package names its own files exactly')
  })
})
