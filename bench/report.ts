/**
 * What a run of the bench found, as data and as text. Medians over the turns, since one turn on a machine that does
 * something else for a moment says little.
 */
import type { Load } from './load.ts'
import type { Vitals } from './probe.ts'
import type { Algorithm, Scenario } from './scenarios.ts'
import type { Kind } from './servers.ts'

/** One turn of a server at a scenario. */
export interface Turn extends Load, Vitals {
  readonly kind: Kind
  readonly algorithm: Algorithm
  readonly scenario: Scenario
}

/** The turns of one scenario on one server, as medians. Times in milliseconds, `busy` as a share of the core. */
export interface Result {
  readonly kind: Kind
  readonly algorithm: Algorithm
  readonly scenario: Scenario
  readonly turns: number
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
  /** After the turns; the bundle had none. */
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

/** Brings the turns of each server and scenario together, in the order in which they first appear. */
export function summarize(turns: readonly Turn[]): readonly Result[] {
  const groups = Map.groupBy(turns, ({ kind, algorithm, scenario }) => [scenario, algorithm, kind].join(' '))
  return [...groups.values()].flatMap((group) => {
    const first = group[0]
    if (!first) return []
    const { kind, algorithm, scenario } = first
    const of = (value: (turn: Turn) => number): number => median(group.map(value))
    const error = group.find((turn) => turn.error !== undefined)?.error
    return {
      kind,
      algorithm,
      scenario,
      turns: group.length,
      perSecond: of((turn) => turn.perSecond),
      p50: of((turn) => turn.p50),
      p99: of((turn) => turn.p99),
      loopP99: of((turn) => turn.loopP99),
      cpuPerRun: of((turn) => turn.cpu / Math.max(turn.runs, 1)),
      generatorBusy: of((turn) => turn.generatorBusy),
      errors: group.reduce((sum, turn) => sum + turn.errors, 0),
      ...(error === undefined ? {} : { error }),
    }
  })
}

/**
 * How many times as many runs a second Stile makes, against every other server in the same scenario, and how many times
 * as many runs a second of CPU time; the second says more on a machine that is busy otherwise. Medians of the ratios of
 * each turn, whose parts were measured within seconds of each other.
 */
export function ratios(turns: readonly Turn[]): readonly string[] {
  const groups = Map.groupBy(turns, ({ scenario, algorithm }) => `${scenario}, ${algorithm}`)
  return [...groups].flatMap(([what, group]) => {
    const byKind = [...Map.groupBy(group, ({ kind }) => kind)]
    const others = byKind.filter(([kind]) => !kind.startsWith('Stile'))
    const compare = (stile: readonly Turn[], other: readonly Turn[], value: (turn: Turn) => number): string =>
      median(stile.flatMap((turn, at) => (other[at] ? value(turn) / value(other[at]) : []))).toFixed(2)
    return byKind
      .filter(([kind]) => kind.startsWith('Stile'))
      .flatMap(([kind, stile]) =>
        others.map(([otherKind, other]) => {
          const times = compare(stile, other, ({ perSecond }) => perSecond)
          const byCpu = compare(stile, other, ({ runs, cpu }) => runs / cpu)
          return `${what}: ${kind} makes ${times} times what ${otherKind} makes (${byCpu} by CPU time)`
        }),
      )
  })
}

/** Rows of cells as aligned columns, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const pad = (cell: string, column: number): string =>
    /^[\d.,–]+$/.test(cell) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
}

/** The results as text for a terminal. */
export function render(
  results: readonly Result[],
  comparisons: readonly string[],
  footprints: readonly Footprint[],
): string {
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
  return [measured, footprints.length > 0 ? needs : '', comparisons.join('\n'), warnings.join('\n')]
    .filter(Boolean)
    .join('\n\n')
}
