/**
 * What Stile says of itself, in every language it says it in: the contents that hold until an environment stores its own
 * (platform-api 3.18). The code of an e-mail stands on a line of its own.
 *
 * Templates of products that Stile has not (credentials, wallets, identity verification) have no built-in contents.
 */
import type { BuiltInContents } from './content.ts'
import { german } from './de.ts'
import { english } from './en.ts'

/** The language that is spoken where no other fits. */
export const fallbackLocale = 'en'

/** Built-in contents by language. */
export const builtInContents: ReadonlyMap<string, BuiltInContents> = new Map([
  [fallbackLocale, english],
  ['de', german],
])
