/** What the DNS of a domain has to say: ownership, SPF (RFC 7208), DKIM (RFC 6376). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  allowsSending,
  dkimRecord,
  domainName,
  domainOf,
  isOwned,
  ownershipRecord,
  publishesKey,
  spfRecord,
} from '../../../src/delivery/rules/email-domain.ts'

const environmentId = '6c796712-0f16-4062-815a-e0a92f4a2143'

suite('e-mail domains', () => {
  test('a name is one of a domain, and neither an address nor a wildcard', () => {
    for (const name of ['example.com', 'Mail.Example.co', 'xn--bcher-kva.example', 'a.b', '1.example']) {
      assert.ok(domainName.safeParse(name).success, name)
    }
    const wrong = [
      'example',
      '*.example.com',
      'example.com.',
      '.example.com',
      'a..b',
      '127.0.0.1',
      '-a.example',
      'a_b.example',
    ]
    for (const name of [...wrong, 'bücher.example', 'a b.example', 'a@example.com', `${'a'.repeat(64)}.example`, '']) {
      assert.ok(!domainName.safeParse(name).success, name)
    }
  })

  test('the record of one environment proves nothing for another', () => {
    const { key, value } = ownershipRecord('example.com', environmentId)
    assert.equal(key, '_stile.example.com')
    assert.ok(isOwned(['other', value], environmentId))
    for (const texts of [[], [''], [`${value}0`], [`x ${value}`], [value.replace('6c', '7c')]]) {
      assert.ok(!isOwned(texts, environmentId), JSON.stringify(texts))
    }
  })

  test('SPF lets the servers send where one record names them', () => {
    const { value } = spfRecord('example.com', 'mail.stile.example')
    const allowed = [
      [value],
      ['v=spf1 a +INCLUDE:Mail.Stile.example -all', 'other'],
      ['V=SPF1 include:mail.stile.example'],
    ]
    for (const texts of allowed) assert.ok(allowsSending(texts, 'mail.stile.example'), JSON.stringify(texts))
    const refused = [
      [],
      ['v=spf1 -all'],
      ['v=spf1 -include:mail.stile.example ~all'],
      ['v=spf1 include:mail.stile.example.evil.example'],
      ['v=spf10 include:mail.stile.example'],
      [value, 'v=spf1 -all'],
    ]
    for (const texts of refused) assert.ok(!allowsSending(texts, 'mail.stile.example'), JSON.stringify(texts))
  })

  test('a key is published where a record holds it and no other', () => {
    const { key, value } = dkimRecord('example.com', 'stile-1', 'TUlJQg+/=')
    assert.equal(key, 'stile-1._domainkey.example.com')
    for (const text of [value, 'p=TUlJQg+/=', 'v=DKIM1;p=TUlJ Qg+/=; t=y'])
      assert.ok(publishesKey([text], 'TUlJQg+/='), text)
    for (const text of ['', 'v=DKIM1; p=', 'v=DKIM2; p=TUlJQg+/=', 'k=ed25519; p=TUlJQg+/=', 'v=DKIM1; p=other']) {
      assert.ok(!publishesKey([text], 'TUlJQg+/='), text)
    }
  })

  test('the domain of an address is what stands behind its last @', () => {
    assert.equal(domainOf('A@Example.com'), 'example.com')
  })
})
