/** `stile token`: gets an application token by client credentials and prints it, ready for `curl -H "authorization: Bearer $(…)"`. */
import { defineCommand } from 'citty'
import { requestToken } from '../external/own-token.ts'
import { orFail } from './failure.ts'
import { nothingAnswers, quickstartFacts } from './quickstart-facts.ts'

export const token = defineCommand({
  meta: { name: 'token', description: 'Get an application token from a running dev server.' },
  args: {
    data: { type: 'string', description: 'Directory of the dev server (setting STILE_DATA_DIR).' },
    scope: { type: 'string', description: 'Scopes, separated by spaces.' },
    json: { type: 'boolean', description: 'Print the whole token response.' },
  },
  run: ({ args }) =>
    orFail(async () => {
      const { issuer, worker } = await quickstartFacts(args.data)
      const response = await requestToken(`${issuer}/token`, worker, args.scope).catch(() => {
        throw nothingAnswers(issuer)
      })
      process.stdout.write(`${args.json ? JSON.stringify(response) : response.access_token}\n`)
    }),
})
