/**
 * What JavaScript adds to the sign-on pages, which do without it: passwords can be shown. They are hidden again before
 * the form is sent, so that no browser remembers one as ordinary text.
 */
import { defineAsset } from './asset.ts'

export const signOnScript = defineAsset(
  '/assets',
  'sign-on',
  'js',
  `const toggle = document.querySelector('#show-password')
if (toggle) {
  const inputs = document.querySelectorAll('input[type=password]')
  const show = (shown) => {
    for (const input of inputs) input.type = shown ? 'text' : 'password'
  }
  toggle.closest('label').hidden = false
  toggle.addEventListener('change', () => show(toggle.checked))
  toggle.form.addEventListener('submit', () => show(false))
}
`,
)
