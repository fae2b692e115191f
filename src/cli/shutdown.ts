/** Graceful end of a node: the first SIGINT or SIGTERM finishes what is under way, a second one ends at once. */

/** Resolves when the process is asked to end and `close` has finished. */
export function untilAskedToEnd(close: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let ending = false
    const end = () => {
      if (ending) process.exit(1)
      ending = true
      close().then(resolve, reject)
    }
    process.on('SIGINT', end)
    process.on('SIGTERM', end)
  })
}
