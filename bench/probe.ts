/**
 * Preloaded into every measured server with `--import`: answers messages of the bench with what only the process itself
 * knows. The same for every server, so that its small cost falls on all alike.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** What a server tells about the time since the last message. */
export interface Vitals {
  /** Delay of its event loop, in milliseconds. */
  readonly loopP50: number
  readonly loopP99: number
  /** CPU time used, in milliseconds, over all of its threads. */
  readonly cpu: number
}

const resolutionMs = 5
const delay = monitorEventLoopDelay({ resolution: resolutionMs })
delay.enable()
let cpu = process.cpuUsage()

process.on('message', () => {
  const { user, system } = process.cpuUsage(cpu)
  // The histogram holds the time between two ticks of its own timer; what is beyond the resolution is delay.
  const beyond = (percentile: number): number => Math.max(0, delay.percentile(percentile) / 1e6 - resolutionMs)
  process.send?.({ loopP50: beyond(50), loopP99: beyond(99), cpu: (user + system) / 1000 } satisfies Vitals)
  delay.reset()
  cpu = process.cpuUsage()
})
process.channel?.unref()
