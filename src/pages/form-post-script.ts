/**
 * Sends the form of `response_mode=form_post` on its own (OAuth 2.0 Form Post Response Mode, section 2). The method is
 * taken from the prototype, since a parameter named `submit` would hide the form's own. The entry of the page is left
 * alone: a form sent while the page loads replaces it, so that "back" does not send the parameters again.
 */
import { defineAsset } from './asset.ts'

export const formPostScript = defineAsset(
  '/assets',
  'form-post',
  'js',
  `HTMLFormElement.prototype.submit.call(document.forms[0])
`,
)
