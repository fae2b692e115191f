/** Agreements for tests: with languages and revisions, enabled or not. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Stile } from '../harness/stile.ts'

/** An agreement that a test has made. */
export interface AddedAgreement {
  readonly id: string
  readonly name: string
}

/** Makes an agreement without languages. */
export async function addAgreement(stile: Stile, more: object = {}): Promise<AddedAgreement> {
  const name = `Agreement ${randomUUID()}`
  const { status, json, text } = await stile.api('POST', '/agreements', { name, enabled: false, ...more })
  assert.equal(status, 201, text)
  return { id: json.id, name }
}

/** Adds a language, enabled, and returns its id. */
export async function addAgreementLanguage(stile: Stile, agreementId: string, locale: string): Promise<string> {
  const body = { locale, displayName: 'Terms', enabled: true }
  const { status, json, text } = await stile.api('POST', `/agreements/${agreementId}/languages`, body)
  assert.equal(status, 201, text)
  return json.id
}

/** Adds a revision, in force for an hour unless said otherwise, and returns its id. */
export async function addRevision(
  stile: Stile,
  agreementId: string,
  languageId: string,
  more: object = {},
): Promise<string> {
  const { status, json, text } = await stile.api(
    'POST',
    `/agreements/${agreementId}/languages/${languageId}/revisions`,
    {
      contentType: 'text/plain',
      text: 'Be kind.',
      effectiveAt: new Date(stile.node.kernel.world.now() - 3_600_000).toISOString(),
      requireReconsent: true,
      ...more,
    },
  )
  assert.equal(status, 201, text)
  return json.id
}

/** Gives an agreement an English text and enables it. */
export async function enable(
  stile: Stile,
  { id, name }: AddedAgreement,
  more: object = {},
): Promise<{ readonly languageId: string; readonly revisionId: string }> {
  const languageId = await addAgreementLanguage(stile, id, 'en')
  const revisionId = await addRevision(stile, id, languageId)
  const { status, text } = await stile.api('PUT', `/agreements/${id}`, { name, enabled: true, ...more })
  assert.equal(status, 200, text)
  return { languageId, revisionId }
}
