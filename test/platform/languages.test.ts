/** The languages of an environment: platform-api 3.16, 2. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type Stile, startStile } from '../harness/stile.ts'
import { addAgreement, addAgreementLanguage } from './agreement.ts'
import { sentMembers } from './members.ts'

suite('languages', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  interface Language {
    readonly id: string
    readonly locale: string
    readonly name: string
    readonly enabled: boolean
    readonly default: boolean
    readonly customerAdded: boolean
  }
  const all = async (): Promise<readonly Language[]> => (await stile.api('GET', '/languages')).json._embedded.languages
  const ofLocale = async (locale: string) => {
    const found = (await all()).find((language) => language.locale === locale)
    assert.ok(found)
    return found
  }
  const detail = ({ status, json }: Awaited<ReturnType<Stile['api']>>) => [
    status,
    json.details[0].code,
    json.details[0].target,
  ]

  test('an environment begins with those of the platform, of which English is enabled and the default', async () => {
    const languages = await all()
    assert.ok(languages.length > 10)
    assert.ok(languages.every(({ customerAdded }) => !customerAdded))
    const enabled = languages.filter((language) => language.enabled)
    assert.deepEqual(
      enabled.map(({ locale, name, default: isDefault }) => [locale, name, isDefault]),
      [['en', 'English', true]],
    )
    assert.deepEqual(
      languages.filter((language) => language.default).map(({ locale }) => locale),
      ['en'],
    )
    assert.equal((await ofLocale('fr')).name, 'French')
  })

  test('are added, enabled, made the default, and deleted, as Terraform does', async () => {
    const sent = { locale: 'sv-SE', enabled: false, default: false }
    const created = await stile.api('POST', '/languages', sent)
    assert.equal(created.status, 200, created.text)
    const { id, environment, _links } = created.json
    assert.deepEqual(sentMembers(created.json), { ...sent, name: 'Swedish (Sweden)', customerAdded: true })
    assert.deepEqual(environment, { id: stile.environmentId })
    assert.equal(created.headers.get('location'), _links.self.href)
    assert.deepEqual((await stile.api('GET', `/languages/${id}`)).json, created.json)

    const path = `/languages/${id}`
    const enabled = await stile.api('PUT', path, { ...sent, enabled: true })
    assert.deepEqual([enabled.status, enabled.json.enabled], [200, true])
    const standard = await stile.api('PUT', path, { ...sent, enabled: true, default: true })
    assert.deepEqual([standard.status, standard.json.default], [200, true])
    assert.equal((await ofLocale('en')).default, false)
    assert.equal((await stile.api('DELETE', path)).status, 400, 'the default language stays')
    const english = await ofLocale('en')
    assert.equal((await stile.api('PUT', `/languages/${english.id}`, { ...english, default: true })).status, 200)
    assert.deepEqual(
      (await all()).filter((language) => language.default).map(({ locale }) => locale),
      ['en'],
    )
    assert.equal((await stile.api('DELETE', path)).status, 204)
    assert.equal((await stile.api('GET', path)).status, 404)
    assert.equal((await stile.api('DELETE', path)).status, 404)
  })

  test('there is always one default, and it is enabled', async () => {
    const english = await ofLocale('en')
    const french = await ofLocale('fr')
    const put = ({ id, locale }: Language, more: object) => stile.api('PUT', `/languages/${id}`, { locale, ...more })
    for (const [answer, target] of [
      [await put(english, { enabled: true, default: false }), 'default'],
      [await put(english, { enabled: false, default: true }), 'enabled'],
      [await put(english, { enabled: false, default: false }), 'default'],
      [await put(french, { enabled: false, default: true }), 'enabled'],
      [await stile.api('POST', '/languages', { locale: 'sv', enabled: false, default: true }), 'enabled'],
    ] as const) {
      assert.deepEqual(detail(answer), [400, 'CONSTRAINT_VIOLATION', target])
    }
    const both = { enabled: true, default: true }
    const german = await ofLocale('de')
    await Promise.all([put(french, both), put(german, both), put(english, both)])
    assert.equal((await all()).filter((language) => language.default).length, 1)
    assert.equal((await put(english, both)).status, 200)
  })

  test('what is no language, is one already, or is needed, is refused', async () => {
    const sent = { enabled: false, default: false }
    for (const locale of ['EN', 'e', 'en_US', 'en-us', 'english', '', 'fr-CA-x-y', '../en', 'en\u0000']) {
      assert.equal((await stile.api('POST', '/languages', { ...sent, locale })).status, 400, locale)
    }
    const twice = await stile.api('POST', '/languages', { ...sent, locale: 'fr' })
    assert.deepEqual(detail(twice), [400, 'UNIQUENESS_VIOLATION', 'locale'])
    const french = await ofLocale('fr')
    const renamed = await stile.api('PUT', `/languages/${french.id}`, { ...sent, locale: 'it' })
    assert.deepEqual(detail(renamed), [400, 'INVALID_VALUE', 'locale'])
    assert.equal((await stile.api('DELETE', `/languages/${french.id}`)).status, 400, 'it is of the platform')

    const { json: added } = await stile.api('POST', '/languages', { ...sent, locale: 'da' })
    const { id } = await addAgreement(stile)
    const used = await addAgreementLanguage(stile, id, 'da')
    assert.deepEqual(detail(await stile.api('DELETE', `/languages/${added.id}`)), [
      400,
      'CONSTRAINT_VIOLATION',
      undefined,
    ])
    await stile.api('DELETE', `/agreements/${id}/languages/${used}`)
    assert.equal((await stile.api('DELETE', `/languages/${added.id}`)).status, 204)
    assert.equal((await stile.api('PUT', `/languages/${randomUUID()}`, { ...sent, locale: 'da' })).status, 404)
  })
})
