/**
 * Makes the working copy ready to run: the locked packages are installed and the scripts get Node 24 or later.
 * Called in front of `npm start`, `npm test` and `npm run bench`; says nothing when there is nothing to do.
 *
 * This is the one file that an old Node runs (20 is enough), so it is plain JavaScript and imports nothing but Node
 * (starting processes only when it must: that import alone costs 10 ms).
 * Never: a package's install script, a version outside package-lock.json, a change to the lock.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const requiredMajor = 24
const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** Holds the digest of the lock that was found installed last; written only after everything succeeded. */
const stamp = join(root, 'node_modules', '.installed-lock')
/** Where npm links the Node that comes as a package; `npm run` puts this directory first on PATH. */
const bundledNode = join(root, 'node_modules', '.bin', 'node')

/** Says why setup cannot go on, in a sentence or two, and ends with exit code 1. */
function giveUp(message) {
  console.error(message)
  process.exit(1)
}

/** The digest of package-lock.json with the platform, since optional packages differ per platform. */
function digestOfLock() {
  const lock = readFileSync(join(root, 'package-lock.json'))
  return createHash('sha256').update(`${process.platform} ${process.arch}\n`).update(lock).digest('hex')
}

/** The digest that was installed last, or undefined when nothing was, or not to the end. */
function installedDigest() {
  return existsSync(stamp) ? readFileSync(stamp, 'utf8').trim() : undefined
}

/** npm's own record of what lies in node_modules, or no packages when there is none. */
function installedPackages() {
  const record = join(root, 'node_modules', '.package-lock.json')
  return existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')).packages : {}
}

/** Whether a locked package belongs on this machine. One that names a C library is left for npm to judge. */
function belongsHere({ optional, os, cpu, libc }) {
  return !optional || ((!os || os.includes(process.platform)) && (!cpu || cpu.includes(process.arch)) && !libc)
}

/** Whether node_modules already agrees with the lock, as it does after `npm install` or `npm ci` by hand. */
function agreesWithLock() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const installed = installedPackages()
  const isLocked = ([path, { version, integrity }]) =>
    packages[path]?.version === version && packages[path]?.integrity === integrity
  const isThere = ([path, entry]) => path in installed || !path.startsWith('node_modules/') || !belongsHere(entry)
  return Object.entries(installed).every(isLocked) && Object.entries(packages).every(isThere)
}

/** Installs exactly the lock. What npm prints is shown only when it fails. */
async function install() {
  const { spawnSync } = await import('node:child_process')
  const startedAt = performance.now()
  process.stderr.write('Installing the locked packages (only when package-lock.json has changed) … ')
  rmSync(stamp, { force: true })
  const args = ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund']
  // The Node that runs npm, not process.execPath: that one may lie in node_modules, which `npm ci` empties.
  const { npm_execpath: npmScript, npm_node_execpath: npmNode } = process.env
  const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024 }
  const result =
    npmScript && npmNode ? spawnSync(npmNode, [npmScript, ...args], options) : spawnSync('npm', args, options)
  if (result.status !== 0) {
    process.stderr.write('failed.\n')
    process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`)
    giveUp(
      `npm ci did not succeed (${result.error?.message ?? `exit code ${result.status ?? result.signal}`}). ` +
        'The lines above say why; run the command again once that is solved.',
    )
  }
  process.stderr.write(`done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.\n`)
}

/** Whether the Node at `path` starts here and is new enough. */
async function isFit(path) {
  const { spawnSync } = await import('node:child_process')
  const result = spawnSync(path, ['--version'], { encoding: 'utf8' })
  return result.status === 0 && Number(/^v(\d+)\./.exec(result.stdout)?.[1]) >= requiredMajor
}

const digest = digestOfLock()
if (installedDigest() !== digest) {
  if (!agreesWithLock()) await install()
  // On a musl system the package installs but its Node does not start; its link would hide the user's own Node.
  if (existsSync(bundledNode) && !(await isFit(bundledNode))) rmSync(bundledNode)
  writeFileSync(stamp, `${digest}\n`)
}

if (!existsSync(bundledNode) && Number(process.versions.node.split('.')[0]) < requiredMajor) {
  giveUp(
    `Stile needs Node ${requiredMajor} or later and this is Node ${process.versions.node}; none is brought along for ` +
      `${process.platform} ${process.arch} with this C library, so install Node ${requiredMajor} and run the command again.`,
  )
}
