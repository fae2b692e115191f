/** The command line as a process of its own: from sources or as built, on a directory that is removed afterwards. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** A finished command. */
export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that runs. */
export interface Running {
  readonly process: ChildProcess
  /** Resolves with the first whole line of standard output; rejects when the process ends before. */
  readonly firstLine: Promise<string>
  /** Resolves when the process has ended. */
  readonly finished: Promise<Finished>
  /** Asks the process to end and waits for it. */
  stop(signal?: NodeJS.Signals): Promise<Finished>
}

const { PATH, HOME, NODE_COMPILE_CACHE } = process.env
/** What a process has of the surrounding one: no settings. Compiling the product anew takes longer than all it does here. */
const surroundings = { PATH, HOME, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }) }

/**
 * Starts `stile` with arguments. Settings of the surrounding process do not reach it.
 * @param program the file that is run; default: the sources
 * @param openFiles how many the system lets it open; default: as many as the surrounding process
 */
export function runStile(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  directory?: string,
  program = main,
  openFiles?: number,
): Running {
  const command = [process.execPath, program, ...args]
  const [file = '', ...words] = openFiles
    ? ['sh', '-c', `ulimit -n ${openFiles} && exec "$0" "$@"`, ...command]
    : command
  const child = spawn(file, words, {
    env: { ...surroundings, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(directory ? { cwd: directory } : {}),
  })
  let stdout = ''
  let stderr = ''
  const first = Promise.withResolvers<string>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    const end = stdout.indexOf('\n')
    if (end !== -1) first.resolve(stdout.slice(0, end))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const finished = once(child, 'close').then(([code]) => {
    first.reject(new Error(`stile ${args.join(' ')} ended with ${code}: ${stderr}`))
    return { code: code as number | null, stdout, stderr }
  })
  first.promise.catch(() => undefined)
  return {
    process: child,
    firstLine: first.promise,
    finished,
    stop(signal = 'SIGTERM') {
      child.kill(signal)
      return finished
    },
  }
}
