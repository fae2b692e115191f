/** What an answer echoes: the answer without what only the server decides. */
import type { Answer } from '../harness/stile.ts'

/** A parsed answer; tests read it freely. */
export type Json = Answer['json']

const decidedByServer = ['_links', 'id', 'environment', 'createdAt', 'updatedAt']

/** A copy of `answer` without what the server decides for every resource, and without `others`. */
export function echoOf(answer: Json, ...others: readonly string[]): Json {
  const dropped = new Set([...decidedByServer, ...others])
  return Object.fromEntries(Object.entries(answer).filter(([name]) => !dropped.has(name)))
}
