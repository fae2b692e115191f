import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { writeReply } from '../../src/http/reply.ts'
import { assetOperations } from '../../src/pages/assets.ts'
import { defineAsset } from '../../src/pages/asset.ts'
import { formPostScript } from '../../src/pages/form-post-script.ts'
import { icon } from '../../src/pages/icon.ts'
import { signOnScript } from '../../src/pages/sign-on-script.ts'
import { styleSheet } from '../../src/pages/style.css.ts'
import { pino } from 'pino'
import { perform, servePages } from './page-server.ts'

const [readAsset] = assetOperations
assert.ok(readAsset)
const operation = readAsset

suite('assets', () => {
  test('every asset is served under the name of its content, and may be kept for ever', async () => {
    for (const [asset, type] of [
      [styleSheet, 'text/css'],
      [icon, 'image/svg+xml'],
      [signOnScript, 'text/javascript'],
      [formPostScript, 'text/javascript'],
    ] as const) {
      const reply = await perform(operation, { file: asset.path.slice('/assets/'.length) })
      const written = writeReply(operation, reply, true, pino({ level: 'silent' }))
      assert.equal(written.contentType, `${type};charset=UTF-8`)
      assert.equal(written.payload, asset.content)
      assert.equal(reply.headers?.['cache-control'], 'public, max-age=31536000, immutable')
    }
  })

  test('the name follows the content', () => {
    const one = defineAsset('/assets', 'x', 'css', 'a{}')
    const other = defineAsset('/assets', 'x', 'css', 'b{}')
    assert.match(one.path, /^\/assets\/x\.[0-9a-f]{16}\.css$/)
    assert.notEqual(one.path, other.path)
  })

  test('the name of another release gets what there is today, which nobody may keep', async () => {
    const reply = await perform(operation, { file: 'stile.0123456789abcdef.css' })
    assert.equal(reply.text?.content, styleSheet.content)
    assert.equal(reply.headers?.['cache-control'], 'no-store')
  })

  test('anything else is not found', async () => {
    for (const file of [
      'stile.css',
      'other.0123456789abcdef.css',
      '..',
      'stile.0123456789ABCDEF.css',
      '__proto__',
      '',
    ]) {
      await assert.rejects(perform(operation, { file }), { key: 'NOT_FOUND' }, file)
    }
  })

  test('an empty list of values sends no header line at all', async () => {
    const server = await servePages(() => undefined)
    try {
      const answer = await fetch(`${server.origin}${styleSheet.path}`)
      assert.equal(answer.status, 200)
      assert.equal(answer.headers.get('pragma'), null)
    } finally {
      await server.close()
    }
  })
})
