/**
 * A process of the test run (scripts/test.ts): runs one test file after the other, each as a suite with the name of the
 * file, so that what they import is loaded and warmed up once. Which file comes next is agreed with the other processes:
 * whoever makes the file's claim runs it.
 * Never: a file that changes its process unnoticed, or that ends it as if all were well.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

/**
 * Runs files until none is left.
 * @param files paths relative to the working directory, the same list in each process
 * @param claims a directory that the processes share; it holds one file for each test file that somebody runs
 */
export async function runTestFiles(files: readonly string[], claims: string): Promise<void> {
  let current: string | undefined
  process.on('exit', () => {
    if (current) fail(`${current} ended its process.`)
  })
  for (const file of files) {
    if (!claimed(join(claims, encodeURIComponent(file)))) continue
    current = file
    // For the watch over files that hang, and for whoever looks at the processes.
    process.title = file
    const before = traces()
    await suite(file, () => load(file))
    await compare(file, before)
  }
  current = undefined
}

/** A suite that could not be defined does not fail a run that selects tests by name; the exit code does. */
async function load(file: string): Promise<void> {
  try {
    await import(pathToFileURL(file).href)
  } catch (error) {
    process.exitCode = 1
    throw error
  }
}

function claimed(path: string): boolean {
  try {
    writeFileSync(path, '', { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** What the next file would meet if a file left it behind: of the process by name, of what it holds open by kind. */
function traces(): ReadonlyMap<string, string | number> {
  const open = process.getActiveResourcesInfo()
  const count = (kind: string) => open.filter((resource) => resource === kind).length
  return new Map<string, string | number>([
    ...Object.entries(process.env).map(([name, value]) => [`variable ${name}`, value ?? ''] as const),
    ['working directory', process.cwd()],
    ['servers', count('TCPServerWrap')],
    ['processes', count('ProcessWrap')],
  ])
}

/** Fails the run when a file has left something behind, once what is being closed had a moment for it. */
async function compare(file: string, before: ReadonlyMap<string, string | number>): Promise<void> {
  const deadline = performance.now() + 2_000
  for (;;) {
    const after = traces()
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
      (name) => before.get(name) !== after.get(name),
    )
    if (changed.length === 0) return
    if (performance.now() > deadline) {
      return fail(
        `${file} leaves its process changed (${changed.join(', ')}): it should not, or runs apart (scripts/test.ts).`,
      )
    }
    await pause(20)
  }
}

function fail(message: string): void {
  console.error(message)
  process.exitCode = 1
}
