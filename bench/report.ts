/**
 * What a run of the bench found, as data and as text. Medians over the rounds, since one round on a machine that does
 * something else for a moment says little.
 */
import type { Load } from './load.ts'
import type { Vitals } from './probe.ts'
import type { Algorithm, Scenario } from './scenarios.ts'
import type { Kind } from './servers.ts'

/** One scenario on one server in one round. */
export interface Round extends Load, Vitals {
  readonly kind: Kind
  readonly algorithm: Algorithm
  readonly scenario: Scenario
}

/** The rounds of one scenario on one server, as medians. Times in milliseconds, `busy` as a share of the core. */
export interface Result {
  readonly kind: Kind
  readonly algorithm: Algorithm
  readonly scenario: Scenario
  readonly rounds: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly loopP99: number
  readonly cpuPerRun: number
  readonly generatorBusy: number
  readonly errors: number
  readonly error?: string
}

/** What a server needs while it does nothing: times in milliseconds, memory in MiB. */
export interface Footprint {
  readonly kind: Kind | 'Stile from sources'
  readonly ready: number
  readonly firstAnswer: number
  readonly idleMemory: number
  /** After the rounds; the bundle had none. */
  readonly loadedMemory?: number
}

/** The middle of the values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/** Brings the rounds of each server and scenario together, in the order in which they first appear. */
export function summarize(rounds: readonly Round[]): readonly Result[] {
  const groups = Map.groupBy(rounds, ({ kind, algorithm, scenario }) => [scenario, algorithm, kind].join(' '))
  return [...groups.values()].flatMap((group) => {
    const first = group[0]
    if (!first) return []
    const { kind, algorithm, scenario } = first
    const of = (value: (round: Round) => number): number => median(group.map(value))
    const error = group.find((round) => round.error !== undefined)?.error
    return {
      kind,
      algorithm,
      scenario,
      rounds: group.length,
      perSecond: of((round) => round.perSecond),
      p50: of((round) => round.p50),
      p99: of((round) => round.p99),
      loopP99: of((round) => round.loopP99),
      cpuPerRun: of((round) => round.cpu / Math.max(round.runs, 1)),
      generatorBusy: of((round) => round.generatorBusy),
      errors: group.reduce((sum, round) => sum + round.errors, 0),
      ...(error === undefined ? {} : { error }),
    }
  })
}

/**
 * How many times as many runs a second Stile makes, against every other server in the same scenario, and how many times
 * as many runs a second of CPU time; the second says more on a machine that is busy otherwise.
 */
export function ratios(results: readonly Result[]): readonly string[] {
  return results
    .filter(({ kind }) => kind.startsWith('Stile'))
    .flatMap((stile) =>
      results
        .filter(({ kind, scenario, algorithm }) => {
          const same = scenario === stile.scenario && algorithm === stile.algorithm
          return same && !kind.startsWith('Stile')
        })
        .map((other) => {
          const times = (stile.perSecond / other.perSecond).toFixed(2)
          const byCpu = (other.cpuPerRun / stile.cpuPerRun).toFixed(2)
          return `${stile.scenario}, ${stile.algorithm}: ${stile.kind} makes ${times} times what ${other.kind} makes (${byCpu} by CPU time)`
        }),
    )
}

/** Rows of cells as aligned columns, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const pad = (cell: string, column: number): string =>
    /^[\d.,–]+$/.test(cell) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
}

/** The results as text for a terminal. */
export function render(results: readonly Result[], footprints: readonly Footprint[]): string {
  const measured = table([
    ['scenario', 'alg', 'server', '1/s', 'p50 ms', 'p99 ms', 'loop p99 ms', 'CPU µs', 'errors'],
    ...results.map((result) => [
      result.scenario,
      result.algorithm,
      result.kind,
      result.perSecond.toFixed(0),
      result.p50.toFixed(1),
      result.p99.toFixed(1),
      result.loopP99.toFixed(1),
      (result.cpuPerRun * 1000).toFixed(0),
      String(result.errors),
    ]),
  ])
  const needs = table([
    ['server', 'ready ms', 'first answer ms', 'idle MiB', 'loaded MiB'],
    ...footprints.map(({ kind, ...values }) => [kind, ...Object.values(values).map((value) => value.toFixed(0))]),
  ])
  const warnings = results.flatMap(({ kind, algorithm, scenario, error, generatorBusy }) => [
    ...(error === undefined ? [] : [`${kind}, ${algorithm}, ${scenario}: ${error}`]),
    ...(generatorBusy > 0.85 ? [`${kind}, ${algorithm}, ${scenario}: the load generator was the limit`] : []),
  ])
  return [measured, needs, ratios(results).join('\n'), warnings.join('\n')].filter(Boolean).join('\n\n')
}
