/** The texts of agreements: what is refused when it is written, and what is made of the rest. platform-api 3.16; W01, W15. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  agreementTextProblem,
  type MarkupNode,
  markupElements,
  maximumTextLength,
  readMarkup,
} from '../../src/environment/agreement-text.ts'
import { anyGrapheme } from '../harness/any-character.ts'

const refused = (text: string) => agreementTextProblem('text/html', text)

/** What a page makes of a text: the same elements, written anew. */
function shown(nodes: readonly MarkupNode[]): string {
  return nodes
    .map((node) => {
      if (typeof node === 'string') return escaped(node)
      const { element, href, children } = node
      const start = href === undefined ? `<${element}>` : `<${element} href="${escaped(href)}">`
      return element === 'br' || element === 'hr' ? start : `${start}${shown(children)}</${element}>`
    })
    .join('')
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

function nodesOf(text: string): readonly MarkupNode[] {
  const markup = readMarkup(text)
  assert.ok('nodes' in markup, 'problem' in markup ? markup.problem : '')
  return markup.nodes
}

suite('the text of an agreement', () => {
  test('is taken apart into elements and characters', () => {
    assert.deepEqual(nodesOf('<h1>Terms</h1>\n<P>A &amp; B<br/>C &lt;&#60;&#x3c; &copy; &; AT&T<hr></P>'), [
      { element: 'h1', children: ['Terms'] },
      '\n',
      {
        element: 'p',
        children: ['A & B', { element: 'br', children: [] }, 'C <<< © &; AT&T', { element: 'hr', children: [] }],
      },
    ])
    for (const href of ['https://example.com', 'https://example.com:8443/a?b=c#d', 'mailto:legal@example.com']) {
      assert.deepEqual(nodesOf(`<a href="${href}">x</a>`), [{ element: 'a', href, children: ['x'] }])
    }
    assert.deepEqual(nodesOf('<a href="https://a.example/?x=1&amp;y=2">x</a>'), [
      { element: 'a', href: 'https://a.example/?x=1&y=2', children: ['x'] },
    ])
    for (const text of ['', 'plain > text', '<ul><li>1</li><li><b><i>2</i></b></li></ul>', '<a>x</a>']) {
      assert.equal(refused(text), undefined, text)
    }
  })

  test('W01, W15: is refused with anything that runs, loads, hides or breaks out', () => {
    const texts = [
      '<script>alert(1)</script>',
      '<style>*{}</style>',
      '<img src=x onerror=alert(1)>',
      '<svg><p></p></svg>',
      '<math></math>',
      '<iframe src="https://example.com"></iframe>',
      '<form></form>',
      '<input>',
      '<noscript><p></p></noscript>',
      '<template></template>',
      '<base href="https://example.com">',
      '<meta http-equiv="refresh">',
      '<link rel="stylesheet">',
      '<body></body>',
      '<!-- comment -->',
      '<!doctype html>',
      '<?xml?>',
      '<![CDATA[x]]>',
      '</ p>',
      '<p',
      '<p>',
      '</p>',
      '<b><i></b></i>',
      '<p/>',
      '<p></p/>',
      '<p></p class="x">',
      '<p class="x">x</p>',
      '<p onclick="alert(1)">x</p>',
      '<p style="position:fixed">x</p>',
      '<p\u0000></p>',
      '<a href="javascript:alert(1)">x</a>',
      '<a href=" javascript:alert(1)">x</a>',
      '<a href="java&#x73;cript:alert(1)">x</a>',
      '<a href="javascript&colon;alert(1)">x</a>',
      '<a href="jav\tascript:alert(1)">x</a>',
      '<a href="data:text/html,x">x</a>',
      '<a href="http://example.com">x</a>',
      '<a href="//example.com">x</a>',
      '<a href="/terms">x</a>',
      '<a href="https://user:password@example.com">x</a>',
      '<a href="https:\\\\example.com">x</a>',
      '<a href="">x</a>',
      "<a href='https://example.com'>x</a>",
      '<a href=https://example.com>x</a>',
      '<a href="https://example.com" target="_top">x</a>',
      '<a href="https://example.com" href="https://example.org">x</a>',
      '<a href="https://example.com"onclick="alert(1)">x</a>',
      '<a href="https://a.example"><a href="https://b.example">x</a></a>',
      '<ScRiPt>alert(1)</ScRiPt>',
      '<<p>x</p>',
      'a < b',
      '&nosuch;',
      '&#0;',
      '&#8;',
      '&#xd800;',
      '&#x110000;',
      '\u0007',
      '\u0085',
      '\ud800',
      `${'<b>'.repeat(21)}${'</b>'.repeat(21)}`,
    ]
    for (const text of texts) assert.ok(refused(text), text)
  })

  test('is anything but control characters where it is plain', () => {
    assert.equal(agreementTextProblem('text/plain', 'a < b & <script>\n\tc\r\n😀'), undefined)
    for (const text of ['\u0000', '\u001b[31m', '\udfff']) assert.ok(agreementTextProblem('text/plain', text))
  })

  test('W06: is read in one pass, whatever it is', () => {
    const fill = (piece: string) => piece.repeat(maximumTextLength / piece.length)
    const started = performance.now()
    for (const text of [
      ...['<', '&', '<p', '<p ', '<a href="', '&#', '&a', '<p>', '<br>', '</', ' '].map(fill),
      `<p${fill(' ')}`,
      `<p ${fill('a')}`,
      `<a href="https://${fill('a')}`,
      `<a href="https://a/${fill('a')}"`,
      `&${fill('a')}`,
    ]) {
      refused(text)
    }
    assert.ok(performance.now() - started < 1000)
  })

  const element = fc.constantFrom(...markupElements, 'script', 'img')
  const piece = fc.oneof(
    fc.string({ unit: anyGrapheme, maxLength: 8 }),
    fc.constantFrom(
      '<',
      '>',
      '"',
      '&',
      '&lt;',
      '&#60;',
      '&quot;',
      '<!--',
      '-->',
      ' ',
      '/',
      '=',
      'onclick',
      'javascript:',
    ),
    element.map((name) => `<${name}>`),
    element.map((name) => `</${name}>`),
    element.map((name) => `<${name}>x</${name}>`),
    fc.webUrl().map((url) => `<a href="${url}">x</a>`),
  )

  test('W01: what is accepted is shown as elements that may be there, and reads the same again', () => {
    let accepted = 0
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const text = pieces.join('')
        const markup = readMarkup(text)
        if ('problem' in markup) return
        accepted++
        const page = shown(markup.nodes)
        for (const [, name = ''] of page.matchAll(/<\/?([^\s>]*)/g)) {
          assert.ok(
            markupElements.some((known) => known === name),
            page,
          )
        }
        assert.deepEqual(shown(nodesOf(page)), page)
      }),
      { numRuns: 3000 },
    )
    assert.ok(accepted > 100, `${accepted} texts were accepted`)
  })
})
