/**
 * What the machine was like while it was measured, so that numbers of two runs can be compared at all: on a shared host
 * the same core can be four times slower an hour later.
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** The machine during a run. */
export interface Machine {
  readonly node: string
  readonly cpu: string
  readonly cores: number
  /** CPU time of one RSA 2048 signature in microseconds, before and after the turns: the yardstick. */
  readonly signatureMicroseconds: readonly [number, number]
  /** Share of all CPU time that the host gave to others. */
  readonly stolen: number
}

/** CPU time since boot in ticks, as Linux counts it. */
interface Ticks {
  readonly total: number
  readonly stolen: number
}

function ticks(): Ticks {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n')[0]?.trim().split(/\s+/).slice(1, 9).map(Number) ?? []
  return { total: fields.reduce((sum, value) => sum + value, 0), stolen: fields[7] ?? 0 }
}

/** CPU time of one RS256 signature in microseconds. */
function signatureMicroseconds(): number {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const input = Buffer.alloc(300, 'x')
  const makeSome = (count: number): void => {
    for (let n = 0; n < count; n += 1) sign('sha256', input, privateKey)
  }
  makeSome(100)
  const before = process.cpuUsage()
  makeSome(500)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 500
}

/** Begins watching; call the result when the turns are over. */
export function watchMachine(): () => Machine {
  const first = signatureMicroseconds()
  const start = ticks()
  return () => {
    const end = ticks()
    return {
      node: process.version,
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      signatureMicroseconds: [first, signatureMicroseconds()],
      stolen: (end.stolen - start.stolen) / Math.max(end.total - start.total, 1),
    }
  }
}

/** The machine as a line of text. */
export function describeMachine({ node, cpu, cores, signatureMicroseconds: [before, after], stolen }: Machine): string {
  const signature = `one RS256 signature ${before.toFixed(0)} µs before and ${after.toFixed(0)} µs after`
  return `Node ${node}, ${cores} cores (${cpu}); ${signature}; ${(stolen * 100).toFixed(0)} % of the time went to other guests of the host`
}
