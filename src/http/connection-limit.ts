/**
 * How many connections a node holds at once (row O16): what the operating system lets it open, less what it needs for
 * storage, for what it asks of others, and for the port of health, which has to answer when all else is full.
 *
 * Never: a connection taken for which the database then has no file left.
 */
import { readFileSync } from 'node:fs'

const fewestKept = 100
const keptPart = 1 / 8
const fewestConnections = 50

/**
 * Works it out.
 * @param limits the limits of the process as Linux lists them
 * @param ports on how many ports connections are taken
 * @returns connections of each port; undefined: nothing is known of a limit
 */
export function mostConnections(limits: string, ports: number): number | undefined {
  const [, files] = /^Max open files\s+(\d+)\s/m.exec(limits) ?? []
  if (files === undefined) return undefined
  const kept = Math.max(fewestKept, Math.ceil(Number(files) * keptPart))
  return Math.max(fewestConnections, Math.floor((Number(files) - kept) / ports))
}

/** The limits of this process; empty where the system does not list them. */
export function limitsOfProcess(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return ''
  }
}
