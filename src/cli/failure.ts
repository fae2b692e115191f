/**
 * How a command fails: one sentence what is wrong, one what to do, and an exit code of sysexits.h:
 * 64 the command was called wrongly, 69 something it needs is not available, 70 a defect, 78 configuration.
 */
import { ConfigError } from '../config.ts'
import { IpIntelligenceError } from '../ip-intelligence.ts'
import { InvalidMasterKey } from '../keys/master-key.ts'
import { DatabaseTooNew } from '../storage/migrate.ts'
import { StorageUnavailable } from '../storage/port.ts'
import { DirectoryInUse } from '../storage/sqlite/directory-lock.ts'

/** The exit codes a command ends with. */
export const exitCodes = { usage: 64, unavailable: 69, defect: 70, configuration: 78 } as const

/** A failure whose text is for the person at the terminal. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Runs a command; prints a failure to stderr and sets the exit code. */
export async function orFail(command: () => Promise<void>): Promise<void> {
  try {
    await command()
  } catch (error) {
    const { lines, exitCode } = explain(error)
    for (const line of lines) process.stderr.write(`stile: ${line}\n`)
    process.exitCode = exitCode
  }
}

function explain(error: unknown): { readonly lines: readonly string[]; readonly exitCode: number } {
  if (error instanceof CommandFailed) return { lines: [error.message], exitCode: error.exitCode }
  if (error instanceof ConfigError) return { lines: error.problems, exitCode: exitCodes.configuration }
  if (error instanceof IpIntelligenceError) {
    return { lines: [`STILE_IP_INTELLIGENCE: ${error.message}.`], exitCode: exitCodes.configuration }
  }
  if (error instanceof InvalidMasterKey) return { lines: [`${error.message}.`], exitCode: exitCodes.configuration }
  if (error instanceof DatabaseTooNew) return { lines: [error.message], exitCode: exitCodes.configuration }
  if (error instanceof StorageUnavailable) return { lines: [error.message], exitCode: exitCodes.unavailable }
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return {
      lines: ['The port is taken by another program. Choose another with --port, or 0 for any free one.'],
      exitCode: exitCodes.unavailable,
    }
  }
  if (error instanceof DirectoryInUse) return { lines: [error.message], exitCode: exitCodes.unavailable }
  return {
    lines: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
    exitCode: exitCodes.defect,
  }
}
