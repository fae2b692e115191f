/**
 * Moves the data keys of all environments under the present master key, after it was rotated (security-and-reliability
 * 4.3, R18). When none is left, the log says so, and the previous key can be taken out of the settings.
 *
 * Never: a data key that cannot be unwrapped is replaced or removed; it is reported and left as it is.
 */
import type { Kernel } from '../kernel.ts'
import { rewrapDataKey } from '../keys/data-key.ts'
import { underLease } from '../storage/lease.ts'
import { run } from '../storage/port.ts'
import { dataKeysNotUnder, replaceWrapping } from '../storage/sql/environments.ts'

/** Re-wraps what is under another master key, unless another node is at it. */
export async function rewrapDataKeys(
  { storage, world, masterKeys, log }: Pick<Kernel, 'storage' | 'world' | 'masterKeys' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  const current = masterKeys.current.id
  if ((await storage.read(dataKeysNotUnder(current))).length === 0) return
  await underLease(storage, world, { name: 'data-keys', duration: 30_000 }, async (lost) => {
    const stop = AbortSignal.any([signal, lost])
    for (;;) {
      const keys = await storage.read(dataKeysNotUnder(current))
      let moved = 0
      for (const key of keys) {
        if (stop.aborted) return
        let wrapped: string | undefined
        try {
          wrapped = rewrapDataKey(masterKeys, key.wrapped, key.environment_id, world)
        } catch (error) {
          log.error(
            { err: error, environmentId: key.environment_id },
            'a data key is under a master key that is not at hand',
          )
          continue
        }
        if (wrapped === undefined) continue
        const statement = replaceWrapping(key, wrapped, current)
        await storage.commit({ name: 'data-key.rewrap', single: true, run: () => run(statement) })
        moved += 1
      }
      if (keys.length === 0) log.info('every data key is under the present master key')
      if (moved === 0) return
    }
  })
}
