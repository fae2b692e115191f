/**
 * `npm run bench`: measures Stile beside the thinnest possible token endpoint and node-oidc-provider, in one run and
 * interleaved: the servers take many short turns at each scenario, so that what happens on the machine meanwhile falls on
 * all alike; a single second of a shared machine says little. Each server has core 0, the load generator core 1
 * (PostgreSQL shares it). After each turn there is a rest, in which a server does what it has put off: it counts as CPU
 * time of its turn, and not as that of the next one's. The first turns of a scenario warm up and are not counted.
 * Prints tables and writes results/latest.json.
 *
 * Stile is measured as it is published, from its bundle; start and idle memory from its sources too.
 *
 *   --quick            fewer and shorter turns: shows that everything runs, not how fast
 *   --servers=a,b      only these of: floor, node-oidc-provider, Stile embedded, Stile PostgreSQL
 *   --scenarios=a,b    only these of those in scenarios.ts, without starts and memory at rest
 */
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startOwnPostgres } from '../test/storage/postgres-cluster.ts'
import type { Job, Load } from './load.ts'
import { describeMachine, watchMachine } from './machine.ts'
import { type Footprint, median, ratios, render, type Turn, summarize } from './report.ts'
import { algorithms, type Scenario, scenarios, scenariosOf } from './scenarios.ts'
import { generatorCore, type ServerProcess } from './server-process.ts'
import {
  bundleFolder,
  type Kind,
  kinds,
  type Measured,
  startFloor,
  startNodeOidcProvider,
  startStile,
} from './servers.ts'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    servers: { type: 'string', default: kinds.join(',') },
    scenarios: { type: 'string' },
  },
})

/** Those of a list that a flag names. */
function named<Name extends string>(flag: string, all: readonly Name[]): readonly Name[] {
  const names = flag.split(',')
  const unknown = names.filter((name) => !all.some((one) => one === name))
  if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(', ')}. There are: ${all.join(', ')}`)
  return all.filter((one) => names.includes(one))
}
const wanted = named(flags.servers, kinds)
const played = named(flags.scenarios ?? scenarios.join(','), scenarios)
const plan = flags.quick
  ? { turns: 2, warmUpTurns: 1, seconds: 0.5, warmUpSeconds: 0.2, restMs: 100, starts: 2, idleMs: 500, connections: 32 }
  : {
      turns: 10,
      warmUpTurns: 2,
      seconds: 1,
      warmUpSeconds: 0.2,
      restMs: 1200,
      starts: 7,
      idleMs: 3000,
      connections: 32,
    }

if (availableParallelism() < 2) throw new Error('Two cores are needed: one for the server, one for the load')
// What is started from here without a core of its own (the generator, PostgreSQL) inherits this one.
execFileSync('taskset', ['-a', '-c', '-p', String(generatorCore), String(process.pid)])

const say = (line: string): void => console.error(line)
const generator = fork(join(import.meta.dirname, 'load.ts'))

/** Has the generator do a job. */
async function generate(job: Job): Promise<Load> {
  const answer = once(generator, 'message') as Promise<[Load]>
  generator.send(job)
  return (await answer)[0]
}

/** Starts everything that was asked for, once per algorithm. */
async function startAll(cleanup: AsyncDisposableStack): Promise<readonly Measured[]> {
  const isWanted = (kind: Kind): boolean => wanted.includes(kind)
  const postgres = isWanted('Stile PostgreSQL') ? await startOwnPostgres() : undefined
  if (postgres && 'missing' in postgres) say(`PostgreSQL is left out; it would come with ${postgres.missing}`)
  const cluster = postgres && 'stop' in postgres ? postgres : undefined
  if (cluster) cleanup.defer(() => cluster.stop())
  const servers: Measured[] = []
  const add = async (kind: Kind, start: () => Promise<Measured>): Promise<void> => {
    if (!isWanted(kind)) return
    const server = await start()
    cleanup.defer(() => server.stop())
    servers.push(server)
  }
  for (const algorithm of algorithms) {
    await add('floor', () => startFloor(algorithm))
    await add('node-oidc-provider', () => startNodeOidcProvider(algorithm))
    await add('Stile embedded', () => startStile(algorithm))
    if (cluster) await add('Stile PostgreSQL', async () => startStile(algorithm, await cluster.createDatabase()))
  }
  return servers
}

/** Has the servers take turns at every scenario, by every algorithm. */
async function measure(servers: readonly Measured[]): Promise<readonly Turn[]> {
  const turns: Turn[] = []
  for (const scenario of played) {
    for (const algorithm of algorithms) {
      const able = servers.filter(
        ({ target }) => target.algorithm === algorithm && scenariosOf(target).includes(scenario),
      )
      say(`${scenario}, ${algorithm} …`)
      for (let turn = 1 - plan.warmUpTurns; turn <= plan.turns; turn += 1) {
        for (const server of able) {
          const taken = await takeTurn(server, scenario)
          // A server that refuses while it warms up is as broken as one that does so afterwards.
          if (turn > 0 || taken.errors > 0) turns.push(taken)
        }
      }
    }
  }
  return turns
}

/** One turn of a server: V8 lets go of compiled code in one that rests, so there is load for a moment before it counts. */
async function takeTurn({ kind, target, process }: Measured, scenario: Scenario): Promise<Turn> {
  const job = { target, scenario, connections: plan.connections }
  const warmUp = await generate({ ...job, seconds: plan.warmUpSeconds })
  await process.vitals()
  const load = await generate({ ...job, seconds: plan.seconds })
  const { loopP50, loopP99, cpu } = await process.vitals()
  await pause(plan.restMs)
  const late = await process.vitals()
  const vitals = { loopP50, loopP99, cpu: cpu + late.cpu }
  return { kind, algorithm: target.algorithm, scenario, ...(warmUp.errors > 0 ? warmUp : load), ...vitals }
}

/** From starting a process on data that exists to its first answer. */
async function startOnce(
  start: () => Promise<ServerProcess>,
): Promise<{ ready: number; firstAnswer: number; idle: number }> {
  const startedAt = performance.now()
  const server = await start()
  const { origin } = server.ready as { readonly origin: string }
  await (await fetch(`${origin}/.well-known/openid-configuration`)).arrayBuffer()
  const firstAnswer = performance.now() - startedAt
  await pause(plan.idleMs)
  const idle = server.memory()
  await server.stop()
  return { ready: server.readyAfter, firstAnswer, idle }
}

/** Start times and memory, as medians of several starts. */
async function startSeveralTimes(start: () => Promise<ServerProcess>): Promise<Omit<Footprint, 'kind'>> {
  const starts = []
  for (let n = 0; n < plan.starts; n += 1) starts.push(await startOnce(start))
  return {
    ready: median(starts.map(({ ready }) => ready)),
    firstAnswer: median(starts.map(({ firstAnswer }) => firstAnswer)),
    idleMemory: median(starts.map(({ idle }) => idle)),
  }
}

/** What one kind of server needs. Stops the server that was measured, since its data is taken over. */
async function footprint(server: Measured): Promise<readonly Footprint[]> {
  const loadedMemory = server.process.memory()
  await server.process.stop()
  const own = { kind: server.kind, ...(await startSeveralTimes(server.restart)), loadedMemory }
  if (!server.restartFromSources) return [own]
  return [own, { kind: 'Stile from sources', ...(await startSeveralTimes(server.restartFromSources)) }]
}

await using cleanup = new AsyncDisposableStack()
cleanup.defer(() => void generator.kill())
execFileSync(process.execPath, ['scripts/build.ts', bundleFolder], { cwd: join(import.meta.dirname, '..') })
const servers = await startAll(cleanup)

const machineDuringTurns = watchMachine()
const turns = await measure(servers)
const machine = machineDuringTurns()
const footprints: Footprint[] = []
if (flags.scenarios === undefined) {
  say('Starting each server again …')
  for (const server of servers.filter(({ target }) => target.algorithm === 'ES256'))
    footprints.push(...(await footprint(server)))
}

const results = summarize(turns)
const folder = join(import.meta.dirname, 'results')
mkdirSync(folder, { recursive: true })
const all = { at: new Date().toISOString(), machine, plan, results, ratios: ratios(turns), footprints, turns }
writeFileSync(join(folder, 'latest.json'), `${JSON.stringify(all, undefined, 2)}\n`)
console.log(`${describeMachine(machine)}\n\n${render(results, ratios(turns), footprints)}`)
if (results.some(({ errors }) => errors > 0)) process.exitCode = 1
