/**
 * The pages of signing off (OpenID Connect RP-Initiated Logout 1.0; authentication-api 2.18): whether it is meant, and that
 * it is done. Every one works without JavaScript (rows I10, I13).
 *
 * The page that says it is done loads a frame of each application that took part (Front-Channel Logout 1.0 section 3) and
 * then goes on. Such a frame can neither leave itself nor open anything.
 *
 * Never: an address to go on to that is not registered; a name of an application that is not the one that asked.
 */
import { type Html, html } from './html.ts'
import { renderPage } from './layout.ts'
import { signOffScript } from './sign-off-script.ts'
import { type Language, say } from './texts/language.ts'

/** What the form sends along beside the word of the user. */
export interface SignOffForm {
  /** What proves that this very browser was shown the page. */
  readonly confirmation: string
  /** Parameters of the request that are judged anew. */
  readonly kept: Readonly<Record<string, string>>
}

/** What a page shows. */
export type SignOffView =
  /** `username` is undefined where the user of the session is gone. */
  | {
      readonly kind: 'ask'
      readonly form: SignOffForm
      readonly username: string | undefined
      readonly applicationName: string | undefined
    }
  | {
      readonly kind: 'done'
      /** The address of the application that asked; undefined: there is none to go to. */
      readonly returnTo: string | undefined
      readonly applicationName: string | undefined
      /** Addresses to load in frames. */
      readonly frames: readonly string[]
    }

/** Renders a page. */
export function renderSignOff(view: SignOffView, language: Language): string {
  switch (view.kind) {
    case 'ask': {
      const { form, username, applicationName } = view
      const text =
        username === undefined ? say(language, 'signOff.textUnknown') : say(language, 'signOff.text', { username })
      return renderPage({
        language,
        heading: say(language, 'signOff.heading'),
        applicationName,
        main: html`<p>${text}</p>
${signOffForm(form, language)}
<p>${say(language, 'signOff.keep')}</p>`,
      })
    }
    case 'done': {
      const { returnTo, applicationName = '', frames } = view
      const waits = frames.length > 0
      return renderPage({
        language,
        heading: say(language, 'signedOff.heading'),
        ...(waits ? { goesOnLater: returnTo, script: signOffScript } : { goesOnTo: returnTo }),
        main: html`${returnTo === undefined ? closing(language) : goingBack(returnTo, applicationName, language)}
${frames.map(frame)}`,
      })
    }
  }
}

/** The form by which a user says yes; also where a request to sign off is refused and somebody is signed on. */
export function signOffForm({ confirmation, kept }: SignOffForm, language: Language): Html {
  const inputs = Object.entries({ ...kept, confirmation }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">
`,
  )
  return html`<form method="post" action="signoff">
${inputs}<button class="button" autofocus>${say(language, 'signOff.submit')}</button>
</form>`
}

function closing(language: Language): Html {
  return html`<p>${say(language, 'signedOff.text')}</p>`
}

function goingBack(returnTo: string, application: string, language: Language): Html {
  return html`<p>${say(language, 'signedOff.back', { application })}</p>
<a class="button" id="next" href="${returnTo}">${say(language, 'signedOff.continue')}</a>`
}

function frame(address: string): Html {
  return html`<iframe hidden sandbox="allow-scripts allow-same-origin allow-forms" referrerpolicy="no-referrer" src="${address}"></iframe>
`
}
