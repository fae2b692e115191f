/**
 * By what an application knows a user: the user's id or, with pairwise subjects (OpenID Connect Core section 8), something
 * that no application of another sector can connect with it. A pairwise subject is the id, enciphered as one block of AES
 * under a key of the sector, which is derived from the environment's own sealed data key: it is always the same, it tells
 * nothing, and this server can read it back.
 *
 * Never: a subject of one sector taken for one of another; an id that looks like a pairwise subject, or the reverse.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { decodeBase64url } from '../keys/base64url.ts'
import { deriveKey } from '../keys/master-key.ts'
import type { Application } from './application.ts'
import type { Environment } from './snapshot.ts'

const idForm = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const BLOCK_BYTES = 16

/** The subject of a user for an application. */
export function subjectFor(environment: Environment, application: Application, userId: string): string {
  const sector = sectorOf(application)
  if (sector === undefined) return userId
  const cipher = createCipheriv('aes-256-ecb', sectorKey(environment, sector), null).setAutoPadding(false)
  const block = Buffer.from(userId.replaceAll('-', ''), 'hex')
  return Buffer.concat([cipher.update(block), cipher.final()]).toString('base64url')
}

/** The id of the user whom an application knows by a subject; undefined when it can know nobody by it. */
export function userOfSubject(environment: Environment, application: Application, subject: string): string | undefined {
  const sector = sectorOf(application)
  if (sector === undefined) return subject
  const block = decodeBase64url(subject)
  if (block?.length !== BLOCK_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-ecb', sectorKey(environment, sector), null).setAutoPadding(false)
  const hex = Buffer.concat([decipher.update(block), decipher.final()]).toString('hex')
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return idForm.test(id) ? id : undefined
}

/**
 * The sector of an application with pairwise subjects: the host of its sector identifier, or of its redirect URIs, which
 * then have but one (OpenID Connect Core section 8.1).
 */
function sectorOf({ document: { subjectType, sectorIdentifierUri, redirectUris } }: Application): string | undefined {
  if (subjectType !== 'pairwise') return undefined
  return new URL(sectorIdentifierUri ?? redirectUris[0] ?? '').host
}

const sectorKeys = new WeakMap<Environment, Map<string, KeyObject>>()

function sectorKey(environment: Environment, sector: string): KeyObject {
  const keys = sectorKeys.get(environment) ?? new Map<string, KeyObject>()
  sectorKeys.set(environment, keys)
  const key = keys.get(sector) ?? deriveKey({ key: environment.dataKey }, `pairwise-subject/${sector}`)
  keys.set(sector, key)
  return key
}
