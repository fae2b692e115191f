/**
 * Every address that somebody outside can name and the server asks, against everything it must not ask: one table of places
 * (url-inputs.ts), one of addresses (refused-urls.ts). Rows G01 to G06, G09, G15, G16.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { glob, readFile } from 'node:fs/promises'
import { after, before, suite, test } from 'node:test'
import { type DocumentServer, startDocumentServer } from '../harness/document-server.ts'
import type { Answer } from '../harness/stile.ts'
import { addressMembers, askedByNobody, askingFiles, asks } from './asking-files.ts'
import { type AskingNode, publicAddress, startAskingNode } from './asking-node.ts'
import { closedAddresses, refusedMailHosts, refusedUrls } from './refused-urls.ts'
import type { UrlInput } from './url-input-kinds.ts'
import { urlInputs } from './url-inputs.ts'

/** What somebody is told, without what is different each time. */
function said(answer: Answer | undefined, host: string): string {
  if (!answer) return ''
  const { status, headers, text } = answer
  return `${status} ${headers.get('location') ?? ''} ${text}`
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '*')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '*')
    .replaceAll(host || '*', '*')
}

suite('addresses that others name, where only public ones may be asked', () => {
  let node: AskingNode
  before(async () => {
    node = await startAskingNode({ asksPublicOnly: true })
  })
  after(() => node.close())

  /** Addresses of this machine, at the port where somebody would notice. */
  const here = (url: string) => url.replace(/^(https:\/\/[^/\\@:]+|https:\/\/\[[^\]]+\])\/$/, `$1:${node.sink}/`)

  function expectNoConnection() {
    assert.deepEqual(
      node.attempts().filter((each) => !each.startsWith(`${publicAddress} `)),
      [],
    )
    assert.equal(node.connections(), 0)
  }

  for (const input of urlInputs) {
    const { write, member } = input
    if (!write) continue
    test(`${input.name}: refused when it is written`, async () => {
      const rows = input.isHost ? { '': refusedMailHosts } : refusedUrls
      for (const [row, urls] of Object.entries(rows)) {
        for (const url of itsShare(input, urls).filter((each) => !isTaken(input, each))) {
          const answer = await write(node, here(url))
          assert.equal(answer.status, 400, `${row}: ${url} ${answer.text}`)
          // A body that holds this character is refused as a whole.
          if (member === 'document' || url.includes('\u0000')) continue
          const named = answer.json.details?.map(({ target }: Answer['json']) => target) ?? [
            answer.json.error_description,
          ]
          assert.ok(String(named).includes(member ?? ''), `${row}: ${url} ${answer.text}`)
        }
      }
      expectNoConnection()
    })
  }

  test('client_id: addresses that are never asked have the same answer as one where nobody is', async () => {
    const { ask } = urlInputs.find(({ name }) => name === 'client_id') ?? assert.fail()
    const expected = said(await ask(node, 'https://nowhere.test/client'), '')
    for (const url of Object.values(refusedUrls)
      .flat()
      .filter((each) => each !== '' && !each.includes('\u0000'))) {
      assert.equal(said(await ask(node, here(url)), ''), expected, url)
    }
    expectNoConnection()
  })

  let number = 0
  for (const input of urlInputs) {
    test(`${input.name}: names that resolve to what is not public, the same answer for all`, async () => {
      const nowhere = `n${++number}.test`
      const expected = said(await input.ask(node, `https://${nowhere}:${node.sink}/p`), nowhere)
      const cases: readonly (readonly [string, (time: number) => readonly string[]])[] = [
        ...itsShare(input, closedAddresses).map((address) => [address, () => [address]] as const),
        ['one that is public and one that is not', () => [publicAddress, '127.0.0.1']],
        ['first one, then the other', (time) => [time === 1 ? publicAddress : '127.0.0.1']],
      ]
      for (const [name, addresses] of input.isNeverAsked ? cases.slice(0, 1) : cases) {
        const host = `n${++number}.test`
        node.names.set(host, addresses)
        assert.equal(said(await input.ask(node, `https://${host}:${node.sink}/p`), host), expected, name)
        assert.equal(node.resolved(host) > 0, !input.isNeverAsked, `${name} was ${node.resolved(host)} times resolved`)
      }
      expectNoConnection()
    })
  }
})

suite('addresses that others name, where the server may ask', () => {
  let documents: DocumentServer
  let node: AskingNode
  before(async () => {
    documents = await startDocumentServer()
    node = await startAskingNode({}, documents)
  })
  after(async () => {
    await node.close()
    documents.close()
  })

  for (const input of urlInputs.filter(({ isHost, isNeverAsked }) => !isHost && !isNeverAsked)) {
    test(`G04: ${input.name}: no redirect is followed, not even to where the server may ask`, async () => {
      const targets = [`${documents.base}/followed`, `https://127.0.0.1:${node.sink}/`]
      for (const [at, location] of targets.entries()) {
        const path = `/${randomUUID()}`
        documents.documents.set(path, { status: at === 1 ? 307 : 302, headers: { location } })
        await input.ask(node, `${documents.base}${path}`)
        assert.ok(documents.hits(path) > 0, 'it is asked at all')
      }
      assert.equal(documents.hits('/followed'), 0)
      assert.equal(node.connections(), 0)
    })
  }
})

suite('the places where an address can be named', () => {
  test('every member of a request that may be an address is one of them, or no server asks there', async () => {
    const members = new Set(urlInputs.flatMap(({ member = '' }) => member.replaceAll(/\.\d+/g, '')))
    for (const member of await addressMembers()) {
      assert.ok(members.has(member) !== askedByNobody.has(member), `${member} is new: url-inputs.ts, or askedByNobody`)
    }
  })

  test('every file of the server that asks is known, and so is by which of them', async () => {
    const found: string[] = []
    for await (const path of glob('**/*.ts', { cwd: 'src' })) {
      if (asks.test(await readFile(`src/${path}`, 'utf8'))) found.push(path)
    }
    assert.deepEqual(found.toSorted(), Object.keys(askingFiles).toSorted())
    for (const [file, by] of Object.entries(askingFiles)) {
      if (by !== 'nobody outside says where')
        assert.ok(
          urlInputs.some(({ name }) => by.test(name)),
          file,
        )
    }
  })
})

/**
 * A third of a list: every place is given something of each reason, and everything is given to many places, since one piece
 * of code decides for all of them. Mail hosts have their own, and are given it all.
 */
function itsShare<T>(input: UrlInput, list: readonly T[]): readonly T[] {
  const place = urlInputs.indexOf(input)
  return list.filter((_, at) => input.isHost || list.length < 3 || at % 3 === place % 3)
}

/** Request URIs are told apart by their fragment (OpenID Connect Core section 6.2), and nothing of it is sent. */
function isTaken({ name }: UrlInput, url: string): boolean {
  return /request_?uris/i.test(name) && url.includes('#')
}
