/**
 * A measured server: a process pinned to one core, known by the JSON line it prints when it is ready, and asked for its
 * vital signs through the probe.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Vitals } from './probe.ts'

export const serverCore = 0
export const generatorCore = 1
const readyWithinMs = 20_000

/** A running server. */
export interface ServerProcess {
  /** What its first line of JSON said. */
  readonly ready: unknown
  /** From spawning to that line, in milliseconds. */
  readonly readyAfter: number
  /** Resident memory at this moment, in MiB. */
  memory(): number
  /** What the probe saw since it was asked last. */
  vitals(): Promise<Vitals>
  /** Ends the process and waits for it. */
  stop(): Promise<void>
}

/** Starts `node ...args` on the servers' core and waits until it says that it is ready. */
export async function startServer(args: readonly string[], env: Record<string, string> = {}): Promise<ServerProcess> {
  const startedAt = performance.now()
  const probe = join(import.meta.dirname, 'probe.ts')
  const child = spawn('taskset', ['-c', String(serverCore), process.execPath, '--import', probe, ...args], {
    cwd: join(import.meta.dirname, '..'),
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const kill = (): boolean => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  const ready = await firstJsonLine(child, args.join(' '))
  const readyAfter = performance.now() - startedAt
  return {
    ready,
    readyAfter,
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    async vitals() {
      const answer = once(child, 'message') as Promise<[Vitals]>
      child.send('vitals')
      return (await answer)[0]
    },
    async stop() {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended
      clearTimeout(timer)
    },
  }
}

/** The first line of JSON that says where the server listens; fails with what was printed instead. */
function firstJsonLine(child: ChildProcess, name: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const printed: string[] = []
  const fail = (why: string): void => reject(new Error(`${name} ${why}:\n${printed.slice(-20).join('\n')}`))
  const timer = setTimeout(() => {
    fail(`was not ready within ${readyWithinMs} ms`)
    child.kill('SIGKILL')
  }, readyWithinMs)
  child.once('exit', (code, signal) => fail(`ended with ${code ?? signal} before it was ready`))
  child.once('error', (error) => fail(error.message))
  for (const stream of [child.stdout, child.stderr]) {
    // Reading goes on for the whole life of the server: a full pipe would stop it.
    if (stream)
      createInterface({ input: stream }).on('line', (line) => {
        if (printed.length < 200) printed.push(line)
        if (/^\{.*("(origin|authUrl)":|"msg":"listening")/.test(line)) resolve(JSON.parse(line))
      })
  }
  return promise.finally(() => clearTimeout(timer))
}
