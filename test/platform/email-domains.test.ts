/** E-mail domains with what the DNS says of them, and trusted addresses (platform-api 3.18, 1.13). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { codeSentTo, inboxOf } from '../flow-runtime/arrange.ts'
import { echoOf } from './echo.ts'
import { type Json, onEachEngine } from './people.ts'

const path = '/emailDomains'
const sendCode = 'application/vnd.pingidentity.trustedEmail.sendVerificationCode+json'
const activate = 'application/vnd.pingidentity.trustedEmail.activate+json'
const texts = new Map<string, readonly string[]>()
const dns = { texts: async (name: string) => texts.get(name) ?? [], aliases: async () => [] }

await onEachEngine(
  'e-mail domains',
  (stile) => {
    const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
    const newName = () => `${randomUUID()}.example`
    async function add(domainName = newName()): Promise<Json> {
      const { status, json, text } = await api('POST', path, { domainName })
      assert.equal(status, 201, text)
      return json
    }
    const own = async (domain: Json) => {
      const { environmentDnsRecord: record } = (await api('GET', `${path}/${domain.id}/ownership`)).json
      texts.set(record.key, [record.value])
    }
    async function trust(domain: Json, local = 'noreply'): Promise<Json> {
      const body = { emailAddress: `${local}@${domain.domainName}` }
      const { status, json, text } = await api('POST', `${path}/${domain.id}/trustedEmails`, body)
      assert.equal(status, 201, text)
      return json
    }
    const at = (address: Json) => `${path}/${address.domain.id}/trustedEmails/${address.id}`
    const codeFor = async ({ emailAddress }: Json) => {
      const message = (await inboxOf(stile(), emailAddress)).at(-1)
      assert.equal(message?.template, 'email_phone_verification')
      return codeSentTo(stile(), emailAddress)
    }
    const type = (address: Json, verificationCode: string) =>
      api('POST', at(address), { verificationCode }, { mediaType: activate })

    test('come back as they were sent; their keys stay here', async () => {
      const domain = await add('Mail.Example.org')
      assert.deepEqual(echoOf(domain), { domainName: 'Mail.Example.org' })
      assert.equal(domain.environment.id, stile().environmentId)
      assert.deepEqual((await api('GET', `${path}/${domain.id}`)).json, domain)
      const listed = await api('GET', path)
      assert.deepEqual(listed.json._embedded.emailDomains, [domain])
      const twice = await api('POST', path, { domainName: 'mail.example.ORG' })
      assert.deepEqual([twice.status, twice.json.details[0].code], [400, 'UNIQUENESS_VIOLATION'])
      for (const domainName of ['*.example.org', 'example', '127.0.0.1', '']) {
        const { status, json } = await api('POST', path, { domainName })
        assert.deepEqual([status, json.details[0].target], [400, 'domainName'], domainName)
      }
      assert.equal((await api('DELETE', `${path}/${domain.id}`)).status, 204)
      assert.equal((await api('GET', `${path}/${domain.id}`)).status, 404)
      assert.equal((await api('DELETE', `${path}/${domain.id}`)).status, 404)
      for (const part of ['ownership', 'spf', 'dkim', 'trustedEmails']) {
        assert.equal((await api('GET', `${path}/${domain.id}/${part}`)).status, 404, part)
      }
    })

    test('each status says what the DNS has to hold, and whether it does', async () => {
      const domain = await add()
      const read = async (part: string) => (await api('GET', `${path}/${domain.id}/${part}`)).json
      const ownership = await read('ownership')
      assert.deepEqual([ownership.type, ownership.environmentDnsRecord.status], ['TXT', 'VERIFICATION_REQUIRED'])
      assert.deepEqual(ownership.regions, [{ name: 'NA', ...ownership.environmentDnsRecord }])
      const spf = await read('spf')
      assert.deepEqual([spf.type, spf.status, spf.key], ['TXT', 'VERIFICATION_REQUIRED', domain.domainName])
      const dkim = await read('dkim')
      const [{ tokens, status }] = dkim.regions
      assert.deepEqual([dkim.type, status, tokens.length], ['TXT', 'VERIFICATION_REQUIRED', 1])

      texts.set(ownership.environmentDnsRecord.key, ['else', ownership.environmentDnsRecord.value])
      texts.set(spf.key, [spf.value])
      texts.set(tokens[0].key, [tokens[0].value])
      assert.equal((await read('ownership')).environmentDnsRecord.status, 'ACTIVE')
      assert.equal((await read('spf')).status, 'ACTIVE')
      assert.equal((await read('dkim')).regions[0].status, 'ACTIVE')
      texts.delete(tokens[0].key)
      assert.equal((await read('dkim')).regions[0].status, 'VERIFICATION_REQUIRED', 'what is withdrawn counts no more')
    })

    test('an address counts once the code that was mailed to it has been typed back', async () => {
      const domain = await add()
      const other = await trust(domain, 'other')
      const address = await trust(domain)
      assert.deepEqual(echoOf(address), {
        emailAddress: `noreply@${domain.domainName}`,
        status: 'VERIFICATION_REQUIRED',
        domain: { id: domain.id },
        domainId: domain.id,
      })
      const first = await codeFor(address)
      assert.ok(!JSON.stringify(address).includes(first))
      assert.equal((await type(other, first)).status, 400, 'a code proves its own address')
      const again = await api('POST', at(address), {}, { mediaType: sendCode })
      assert.deepEqual([again.status, again.json.status], [200, 'VERIFICATION_REQUIRED'])
      const second = await codeFor(address)
      const wrong = await type(address, first)
      assert.deepEqual([wrong.status, wrong.json.details[0].target], [400, 'verificationCode'], 'a newer one was sent')
      const answers = await Promise.all([type(address, second), type(address, second), type(address, second)])
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 400, 400])
      assert.equal((await api('GET', at(address))).json.status, 'ACTIVE')
      assert.equal((await api('POST', at(address), {}, { mediaType: sendCode })).status, 400)
      const same = await api('POST', `${path}/${domain.id}/trustedEmails`, { emailAddress: address.emailAddress })
      assert.deepEqual([same.status, same.json.id, same.json.status], [200, address.id, 'ACTIVE'])
    })

    test('an address counts at once where its domain names the environment', async () => {
      const domain = await add()
      await own(domain)
      const address = await trust(domain)
      assert.equal(address.status, 'ACTIVE')
      assert.deepEqual(await inboxOf(stile(), address.emailAddress), [])
      assert.equal((await api('DELETE', at(address))).status, 204)
      assert.equal((await api('GET', at(address))).status, 404)
    })

    test('an address is one of its domain, and there are ten at most, whoever adds them at the same time', async () => {
      const domain = await add()
      await own(domain)
      const foreign = await add()
      const added = `${path}/${domain.id}/trustedEmails`
      for (const emailAddress of [
        `a@sub.${domain.domainName}`,
        `a@${foreign.domainName}`,
        'a',
        `a@b@${domain.domainName}`,
      ]) {
        const { status, json } = await api('POST', added, { emailAddress })
        assert.deepEqual([status, json.details[0].target], [400, 'emailAddress'], emailAddress)
      }
      const same = await Promise.all(
        Array.from({ length: 5 }, () => api('POST', added, { emailAddress: `Same@${domain.domainName}` })),
      )
      assert.deepEqual(new Set(same.map(({ json }) => json.id)).size, 1)
      const many = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          api('POST', added, { emailAddress: `a${index}@${domain.domainName}` }),
        ),
      )
      assert.equal(many.filter(({ status }) => status === 201).length, 9)
      const [{ id }] = (await api('GET', added)).json._embedded.trustedEmails
      assert.equal((await api('GET', `${path}/${foreign.id}/trustedEmails/${id}`)).status, 404)
      assert.equal((await api('DELETE', `${path}/${foreign.id}/trustedEmails/${id}`)).status, 404)
    })

    test('L14, K16: neither codes nor tries without end, however often the address is added', async () => {
      const domain = await add()
      let address = await trust(domain)
      const code = await codeFor(address)
      for (let sent = 1; sent < 5; sent += 1) {
        await api('DELETE', at(address))
        address = await trust(domain)
      }
      const more = await api('POST', at(address), {}, { mediaType: sendCode })
      assert.deepEqual([more.status, more.json.details[0].code], [429, 'LIMIT_EXCEEDED'])
      const last = await codeFor(address)
      assert.equal((await type(address, code)).status, 400)
      for (let tried = 1; tried < 5; tried += 1) assert.equal((await type(address, 'XXXXXXXX')).status, 400)
      const late = await type(address, last)
      assert.deepEqual([late.status, late.json.details[0].code], [400, 'LIMIT_EXCEEDED'])
      assert.equal((await api('DELETE', `${path}/${domain.id}`)).status, 204)
      assert.equal((await type(address, last)).status, 404)
    })
  },
  { dns },
)
