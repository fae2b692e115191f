/**
 * `stile inbox`: prints the messages that a dev server kept instead of sending them, the newest last, so that the code
 * somebody waits for stands at the end.
 *
 * Never: a control character of a message on the terminal.
 */
import { defineCommand } from 'citty'
import { inboxSchema, type InboxItem } from '../dev/inbox.ts'
import { readOwnInbox } from '../external/own-inbox.ts'
import { CommandFailed, exitCodes, orFail } from './failure.ts'
import { nothingAnswers, quickstartFacts } from './quickstart-facts.ts'

export const inbox = defineCommand({
  meta: { name: 'inbox', description: 'Print the messages that a running dev server kept.' },
  args: {
    data: { type: 'string', description: 'Directory of the dev server (setting STILE_DATA_DIR).' },
    limit: { type: 'string', description: 'How many, from 1 to 100.', default: '5' },
    json: { type: 'boolean', description: 'Print one JSON object per line.' },
  },
  run: ({ args }) =>
    orFail(async () => {
      const limit = /^\d{1,3}$/.test(args.limit) ? Number(args.limit) : 0
      if (limit < 1 || limit > 100) {
        throw new CommandFailed('--limit must be a number from 1 to 100.', exitCodes.usage)
      }
      const { authUrl } = await quickstartFacts(args.data)
      const answer = await readOwnInbox(authUrl).catch(() => {
        throw nothingAnswers(authUrl)
      })
      const newest = inboxSchema.parse(answer).messages.slice(0, limit).toReversed()
      if (newest.length === 0 && !args.json) process.stderr.write('There are no messages yet.\n')
      for (const item of newest) process.stdout.write(args.json ? `${JSON.stringify(item)}\n` : written(item))
    }),
})

function written({ deliveryMethod, to, subject, text, createdAt }: InboxItem): string {
  const heading = [createdAt, deliveryMethod, to, subject].filter((part) => part !== '').join('  ')
  return `${plain(heading)}\n\n${plain(text).replaceAll(/^(?=.)/gm, '  ')}\n\n`
}

function plain(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/gu, ' ')
}
