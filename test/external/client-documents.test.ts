/** Documents of clients, fetched and kept: rows G08, G13, H12, H13. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Problem } from '../../src/errors/problem.ts'
import { openClientDocuments } from '../../src/external/client-documents.ts'
import type { OutboundAnswer, OutboundRequest } from '../../src/external/egress.ts'
import { testWorld } from '../../src/world.ts'

const url = 'https://client.test/metadata.json'

function opened(answer: Partial<OutboundAnswer> | (() => Promise<OutboundAnswer>) = {}) {
  const world = testWorld()
  const asked: OutboundRequest[] = []
  const usual = { status: 200, contentType: 'application/json', cacheControl: '', body: Buffer.from('{}') }
  const documents = openClientDocuments(async (request) => {
    asked.push(request)
    return typeof answer === 'function' ? answer() : { ...usual, ...answer }
  }, world)
  return { world, asked, documents }
}

suite('client documents', () => {
  test('G07, H12: one is asked for with little room and little time', async () => {
    const { asked, documents } = opened()
    await documents.read(url)
    assert.deepEqual([asked[0]?.maximumBytes, asked[0]?.maximumMilliseconds], [5120, 5000])
  })

  test('H13: it is kept as long as its server says, but no shorter and no longer than the bounds', async () => {
    const lives: readonly (readonly [string, number])[] = [
      ['', 3_600],
      ['public', 3_600],
      ['max-age=1000', 1_000],
      ['public, max-age=1000, immutable', 1_000],
      ['max-age=0', 300],
      ['max-age=1', 300],
      ['no-store', 300],
      ['no-cache, max-age=9999', 300],
      ['max-age=31536000', 86_400],
      ['max-age=-5', 3_600],
      ['x-max-age=5', 3_600],
    ]
    for (const [cacheControl, seconds] of lives) {
      const { world, asked, documents } = opened({ cacheControl })
      await documents.read(url)
      world.advance(seconds * 1000 - 1)
      assert.equal(documents.isAtHand(url), true, cacheControl)
      await documents.read(url)
      assert.equal(asked.length, 1, cacheControl)
      world.advance(1)
      assert.equal(documents.isAtHand(url), false, cacheControl)
      await documents.read(url)
      assert.equal(asked.length, 2, cacheControl)
    }
  })

  test('H12: a failure is not kept, whatever it is', async () => {
    const failures = [
      { status: 404 },
      { status: 500 },
      { status: 204 },
      { contentType: 'text/html' },
      { contentType: 'text/json' },
    ]
    for (const failure of failures) {
      const { asked, documents } = opened(failure)
      for (let time = 1; time <= 2; time++) {
        await assert.rejects(documents.read(url))
        assert.equal(asked.length, time)
      }
    }
    const { documents } = opened({ contentType: 'application/client-metadata+json' })
    await documents.read(url)
  })

  test('H12: nor is a document that does not count', async () => {
    const { asked, documents } = opened()
    await documents.read(url)
    documents.forget(url)
    await documents.read(url)
    assert.equal(asked.length, 2)
  })

  test('G13: whoever wants it at once shares one fetch', async () => {
    const { asked, documents } = opened()
    await Promise.all(Array.from({ length: 200 }, () => documents.read(url)))
    assert.equal(asked.length, 1)
  })

  test('G08: only so many servers are waited for at once; the next is told to come again', async () => {
    const { asked, documents } = opened(() => new Promise(() => {}))
    for (let at = 0; at < 32; at++) void documents.read(`${url}?${at}`)
    await assert.rejects(
      documents.read(`${url}?32`),
      (error) => error instanceof Problem && error.key === 'UNAVAILABLE',
    )
    assert.equal(asked.length, 32)
  })

  test('H13: the number of those that are kept is bounded, and the oldest goes', async () => {
    const { documents } = opened()
    for (let at = 0; at <= 500; at++) await documents.read(`${url}?${at}`)
    assert.equal(documents.isAtHand(`${url}?0`), false)
    for (const at of [1, 500]) assert.equal(documents.isAtHand(`${url}?${at}`), true)
  })
})
