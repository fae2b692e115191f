import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { Html, html } from '../../src/pages/html.ts'
import { anyCharacter } from '../harness/any-character.ts'

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/** What a browser reads where the template put a value. */
function unescape(markup: string): string {
  return markup.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? '')
}

const anything = fc.oneof(
  fc.string({ unit: anyCharacter }),
  fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '`', '=', '/', '\u0000', '\uD800', 'a', ' ', '\n') }),
)

suite('html', () => {
  test('no text ends the place it was put in, and every text is read back as it was', () => {
    fc.assert(
      fc.property(anything, anything, (first, second) => {
        const rendered = html`<p title="${first}">${second}</p>`.toString()
        const parts = /^<p title="([^"<>]*)">([^<>"']*)<\/p>$/.exec(rendered)
        assert.ok(parts, rendered)
        const asSent = (text: string) => text.toWellFormed().replaceAll('\u0000', '\uFFFD')
        assert.equal(unescape(parts[1] ?? ''), asSent(first))
        assert.equal(unescape(parts[2] ?? ''), asSent(second))
      }),
      { numRuns: 500 },
    )
  })

  test('markup of templates is taken as it is, in lists and in each other', () => {
    const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`)
    assert.equal(html`<ul>${items}</ul>`.toString(), '<ul><li>a</li><li>&lt;b&gt;</li></ul>')
    assert.equal(html`<p${html` class="x"`}>${false}${null}${undefined}${0}</p>`.toString(), '<p class="x">0</p>')
  })

  test('nothing but a template makes markup', () => {
    const forged = Object.assign(Object.create(Html.prototype) as object, { markup: '<script>' })
    assert.throws(() => html`${forged as unknown as Html}`, TypeError)
    const lookalike = { toString: () => '<script>' }
    assert.throws(() => html`${lookalike as unknown as string}`, TypeError)
  })

  test('a template with a value in an unsafe place throws', () => {
    const x = 'x'
    assert.throws(() => html`<p class=${x}></p>`, /double quotes/)
    assert.throws(() => html`<p class='${x}'></p>`, /double quotes/)
    assert.throws(() => html`<p ${x}></p>`, /inside a tag/)
    assert.throws(() => html`<${x}>`, /inside a tag/)
    assert.throws(() => html`<p title=">" ${x}></p>`, /inside a tag/)
    assert.throws(() => html`<script>${x}</script>`, /script or style/)
    assert.throws(() => html`<style>p{color:${x}}</style>`, /script or style/)
    assert.equal(html`<script src="${'/a.js'}"></script>${x}`.toString(), '<script src="/a.js"></script>x')
  })

  test('an address that would run as a script throws, however it is disguised', () => {
    for (const address of [
      'javascript:alert(1)',
      ' \u0001JavaScript:alert(1)',
      'java\nscript:alert(1)',
      '\tjava\tscript\r:alert(1)',
      'data:text/html,<script>',
      'vbscript:x',
      'blob:https://a/b',
    ]) {
      assert.throws(() => html`<a href="${address}">x</a>`, /scheme/, address)
      assert.throws(() => html`<form action="${address}"></form>`, /scheme/, address)
      assert.throws(() => html`<meta http-equiv="refresh" content="0;url=${address}">`, /scheme/, address)
      assert.doesNotThrow(() => html`<p title="${address}"></p>`)
    }
    for (const address of ['/a?b=c:d', 'https://a.example/x', 'com.example.app:/callback', '?javascript:x']) {
      assert.doesNotThrow(() => html`<a href="${address}">x</a>`)
    }
  })
})
