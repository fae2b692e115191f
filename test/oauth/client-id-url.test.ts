/** H11: which addresses may be client ids. */
import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { suite, test } from 'node:test'
import { clientIdUrlProblem } from '../../src/oauth/registration/client-id-url.ts'

const origins = { authUrl: 'https://auth.stile.test', apiUrl: 'https://api.stile.test' }
const problem = (text: string, listed?: BlockList) => clientIdUrlProblem(text, origins, listed)

suite('addresses as client ids', () => {
  test('H11: https, with a path, as they were sent', () => {
    const good = [
      'https://client.test/a',
      'https://client.test/a/b.json?v=1',
      'https://client.test:8443/a',
      'https://client.test/a/',
    ]
    for (const text of good) assert.equal(problem(text), undefined, text)
  })

  test('H11: nothing else', () => {
    const bad = `http://client.test/a HTTPS://client.test/a https://client.test https://client.test/ https://client.test?a
      https://client.test/a#f https://u:p@client.test/a https://u@client.test/a https://client.test/./a https://client.test/a/..
      https://client.test/%2e%2e/a https://client.test/.%2E/a https:client.test/a https:///client.test/a https://client.test\\a
      https://CLIENT.test/a https://client.test:443/a https://client.test/a\u0000 https://client.test/%zz https://client.test/%00 ftp://client.test/a
      https://auth.stile.test/5caa81af/as/jwks https://api.stile.test/v1 https://client.test:22/a https://client.test:5432/a`
    for (const text of bad.split(/\s+/)) assert.notEqual(problem(text), undefined, text)
    assert.notEqual(problem(`https://client.test/${'a'.repeat(1024)}`), undefined)
    assert.notEqual(problem('https://client.test/a b'), undefined)
  })

  test('H11, G01, G02: no address that is not public, in whatever form', () => {
    const hosts = `127.0.0.1 [::1] 0.0.0.0 169.254.169.254 [fd00:ec2::254] 10.0.0.1 172.16.0.1 192.168.1.1 100.64.0.1 [fe80::1]
      [::ffff:127.0.0.1] [64:ff9b::7f00:1] localhost localhost. a.localhost 2130706433 0x7f.1 127.1 0177.0.0.1 127.0.0.1.`
    for (const host of hosts.split(/\s+/)) assert.notEqual(problem(`https://${host}/a`), undefined, host)
    const listed = new BlockList()
    listed.addAddress('10.0.0.1')
    assert.equal(problem('https://10.0.0.1:9000/a', listed), undefined)
    assert.notEqual(problem('http://10.0.0.1/a', listed), undefined)
  })
})
