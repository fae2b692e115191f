/** `stile token`: gets an application token by client credentials and prints it, ready for `curl -H "authorization: Bearer $(…)"`. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineCommand } from 'citty'
import { quickstartSchema } from '../dev/quickstart.ts'
import { requestToken } from '../external/own-token.ts'
import { CommandFailed, exitCodes, orFail } from './failure.ts'

export const token = defineCommand({
  meta: { name: 'token', description: 'Get an application token from a running dev server.' },
  args: {
    data: { type: 'string', description: 'Directory of the dev server (setting STILE_DATA_DIR).' },
    scope: { type: 'string', description: 'Scopes, separated by spaces.' },
    json: { type: 'boolean', description: 'Print the whole token response.' },
  },
  run: ({ args }) =>
    orFail(async () => {
      const file = join(args.data ?? process.env['STILE_DATA_DIR'] ?? '.stile', 'quickstart.json')
      const text = await readFile(file, 'utf8').catch(() => {
        throw new CommandFailed(`${file} is not there. Start the dev server first: npm start.`, exitCodes.unavailable)
      })
      const { issuer, worker } = quickstartSchema.parse(JSON.parse(text))
      const response = await requestToken(`${issuer}/token`, worker, args.scope).catch(() => {
        throw new CommandFailed(
          `Nothing answers at ${issuer}. Start the dev server first: npm start.`,
          exitCodes.unavailable,
        )
      })
      process.stdout.write(`${args.json ? JSON.stringify(response) : response.access_token}\n`)
    }),
})
