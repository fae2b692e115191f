/**
 * The walls of src/ (architecture, section 2): who may import whom, which rooms stay pure, who may open connections and
 * who may speak SQL. The tables below are the rule itself, written to be read; a room without a row may not exist.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { circles, type Import, loadedWith, type Source, sources } from './sources.ts'

/** What a room may import: other rooms, and rooms of which it may know the types only. */
interface Row {
  readonly uses?: readonly Room[]
  readonly types?: readonly Room[]
}

/**
 * A room is a folder of src/ or a file directly in it. A folder inside a room is a room of its own where its walls
 * differ from those around it. Every room may import itself.
 */
type Room = keyof typeof table

const table = {
  // From the door inwards: cli -> http -> oauth, platform, pages -> flow-runtime -> flow.
  main: row('cli'),
  cli: row(
    'http dev contract errors access environment directory events flow jobs external keys storage kernel config ' +
      'ip-intelligence world site',
  ),
  http: row(
    'oauth platform pages flow-runtime contract errors access environment directory directory/passwords events limits ' +
      'jobs delivery external keys storage kernel config ip-intelligence world site',
  ),
  // The demo is handed to http as data (operations), so that production code never knows it; it is filled through the
  // management API of a running node.
  dev: row(
    'platform pages flow contract errors access environment directory directory/passwords events delivery external ' +
      'keys storage kernel config world site',
    'http',
  ),

  // The two halves of the product do not know each other; what they share is further in.
  oauth: row(
    'oauth/rules flow-runtime flow pages contract errors access environment directory events limits external keys ' +
      'storage kernel world site',
  ),
  platform: row(
    'flow-runtime flow contract errors access environment directory directory/passwords events limits jobs delivery ' +
      'delivery/rules external keys storage kernel world site',
  ),
  pages: row('flow-runtime flow contract errors environment kernel site'),

  'flow-runtime': row(
    'flow contract errors access environment directory directory/passwords events limits delivery external keys ' +
      'storage kernel world site',
  ),

  // What both halves read and write through.
  access: row('oauth/rules environment directory contract errors keys storage kernel world site'),
  directory: row(
    'flow directory/passwords environment contract errors events limits delivery keys storage kernel world site',
  ),
  environment: row(
    'flow directory/passwords oauth/rules delivery/rules contract errors external keys storage world site',
    'kernel',
  ),
  events: row('contract errors storage world', 'access kernel'),
  jobs: row('delivery directory environment events limits external errors keys storage kernel world site', 'config'),
  delivery: row('delivery/rules contract external environment events errors keys storage kernel world site', 'config'),
  limits: row('errors storage world', 'config'),
  external: row('errors flow keys world', 'environment config kernel'),
  keys: row('contract errors world'),
  storage: row('errors world'),

  // The languages: an operation, a failure. `contract` only names the things that handlers are handed.
  contract: row('errors', 'access environment events storage kernel site'),
  errors: row(''),

  // Top-level files.
  kernel: row(
    '',
    'config ip-intelligence environment directory/passwords events limits delivery external keys storage site world',
  ),
  config: row('errors address-ranges settings'),
  settings: row('address-ranges'),
  'ip-intelligence': row('flow'),
  'address-ranges': row(''),
  site: row('errors'),
  world: row('uuid'),
  uuid: row(''),

  // The pure rooms: plain data and `now` in, data out.
  flow: row('errors'),
  'oauth/rules': row('errors'),
  'delivery/rules': row('errors'),
  'directory/passwords': row('errors', 'world'),
}

/** What pure code may import beside its own files and `errors`; each of these packages is a function of its input. */
const pureRooms: Readonly<Partial<Record<Room, readonly string[]>>> = {
  flow: ['zod'],
  'oauth/rules': ['zod'],
  'delivery/rules': ['zod'],
  'directory/passwords': ['zod', '@zxcvbn-ts/language-common'],
}

/** The acting part that lives beside the password rules: hashing in worker threads. */
const notPure = [
  'directory/passwords/pool.ts',
  'directory/passwords/worker.ts',
  'directory/passwords/hash.ts',
  'directory/passwords/legacy-digest.ts',
]

/** Packages and built-in modules that belong to one room; all others are free to every room that is not pure. */
const homeOf: Readonly<Record<string, readonly Room[]>> = {
  'node:sqlite': ['storage'],
  pg: ['storage'],
  fastify: ['http'],
  citty: ['main', 'cli'],
  '@node-rs/argon2': ['directory/passwords'],
  bcryptjs: ['directory/passwords'],
  nodemailer: ['delivery'],
}

/** Names that open an outbound connection, or find where one would go; only `external/` may import them. */
const connecting: Readonly<Record<string, readonly string[] | 'any name'>> = {
  'node:http': ['request', 'get', 'Agent', 'ClientRequest', 'globalAgent', 'WebSocket', 'EventSource'],
  'node:https': ['request', 'get', 'Agent', 'globalAgent'],
  'node:http2': ['connect'],
  'node:net': ['connect', 'createConnection', 'Socket', 'Stream'],
  'node:tls': ['connect', 'TLSSocket'],
  'node:dgram': 'any name',
  'node:dns': 'any name',
  'node:dns/promises': 'any name',
  undici: 'any name',
}

/** What pure code may not touch, beside everything that it would have to import. */
const impure =
  /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bcrypto\.|\bperformance\.|\bprocess\.|\bset(Timeout|Interval|Immediate)\b/

/** The beginning of a statement, as this project writes SQL: keywords in capitals. */
const sqlText =
  /\b(SELECT\s+[\w*"(]|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|(CREATE|ALTER|DROP)\s+(TABLE|INDEX)\s)/

/** A row of the table from room names separated by spaces. */
function row(uses: string, types = ''): Row {
  const rooms = (names: string): readonly Room[] => names.split(' ').filter(Boolean) as unknown as readonly Room[]
  return { uses: rooms(uses), types: rooms(types) }
}

/** The room a file stands in: the innermost one that has a row. */
function roomOf(path: string): Room | undefined {
  const inner = (Object.keys(table) as Room[])
    .filter((room) => room.includes('/'))
    .find((room) => path.startsWith(`${room}/`))
  const outer = path.replace(/\.ts$/, '').split('/')[0] ?? ''
  return inner ?? (outer in table ? (outer as Room) : undefined)
}

/** The packages that a file of a pure room may import; undefined for a file that may act. */
function purePackages(path: string): readonly string[] | undefined {
  const room = roomOf(path)
  return room && !notPure.includes(path) ? pureRooms[room] : undefined
}

/** Fails with one line per violation. */
function none(violations: readonly string[]): void {
  assert.ok(violations.length === 0, `\n  ${violations.join('\n  ')}`)
}

/** Judges every import of every file. */
function judgeImports(judge: (source: Source, imported: Import) => string | undefined): void {
  none(
    [...sources.values()].flatMap((source) => source.imports.map((imported) => judge(source, imported) ?? [])).flat(),
  )
}

/** Fails for each file that `applies` and whose code contains the pattern. */
function judgeCode(pattern: RegExp, applies: (path: string) => boolean, complaint: string): void {
  const matches = [...sources.values()].map(({ path, code }) => ({ path, match: pattern.exec(code)?.[0] }))
  none(matches.flatMap(({ path, match }) => (match && applies(path) ? [`src/${path} ${complaint} ${match}`] : [])))
}

suite('boundaries', () => {
  test('the table names only rooms that have a row', () => {
    const named = Object.values<Row>(table).flatMap(({ uses = [], types = [] }) => [...uses, ...types])
    none(named.filter((room) => !(room in table)).map((room) => `${room} has no row`))
  })

  test('every file of src/ stands in a room of the table', () => {
    none(
      [...sources.keys()].filter((path) => roomOf(path) === undefined).map((path) => `src/${path} stands in no room`),
    )
  })

  test('rooms import only what the table allows', () => {
    judgeImports(({ path }, { target, isFile, typeOnly }) => {
      const [from, to] = [roomOf(path), isFile ? roomOf(target) : undefined]
      if (!from || !to || from === to) return undefined
      const { uses = [], types = [] }: Row = table[from]
      if (uses.includes(to) || (typeOnly && types.includes(to))) return undefined
      const how = types.includes(to) ? 'may know only the types of' : 'may not import'
      return `src/${path} imports src/${target}: ${from} ${how} ${to}`
    })
  })

  test('no circle between any two files, types included', () => {
    none(circles().map((circle) => circle.map((path) => `src/${path}`).join(' -> ')))
  })

  test('pure rooms import zod, errors and their own files only', () => {
    judgeImports(({ path }, { target, isFile }) => {
      const packages = purePackages(path)
      if (!packages || packages.includes(target)) return undefined
      const near = isFile && (roomOf(target) === roomOf(path) || roomOf(target) === 'errors')
      if (near && !notPure.includes(target)) return undefined
      return `src/${path} is pure and imports ${isFile ? `src/${target}` : target}`
    })
  })

  test('pure rooms know no clock, no randomness and no process', () => {
    judgeCode(impure, (path) => purePackages(path) !== undefined, 'is pure and contains')
  })

  test('time is read in world.ts only', () => {
    judgeCode(
      /\bDate\.now\b|\bnew Date\(\s*\)/,
      (path) => path !== 'world.ts',
      'takes the time from elsewhere than World:',
    )
  })

  test('a package with a home is imported there only', () => {
    judgeImports(({ path }, { target, typeOnly }) => {
      const homes = homeOf[target]
      const room = roomOf(path)
      if (!homes || (room && homes.includes(room)) || (typeOnly && target === 'fastify')) return undefined
      return `src/${path} imports ${target}, whose home is ${homes.join(', ')}`
    })
  })

  test('only external/ opens outbound connections', () => {
    judgeImports(({ path }, { target, typeOnly, names }) => {
      const forbidden = connecting[target]
      if (!forbidden || typeOnly || roomOf(path) === 'external') return undefined
      const opening = names.filter(
        (name) => forbidden === 'any name' || name === '*' || name === 'default' || forbidden.includes(name),
      )
      if (opening.length === 0) return undefined
      return `src/${path} imports ${opening.join(', ')} of ${target}: outbound connections are opened in external/ only`
    })
  })

  test('node:http is never imported: its namespace evaluates the fetch of Node, which is dear', () => {
    judgeCode(
      /^import\s+(?!type\s)[^']*from 'node:http'|import\('node:http'\)/m,
      () => true,
      'loads what process.getBuiltinModule does not:',
    )
  })

  test('a node starts without the management API, without what sends messages, and without packages that few requests need', () => {
    const packages = ['citty', 'fastify', 'pino', 'zod']
    const isNeeded = (target: string) => {
      if (!target.endsWith('.ts')) return target.startsWith('node:') || packages.includes(target)
      return roomOf(target) !== 'platform' && target !== 'delivery/send-notification.ts'
    }
    none([...loadedWith('cli/serve.ts')].filter((target) => !isNeeded(target)))
  })

  test('only storage/ holds SQL', () => {
    judgeCode(sqlText, (path) => roomOf(path) !== 'storage', 'holds SQL:')
  })

  test('no file or folder has a name that could hold anything', () => {
    const meaningless = /^(utils?|helpers?|commons?|shared|misc|services?|managers?)(\.ts)?$|V2/i
    none(
      [...sources.keys()]
        .filter((path) => path.split('/').some((name) => meaningless.test(name)))
        .map((path) => `src/${path}`),
    )
  })

  test('no file passes 300 lines: it would hold two concepts', () => {
    // One entry per code or sentence, and one stylesheet: they grow with the product, not with its complexity.
    const contents = ['errors/catalog.ts', 'pages/style.css.ts', 'pages/texts/de.ts', 'pages/texts/en.ts']
    const long = [...sources.values()].filter(({ path, lines }) => lines > 300 && !contents.includes(path))
    none(long.map(({ path, lines }) => `src/${path} has ${lines}`))
  })

  test('every file begins by saying what it is', () => {
    none([...sources.values()].filter(({ header }) => !header).map(({ path }) => `src/${path} has no header comment`))
  })
})
