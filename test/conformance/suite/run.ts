/** A run of a module, and what the suite would call its result. */
import { AssertionError } from 'node:assert/strict'
import type { Answer } from '../../harness/stile.ts'
import type { Page, SuiteBrowser } from './browser.ts'
import type { Suite } from './suite.ts'
import type { Variant } from './variants.ts'

/** What the suite says of a module that did not fail. */
export type Result = 'PASSED' | 'REVIEW' | 'WARNING' | 'SKIPPED'

/** A module. It throws where a condition fails that counts as a FAILURE. */
export type Module = (run: Run) => Promise<void>

/** Ends a module that does not apply. */
class Skipped extends Error {}

export class Run {
  readonly suite: Suite
  readonly variant: Variant
  readonly browser: SuiteBrowser
  /** The conditions that were missed and count as a WARNING, by their class. */
  readonly warnings: string[] = []
  /** Pages of which a person uploads a picture, for a reviewer to look at. */
  readonly pictures: Page[] = []
  /** What the server says of itself, once it was asked. */
  configuration: Promise<Answer> | undefined
  /** What clears up behind it. */
  readonly cleanups: (() => Promise<void>)[] = []

  constructor(suite: Suite, variant: Variant, browser: SuiteBrowser) {
    this.suite = suite
    this.variant = variant
    this.browser = browser
  }

  /** Evaluates a condition whose miss counts as a WARNING. */
  warns<A extends unknown[]>(condition: (...args: A) => void, ...args: A): void {
    try {
      condition(...args)
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error
      this.warnings.push(condition.name.replace(/^./, (letter) => letter.toUpperCase()))
    }
  }

  /** Ends the module: it does not apply. */
  skip(reason: string): never {
    throw new Skipped(reason)
  }
}

/** Runs a module, and gives its result with the conditions that it warns of. */
export async function resultOf(module: Module, run: Run): Promise<readonly [Result, ...string[]]> {
  try {
    await module(run)
  } catch (error) {
    if (error instanceof Skipped) return ['SKIPPED']
    throw error
  } finally {
    for (const cleanup of run.cleanups) await cleanup()
  }
  const warnings = [...new Set(run.warnings)].toSorted()
  if (warnings.length > 0) return ['WARNING', ...warnings]
  return [run.pictures.length > 0 ? 'REVIEW' : 'PASSED']
}
