/**
 * By what an application knows a user and a session: their ids or, with pairwise subjects (OpenID Connect Core section 8),
 * something that no application of another sector can connect with what it knows. A pairwise name is the id, enciphered as
 * one block of AES under a key of the sector, which is derived from the environment's own sealed data key: it is always the
 * same, it tells nothing, and this server can read it back.
 *
 * A session has pairwise names as well: two applications that see the same `sid` see the same user.
 *
 * Never: a name of one sector taken for one of another, or that of a session for that of a user; an id that looks like a
 * pairwise name, or the reverse.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { decodeBase64url } from '../keys/base64url.ts'
import { deriveKey } from '../keys/master-key.ts'
import type { ApplicationDocument } from './application.ts'
import type { Environment } from './snapshot.ts'

const idForm = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const BLOCK_BYTES = 16

/** What of an application says in which sector it is. */
export interface SectorMember {
  readonly document: Pick<ApplicationDocument, 'subjectType' | 'sectorIdentifierUri' | 'redirectUris'>
}

type Sealed = Pick<Environment, 'dataKey'>
type Named = 'subject' | 'session'

/** The subject of a user for an application. */
export function subjectFor(environment: Sealed, application: SectorMember, userId: string): string {
  return nameFor('subject', environment, application, userId)
}

/** The id of the user whom an application knows by a subject; undefined when it can know nobody by it. */
export function userOfSubject(environment: Sealed, application: SectorMember, subject: string) {
  return idOf('subject', environment, application, subject)
}

/** The `sid` of a session for an application. */
export function sessionFor(environment: Sealed, application: SectorMember, sessionId: string): string {
  return nameFor('session', environment, application, sessionId)
}

/** The id of the session that an application knows by a `sid`; undefined when it can know none by it. */
export function sessionOfSid(environment: Sealed, application: SectorMember, sid: string) {
  return idOf('session', environment, application, sid)
}

function nameFor(named: Named, environment: Sealed, application: SectorMember, id: string): string {
  const sector = sectorOf(application)
  if (sector === undefined) return id
  const key = sectorKey(environment, named, sector)
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  const block = Buffer.from(id.replaceAll('-', ''), 'hex')
  return Buffer.concat([cipher.update(block), cipher.final()]).toString('base64url')
}

function idOf(named: Named, environment: Sealed, application: SectorMember, name: string): string | undefined {
  const sector = sectorOf(application)
  if (sector === undefined) return name
  const block = decodeBase64url(name)
  if (block?.length !== BLOCK_BYTES) return undefined
  const key = sectorKey(environment, named, sector)
  const decipher = createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  const hex = Buffer.concat([decipher.update(block), decipher.final()]).toString('hex')
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return idForm.test(id) ? id : undefined
}

/**
 * The sector of an application with pairwise subjects: the host of its sector identifier, or of its redirect URIs, which
 * then have but one (OpenID Connect Core section 8.1). A port is no part of it (RFC 3986 section 3.2.2).
 */
function sectorOf({ document: { subjectType, sectorIdentifierUri, redirectUris } }: SectorMember): string | undefined {
  if (subjectType !== 'pairwise') return undefined
  return new URL(sectorIdentifierUri ?? redirectUris[0] ?? '').hostname
}

const sectorKeys = new WeakMap<KeyObject, Map<string, KeyObject>>()

function sectorKey({ dataKey }: Sealed, named: Named, sector: string): KeyObject {
  const keys = sectorKeys.get(dataKey) ?? new Map<string, KeyObject>()
  sectorKeys.set(dataKey, keys)
  const purpose = `pairwise-${named}/${sector}`
  const key = keys.get(purpose) ?? deriveKey({ key: dataKey }, purpose)
  keys.set(purpose, key)
  return key
}
