/**
 * quickstart.json: what `stile dev` made, as data (experience.md, "First run"). Written by temporary file and rename with
 * mode 0600 once the server listens; it holds secrets of the demo environment and exists in dev mode only.
 */
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

export const quickstartSchema = z.object({
  authUrl: z.string(),
  apiUrl: z.string(),
  organizationId: z.string(),
  environmentId: z.string(),
  populationId: z.string(),
  issuer: z.string(),
  discoveryUrl: z.string(),
  inboxUrl: z.string(),
  worker: z.object({ clientId: z.string(), clientSecret: z.string() }),
  singlePageApp: z.object({ clientId: z.string(), redirectUri: z.string() }),
  webApp: z.object({ clientId: z.string(), clientSecret: z.string(), redirectUri: z.string() }),
  nativeApp: z.object({ clientId: z.string(), redirectUri: z.string() }),
  mfaApp: z.object({ clientId: z.string(), redirectUri: z.string() }),
  user: z.object({ id: z.string(), username: z.string(), password: z.string() }),
  mfaUser: z.object({ id: z.string(), username: z.string(), password: z.string(), totpSecret: z.string() }),
})

/** The facts of a dev server. */
export type Quickstart = z.output<typeof quickstartSchema>

/** Reads quickstart.json; undefined when it is not there or not whole. */
export async function readQuickstart(directory: string): Promise<Quickstart | undefined> {
  try {
    return quickstartSchema.parse(JSON.parse(await readFile(join(directory, 'quickstart.json'), 'utf8')))
  } catch {
    return undefined
  }
}

/** Writes quickstart.json. */
export async function writeQuickstart(directory: string, quickstart: Quickstart): Promise<void> {
  const path = join(directory, 'quickstart.json')
  const temporary = `${path}.${process.pid}.tmp`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(quickstart, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
