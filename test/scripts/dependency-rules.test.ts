import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  changedReleases,
  checkAge,
  checkExactVersions,
  checkLicences,
  checkLock,
  checkReasons,
  isAllowedLicence,
  type LockedPackages,
  packageName,
  productionCount,
  productionTree,
  reasonsIn,
} from '../../scripts/dependency-rules.ts'

const fixed = { version: '1.0.0', integrity: 'sha512-x', license: 'MIT' }

/** web -> parser 2 (its own copy) -> deep; native -> one binary for one platform; parser 1 and lint are tools only. */
const packages: LockedPackages = {
  '': { dependencies: { web: '1.0.0', native: '1.0.0' }, devDependencies: { lint: '1.0.0' } },
  'node_modules/web': { ...fixed, dependencies: { parser: '^2' } },
  'node_modules/web/node_modules/parser': { ...fixed, version: '2.0.0', dependencies: { deep: '*' } },
  'node_modules/deep': fixed,
  'node_modules/native': { ...fixed, optionalDependencies: { 'native-linux': '1.0.0' } },
  'node_modules/native-linux': { ...fixed, os: ['linux'] },
  'node_modules/lint': { ...fixed, license: 'MPL-2.0', dependencies: { parser: '^1' } },
  'node_modules/parser': fixed,
  'node_modules/own-workspace': { link: true, resolved: 'bench' },
}

suite('dependency rules', () => {
  test('the production tree follows nested copies and leaves the tools out', () => {
    assert.deepEqual([...productionTree(packages)].toSorted(), [
      'node_modules/deep',
      'node_modules/native',
      'node_modules/native-linux',
      'node_modules/web',
      'node_modules/web/node_modules/parser',
    ])
    assert.equal(productionCount(packages), 4)
  })

  test('a circle of packages ends', () => {
    const circle = { ...packages, 'node_modules/deep': { ...fixed, dependencies: { web: '*' } } }
    assert.equal(productionTree(circle).size, 5)
  })

  test('names of packages', () => {
    assert.equal(packageName('node_modules/a/node_modules/@scope/b'), '@scope/b')
  })

  test('licences: a choice is enough, a combination needs both, none is refused', () => {
    for (const licence of ['MIT', 'BSD-3-Clause', 'MIT OR GPL-3.0', '(GPL-2.0 OR Apache-2.0)', 'MIT AND ISC']) {
      assert.ok(isAllowedLicence(licence), licence)
    }
    for (const licence of [undefined, '', 'GPL-3.0', 'AGPL-3.0-only', 'MIT AND GPL-3.0', 'SEE LICENSE IN FILE']) {
      assert.ok(!isAllowedLicence(licence), licence)
    }
    assert.deepEqual(checkLicences(packages), [])
    const copyleft = { ...packages, 'node_modules/deep': { ...fixed, license: 'AGPL-3.0-only' } }
    assert.equal(checkLicences(copyleft).length, 1)
  })

  test('versions are exact', () => {
    assert.deepEqual(
      checkExactVersions('package.json', { dependencies: { a: '1.2.3' }, devDependencies: { b: '1.0.0-rc.1' } }),
      [],
    )
    for (const version of ['^1.2.3', '~1.2.3', '1.x', '*', 'latest', '', 'file:../a', '>=1.2.3']) {
      assert.equal(checkExactVersions('package.json', { optionalDependencies: { a: version } }).length, 1, version)
    }
  })

  test('every direct dependency has its reason, every reason its dependency', () => {
    const reasons = reasonsIn(
      '- `web`: answers HTTP requests for everybody.\n- `gone`: used to be needed for something.\n- `native`: short.',
    )
    assert.deepEqual([...reasons], ['web', 'gone'])
    const violations = checkReasons(packages[''] ?? {}, reasons)
    assert.deepEqual(
      violations.map((line) => line.split(' ')[0]),
      ['native', 'gone'],
    )
  })

  test('the lock: integrity, no host, no install script', () => {
    assert.deepEqual(checkLock(packages), [])
    assert.equal(checkLock({ 'node_modules/a': { version: '1.0.0' } }).length, 1)
    assert.equal(checkLock({ 'node_modules/a': { ...fixed, resolved: 'https://registry.example/a.tgz' } }).length, 1)
    const scripted = { ...fixed, hasInstallScript: true }
    assert.equal(checkLock({ 'node_modules/a': scripted }).length, 1)
    assert.deepEqual(checkLock({ 'node_modules/esbuild': scripted }), [], 'a tool that works without its script')
    const shipped = { '': { dependencies: { esbuild: '1.0.0' } }, 'node_modules/esbuild': scripted }
    assert.equal(checkLock(shipped).length, 1, 'but not where it ships')
  })

  test('only what is new or in another version counts as changed, wherever it lies', () => {
    const moved = { 'node_modules/a': fixed }
    const next = {
      'node_modules/b/node_modules/a': fixed,
      'node_modules/a': { ...fixed, version: '1.1.0' },
      'node_modules/own': { link: true },
    }
    assert.deepEqual(changedReleases(moved, next), ['a@1.1.0'])
  })

  test('a release waits seven days', () => {
    const now = Date.parse('2026-11-22T12:00:00Z')
    assert.deepEqual(checkAge('a@1.0.0', '2026-11-15T12:00:00Z', now), [])
    assert.equal(checkAge('a@1.0.0', '2026-11-15T12:00:01Z', now).length, 1)
    assert.equal(checkAge('a@1.0.0', 'not a date', now).length, 1)
  })
})
