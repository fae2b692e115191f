/**
 * Which test runs, told to Node's test runner by an `AsyncLocalStorage`. By itself the runner follows every promise and
 * every handle with an asynchronous hook, which takes a fifth of the processor time of the whole suite. Preloaded into the
 * processes of a run, before they load the runner (scripts/test.ts).
 * Never: a test declared, or an error that nobody caught, that the runner puts elsewhere than it would without this.
 */
import asyncHooks, { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

const { createHook, executionAsyncId } = asyncHooks

/** The id of the test, suite or hook whose code runs. */
const current = new AsyncLocalStorage<number>()
/** What the runner wants to be told: of the resources that are shown to it, it keeps those that are tests, by their id. */
let runner: asyncHooks.HookCallbacks | undefined

asyncHooks.createHook = (callbacks) => {
  // Whoever asks first is the runner, when it starts; what the code under test asks for, it gets.
  if (runner !== undefined) return createHook(callbacks)
  runner = callbacks
  const hook = { enable: () => hook, disable: () => hook }
  return hook
}
asyncHooks.executionAsyncId = () => current.getStore() ?? executionAsyncId()

const ofRunner = ['Test', 'Suite', 'TestHook']
const { prototype } = AsyncResource
const runInScope = Reflect.get(prototype, 'runInAsyncScope') as (...args: unknown[]) => unknown

/** The runner runs tests, suites and hooks through this method, each being a resource. */
Reflect.set(
  prototype,
  'runInAsyncScope',
  function (this: AsyncResource, run: (...args: unknown[]) => unknown, thisArg: unknown, ...args: unknown[]): unknown {
    const kind = this.constructor.name
    if (!ofRunner.includes(kind)) return Reflect.apply(runInScope, this, [run, thisArg, ...args])
    const id = this.asyncId()
    runner?.init?.(id, kind, this.triggerAsyncId(), this)
    return Reflect.apply(runInScope, this, [() => current.run(id, () => Reflect.apply(run, thisArg, args))])
  },
)
