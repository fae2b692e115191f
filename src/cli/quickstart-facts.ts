/** The facts of the dev server that a command talks to, from its data directory. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Quickstart, quickstartSchema } from '../dev/quickstart.ts'
import { CommandFailed, exitCodes } from './failure.ts'

/**
 * Reads quickstart.json.
 * @param data the `--data` of the command; default: STILE_DATA_DIR, or `.stile`
 * @throws CommandFailed when it is not there
 */
export async function quickstartFacts(data: string | undefined): Promise<Quickstart> {
  const file = join(data ?? process.env['STILE_DATA_DIR'] ?? '.stile', 'quickstart.json')
  const text = await readFile(file, 'utf8').catch(() => {
    throw new CommandFailed(`${file} is not there. Start the dev server first: npm start.`, exitCodes.unavailable)
  })
  return quickstartSchema.parse(JSON.parse(text))
}

/** What a command says when the dev server does not answer. */
export function nothingAnswers(address: string): CommandFailed {
  return new CommandFailed(
    `Nothing answers at ${address}. Start the dev server first: npm start.`,
    exitCodes.unavailable,
  )
}
