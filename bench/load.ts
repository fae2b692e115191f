/**
 * The load generator: a process of its own on a core of its own. It receives a job by message, keeps a fixed number of
 * connections busy for a fixed time, and answers with rate and latencies.
 * Never: an open number of requests; every job ends by itself.
 */
import { createHistogram } from 'node:perf_hooks'
import { Connection } from './http-connection.ts'
import { type Scenario, scenarioRun, type Target } from './scenarios.ts'

/** What to do. */
export interface Job {
  readonly target: Target
  readonly scenario: Scenario
  readonly seconds: number
  readonly connections: number
}

/** What came of it. Latencies are those of a whole run of the scenario, in milliseconds. */
export interface Load {
  readonly runs: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly errors: number
  /** The first error, as a sentence. */
  readonly error?: string
  /** Share of its core that the generator used; close to 1 it would measure itself. */
  readonly generatorBusy: number
}

/** Failures are counted up to here; then the job ends, since its rate means nothing any more. */
const maximumErrors = 100

/** Runs one job to its end. */
export async function load({ target, scenario, seconds, connections }: Job): Promise<Load> {
  const latencies = createHistogram()
  const errors: string[] = []
  const cpuAtStart = process.cpuUsage()
  const startedAt = performance.now()
  const endsAt = startedAt + seconds * 1000
  let runs = 0

  const worker = async (number: number): Promise<void> => {
    const connection = new Connection(target.origin)
    const run = scenarioRun(scenario, target, number)
    while (errors.length < maximumErrors) {
      const began = performance.now()
      if (began >= endsAt) break
      try {
        await run(connection)
        latencies.record(Math.max(1, Math.round((performance.now() - began) * 1e6)))
        runs += 1
      } catch (error) {
        errors.push(error instanceof Error ? error.message : String(error))
      }
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: connections }, (_, number) => worker(number)))

  const elapsed = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpuAtStart)
  return {
    runs,
    perSecond: runs / elapsed,
    p50: latencies.percentile(50) / 1e6,
    p99: latencies.percentile(99) / 1e6,
    errors: errors.length,
    ...(errors[0] === undefined ? {} : { error: errors[0] }),
    generatorBusy: (user + system) / 1e6 / elapsed,
  }
}

process.on('message', (job: Job) => {
  void load(job).then((result) => process.send?.(result))
})
