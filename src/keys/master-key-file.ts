/**
 * The master key of a development server: a file of mode 0600 that is made on the first start. Two servers that start
 * at once agree on one key, since the finished file is linked into place and a link never replaces. Never: used by
 * `serve`, where the key must come from outside the data directory; a key read from a file that others may read.
 */
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { World } from '../world.ts'
import { InvalidMasterKey, KEY_BYTES, type MasterKey, parseMasterKey } from './master-key.ts'

/**
 * Reads the master key of `path`, or makes one there.
 * @throws InvalidMasterKey when the file does not hold a master key or is open to other users
 */
export async function loadOrCreateMasterKeyFile(path: string, world: World): Promise<MasterKey> {
  return (await load(path)) ?? (await create(path, world))
}

async function load(path: string): Promise<MasterKey | undefined> {
  let text: string
  try {
    const { mode } = await stat(path)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new InvalidMasterKey(`${path} may be read by other users; run chmod 600 on it`)
    }
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
  return parseMasterKey(text.trim(), path)
}

async function create(path: string, world: World): Promise<MasterKey> {
  await mkdir(dirname(path), { recursive: true })
  const draft = `${path}.${world.uuid()}`
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(`${world.bytes(KEY_BYTES).toString('base64url')}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(draft, path).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error
    })
  } finally {
    await rm(draft, { force: true })
  }
  const made = await load(path)
  if (!made) throw new InvalidMasterKey(`${path} vanished while it was made`)
  return made
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
