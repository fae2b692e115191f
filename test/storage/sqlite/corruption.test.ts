/**
 * R31: damaged files of the embedded engine. A start shows everything that was acknowledged, or is refused and changes
 * nothing. What SQLite would make of these files: an empty database, or an older one.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { run, type Storage, StorageUnavailable } from '../../../src/storage/port.ts'
import { openSqlite } from '../../../src/storage/sqlite/engine.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const seeds = 100
const acknowledged = 60
/** Longer than it takes until the log is marked. */
const marked = 400

interface Fact {
  readonly id: number
  readonly text: string
}
const fact = (id: number): Fact => ({ id, text: id === 0 ? 'the first administrator' : `fact ${id} ${'x'.repeat(id)}` })
const all = Array.from({ length: acknowledged }, (_, id) => fact(id))

const insertion = ({ id, text }: Fact) => ({ text: 'INSERT INTO facts (id, text) VALUES ($1, $2)', values: [id, text] })

async function add(store: Storage, from: number, to: number): Promise<void> {
  for (let id = from; id < to; id += 1) {
    await store.commit({ name: 'test.add', run: () => run(insertion(fact(id))) })
  }
}

async function facts(store: Storage): Promise<readonly Fact[]> {
  const rows = await store.read<Fact>({ text: 'SELECT id, text FROM facts ORDER BY id', values: [] })
  return rows.map(({ id, text }) => ({ id, text }))
}

/** Small, repeatable randomness: a seed that fails can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** What is done to the files of a data directory; `old` is an earlier copy of it. */
type Damage = (
  files: { readonly db: string; readonly log: string; readonly old: string },
  pick: (n: number) => number,
) => void

const flip = (path: string, pick: (n: number) => number) => {
  const bytes = readFileSync(path)
  for (let left = 1 + pick(8); left > 0; left -= 1) {
    const at = pick(bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8))
  }
  writeFileSync(path, bytes)
}
const cut = (path: string, pick: (n: number) => number) => truncateSync(path, pick(readFileSync(path).length))

const ofDatabase: Readonly<Record<string, Damage>> = {
  'bytes of the database flipped': ({ db }, pick) => flip(db, pick),
  'the database cut short': ({ db }, pick) => cut(db, pick),
  'an empty database': ({ db }) => truncateSync(db, 0),
  'no database': ({ db }) => rmSync(db),
  'an old database': ({ db, old }) => cpSync(join(old, 'stile.db'), db),
  'neither database nor log': ({ db, log }) => [db, log].forEach((path) => rmSync(path, { force: true })),
}
const ofLog: Readonly<Record<string, Damage>> = {
  'bytes of the log flipped': ({ log }, pick) => flip(log, pick),
  'the log cut short': ({ log }, pick) => cut(log, pick),
  'an empty log': ({ log }) => truncateSync(log, 0),
  'no log': ({ log }) => rmSync(log),
  'an old log': ({ log, old }) => cpSync(join(old, 'stile.db-wal'), log),
  'an empty database without its log': ({ db, log }) => {
    truncateSync(db, 0)
    rmSync(log)
  },
}

/** A data directory as some ending left it. */
interface State {
  readonly name: string
  /** Whether every byte of its database file is known; without that, SQLite's own check has to find the damage. */
  readonly known: boolean
  readonly damages: Readonly<Record<string, Damage>>
}
const states: readonly State[] = [
  { name: 'ended', known: true, damages: ofDatabase },
  { name: 'killed', known: false, damages: { ...ofDatabase, ...ofLog } },
  { name: 'killed again', known: true, damages: { ...ofDatabase, ...ofLog } },
]

suite('R31: damaged files of the embedded engine', () => {
  let root: Awaited<ReturnType<typeof temporaryDirectory>>
  const at = (name: string) => join(root.path, name)
  const copy = (from: string, to: string) => cpSync(from, at(to), { recursive: true })

  before(async () => {
    root = await temporaryDirectory()
    const live = at('live')
    const store = await openSqlite({ directory: live })
    await store.commit({
      name: 'test.create',
      *run() {
        yield* run({ text: 'CREATE TABLE facts (id INTEGER PRIMARY KEY, text TEXT NOT NULL)', values: [] })
        yield* run({ text: 'CREATE INDEX facts_text ON facts (text)', values: [] })
      },
    })
    await add(store, 0, acknowledged / 2)
    await pause(marked)
    copy(live, 'old')
    await add(store, acknowledged / 2, acknowledged)
    await pause(marked)
    copy(live, 'killed')
    await store.close()
    copy(live, 'ended')
    const again = await openSqlite({ directory: live })
    await again.commit({ name: 'test.touch', run: () => run({ text: 'DELETE FROM facts WHERE id < 0', values: [] }) })
    await again.commit({ name: 'test.pop', run: () => run({ text: 'DELETE FROM facts WHERE id >= 55', values: [] }) })
    await add(again, 55, acknowledged)
    await pause(marked)
    copy(live, 'killed again')
    await again.close()
  })
  after(() => root.remove())

  const contents = (directory: string) =>
    Object.fromEntries(
      readdirSync(directory)
        .filter((name) => name.startsWith('stile.db') && !name.endsWith('-shm'))
        .map((name) => [name, readFileSync(join(directory, name)).toString('latin1')]),
    )

  for (const { name } of states) {
    test(`sound files open with everything: ${name}`, async () => {
      copy(at(name), `sound ${name}`)
      const store = await openSqlite({ directory: at(`sound ${name}`) })
      assert.deepEqual(await facts(store), all)
      await store.close()
      assert.ok(!existsSync(join(at(`sound ${name}`), 'stile.db-wal')))
    })
  }

  test(`${seeds} seeds: everything that was acknowledged, or a refusal that changes nothing`, async () => {
    let refused = 0
    for (let seed = 0; seed < seeds; seed += 1) {
      const pick = random(seed)
      const state = states[seed % states.length] ?? assert.fail()
      const kinds = Object.entries(state.damages)
      const [kind, damage] = kinds[Math.floor(seed / states.length) % kinds.length] ?? assert.fail()
      const what = `seed ${seed}, ${state.name}, ${kind}`
      const directory = at(`seed ${seed}`)
      copy(at(state.name), `seed ${seed}`)
      const db = join(directory, 'stile.db')
      damage({ db, log: `${db}-wal`, old: at('old') }, pick)
      const damaged = contents(directory)
      const outcome = await openSqlite({ directory }).catch((error: unknown) => error)
      if (outcome instanceof Error) {
        assert.ok(outcome instanceof StorageUnavailable, `${what}: ${outcome.stack}`)
        assert.match(outcome.message, /^The integrity check failed: .* To restore a backup: rm -f /, what)
        assert.deepEqual(contents(directory), damaged, `${what}: refused, and yet changed`)
        refused += 1
      } else {
        const store = outcome as Storage
        const found = await facts(store)
        await store.close()
        if (state.known) assert.deepEqual(found, all, what)
        else assert.deepEqual([found.length, found[0]?.id], [all.length, 0], what)
      }
      rmSync(directory, { recursive: true })
    }
    assert.ok(refused > seeds * 0.8, `${refused} of ${seeds} were refused`)
  })

  test('the command of the refusal restores a backup made while the server ran', async () => {
    const live = at('restored')
    copy(at('ended'), 'restored')
    const store = await openSqlite({ directory: live })
    mkdirSync(at('backup'))
    // As docs/backup.md has it: from another process, beside the running one.
    const script = `new (require('node:sqlite').DatabaseSync)(process.argv[1]).exec("VACUUM INTO '" + process.argv[2] + "'")`
    execFileSync(process.execPath, ['-e', script, join(live, 'stile.db'), join(at('backup'), 'stile.db')])
    await add(store, 1000, 1002)
    await store.close()
    truncateSync(join(live, 'stile.db'), 5000)
    const refusal: Error = await openSqlite({ directory: live }).then(
      () => assert.fail('it opened'),
      (error: Error) => error,
    )
    const command = /To restore a backup: (.*) \(docs/.exec(refusal.message)?.[1] ?? assert.fail(refusal.message)
    execFileSync('sh', ['-c', command.replace('<backup>', `'${at('backup')}'`)])
    const restored = await openSqlite({ directory: live })
    assert.deepEqual(await facts(restored), all)
    await restored.close()
  })

  test('without its seal a database is checked by SQLite, as one of which only size and time are known', async () => {
    for (const [name, seal] of [
      ['unsealed', undefined],
      ['garbled', 'x'],
      [
        'touched',
        { log: 'absent', database: { bytes: readFileSync(at('ended/stile.db')).length, modified: '0' }, mark: null },
      ],
    ] as const) {
      for (const sound of [true, false]) {
        const directory = at(`${name} ${sound}`)
        copy(at('ended'), `${name} ${sound}`)
        const path = join(directory, 'stile.db-seal')
        if (seal === undefined) rmSync(path)
        else writeFileSync(path, JSON.stringify(seal))
        if (sound) {
          const store = await openSqlite({ directory })
          assert.deepEqual(await facts(store), all)
          await store.close()
        } else {
          const bytes = readFileSync(join(directory, 'stile.db'))
          bytes.fill(0xff, 4096, 4200)
          writeFileSync(join(directory, 'stile.db'), bytes)
          await assert.rejects(openSqlite({ directory }), /integrity check failed/, name)
        }
      }
    }
  })
})
