/** Templates and their contents (platform-api 3.18). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { echoOf, type Json } from './echo.ts'
import { onEachEngine } from './people.ts'

const names =
  'credential_issued credential_revoked credential_updated credential_verification device_pairing device_removed ' +
  'digital_wallet_pairing email_phone_verification email_verification_admin email_verification_user general ' +
  'id_verification new_device_paired recovery_code_template strong_authentication transaction verification_code_template'
const extensions = [
  'backchannel_authentication',
  'email_address_changed_admin',
  'email_address_changed_user',
  'recovery_code_used',
  'user_invitation',
]

const email = { deliveryMethod: 'Email', locale: 'en', subject: 'Own', body: '<p>${code}</p>' }
const defaults = { charset: 'UTF-8', emailContentType: 'text/html' }

await onEachEngine('templates', (stile) => {
  const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
  const contentsPath = (template: string) => `/templates/${template}/contents`
  const contents = async (template: string, query = ''): Promise<Json[]> => {
    const { status, json, text } = await api('GET', `${contentsPath(template)}${query}`)
    assert.equal(status, 200, text)
    assert.equal(json.size, json._embedded.contents.length)
    return json._embedded.contents
  }
  const create = async (template: string, more: object = {}): Promise<Json> => {
    const { status, json, text } = await api('POST', contentsPath(template), { ...email, ...more })
    assert.equal(status, 201, text)
    return json
  }
  const filter = (text: string) => `?filter=${encodeURIComponent(text)}`

  test('are the sixteen of PingOne, and those of ours', async () => {
    const { json } = await api('GET', '/templates')
    const listed: Json[] = json._embedded.templates
    assert.deepEqual(listed.map(({ id }) => id).toSorted(), [...names.split(' '), ...extensions].toSorted())
    for (const each of listed) assert.deepEqual((await api('GET', `/templates/${each.id}`)).json, each)
    for (const wrong of ['unknown', '__proto__', 'constructor', 'toString']) {
      for (const path of [`/templates/${wrong}`, contentsPath(wrong)])
        assert.equal((await api('GET', path)).status, 404)
      assert.equal((await api('POST', contentsPath(wrong), email)).status, 404)
    }
  })

  test('a content of the environment takes the place of the built-in one until it is deleted', async () => {
    const template = 'email_verification_user'
    const before = await contents(template)
    assert.deepEqual(
      before.map((content) => [content.deliveryMethod, content.locale, content.default]),
      [
        ['Email', 'en', true],
        ['Email', 'de', true],
      ],
    )
    assert.deepEqual((await api('GET', `${contentsPath(template)}/${before[0].id}`)).json, before[0])

    const own = await create(template)
    assert.deepEqual(echoOf(own), { ...email, ...defaults, default: false, template: { id: template } })
    const after = await contents(template)
    assert.deepEqual(
      after.map(({ id }) => id),
      [own.id, before[1].id],
    )
    const path = `${contentsPath(template)}/${own.id}`
    const changed = await api('PUT', path, { ...email, subject: 'Other', locale: 'fr' })
    assert.deepEqual([changed.status, changed.json.subject, changed.json.createdAt], [200, 'Other', own.createdAt])
    assert.deepEqual((await api('GET', path)).json, changed.json)
    assert.equal((await contents(template)).length, 3)
    assert.equal((await api('DELETE', path)).status, 204)
    assert.deepEqual(await contents(template), before)
    assert.equal((await api('DELETE', path)).status, 404)
  })

  test('a built-in content stays as it is', async () => {
    const [builtIn] = await contents('recovery_code_template')
    const path = `${contentsPath('recovery_code_template')}/${builtIn.id}`
    for (const answer of [await api('PUT', path, email), await api('DELETE', path)]) {
      assert.deepEqual([answer.status, answer.json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
    }
    const elsewhere = `${contentsPath('general')}/${builtIn.id}`
    assert.equal((await api('GET', elsewhere)).status, 404)
  })

  test('one for each method, locale and variant, also of 10 at once', async () => {
    const body = { ...email, locale: 'it' }
    const answers = await Promise.all(Array.from({ length: 10 }, () => api('POST', contentsPath('general'), body)))
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, ...Array.from({ length: 9 }, () => 400)])
    const refused = answers.find(({ status }) => status === 400)
    assert.equal(refused?.json.details[0].code, 'UNIQUENESS_VIOLATION')
    await create('general', { locale: 'it', variant: 'spring' })
  })

  test('N30: all contents of a variant are renamed or deleted at once', async () => {
    const template = 'transaction'
    const [one, two, other] = [
      await create(template, { variant: 'a' }),
      await create(template, { variant: 'a', locale: 'de' }),
      await create(template, { variant: 'b' }),
    ]
    const path = contentsPath(template)
    assert.equal((await api('PATCH', path, { variant: 'c' })).status, 400, 'not without a filter')
    assert.equal((await api('DELETE', path)).status, 400)
    assert.equal((await api('DELETE', `${path}${filter('locale eq "de"')}`)).status, 400, 'nor without the variant')
    const taken = await api('PATCH', `${path}${filter('variant eq "a"')}`, { variant: 'b' })
    assert.deepEqual([taken.status, taken.json.details[0].code], [400, 'UNIQUENESS_VIOLATION'])
    assert.equal((await contents(template, filter('variant eq "a"'))).length, 2, 'nothing was changed')
    assert.equal((await api('PATCH', `${path}${filter('variant eq "a"')}`, { variant: 'c' })).status, 204)
    const renamed = await contents(template, filter('(variant eq "c")'))
    assert.deepEqual(renamed.map(({ id }) => id).toSorted(), [one.id, two.id].toSorted())
    const german = filter('variant eq "c" and locale eq "de"')
    assert.deepEqual(
      (await contents(template, german)).map(({ id }) => id),
      [two.id],
    )
    assert.equal((await api('DELETE', `${path}${filter('variant eq "c"')}`)).status, 204)
    assert.deepEqual(
      (await contents(template, filter('variant eq "b"'))).map(({ id }) => id),
      [other.id],
    )
    assert.equal((await api('GET', `${path}${filter('body eq "x"')}`)).status, 400)
    assert.equal((await api('GET', `${path}${filter('locale eq "de" or locale eq "en"')}`)).status, 400)
  })

  test('what does not fit is refused', async () => {
    const bad: readonly (readonly [string, object, string])[] = [
      ['email_verification_user', { deliveryMethod: 'SMS', locale: 'en', content: 'x' }, 'deliveryMethod'],
      ['recovery_code_template', { deliveryMethod: 'Fax', locale: 'en', content: 'x' }, 'deliveryMethod'],
      ['recovery_code_template', { ...email, locale: 'x' }, 'locale'],
      ['recovery_code_template', { ...email, body: undefined }, 'body'],
      ['recovery_code_template', { ...email, subject: 'a\r\nBcc: x@example.com' }, 'subject'],
      ['recovery_code_template', { deliveryMethod: 'SMS', locale: 'en', content: 'x'.repeat(154) }, 'content'],
    ]
    for (const [template, body, target] of bad) {
      const { status, json, text } = await api('POST', contentsPath(template), body)
      assert.deepEqual([status, json.details?.[0].target], [400, target], text)
    }
    const own = await create('recovery_code_template', { locale: 'nl' })
    const sms = { deliveryMethod: 'SMS', locale: 'nl', content: 'x' }
    const turned = await api('PUT', `${contentsPath('recovery_code_template')}/${own.id}`, sms)
    assert.deepEqual([turned.status, turned.json.details[0].target], [400, 'deliveryMethod'])
    assert.equal((await api('PUT', `${contentsPath('recovery_code_template')}/${randomUUID()}`, email)).status, 404)
  })
})
