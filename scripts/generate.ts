/**
 * Writes what is generated from the code: `openapi.json` and the reference pages. With `--check` it writes nothing and
 * fails when something checked in differs.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { generatedFiles } from './generated-files.ts'

const check = process.argv.includes('--check')
const stale: string[] = []
for (const [path, content] of await generatedFiles()) {
  const present = await readFile(path, 'utf8').catch(() => undefined)
  if (present === content) continue
  if (check) stale.push(path)
  else {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
}
if (stale.length > 0) {
  process.stderr.write(`Out of date: ${stale.join(', ')}. Run: npm run generate\n`)
  process.exitCode = 1
}
