/** The page of standards says what there is: its tests exist, and whatever discovery can promise is on it. */
import assert from 'node:assert/strict'
import { access, readdir, readFile } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { responseModeNames, responseTypeNames } from '../../src/oauth/authorize/response.ts'
import { grants } from '../../src/oauth/token/grants/index.ts'

const pagePath = new URL('../../docs/reference/standards.md', import.meta.url)
const page = await readFile(pagePath, 'utf8')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| specification |'))
  .map((line) => line.slice(2, -2).split(' | '))
const linksIn = (text: string): string[] => [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, target = '']) => target)

suite('docs/reference/standards.md', () => {
  test('every row says what is there and what is not, and names its tests', () => {
    assert.ok(rows.length > 40)
    for (const [specification = '', here = '', missing = '', tests = '', ...more] of rows) {
      assert.ok(here !== '' && missing !== '' && more.length === 0, specification)
      const links = linksIn(tests)
      assert.ok(links.length > 0, `${specification} has no test`)
      for (const link of links) assert.match(link, /^\.\.\/\.\.\/test\/.*\.test\.ts$/, specification)
    }
  })

  test('every link leads somewhere', async () => {
    for (const target of linksIn(page)) await assert.doesNotReject(access(new URL(target, pagePath)), target)
  })

  test('every client and every plan of FAPI is named', async () => {
    const linked = new Set(linksIn(page))
    for (const [folder, prefix] of [
      ['clients', ''],
      ['conformance', 'fapi'],
    ] as const) {
      const files = await readdir(new URL(`../${folder}`, import.meta.url))
      for (const file of files.filter((name) => name.startsWith(prefix) && name.endsWith('.test.ts'))) {
        assert.ok(linked.has(`../../test/${folder}/${file}`), `${folder}/${file} is not named`)
      }
    }
  })

  test('what discovery lists is described: response types and modes, and grants', () => {
    for (const name of [...responseTypeNames, ...responseModeNames]) assert.ok(page.includes(`\`${name}\``), name)
    // RFC 6749 and RFC 8628 name theirs by words.
    const named = grants.map(({ type }) => type).filter((type) => type.includes('urn:') && !type.includes('device'))
    assert.equal(named.length, 3)
    for (const type of named) assert.ok(page.includes(`\`${type}\``), type)
  })
})
