/** The inbox of a dev server of one's own, for the command line. */

/**
 * Reads it.
 * @param origin of the dev server
 * @throws when nothing answers within 10 s, or the answer is no inbox
 */
export async function readOwnInbox(origin: string): Promise<unknown> {
  const answer = await fetch(`${origin}/dev/inbox.json`, {
    redirect: 'error',
    signal: AbortSignal.timeout(10_000),
    headers: { accept: 'application/json' },
  })
  if (!answer.ok) throw new Error(`the inbox answered ${answer.status}`)
  return answer.json()
}
