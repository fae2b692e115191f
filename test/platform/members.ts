/** What the platform adds to every resource it keeps. */
const added = ['_links', 'id', 'environment', 'createdAt', 'updatedAt']

/** The members of an answer that its client sent, or could have sent. */
export function sentMembers(json: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(json).filter(([name]) => !added.includes(name)))
}
