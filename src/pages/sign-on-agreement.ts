/**
 * The page of an agreement: its text, and the user's yes or no (authentication-api 4.2 `user.consent`, platform-api 3.16).
 *
 * Never: the text itself as markup. It is taken apart, and every element is made here anew (rows W01, W15).
 */
import { type MarkupElement, type MarkupNode, readMarkup } from '../environment/agreement-text.ts'
import type { AgreementView } from '../flow/action.ts'
import { type Fragment, type Html, html } from './html.ts'
import type { FieldContext, SignOnError } from './sign-on-fields.ts'
import { type Content, type FormPlace, postForm } from './sign-on-forms.ts'
import { say } from './texts/language.ts'

/** A flow that waits for a consent. */
export interface AgreementFormsView extends FormPlace {
  readonly agreement?: AgreementView | undefined
  readonly agreementText?: string | undefined
  /** What was wrong with the last attempt. */
  readonly error?: SignOnError | undefined
}

/** The agreement, and what may be said to it. */
export function agreement(view: AgreementFormsView, { language }: FieldContext): Content {
  const { agreement: asked, agreementText = '' } = view
  const { acceptCheckboxText, continueButtonText, declineButtonText } = asked?.userExperience ?? {}
  const yes = [
    html`<div class="agreement" tabindex="0" role="region" aria-label="${asked?.displayName ?? ''}" lang="${asked?.locale ?? language.tag}">
${asked?.contentType === 'text/html' ? written(agreementText) : html`<p class="plain">${agreementText}</p>`}</div>`,
    html`<label class="check"><input type="checkbox" id="accept" name="accept" value="true" required${view.error === undefined && html` autofocus`}> ${acceptCheckboxText ?? say(language, 'agreement.accept')}</label>`,
    html`<button class="button">${continueButtonText ?? say(language, 'agreement.continue')}</button>`,
  ]
  const no = html`<input type="hidden" name="accept" value="false"><button class="link">${declineButtonText ?? say(language, 'agreement.decline')}</button>`
  const forms = [postForm(view, 'user.consent', yes)]
  if (asked?.declineOption) forms.push(postForm(view, 'user.consent', no))
  return { heading: 'agreement.heading', note: asked?.displayName, forms }
}

/** A text that was judged when it was written. */
function written(text: string): Fragment {
  const markup = readMarkup(text)
  return 'nodes' in markup ? shown(markup.nodes) : html`<p class="plain">${text}</p>`
}

function shown(nodes: readonly MarkupNode[]): readonly Html[] {
  return nodes.map((node) => {
    if (typeof node === 'string') return html`${node}`
    const content = shown(node.children)
    if (node.element !== 'a') return elements[node.element](content)
    return html`<a href="${node.href ?? ''}" target="_blank" rel="noopener noreferrer">${content}</a>`
  })
}

/** Headings go one level down, since the page has one of the first already. */
const elements: Readonly<Record<Exclude<MarkupElement, 'a'>, (content: Fragment) => Html>> = {
  b: (content) => html`<b>${content}</b>`,
  br: () => html`<br>`,
  em: (content) => html`<em>${content}</em>`,
  i: (content) => html`<i>${content}</i>`,
  small: (content) => html`<small>${content}</small>`,
  span: (content) => html`<span>${content}</span>`,
  strong: (content) => html`<strong>${content}</strong>`,
  sub: (content) => html`<sub>${content}</sub>`,
  sup: (content) => html`<sup>${content}</sup>`,
  u: (content) => html`<u>${content}</u>`,
  blockquote: (content) => html`<blockquote>${content}</blockquote>`,
  div: (content) => html`<div>${content}</div>`,
  h1: (content) => html`<h2>${content}</h2>`,
  h2: (content) => html`<h3>${content}</h3>`,
  h3: (content) => html`<h4>${content}</h4>`,
  h4: (content) => html`<h5>${content}</h5>`,
  h5: (content) => html`<h6>${content}</h6>`,
  h6: (content) => html`<h6>${content}</h6>`,
  hr: () => html`<hr>`,
  p: (content) => html`<p>${content}</p>`,
  dd: (content) => html`<dd>${content}</dd>`,
  dl: (content) => html`<dl>${content}</dl>`,
  dt: (content) => html`<dt>${content}</dt>`,
  li: (content) => html`<li>${content}</li>`,
  ol: (content) => html`<ol>${content}</ol>`,
  ul: (content) => html`<ul>${content}</ul>`,
  table: (content) => html`<table>${content}</table>`,
  tbody: (content) => html`<tbody>${content}</tbody>`,
  td: (content) => html`<td>${content}</td>`,
  th: (content) => html`<th>${content}</th>`,
  thead: (content) => html`<thead>${content}</thead>`,
  tr: (content) => html`<tr>${content}</tr>`,
}
