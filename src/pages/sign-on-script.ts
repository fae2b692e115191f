/**
 * What JavaScript adds to the sign-on pages. Passwords can be shown; they are hidden again before the form is sent, so that
 * no browser remembers one as ordinary text. A passkey is asked for as soon as its page is there; browsers that want a
 * person to press a button first refuse that, which is no failure to speak of. Where a passkey will do instead of username
 * and password, the browser offers those it has with the names it fills in; a page that has stood for longer than its
 * challenge is good for gives way to that of the passkey alone. While an app is asked, the flow is looked at every two
 * seconds, and the page shown again once it has moved on.
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

const passkey = document.querySelector('#passkey')
if (passkey && window.PublicKeyCredential) {
  const form = passkey.closest('form')
  const base64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  const button = passkey.querySelector('button')
  const told = passkey.querySelector('#passkey-failed')
  const { page } = button.dataset
  let isStale = false
  if (page) setTimeout(() => (isStale = true), 240000)
  let asking = new AbortController()
  const use = async (mediation) => {
    asking.abort()
    asking = new AbortController()
    const options = JSON.parse(passkey.dataset.options)
    const { id, rawId, type, response } = await navigator.credentials.get({
      mediation,
      signal: asking.signal,
      publicKey: {
        ...options,
        challenge: Uint8Array.from(options.challenge),
        allowCredentials: options.allowCredentials.map((each) => ({ ...each, id: Uint8Array.from(each.id) })),
      },
    })
    if (isStale) return location.assign(page)
    const { clientDataJSON, authenticatorData, signature, userHandle } = response
    form.elements.origin.value = location.origin
    form.elements.assertion.value = JSON.stringify({
      id,
      rawId: base64(rawId),
      type,
      response: {
        clientDataJSON: base64(clientDataJSON),
        authenticatorData: base64(authenticatorData),
        signature: base64(signature),
        ...(userHandle ? { userHandle: base64(userHandle) } : {}),
      },
    })
    form.submit()
  }
  const fillIn = async () => {
    if (page && (await PublicKeyCredential.isConditionalMediationAvailable?.())) await use('conditional')
  }
  const ignore = () => {}
  const failed = () => {
    fillIn().catch(ignore)
    told.hidden = false
  }
  passkey.hidden = false
  document.querySelector('#passkey-unavailable')?.remove()
  button.addEventListener('click', () => {
    told.hidden = true
    if (isStale) location.assign(page)
    else use().catch(failed)
  })
  if (page) fillIn().catch(ignore)
  else if (!document.querySelector('.alert:not([hidden])')) use().catch(ignore)
}

const push = document.querySelector('#push')
if (push) {
  const look = async () => {
    const answer = await fetch(push.dataset.flow).catch(() => undefined)
    const flow = answer?.ok ? await answer.json().catch(() => undefined) : undefined
    const isOver = answer?.status === 404 || (flow && flow.status !== 'PUSH_CONFIRMATION_REQUIRED')
    if (isOver) location.reload()
    else setTimeout(look, 2000)
  }
  setTimeout(look, 2000)
}
`,
)
