import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'

const script = join(import.meta.dirname, '..', '..', 'scripts', 'setup.mjs')
const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

const here = { os: [process.platform], cpu: [process.arch] }
const elsewhere = { os: [process.platform === 'linux' ? 'darwin' : 'linux'], cpu: ['x64'] }
const lock = {
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/native-here': { version: '1.0.0', integrity: 'sha512-h', optional: true, ...here },
  'node_modules/native-elsewhere': { version: '1.0.0', integrity: 'sha512-e', optional: true, ...elsewhere },
}
const { 'node_modules/native-elsewhere': _, ...installed } = lock

/** A working copy with the given lock, whose npm is a script that notes its arguments and then runs `npm`. */
function workingCopy(packages: object, npm = ''): string {
  const root = mkdtempSync(join(tmpdir(), 'stile-setup-'))
  folders.push(root)
  mkdirSync(join(root, 'scripts'))
  copyFileSync(script, join(root, 'scripts', 'setup.mjs'))
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: { '': { name: 'x' }, ...packages } }))
  const note = "fs.appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n')"
  const record = JSON.stringify({ packages: installed })
  const install = `fs.mkdirSync('node_modules/.bin', { recursive: true }); fs.writeFileSync('node_modules/.package-lock.json', '${record}')`
  writeFileSync(join(root, 'npm.cjs'), `const fs = require('node:fs'); ${note}; ${install}; ${npm}`)
  return root
}

/** npm's record of what is installed, as it stands after an `npm install` by hand. */
function installByHand(root: string, packages: object): void {
  mkdirSync(join(root, 'node_modules'))
  writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }))
}

function setup(
  root: string,
  node: string = process.execPath,
): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, npm_execpath: join(root, 'npm.cjs'), npm_node_execpath: process.execPath }
  return spawnSync(node, [join(root, 'scripts', 'setup.mjs')], { cwd: tmpdir(), env, encoding: 'utf8' })
}

const npmCalls = (root: string): readonly string[] =>
  existsSync(join(root, 'npm.log')) ? readFileSync(join(root, 'npm.log'), 'utf8').trim().split('\n') : []

/** A Node before 24 on this machine, if there is one. */
function oldNode(): string | undefined {
  const candidates = (process.env.PATH ?? '').split(':').map((folder) => join(folder, 'node'))
  const major = (path: string): number => Number(spawnSync(path, ['-p', 'process.versions.node.split(".")[0]']).stdout)
  return candidates.filter((path) => existsSync(path)).find((path) => major(path) < 24)
}

suite('setup', () => {
  test('installs exactly the lock once, without scripts, and is silent afterwards', () => {
    const root = workingCopy(lock)
    const first = setup(root)
    assert.equal(first.status, 0, first.stderr)
    assert.match(first.stderr, /^Installing the locked packages .* done in \d+\.\d s\.\n$/)
    assert.deepEqual(npmCalls(root), ['ci --include=dev --include=optional --ignore-scripts --no-audit --no-fund'])
    const { status, stdout, stderr } = setup(root)
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' })
    assert.equal(npmCalls(root).length, 1)
  })

  test('installs again when the lock has changed', () => {
    const root = workingCopy(lock)
    setup(root)
    const packages = { '': { name: 'x' }, ...lock, 'node_modules/b': { version: '2.0.0', integrity: 'sha512-b' } }
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages }))
    setup(root)
    assert.equal(npmCalls(root).length, 2)
  })

  test('takes over what was installed by hand when it agrees with the lock', () => {
    const root = workingCopy(lock)
    installByHand(root, installed)
    assert.equal(setup(root).status, 0)
    assert.deepEqual(npmCalls(root), [])
  })

  test('does not take over another version, other content, a package too many or a missing one', () => {
    const { 'node_modules/native-here': _native, ...withoutNative } = installed
    const disagreements = [
      { ...installed, 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } },
      { ...installed, 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } },
      { ...installed, 'node_modules/c': { version: '1.0.0', integrity: 'sha512-c' } },
      withoutNative,
    ]
    for (const packages of disagreements) {
      const root = workingCopy(lock)
      installByHand(root, packages)
      setup(root)
      assert.equal(npmCalls(root).length, 1, JSON.stringify(packages))
    }
  })

  test('shows what npm said when it fails, and exits with 1', () => {
    const root = workingCopy(lock, "console.error('npm error: no network'); process.exit(7)")
    const failed = setup(root)
    assert.equal(failed.status, 1)
    assert.match(failed.stderr, /npm error: no network\n/)
    assert.match(failed.stderr, /exit code 7/)
  })

  test('a failed install is repeated, even back at the lock that was installed before it', () => {
    const root = workingCopy(lock)
    const before = readFileSync(join(root, 'package-lock.json'))
    setup(root)
    const npm = readFileSync(join(root, 'npm.cjs'), 'utf8')
    writeFileSync(join(root, 'npm.cjs'), `${npm}; fs.rmSync('node_modules/.package-lock.json'); process.exit(1)`)
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: {} }))
    setup(root)
    writeFileSync(join(root, 'package-lock.json'), before)
    setup(root)
    assert.equal(npmCalls(root).length, 3)
  })

  test('removes the link to a bundled Node that does not start here', () => {
    const root = workingCopy(lock)
    installByHand(root, installed)
    const bundled = join(root, 'node_modules', '.bin', 'node')
    mkdirSync(join(root, 'node_modules', '.bin'))
    writeFileSync(bundled, '#!/no/such/loader\n')
    chmodSync(bundled, 0o755)
    assert.equal(setup(root).status, 0)
    assert.equal(existsSync(bundled), false)
  })

  const old = oldNode()
  test('an old Node without a bundled one is told what to do', { skip: old ? false : 'every Node here is new' }, () => {
    const root = workingCopy(lock)
    const refused = setup(root, old)
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /Stile needs Node 24 or later and this is Node \d+/)
  })
})
