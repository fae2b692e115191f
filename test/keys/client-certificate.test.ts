/** Which certificates of clients count: RFC 5280 section 6, as far as RFC 8705 needs it. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import 'reflect-metadata'
import { ExtendedKeyUsage, Extension, KeyUsageFlags } from '@peculiar/x509'
import {
  authoritiesProblem,
  certificateNames,
  isIssuedBy,
  readCertificates,
} from '../../src/keys/client-certificate.ts'
import { authority, type Content, certificate, type Held } from '../harness/client-certificates.ts'

const root = await authority('Root')
const between = await authority('Between', { issuer: root })
const now = Date.now()
const day = 86_400_000

const isGood = (leaf: Held, chain: readonly Held[] = [], anchors: readonly Held[] = [root], at = now) =>
  isIssuedBy(
    leaf.certificate,
    chain.map((held) => held.certificate),
    anchors.map((held) => held.certificate),
    at,
  )

suite('certificates of clients', () => {
  test('issued by an authority, or by one that it has made', async () => {
    assert.ok(await isGood(await certificate({ issuer: root })))
    assert.ok(await isGood(await certificate({ issuer: between }), [between]))
    assert.ok(await isGood(await certificate({ issuer: between }), [], [between]))
    assert.ok(await isGood(await certificate({ issuer: between }), [root, between]))
    const deeper = await authority('Deeper', { issuer: between })
    assert.ok(await isGood(await certificate({ issuer: deeper }), [between, deeper]))
    assert.ok(await isGood(await certificate({ issuer: root, purposes: 'any' })))
    assert.ok(
      await isGood(
        await certificate({ issuer: root, purposes: [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth] }),
      ),
    )
    assert.ok(await isGood(await certificate({ issuer: root }), [], [await authority('Other'), root]))
  })

  test('no authority, no good', async () => {
    const leaf = await certificate({ issuer: between })
    assert.ok(!(await isGood(leaf)), 'what is between is missing')
    assert.ok(!(await isGood(leaf, [between], [])))
    assert.ok(!(await isGood(leaf, [between, root], [await authority('Other')])), 'a root that is sent along')
    assert.ok(!(await isGood(await certificate(), [], [root])), 'self-signed')
    assert.ok(!(await isGood(await certificate({ issuer: await authority('Root') }))), 'an authority of the same name')
  })

  test('who is no authority issues nothing', async () => {
    const client = await certificate({ issuer: root, subject: [{ CN: ['client'] }] })
    assert.ok(!(await isGood(await certificate({ issuer: client }), [client])))
    assert.ok(!(await isGood(await certificate({ issuer: client }), [], [client])))
    const posing = await certificate({
      issuer: root,
      usages: KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature,
    })
    assert.ok(
      !(await isGood(await certificate({ issuer: posing }), [posing])),
      'its basic constraints say that it is none',
    )
    assert.ok(!(await isGood(await certificate({ issuer: posing }), [], [posing])))
    const without = await authority('Without', { issuer: root, usages: KeyUsageFlags.digitalSignature })
    assert.ok(!(await isGood(await certificate({ issuer: without }), [without])))
  })

  test('not further than an authority may go', async () => {
    const near = await authority('Near', { pathLength: 0 })
    const beyond = await authority('Beyond', { issuer: near })
    assert.ok(await isGood(await certificate({ issuer: near }), [], [near]))
    assert.ok(!(await isGood(await certificate({ issuer: beyond }), [beyond], [near])))
    const many: Held[] = [root]
    for (let at = 0; at < 5; at++) many.push(await authority(`Number ${at}`, { issuer: many.at(-1) as Held }))
    assert.ok(await isGood(await certificate({ issuer: many[4] as Held }), many.slice(1, 5)))
    assert.ok(!(await isGood(await certificate({ issuer: many[5] as Held }), many.slice(1))))
  })

  const unfit: Readonly<Record<string, Content>> = {
    expired: { notAfter: now - 1000 },
    'not valid yet': { notBefore: now + day / 2 },
    'for servers': { purposes: [ExtendedKeyUsage.serverAuth] },
    'with a weak key': { weak: true },
    'signed by SHA-1': { hash: 'SHA-1' },
    'with a critical extension that nobody knows': {
      extensions: [new Extension('1.2.3.4.5', true, new Uint8Array([5, 0]))],
    },
  }
  for (const [name, content] of Object.entries(unfit)) {
    test(`refused: ${name}`, async () => {
      assert.ok(!(await isGood(await certificate({ issuer: root, ...content }))))
    })
    if (name === 'for servers' || name === 'with a weak key') continue
    test(`refused: by an authority ${name}`, async () => {
      const unfitAuthority = await authority('Unfit', { issuer: root, ...content })
      const leaf = await certificate({ issuer: unfitAuthority })
      assert.ok(!(await isGood(leaf, [unfitAuthority])))
      assert.ok(!(await isGood(leaf, [], [unfitAuthority])))
    })
  }

  test('an extension that nobody knows and that is not critical', async () => {
    const extensions = [new Extension('1.2.3.4.5', false, new Uint8Array([5, 0]))]
    assert.ok(await isGood(await certificate({ issuer: root, extensions })))
  })

  test('names', async () => {
    const { certificate: made } = await certificate({
      subject: [{ C: ['DE'] }, { CN: [{ utf8String: 'a, "b"' }], OU: [{ utf8String: 'c' }] }],
      names: [
        { type: 'dns', value: 'a.test' },
        { type: 'url', value: 'https://a.test/x' },
        { type: 'ip', value: '2001:db8::1' },
        { type: 'ip', value: '192.0.2.1' },
        { type: 'email', value: 'a@b.test' },
      ],
    })
    assert.deepEqual(await certificateNames(made), {
      subject: [{ C: ['DE'] }, { CN: ['a, "b"'], OU: ['c'] }],
      dns: ['a.test'],
      uri: ['https://a.test/x'],
      ip: ['2001:db8::1', '192.0.2.1'],
      email: ['a@b.test'],
    })
  })

  test('a PEM text of authorities', async () => {
    assert.equal(readCertificates(`${root.cert}\n${between.cert}\n`)?.length, 2)
    assert.equal(authoritiesProblem(`# ours\n${root.cert}\n${between.cert}`), undefined)
    const leaf = await certificate({ issuer: root })
    for (const [text, problem] of [
      ['', /PEM/],
      ['x', /PEM/],
      [root.cert.replace(/[A-Za-z0-9]{20}/, 'A'.repeat(20)), /PEM/],
      [leaf.cert, /authorities only/],
      [root.cert + leaf.cert, /authorities only/],
      [root.cert.repeat(21), /more than 20/],
      [' '.repeat(70_000), /longer/],
    ] as const) {
      assert.match(authoritiesProblem(text) ?? '', problem)
    }
  })
})
