/**
 * Enforces the rules for dependencies (docs/decisions/2026-11-22-dependencies.md) on the manifests and the lock.
 * The age of releases is asked from the registry, only for those that changed against the last commit, or for all with
 * `--online`; without network that one rule is said to be unchecked, and the others still decide.
 * Never: a change to any file.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  changedReleases,
  checkAge,
  checkExactVersions,
  checkLicences,
  checkLock,
  checkReasons,
  type LockedPackages,
  type Manifest,
  productionCount,
  reasonsIn,
} from './dependency-rules.ts'

const run = promisify(execFile)
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const decision = 'docs/decisions/2026-11-22-dependencies.md'
/** What one machine runs in production; raising it needs a sentence in the decision. */
const maximumProductionPackages = 100
const lookupsAtOnce = 4

const text = (path: string): string => readFileSync(join(root, path), 'utf8')
const manifestOf = (path: string): Manifest => JSON.parse(text(path)) as Manifest
const packagesOf = (lock: string): LockedPackages => (JSON.parse(lock) as { packages: LockedPackages }).packages

/** The lock of the last commit, or undefined where there is no commit or no git. */
async function committedPackages(): Promise<LockedPackages | undefined> {
  try {
    const { stdout } = await run('git', ['show', 'HEAD:package-lock.json'], { cwd: root, maxBuffer: 64 * 1024 * 1024 })
    return packagesOf(stdout)
  } catch {
    return undefined
  }
}

/** When a release was published (ISO 8601), or undefined when the registry cannot be asked. */
async function publishedAt(release: string): Promise<string | undefined> {
  const at = release.lastIndexOf('@')
  try {
    const { stdout } = await run('npm', ['view', release.slice(0, at), 'time', '--json'], {
      cwd: root,
      maxBuffer: 64 * 1024 * 1024,
      timeout: 30_000,
    })
    return (JSON.parse(stdout) as Record<string, string>)[release.slice(at + 1)]
  } catch {
    return undefined
  }
}

/** Asks for the age of each release; says how many could not be asked. */
async function checkAges(releases: readonly string[], now: number): Promise<readonly string[]> {
  const waiting = [...releases]
  const violations: string[] = []
  const unknown: string[] = []
  const worker = async (): Promise<void> => {
    for (let release = waiting.pop(); release !== undefined; release = waiting.pop()) {
      const published = await publishedAt(release)
      if (published === undefined) unknown.push(release)
      else violations.push(...checkAge(release, published, now))
    }
  }
  await Promise.all(Array.from({ length: lookupsAtOnce }, worker))
  if (unknown.length > 0) {
    console.log(
      `Not checked: the age of ${unknown.length} of ${releases.length} releases; the registry gave no answer.`,
    )
  }
  return violations
}

const packages = packagesOf(text('package-lock.json'))
const committed = await committedPackages()
const online = process.argv.includes('--online')
const releases = online ? changedReleases({}, packages) : committed ? changedReleases(committed, packages) : []
if (!online && !committed) console.log('Not checked: the age of releases; there is no earlier lock. Use --online.')

const count = productionCount(packages)
const violations = [
  ...checkExactVersions('package.json', manifestOf('package.json')),
  ...checkExactVersions('bench/package.json', manifestOf('bench/package.json')),
  ...checkReasons(manifestOf('package.json'), reasonsIn(text(decision))),
  ...checkLock(packages),
  ...checkLicences(packages),
  ...(count > maximumProductionPackages
    ? [`${count} packages run in production; at most ${maximumProductionPackages} may (${decision})`]
    : []),
  ...(await checkAges(releases, Date.now())),
]

for (const violation of violations) console.error(`- ${violation}`)
if (violations.length > 0) process.exit(1)
console.log(`Dependencies keep the rules: ${count} of at most ${maximumProductionPackages} packages run in production.`)
